//! The effects of keys, beyond what the frames show.

use std::time::Duration;

use sockstat::model::{Protocol, State as TcpState};
use sockstat::watch::msg::Part;
use sockstat::watch::state::Mode;
use sockstat::watch::{Effect, Key, Msg, State, update};

use super::frames::text;
use super::scene::{listener, news, press, socket, sockets, state};

/// The filter that a key requests.
fn filter(state: &mut State, key: char) -> Option<String> {
    let effects = update(state, Msg::Key(Key::Char(key), Duration::from_secs(20)));
    effects.into_iter().find_map(|effect| match effect {
        Effect::Filter(_, filter) => Some(filter),
        _ => None,
    })
}

#[test]
fn a_row_becomes_a_part_of_the_filter() {
    let mut state = state((80, 24));
    let first = filter(&mut state, 'f').unwrap();
    assert!(first.starts_with("local_port = "), "{first}");
    state.filter = "tcp".to_owned();
    let without = filter(&mut state, 'F').unwrap();
    assert_eq!(without, format!("(tcp) and not {first}"));
}

#[test]
fn a_screen_without_an_age_is_not_drawn_between_looks() {
    let mut state = state((120, 40));
    assert!(state.ages(), "a row says how long it has been gone");
    for seconds in 3..12 {
        update(&mut state, news(&sockets(), seconds, Part::All, 0));
    }
    assert!(!state.ages());
    let shown = text(&state);
    update(&mut state, Msg::Tick(Duration::from_secs(13)));
    assert_eq!(text(&state), shown);
    press(&mut state, &[Key::Char('2'), Key::Char('s'), Key::Char('o')]);
    assert!(state.ages(), "the order by a rate is held for some seconds");
}

#[test]
fn columns_can_be_hidden_and_shown_but_not_the_first() {
    let mut state = state((120, 40));
    let has_scope = |state: &State| text(state).contains("SCOPE  ");
    assert!(has_scope(&state));
    press(&mut state, &[Key::Char('c'), Key::Char('a'), Key::Esc]);
    assert!(!has_scope(&state) && text(&state).contains("PORT"));
    press(&mut state, &[Key::Char('c'), Key::Char('a'), Key::Esc]);
    assert!(has_scope(&state));
}

#[test]
fn an_invalid_time_is_an_error() {
    let mut state = state((80, 24));
    let keys = ['t', 'n', 'o', 'o', 'n'].map(Key::Char);
    press(&mut state, &keys);
    assert!(matches!(&state.mode, Mode::Time(typed) if typed == "noon"));
    press(&mut state, &[Key::Enter]);
    assert!(text(&state).contains("'noon' is not a time"), "{}", text(&state));
}

#[test]
fn no_key_is_cut_in_the_last_line() {
    for width in 60..140 {
        for view in ['1', '2', '3', '4'] {
            let mut state = state((width, 24));
            press(&mut state, &[Key::Char(view)]);
            let text = text(&state);
            let last = text.lines().last().unwrap().trim_end();
            assert!(last.ends_with("? help  q quit"), "{width}: {last}");
        }
    }
}

#[test]
fn nothing_is_offered_on_a_row_with_several_programs() {
    let mut state = state((120, 40));
    let of_one = press(&mut state, &[Key::Char('G'), Key::Char('x')]);
    assert!(of_one.iter().any(|effect| matches!(effect, Effect::Target(..))));
    press(&mut state, &[Key::Esc]);
    // The connection of sshd becomes one that it opened, beside that of java.
    let mut all = sockets();
    let (local, peer) = (("10.0.0.5", 39113), ("10.0.0.9", 22));
    all[6] = socket(Protocol::Tcp, local, peer, TcpState::Established, 7);
    update(&mut state, news(&all, 3, Part::First, 0));
    let effects = press(&mut state, &[Key::Char('G'), Key::Char('x')]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Target(..))));
    assert!(matches!(state.mode, Mode::Rows));
    let shown = text(&state);
    assert!(
        shown.contains("this row has 2 programs: Enter opens it"),
        "{shown}"
    );
}

#[test]
fn a_port_with_listeners_of_several_programs_counts_them() {
    let mut state = state((120, 40));
    let all = [
        listener(("127.0.0.1", 8100), (0, 5), 4),
        listener(("::1", 8100), (0, 5), 3),
        listener(("10.77.0.1", 8100), (0, 5), 1),
    ];
    update(&mut state, news(&all, 3, Part::First, 0));
    let effects = press(&mut state, &[Key::Char('g'), Key::Char('x')]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Target(..))));
    let shown = text(&state);
    assert!(shown.contains(" +2"), "{shown}");
    assert!(
        shown.contains("this row has 3 programs: Enter opens it"),
        "{shown}"
    );
}

#[test]
fn a_port_stays_while_a_filter_is_typed_if_one_of_its_sockets_matches() {
    let mut state = state((120, 40));
    let keys: Vec<Key> = "/send_q gt 300000".chars().map(Key::Char).collect();
    press(&mut state, &keys);
    let shown = text(&state);
    assert!(
        shown.contains("443/tcp"),
        "one of 31 connections matches\n{shown}"
    );
    assert!(
        !shown.contains("3000/tcp") && !shown.contains("5432/tcp"),
        "{shown}"
    );
}

#[test]
fn a_socket_that_the_filter_no_longer_selects_is_not_closed() {
    let mut state = state((120, 40));
    let all = sockets();
    let key = all[9].identity().unwrap();
    let rest: Vec<_> = all
        .iter()
        .filter(|socket| socket.identity() != Some(key))
        .cloned()
        .collect();
    press(&mut state, &[Key::Char('4')]);
    let mut look = |sockets: &[_], seconds, left: bool| {
        let mut news = news(sockets, seconds, Part::All, 0);
        let Msg::News(found) = &mut news else { panic!() };
        let keys = if left {
            &mut found.look.left
        } else {
            &mut found.look.returned
        };
        keys.insert(key);
        update(&mut state, news);
        text(&state)
    };
    let shown = look(&rest, 3, true);
    assert!(
        shown.contains("left filter") && !shown.contains("closed ESTAB"),
        "{shown}"
    );
    let shown = look(&all, 4, false);
    assert!(shown.contains("matches again"), "{shown}");
    press(&mut state, &[Key::Char('2')]);
    let shown = text(&state);
    let row = shown.lines().find(|line| line.contains(":51010")).unwrap();
    assert!(!row.contains("gone") && !row.starts_with('+'), "{row}");
}

#[test]
fn a_socket_that_no_look_showed_is_an_event_unless_a_state_is_required() {
    let unseen = socket(
        Protocol::Tcp,
        ("127.0.0.1", 7400),
        ("0.0.0.0", 0),
        TcpState::Unconnected,
        90,
    );
    for is_event in [true, false] {
        let mut state = state((80, 24));
        let mut news = news(&sockets(), 3, Part::All, 0);
        let Msg::News(found) = &mut news else { panic!() };
        found.freed = vec![unseen.clone()];
        found.unseen = is_event;
        update(&mut state, news);
        press(&mut state, &[Key::Char('4')]);
        assert_eq!(text(&state).contains("closed unseen"), is_event);
    }
}
