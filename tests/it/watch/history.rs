//! Going back in time: earlier rows are restored by undoing what happened since.

use sockstat::model::Socket;
use sockstat::watch::msg::Part;
use sockstat::watch::{Key, State, update};

use super::frames::text;
use super::scene::{news, press, sockets, state};

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
    assert!(shown.contains("^ 0 opened, 19 closed"), "{shown}");
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
