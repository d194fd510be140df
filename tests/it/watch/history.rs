//! Going back in time: earlier rows are restored by undoing what happened since.

use sockstat::model::Socket;
use sockstat::watch::msg::Part;
use sockstat::watch::{Key, Msg, State, update};

use super::frames::text;
use super::scene::{listener, news, press, sockets, state};

fn ports(state: &State) -> Vec<u16> {
    let mut ports = Vec::new();
    state.shown().followed.known().each(|socket| {
        ports.extend(
            socket
                .inet()
                .filter(|_| socket.is_listener())
                .map(|pair| pair.local_port),
        );
    });
    ports.sort_unstable();
    ports
}

#[test]
fn an_earlier_look_is_on_the_screen_again() {
    let mut state = state((120, 24));
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379, 8000]);
    press(&mut state, &[Key::Char('[')]);
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379, 9000]);
    let shown = text(&state);
    assert!(shown.contains("AT 12:00:01 UTC, 1.0 s before"), "{shown}");
    assert!(
        shown.contains("9000/tcp") && !shown.contains("8000/tcp"),
        "{shown}"
    );
    assert!(shown.contains("129/128"), "the queues of then are kept: {shown}");
    // News that arrives meanwhile does not change it.
    update(&mut state, news(&sockets(), 3, Part::All, 0));
    assert_eq!(text(&state), shown);
    press(&mut state, &[Key::Char(']')]);
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379, 8000]);
    assert!(text(&state).contains("FROZEN since 12:00:02 UTC"));
    press(&mut state, &[Key::Char(' ')]);
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379]);
}

#[test]
fn a_burst_is_found_from_the_end() {
    let mut state = state((120, 24));
    let quiet = sockets();
    let few: Vec<Socket> = quiet[..20].to_vec();
    for (seconds, sockets) in (3..).zip([&quiet, &quiet, &few, &few, &few, &few, &few, &few]) {
        update(&mut state, news(sockets, seconds, Part::All, 0));
    }
    press(&mut state, &[Key::Char('N')]);
    let shown = text(&state);
    assert!(shown.contains("AT 12:00:05 UTC"), "{shown}");
    assert!(shown.contains("^ at this look: 0 opened, 19 closed"), "{shown}");
    press(&mut state, &[Key::Char('N')]);
    assert!(text(&state).contains("no burst in that direction") || text(&state).contains("AT 12:00:05"));
}

#[test]
fn figures_that_were_not_kept_are_unknown() {
    let mut state = state((120, 40));
    press(&mut state, &[Key::Char('2'), Key::Char('[')]);
    let mut queues = Vec::new();
    state.shown().followed.known().each(|socket| {
        if !socket.is_listener() && socket.inet().is_some_and(|pair| pair.peer_port != 0) {
            queues.push((socket.rqueue, socket.wqueue));
        }
    });
    assert!(
        queues.len() > 20 && queues.iter().all(|queue| *queue == (None, None)),
        "{queues:?}"
    );
    assert!(state.shown().counted.is_still());
}

#[test]
fn a_queue_is_full_since_a_look_with_an_earlier_filter() {
    let mut state = state((120, 40));
    let enter = |state: &mut State, filter: &str| {
        press(state, &[Key::Char('/'), Key::Ctrl('u')]);
        update(state, Msg::Paste(filter.to_owned()));
        press(state, &[Key::Enter]);
    };
    let queue = |number: u32| listener(("::", 3000), (number, 128), 3);
    update(&mut state, news(&[queue(3)], 3, Part::All, 0));
    update(&mut state, news(&[queue(129)], 4, Part::All, 0));
    enter(&mut state, "state listening");
    update(&mut state, news(&[queue(129)], 5, Part::First, 1));
    update(&mut state, news(&[queue(129)], 6, Part::All, 1));
    press(&mut state, &[Key::Char('2'), Key::Tab]);
    let shown = text(&state);
    assert!(shown.contains("full since 12:00:04 UTC"), "{shown}");
    // As of a look with the earlier filter.
    press(&mut state, &[Key::Char('['), Key::Char('[')]);
    let shown = text(&state);
    assert!(
        shown.contains("AT 12:00:04") && shown.contains("full since 12:00:04 UTC"),
        "{shown}"
    );
    // It may have had room while a filter left it out.
    press(&mut state, &[Key::Char(' ')]);
    enter(&mut state, "state established");
    update(&mut state, news(&[], 7, Part::First, 2));
    enter(&mut state, "state listening");
    update(&mut state, news(&[queue(129)], 8, Part::First, 3));
    press(&mut state, &[Key::Char('2')]);
    let shown = text(&state);
    assert!(shown.contains("full since before 12:00:08 UTC"), "{shown}");
}

#[test]
fn looks_with_an_earlier_filter_are_kept() {
    let mut state = state((120, 24));
    let enter = |state: &mut State, filter: &str| {
        press(state, &[Key::Char('/'), Key::Ctrl('u')]);
        update(state, Msg::Paste(filter.to_owned()));
        press(state, &[Key::Enter]);
    };
    let first = |state: &State| text(state).lines().next().unwrap().to_owned();
    enter(&mut state, "state listening");
    let few: Vec<Socket> = sockets().into_iter().filter(Socket::is_listener).collect();
    update(&mut state, news(&few, 3, Part::First, 1));
    update(&mut state, news(&few[1..], 4, Part::All, 1));
    press(&mut state, &[Key::Char('[')]);
    let then = first(&state);
    assert!(
        then.contains("/ state listening") && then.contains("AT 12:00:03 UTC, 1.0 s"),
        "{then}"
    );
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379]);
    press(&mut state, &[Key::Char('[')]);
    let then = first(&state);
    assert!(
        !then.contains("/ state") && then.contains("AT 12:00:02 UTC, 2.0 s"),
        "{then}"
    );
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379, 8000]);
    assert!(
        text(&state).contains("^ at this look: 1 opened, 1 closed"),
        "{}",
        text(&state)
    );
    press(&mut state, &[Key::Char('[')]);
    assert_eq!(ports(&state), [22, 443, 3000, 5432, 6379, 9000]);
    press(&mut state, &[Key::Char('[')]);
    assert!(
        text(&state).contains("the oldest look that is kept"),
        "{}",
        text(&state)
    );
    press(&mut state, &[Key::Char('}')]);
    assert_eq!(ports(&state), [443, 3000, 5432, 6379]);
    for key in "t12:00:02".chars() {
        press(&mut state, &[Key::Char(key)]);
    }
    press(&mut state, &[Key::Enter]);
    assert!(first(&state).contains("AT 12:00:02"), "{}", first(&state));
    // Esc drops the filter, and not the looks.
    press(&mut state, &[Key::Char(' '), Key::Esc]);
    update(&mut state, news(&sockets(), 5, Part::First, 2));
    press(&mut state, &[Key::Char('['), Key::Char('[')]);
    assert!(
        first(&state).contains("/ state listening") && first(&state).contains("AT 12:00:03"),
        "{}",
        first(&state)
    );
    // Like all looks, they are kept for ten minutes.
    press(&mut state, &[Key::Char(' ')]);
    update(&mut state, news(&sockets(), 603, Part::All, 2));
    assert_eq!(state.looks().count(), 4, "those of the last filter, and of now");
    update(&mut state, news(&sockets(), 610, Part::All, 2));
    assert_eq!(state.looks().count(), 2);
}
