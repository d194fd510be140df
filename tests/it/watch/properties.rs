//! Messages in any order, at any size: nothing panics, and the cursor stays on its socket.

use std::time::Duration;

use proptest::prelude::*;
use sockstat::model::Socket;
use sockstat::watch::items::Subject;
use sockstat::watch::msg::{Fate, Part, Target};
use sockstat::watch::{Effect, Key, Msg, State, update};

use super::frames::text;
use super::scene::{news, press, sockets, state};

fn keys() -> impl Strategy<Value = Key> {
    let letters = "jkgGo/sSbcwxyYpr+-1234 ?tdDKq=<>(5é日[]{}nN".chars();
    let letters: Vec<char> = letters.collect();
    prop_oneof![
        8 => proptest::sample::select(letters).prop_map(Key::Char),
        1 => proptest::sample::select(vec!['d', 'u', 'c', 'l', 'w', 'a', 'e']).prop_map(Key::Ctrl),
        5 => proptest::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::Up, Key::Down, Key::Left, Key::Right, Key::Home, Key::End,
            Key::PageUp, Key::PageDown, Key::Backspace, Key::Delete, Key::F1,
        ]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Press(Key),
    Look(Vec<bool>, bool),
    Size(u16, u16),
    Paste(String),
    Outside(u8),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => keys().prop_map(Step::Press),
        2 => (proptest::collection::vec(any::<bool>(), 39), any::<bool>())
            .prop_map(|(kept, all)| Step::Look(kept, all)),
        1 => (0u16..140, 0u16..50).prop_map(|(columns, rows)| Step::Size(columns, rows)),
        1 => any::<String>().prop_map(Step::Paste),
        1 => (0u8..5).prop_map(Step::Outside),
    ]
}

fn take(state: &mut State, step: &Step, seconds: u64) {
    match step {
        Step::Press(key) => drop(press(state, &[*key])),
        Step::Look(kept, all) => {
            let all_sockets = sockets();
            let kept = all_sockets.iter().zip(kept).filter(|(_, kept)| **kept);
            let kept: Vec<Socket> = kept.map(|(socket, _)| socket.clone()).collect();
            let part = if *all { Part::All } else { Part::Waiting };
            update(state, news(&kept, seconds, part, state.filter_number));
        }
        Step::Size(columns, rows) => drop(update(state, Msg::Resize(*columns, *rows))),
        Step::Paste(text) => drop(update(state, Msg::Paste(text.clone()))),
        Step::Outside(which) => {
            let msg = match which {
                0 => Msg::Failed("no".to_owned(), Duration::from_secs(2)),
                1 => Msg::Target(
                    state.questions,
                    Ok(Target {
                        closable: 3,
                        ..Target::default()
                    }),
                ),
                2 => Msg::Fate(state.questions, Fate::StillRuns("it runs".to_owned())),
                3 => Msg::Why(Ok("No: taken.\n\nBy nobody.\n".to_owned())),
                _ => Msg::Refused(state.filter_number, "no".to_owned()),
            };
            update(state, msg);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_order_of_messages_and_no_size_is_too_much(
        steps in proptest::collection::vec(steps(), 0..60),
        size in (0u16..140, 0u16..50),
    ) {
        let mut state = state(size);
        for (seconds, step) in (3u64..).zip(&steps) {
            take(&mut state, step, seconds);
            let drawn = text(&state);
            let has_escape = drawn.contains('\u{1b}');
            prop_assert!(!has_escape);
            let level = state.level();
            prop_assert!(level.at < state.items.len().max(1), "{step:?}");
            prop_assert!(level.top <= level.at, "{step:?}");
        }
    }

    #[test]
    fn the_cursor_stays_on_its_socket_and_on_its_line(
        moves in 0usize..30,
        looks in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 39), 1..6),
        sort in proptest::sample::select(vec!['u', 's', 'p', 'i', 'o', 't']),
    ) {
        let mut state = state((100, 20));
        press(&mut state, &[Key::Char('2'), Key::Char('s'), Key::Char(sort)]);
        for _ in 0..moves {
            press(&mut state, &[Key::Down]);
        }
        let subject = state.level().selected.clone();
        let Some(Subject::Socket(chosen)) = subject else { return Ok(()) };
        let mut line = state.level().at - state.level().top;
        for (kept, seconds) in looks.iter().zip(100u64..) {
            let all = sockets();
            let kept: Vec<Socket> = all
                .iter()
                .zip(kept)
                .filter(|(socket, kept)| **kept || socket.identity() == Some(chosen))
                .map(|(socket, _)| socket.clone())
                .collect();
            let is_there = kept.iter().any(|socket| socket.identity() == Some(chosen));
            update(&mut state, news(&kept, seconds * 10, Part::All, 0));
            if !is_there {
                break;
            }
            prop_assert_eq!(state.level().selected.clone(), Some(Subject::Socket(chosen)));
            prop_assert_eq!(state.items.subject(state.level().at), Some(Subject::Socket(chosen)));
            // Where there is room above and below, the line is the same too.
            let (at, top) = (state.level().at, state.level().top);
            if at >= line && top + 16 < state.items.len() {
                prop_assert_eq!(at - top, line);
            }
            line = at - top;
        }
    }
}

#[test]
fn a_key_that_was_typed_ahead_does_nothing_to_a_target() {
    let mut state = state((80, 24));
    let at = state.now + Duration::from_secs(1);
    let asked = update(&mut state, Msg::Key(Key::Char('x'), at));
    assert!(
        asked.iter().any(|effect| matches!(effect, Effect::Target(..))),
        "{asked:?}"
    );
    let target = || {
        Msg::Target(
            1,
            Ok(Target {
                name: "nginx 700".to_owned(),
                ..Target::default()
            }),
        )
    };
    // Before there is a target, before it is drawn, and before anybody could have read it.
    assert!(update(&mut state, Msg::Key(Key::Char('t'), at)).is_empty());
    update(&mut state, target());
    assert!(update(&mut state, Msg::Key(Key::Char('t'), at)).is_empty());
    let drawn = at + Duration::from_secs(1);
    update(&mut state, Msg::Drawn(drawn));
    let soon = drawn + Duration::from_millis(100);
    assert!(update(&mut state, Msg::Key(Key::Char('t'), soon)).is_empty());
    let later = drawn + Duration::from_secs(1);
    let effects = update(&mut state, Msg::Key(Key::Char('t'), later));
    assert_eq!(effects, [Effect::Terminate]);
    // A second one while the first is in progress.
    assert!(update(&mut state, Msg::Key(Key::Char('t'), later)).is_empty());
}

#[test]
fn read_only_asks_for_no_target() {
    let mut state = state((80, 24));
    state.setup.read_only = true;
    assert!(press(&mut state, &[Key::Char('x')]).is_empty());
    assert!(!text(&state).contains("x kill"));
}

#[test]
fn every_level_is_a_command_line() {
    let mut state = state((80, 24));
    assert_eq!(state.command(), "sockstat -tulpn");
    press(&mut state, &[Key::Down, Key::Enter]);
    assert_eq!(state.command(), "sockstat 'local_port = 53 and protocol = udp'");
    // A listing with a filter has TIME-WAIT, which the screen has only with a filter of the user.
    press(&mut state, &[Key::Esc, Key::Up, Key::Enter]);
    assert_eq!(
        state.command(),
        "sockstat 'local_port = 22 and protocol = tcp and not timer = timewait'"
    );
    state.setup.options = vec!["-tap".to_owned()];
    press(&mut state, &[Key::Char('2')]);
    assert_eq!(state.command(), "sockstat -tap 'not timer = timewait'");
    state.setup.options = vec!["-uap".to_owned()];
    assert_eq!(state.command(), "sockstat -uap");
    state.setup.options.clear();
    press(&mut state, &[Key::Char('3')]);
    assert_eq!(state.command(), "sockstat --by process");
    press(&mut state, &[Key::Char('4')]);
    assert_eq!(state.command(), "sockstat events");
    let copied = press(&mut state, &[Key::Char('Y')]);
    assert!(
        copied.contains(&Effect::Copy("sockstat events".to_owned())),
        "{copied:?}"
    );
}

#[test]
fn a_filter_is_entered_once_it_is_right_and_dropped_by_esc() {
    let mut state = state((80, 24));
    let mut keys = vec![Key::Char('/')];
    keys.extend("sport =".chars().map(Key::Char));
    keys.push(Key::Enter);
    assert!(press(&mut state, &keys).is_empty(), "it is wrong");
    let entered = press(
        &mut state,
        &[Key::Char('4'), Key::Char('4'), Key::Char('3'), Key::Enter],
    );
    assert!(
        entered.contains(&Effect::Filter(1, "sport =443".to_owned())),
        "{entered:?}"
    );
    // A look with the previous filter does not count as an answer.
    update(&mut state, news(&sockets(), 9, Part::All, 0));
    assert!(!state.is_current);
    let of_port: Vec<Socket> = sockets()
        .into_iter()
        .filter(|socket| socket.inet().is_some_and(|pair| pair.local_port == 443))
        .collect();
    update(&mut state, news(&of_port, 10, Part::First, 1));
    assert!(state.is_current && state.data.events.len() <= 2);
    assert_eq!(state.command(), "sockstat -tulpn 'sport =443'");
    let dropped = press(&mut state, &[Key::Esc]);
    assert!(dropped.contains(&Effect::Filter(2, String::new())), "{dropped:?}");
}
