//! Frames of the same scene at six sizes, kept as text. `SOCKSTAT_BLESS=1 cargo test --test it generated` regenerates
//! them.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sockstat::watch::msg::{Part, Target};
use sockstat::watch::{Key, Msg, State, update, view};

use super::scene::{SIZES, listener, news, press, sockets, state};
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
        update(state, Msg::Target(1, Ok(target)));
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

#[test]
fn words_stay_whole_on_narrow_and_wide_screens() {
    let mut narrow = state((60, 30));
    typed(&mut narrow, "2");
    press(&mut narrow, &[Key::Down, Key::Down, Key::Tab]);
    let shown = text(&narrow);
    let (_, panel) = shown.split_once("-- tcp").unwrap();
    assert!(panel.contains("accept q"), "{shown}");
    // The finding is the only line with more words than fit.
    let cut: Vec<&str> = panel.lines().filter(|line| line.ends_with('\u{2026}')).collect();
    assert!(cut.iter().all(|line| line.ends_with(" \u{2026}")), "{shown}");
    typed(&mut narrow, "?");
    let help = text(&narrow);
    assert!(
        help.contains("MOVE") && help.contains("LOOK") && !help.contains('\u{2026}'),
        "{help}"
    );
    press(&mut narrow, &[Key::Down]);
    assert!(!text(&narrow).contains("MOVE"));

    let mut wide = state((140, 40));
    let mut all = sockets();
    all.push(listener(("127.0.0.1", 22), (0, 128), 60));
    update(&mut wide, news(&all, 3, Part::All, 0));
    let shown = text(&wide);
    assert!(shown.contains("all v4+v6, loopback"), "{shown}");
}

#[test]
fn a_filter_that_matches_nothing_gets_a_suggestion() {
    let near = |filter: &str| {
        let mut state = state((100, 24));
        typed(&mut state, &format!("2/{filter}"));
        text(&state)
    };
    assert!(
        near("4433").contains("near: port 443 has 32 sockets"),
        "{}",
        near("4433")
    );
    // The suggestion stays when the filter is entered, and disappears with the filter.
    let mut state = state((100, 24));
    typed(&mut state, "2/4433");
    press(&mut state, &[Key::Enter]);
    update(&mut state, news(&[], 3, Part::First, 1));
    assert!(text(&state).contains("near: port 443"), "{}", text(&state));
    press(&mut state, &[Key::Esc]);
    assert!(!text(&state).contains("near:"));
}

#[test]
fn ports_are_there_before_their_connections() {
    let mut early = sockstat::watch::State::new(
        sockstat::watch::state::Setup::default(),
        String::new(),
        std::time::Duration::from_secs(1),
        (100, 24),
    );
    let few: Vec<_> = sockets().into_iter().take(6).collect();
    update(&mut early, news(&few, 1, Part::Start, 0));
    let shown = text(&early);
    assert!(shown.contains("reading connections"), "{shown}");
    let web = shown.lines().find(|line| line.contains("443/tcp")).unwrap();
    assert!(
        web.contains(" ? "),
        "how many connections it has is not known: {web}"
    );
    update(&mut early, news(&sockets(), 2, Part::First, 0));
    let shown = text(&early);
    assert!(!shown.contains("reading"), "{shown}");
    let web = shown.lines().find(|line| line.contains("443/tcp")).unwrap();
    assert!(web.contains(" 31 "), "{web}");
}

#[test]
fn what_drops_packets_is_marked_and_what_is_only_full_needs_attention() {
    let mut state = state((100, 60));
    for seconds in 10..20 {
        let mut all = sockets();
        // The queue of port 3000 stays full, but nobody connects; port 53 cannot keep up.
        all[2].drops = Some(14);
        all[5].drops = Some(seconds);
        update(&mut state, news(&all, seconds, Part::All, 0));
    }
    let mark = |state: &State, port: &str| {
        let shown = text(state);
        let row = shown.lines().find(|line| line.contains(port)).unwrap();
        row.chars().next().unwrap()
    };
    assert_eq!((mark(&state, "3000/tcp"), mark(&state, " 53/udp")), ('!', 'X'));
    press(&mut state, &[Key::Char('2')]);
    assert_eq!((mark(&state, "3000"), mark(&state, "127.0.0.53:53")), ('!', 'X'));
}

#[test]
fn a_second_problem_is_shown_if_nothing_is_missing() {
    let mut state = state((100, 24));
    // The owner of one socket is hidden: that is said first.
    let shown = text(&state);
    assert!(
        shown.contains("3000: accept queue full") && shown.contains("hidden"),
        "{shown}"
    );
    state.loss = None;
    state
        .findings
        .push("5514/udp: receive buffer 93% full".to_owned());
    assert!(text(&state).contains("5514/udp: receive buffer 93% full"));
}

#[test]
fn the_header_tells_how_often_everything_is_read() {
    let shown = |cost, reads| {
        let mut state = state((120, 24));
        let Msg::News(mut look) = news(&sockets(), 3, Part::All, 0) else {
            panic!("a look")
        };
        look.cost = std::time::Duration::from_millis(cost);
        look.reads = std::time::Duration::from_millis(reads);
        update(&mut state, Msg::News(look));
        text(&state).lines().next().unwrap().to_owned()
    };
    // The search for owners is made once.
    assert!(shown(40, 2).ends_with("  live 1 s"), "{}", shown(40, 2));
    assert!(
        shown(20, 20).contains("live 1 s, what is not on screen 2 s (takes 20 ms)"),
        "{}",
        shown(20, 20)
    );
    assert!(shown(140, 140).contains("screen 2.8 s"), "{}", shown(140, 140));
}
