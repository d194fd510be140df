//! Frames of the same scene at six sizes, kept as text. `SOCKSTAT_BLESS=1 cargo test --test it generated` makes them
//! anew.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sockstat::watch::msg::Target;
use sockstat::watch::{Key, Msg, State, update, view};

use super::scene::{SIZES, press, state};
use crate::generated::check;

/// The screen as text, without blanks at the ends of lines.
pub(super) fn text(state: &State) -> String {
    let (columns, rows) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view(state, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..rows {
        let line: String = (0..columns)
            .map(|x| buffer.cell((x, y)).unwrap().symbol())
            .collect();
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

#[track_caller]
fn fresh(name: &str, make: impl Fn(&mut State)) {
    let mut all = String::new();
    for size in SIZES {
        let mut state = state(size);
        make(&mut state);
        writeln!(all, "=== {}x{}", size.0, size.1).unwrap();
        all.push_str(&text(&state));
    }
    check(&format!("tests/it/watch/frames/{name}.txt"), all.as_bytes());
}

fn typed(state: &mut State, text: &str) {
    let keys: Vec<Key> = text.chars().map(Key::Char).collect();
    press(state, &keys);
}

#[test]
fn generated_frames_of_ports_are_fresh() {
    fresh("ports", |_| {});
}

#[test]
fn generated_frames_of_connections_are_fresh() {
    fresh("connections", |state| typed(state, "2"));
    fresh("one-port", |state| {
        press(
            state,
            &[Key::Down, Key::Enter, Key::Char('s'), Key::Char('o'), Key::Tab],
        );
    });
}

#[test]
fn generated_frames_of_programs_and_events_are_fresh() {
    fresh("programs", |state| typed(state, "3"));
    fresh("one-program", |state| {
        typed(state, "3");
        press(state, &[Key::Tab]);
    });
    fresh("events", |state| typed(state, "4"));
}

#[test]
fn generated_frames_of_pages_are_fresh() {
    fresh("help", |state| typed(state, "?"));
    fresh("why", |state| {
        typed(state, "jjw");
        let text = "No: 3000/tcp is taken. bind fails with EADDRINUSE.\n\nnode 48291 listens on [::]:3000.\n";
        update(state, Msg::Why(Ok(text.to_owned())));
    });
    fresh("filter", |state| {
        typed(state, "/state = established and recvq > 0");
    });
    fresh("frozen", |state| typed(state, " "));
    fresh("explain", |state| typed(state, "jje"));
    fresh("columns", |state| typed(state, "cbd"));
    fresh("time", |state| typed(state, "t11:58"));
    fresh("sort", |state| typed(state, "2s"));
    fresh("question", |state| {
        typed(state, "jjx");
        let target = Target {
            name: "node 48291".to_owned(),
            lines: vec!["node 48291  vite --port 3000   *:3000/tcp   user mark".to_owned()],
            closable: 129,
            ..Target::default()
        };
        update(state, Msg::Target(Ok(target)));
    });
}

#[test]
fn generated_frames_without_utf8_are_fresh() {
    fresh("ascii", |state| {
        state.setup.utf8 = false;
        state.setup.colour = false;
        typed(state, "3");
    });
    let mut state = state((120, 40));
    state.setup.utf8 = false;
    for key in ["1", "2", "3", "4", "?"] {
        typed(&mut state, key);
        assert!(text(&state).is_ascii(), "{}", text(&state));
        press(&mut state, &[Key::Esc]);
    }
}
