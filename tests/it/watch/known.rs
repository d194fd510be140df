//! What the screen knows, and what it says about the rest: which side accepted, rates, queues, sockets that no look saw.

use std::time::Duration;

use sockstat::engine::live::Traffic;
use sockstat::model::{Protocol, Socket, State as TcpState, Store};
use sockstat::watch::msg::{Fate, News, Part, Target};
use sockstat::watch::state::{Mode, Setup};
use sockstat::watch::{Effect, Key, Msg, State, update};

use super::frames::text;
use super::scene::{listener, news, press, socket, sockets, state};

/// The lines of the screen with this text.
fn lines(state: &State, wanted: &str) -> Vec<String> {
    let shown = text(state);
    let lines = shown.lines().filter(|line| line.contains(wanted));
    lines.map(str::to_owned).collect()
}

/// What a look with the filter `state established` finds: `change` tells what else is known.
fn established(change: impl FnOnce(&mut News)) -> Msg {
    let all: Vec<_> = sockets()
        .into_iter()
        .filter(|socket| socket.state == TcpState::Established)
        .collect();
    let mut msg = news(&all, 3, Part::First, 1);
    let Msg::News(news) = &mut msg else { panic!() };
    change(news);
    msg
}

#[test]
fn which_side_accepted_is_known_although_the_filter_hides_listeners() {
    let mut state = state((120, 24));
    press(&mut state, &[Key::Char('/')]);
    update(&mut state, Msg::Paste("state established".to_owned()));
    press(&mut state, &[Key::Enter]);
    let listeners = [(Protocol::Tcp, 22), (Protocol::Tcp, 443), (Protocol::Tcp, 3000)];
    update(
        &mut state,
        established(|news| news.look.accepting = listeners.into()),
    );
    let [web] = &lines(&state, "443/tcp")[..] else {
        panic!("{}", text(&state))
    };
    assert!(web.contains(" 30 ") && web.contains("nginx 700"), "{web}");
    assert!(lines(&state, "opened").is_empty(), "{}", text(&state));
    assert!(
        lines(&state, "3000").is_empty(),
        "nothing that matches: {}",
        text(&state)
    );
    press(&mut state, &[Key::Down, Key::Enter]);
    assert_eq!(state.items.len(), 30);

    update(&mut state, established(|news| news.look.lacks_listeners = true));
    press(&mut state, &[Key::Char('1')]);
    let [unclear] = &lines(&state, "?/tcp")[..] else {
        panic!("{}", text(&state))
    };
    assert!(unclear.contains("opened or accepted here"), "{unclear}");
    let (local, peer) = (("10.0.0.5", 40_000), ("10.0.0.9", 443));
    let multipath = socket(Protocol::Mptcp, local, peer, TcpState::Established, 90);
    update(
        &mut state,
        established(|news| {
            news.look.lacks_listeners = true;
            news.look.sockets = Store::of([&multipath]);
        }),
    );
    assert_eq!(lines(&state, "?/mptcp").len(), 1, "{}", text(&state));
}

#[test]
fn a_connection_stays_accepted_after_its_listener_closed_and_a_port_nobody_chose_is_unclear() {
    let mut state = state((100, 24));
    let own = |port, number| {
        let (local, peer) = (("10.0.0.5", port), ("10.0.0.9", 50_000));
        socket(Protocol::Tcp, local, peer, TcpState::Established, number)
    };
    let mut all = sockets();
    all.extend([own(8080, 70), own(40_000, 71)]);
    let with = |port, queue, number| [all.clone(), vec![listener(("0.0.0.0", port), queue, number)]].concat();
    update(&mut state, news(&with(40_000, (0, 5), 72), 3, Part::All, 0));
    assert!(
        lines(&state, "40000/tcp")[0].contains(" 0/5 "),
        "{}",
        text(&state)
    );
    for seconds in 4..12 {
        update(&mut state, news(&all, seconds, Part::All, 0));
    }
    // The kernel chooses 40000 for clients as well, but here something listened.
    let closed = |state: &State| {
        let [row] = &lines(state, "40000/tcp")[..] else {
            panic!("{}", text(state))
        };
        assert!(row.contains(" 1 ") && row.contains("listener closed"), "{row}");
    };
    closed(&state);
    // Nothing was ever seen to listen on 8080, and the kernel does not choose it.
    let [unclear] = &lines(&state, "?/tcp")[..] else {
        panic!("{}", text(&state))
    };
    assert!(
        unclear.contains("opened or accepted here: no listener"),
        "{unclear}"
    );
    let [out] = &lines(&state, "out/tcp")[..] else {
        panic!("{}", text(&state))
    };
    assert!(out.contains(" 1 "), "{out}");
    // Each opens what it counts, and is the same filter as a command.
    for (name, port, words) in [
        (
            "out/tcp",
            39_112,
            "local_port in (32768-60999) and not local_port in (22, ",
        ),
        (
            "?/tcp",
            8080,
            "not local_port in (22, 443, 3000, 5432, 6379, 40000, 32768-60999)",
        ),
    ] {
        press(&mut state, &[Key::Char('g')]);
        while !lines(&state, name)[0].contains('>') && state.level().at + 1 < state.items.len() {
            press(&mut state, &[Key::Down]);
        }
        press(&mut state, &[Key::Enter]);
        assert_eq!(state.items.len(), 1, "{}", text(&state));
        assert_eq!(state.selected_socket().unwrap().inet().unwrap().local_port, port);
        assert!(state.command().contains(words), "{}", state.command());
        press(&mut state, &[Key::Esc]);
    }
    // It is remembered with another filter, and at an earlier look.
    press(&mut state, &[Key::Char('/')]);
    update(&mut state, Msg::Paste("not 8000".to_owned()));
    press(&mut state, &[Key::Enter]);
    update(&mut state, news(&all, 20, Part::First, 1));
    update(&mut state, news(&all, 21, Part::All, 1));
    closed(&state);
    press(&mut state, &[Key::Char('['), Key::Char('['), Key::Char('[')]);
    assert!(text(&state).contains("AT 12:00:10 UTC"), "{}", text(&state));
    closed(&state);
    press(&mut state, &[Key::Char(' ')]);
    // Once its connections have ended, the kernel may choose the port again.
    press(&mut state, &[Key::Esc]);
    update(&mut state, news(&sockets(), 22, Part::First, 2));
    update(&mut state, news(&all, 23, Part::All, 2));
    update(&mut state, news(&sockets(), 24, Part::All, 2));
    update(&mut state, news(&all, 25, Part::All, 2));
    assert!(lines(&state, "40000/tcp").is_empty(), "{}", text(&state));
}

#[test]
fn a_listener_that_a_filter_hides_is_remembered_when_it_closes() {
    let mut state = state((100, 24));
    press(&mut state, &[Key::Char('/')]);
    update(&mut state, Msg::Paste("state established".to_owned()));
    press(&mut state, &[Key::Enter]);
    // The port was known before the filter, and is known from then on.
    let look = |state: &mut State, seconds, accepting: &[u16]| {
        let mut msg = established(|news| {
            let ports = accepting.iter().map(|port| (Protocol::Tcp, *port));
            news.look.accepting = ports.collect();
        });
        if let Msg::News(news) = &mut msg {
            news.at = Duration::from_secs(seconds);
            if seconds > 3 {
                news.part = Part::All;
            }
        }
        update(state, msg);
    };
    look(&mut state, 3, &[22]);
    assert!(
        lines(&state, " 443/tcp")[0].contains("listener closed"),
        "{}",
        text(&state)
    );
    look(&mut state, 4, &[]);
    assert!(
        lines(&state, "22/tcp")[0].contains("listener closed"),
        "{}",
        text(&state)
    );
}

#[test]
fn the_state_stays_on_narrow_screens_whatever_the_addresses() {
    let mut state = state((60, 24));
    let long = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1";
    let one = socket(
        Protocol::Tcp,
        (long, 45_678),
        (long, 54_321),
        TcpState::CloseWait,
        10,
    );
    // Until nothing else is shown as gone.
    for seconds in 3..12 {
        update(
            &mut state,
            news(std::slice::from_ref(&one), seconds, Part::All, 0),
        );
    }
    press(&mut state, &[Key::Char('2')]);
    let [row] = &lines(&state, ":45678")[..] else {
        panic!("{}", text(&state))
    };
    assert!(
        row.contains("CLOSE-WAIT") && row.contains(":54321") && row.contains("nginx"),
        "{row}"
    );
}

#[test]
fn queues_of_a_port_are_those_of_all_its_sockets_between_full_looks_too() {
    let mut state = state((120, 24));
    let listeners = |queues: [(u32, u32); 2], drops: [u64; 2]| {
        let one = |at: usize, number| Socket {
            drops: Some(drops[at]),
            ..listener(("0.0.0.0", 8200), queues[at], number)
        };
        let mut all = vec![one(0, 60), one(1, 61)];
        // So many that rows are not counted again at each look.
        all.extend((100..2200).map(|number| {
            let port = 20_000 + u16::try_from(number).unwrap();
            let (local, peer) = (("10.0.0.5", port), ("10.0.0.9", 443));
            socket(Protocol::Tcp, local, peer, TcpState::Established, number)
        }));
        all
    };
    let look = |state: &mut State, seconds, all: &[Socket], part| {
        let waiting: Vec<_> = match part {
            Part::Waiting => all.iter().filter(|one| one.is_listener()).cloned().collect(),
            _ => all.to_vec(),
        };
        update(state, news(&waiting, seconds, part, 0));
    };
    look(&mut state, 3, &listeners([(0, 5), (0, 5)], [0, 0]), Part::First);
    for seconds in 4..12 {
        look(
            &mut state,
            seconds,
            &listeners([(0, 5), (3, 5)], [0, 0]),
            Part::Waiting,
        );
    }
    assert!(lines(&state, "8200/tcp")[0].contains(" 3/5 "), "{}", text(&state));
    look(
        &mut state,
        12,
        &listeners([(1, 5), (6, 5)], [2, 5]),
        Part::Waiting,
    );
    let [row] = &lines(&state, "8200/tcp")[..] else {
        panic!()
    };
    assert!(row.contains(" 6/5 ") && row.contains("drops 7"), "{row}");
    look(
        &mut state,
        13,
        &listeners([(1, 5), (0, 5)], [2, 5]),
        Part::Waiting,
    );
    assert!(lines(&state, "8200/tcp")[0].contains(" 1/5 "), "{}", text(&state));
}

#[test]
fn rates_are_unknown_until_they_were_read_and_zero_when_nothing_flows() {
    let mut state = state((120, 40));
    let look = |state: &mut State, seconds, counts: bool, segments, rows: Option<Vec<Socket>>| {
        let mut msg = news(&sockets(), seconds, Part::All, 0);
        let Msg::News(news) = &mut msg else { panic!() };
        news.traffic.segments = segments;
        news.rows = rows;
        if !counts {
            news.look.figures = None;
        }
        update(state, msg);
    };
    press(&mut state, &[Key::Char('2')]);
    let web = |state: &State| lines(state, "203.0.113.9:51011")[0].clone();
    look(&mut state, 3, true, 500, Some(Vec::new()));
    assert!(web(&state).contains("11 kB"), "{}", web(&state));
    // It is not read any more, and packets flow.
    look(&mut state, 4, false, 600, Some(Vec::new()));
    look(&mut state, 5, false, 700, Some(Vec::new()));
    assert!(
        !web(&state).contains("kB") && web(&state).contains(" ? "),
        "{}",
        web(&state)
    );
    // Where connections cannot be read one by one, the last figures are as fresh as any.
    look(&mut state, 6, false, 800, None);
    assert!(web(&state).contains("11 kB"), "{}", web(&state));
    // No packet was sent since they were counted: nothing flows.
    look(&mut state, 7, true, 900, Some(Vec::new()));
    for seconds in 8..200 {
        look(&mut state, seconds, false, 900, Some(Vec::new()));
    }
    assert!(
        !web(&state).contains("kB") && !web(&state).contains(" ? "),
        "{}",
        web(&state)
    );
    press(&mut state, &[Key::Char('1')]);
    assert!(
        lines(&state, " 443/tcp")[0].split("MB").count() == 1,
        "{}",
        text(&state)
    );
    // With another filter, other connections are counted.
    press(&mut state, &[Key::Char('/')]);
    update(&mut state, Msg::Paste("10/8".to_owned()));
    press(&mut state, &[Key::Enter]);
    update(&mut state, news(&sockets(), 200, Part::First, 1));
    assert!(lines(&state, " 443/tcp")[0].contains(" ? "), "{}", text(&state));
    update(&mut state, news(&sockets(), 201, Part::All, 1));
    assert!(lines(&state, " 443/tcp")[0].contains(" MB "), "{}", text(&state));
}

#[test]
fn an_event_of_a_socket_that_no_look_saw_has_details_and_only_keys_that_work() {
    let mut state = state((120, 40));
    let brief = socket(
        Protocol::Tcp,
        ("10.0.0.5", 40_100),
        ("10.0.0.9", 80),
        TcpState::Unconnected,
        70,
    );
    let mut all = sockets();
    all.push(listener(("0.0.0.0", 8000), (0, 5), 51));
    let mut msg = news(&all, 3, Part::All, 0);
    let Msg::News(news) = &mut msg else { panic!() };
    news.freed = vec![brief];
    update(&mut state, msg);
    assert!(text(&state).contains("+1 -1"), "{}", text(&state));
    press(&mut state, &[Key::Char('4')]);
    let shown = text(&state);
    assert!(shown.contains("closed unseen"), "{shown}");
    let last = shown.lines().last().unwrap();
    assert!(!last.contains("x kill") && last.contains("w why"), "{last}");
    press(&mut state, &[Key::Enter]);
    let [title] = &lines(&state, "-- tcp 10.0.0.5:40100")[..] else {
        panic!("{}", text(&state))
    };
    assert!(
        title.contains("closed unseen") && !title.contains("UNCONN"),
        "{title}"
    );
    press(&mut state, &[Key::Char('x')]);
    assert!(text(&state).contains("this socket is gone"), "{}", text(&state));
    press(&mut state, &[Key::Char('e')]);
    assert!(text(&state).contains("It is gone."), "{}", text(&state));
    press(&mut state, &[Key::Esc]);
    let effects = press(&mut state, &[Key::Char('w')]);
    assert_eq!(effects, [Effect::Why(Some("40100/tcp".to_owned()))]);
}

#[test]
fn a_connection_of_which_only_the_end_is_unread_has_no_mark() {
    let mut state = state((120, 50));
    press(&mut state, &[Key::Char('2')]);
    let marks = |state: &State| {
        let rows = lines(state, "CLOSE-WAIT");
        rows.iter().map(|row| row.starts_with('!')).collect::<Vec<_>>()
    };
    assert_eq!(marks(&state), [true], "{}", text(&state));
    let mut all = sockets();
    for socket in all.iter_mut().filter(|one| one.state == TcpState::CloseWait) {
        // The kernel counts the FIN.
        socket.rqueue = Some(1);
    }
    update(&mut state, news(&all, 3, Part::All, 0));
    assert_eq!(marks(&state), [false], "{}", text(&state));
}

#[test]
fn what_is_not_known_is_no_group_without_a_value() {
    let mut state = state((100, 24));
    press(
        &mut state,
        &[Key::Char('3'), Key::Char('b'), Key::Char('b'), Key::Char('b')],
    );
    // The owner of one socket is hidden, those of the others are known and in no unit.
    let rows = |wanted: &str| lines(&state, wanted).len();
    assert_eq!((rows("? not known"), rows(" >-")), (1, 1), "{}", text(&state));
    press(&mut state, &[Key::Enter]);
    let effects = press(&mut state, &[Key::Char('Y')]);
    let [Effect::Copy(command)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(command.contains("not has(unit)"), "{command}");
    press(&mut state, &[Key::Esc, Key::Char('G'), Key::Enter]);
    assert_eq!(state.items.len(), 3, "{}", text(&state));
    assert_eq!(press(&mut state, &[Key::Char('Y')]), []);
    assert!(text(&state).contains("no filter selects"), "{}", text(&state));
    press(&mut state, &[Key::Esc]);
    assert_eq!(press(&mut state, &[Key::Char('f')]), []);
}

#[test]
fn until_a_recording_is_read_its_keys_wait_and_the_screen_says_how_far_it_is() {
    let setup = Setup {
        replay: Some("12:00:01".to_owned()),
        read_only: true,
        utf8: true,
        ..Setup::default()
    };
    let mut state = State::new(setup, String::new(), Duration::from_secs(1), (120, 24));
    assert!(
        text(&state).contains("reading the recording: 0%"),
        "{}",
        text(&state)
    );
    for seconds in 1..=4 {
        let part = if seconds == 1 { Part::First } else { Part::All };
        update(&mut state, Msg::Reading(0, usize::try_from(seconds).unwrap(), 4));
        update(&mut state, news(&sockets(), seconds, part, 0));
        if seconds == 2 {
            let shown = text(&state);
            assert!(
                shown.contains("reading the recording: 50%, at 12:00:02 UTC") && !shown.contains("live"),
                "{shown}"
            );
            for key in " []{}nNtwY".chars() {
                assert_eq!(press(&mut state, &[Key::Char(key)]), [], "{key}");
                assert!(
                    text(&state).contains("the recording is still being read"),
                    "{key}: {}",
                    text(&state)
                );
                assert!(
                    state.frozen.is_none() && matches!(state.mode, Mode::Rows),
                    "{key}"
                );
                state.notice = None;
            }
            press(&mut state, &[Key::Char('2')]);
        }
    }
    update(&mut state, Msg::Replayed(0));
    let shown = text(&state);
    assert!(
        shown.contains("AT 12:00:01 UTC, 3.0 s before") && shown.contains("CONNECTIONS"),
        "{shown}"
    );
    press(&mut state, &[Key::Char(']')]);
    assert!(text(&state).contains("AT 12:00:02"), "{}", text(&state));
}

#[test]
fn a_recording_says_why_nothing_can_be_ended() {
    let mut state = state((100, 24));
    state.setup.read_only = true;
    press(&mut state, &[Key::Char('x')]);
    assert!(text(&state).contains("--read-only"), "{}", text(&state));
    state.setup.replay = Some(String::new());
    press(&mut state, &[Key::Char('x')]);
    let shown = text(&state);
    assert!(
        shown.contains("this is a recording") && !shown.contains("read-only"),
        "{shown}"
    );
}

#[test]
fn an_answer_to_an_earlier_question_is_not_shown_with_a_later_one() {
    let mut state = state((100, 24));
    let target = |name: &str| {
        Ok(Target {
            name: name.to_owned(),
            ..Target::default()
        })
    };
    press(&mut state, &[Key::Down, Key::Char('x'), Key::Esc, Key::Char('x')]);
    update(&mut state, Msg::Target(1, target("nginx 700")));
    assert!(text(&state).contains("Finding out"), "{}", text(&state));
    update(&mut state, Msg::Fate(1, Fate::StillRuns("it runs".to_owned())));
    update(&mut state, Msg::Target(2, target("node 48291")));
    let shown = text(&state);
    assert!(
        shown.contains("Stop node 48291?") && !shown.contains("it runs") && !shown.contains("  K  "),
        "{shown}"
    );
    // Esc does not wait for the end of what was begun; its result is told on the list.
    let at = state.now + Duration::from_secs(1);
    update(&mut state, Msg::Drawn(at));
    let later = at + Duration::from_secs(1);
    assert_eq!(
        update(&mut state, Msg::Key(Key::Char('t'), later)),
        [Effect::Terminate]
    );
    assert!(press(&mut state, &[Key::Char('q')]).is_empty());
    press(&mut state, &[Key::Esc]);
    assert!(matches!(state.mode, Mode::Rows));
    update(
        &mut state,
        Msg::Fate(2, Fate::Said("ended after 0.2 s".to_owned())),
    );
    assert!(text(&state).contains("ended after 0.2 s"), "{}", text(&state));
    // Any other key leaves nothing behind either.
    for key in [Key::Char('q'), Key::Char('j'), Key::Enter] {
        press(&mut state, &[Key::Char('x')]);
        let number = state.questions;
        update(&mut state, Msg::Target(number, target("node 48291")));
        let at = state.now + Duration::from_secs(1);
        update(&mut state, Msg::Drawn(at));
        let later = at + Duration::from_secs(1);
        let effects = update(&mut state, Msg::Key(key, later));
        assert!(effects.contains(&Effect::Release), "{effects:?}");
        assert!(matches!(state.mode, Mode::Rows) && !text(&state).contains("Stop node"));
    }
}

#[test]
fn what_is_left_out_or_marked_is_explained() {
    let mut state = state((80, 24));
    let mut msg = news(&sockets(), 3, Part::All, 0);
    let Msg::News(news) = &mut msg else { panic!() };
    news.left_out = Some(1204);
    news.look.sockets = Store::of(&[listener(("0.0.0.0", 6379), (0, 511), 5)]);
    news.traffic = Traffic::default();
    update(&mut state, msg);
    state.loss = None;
    state.findings.clear();
    let [words] = &lines(&state, "TIME-WAIT")[..] else {
        panic!("{}", text(&state))
    };
    assert_eq!(
        words.trim(),
        "1,204 closed connections (TIME-WAIT) not shown: / state time-wait shows them"
    );
    assert!(lines(&state, "6379/tcp")[0].starts_with('!'), "{}", text(&state));
    while state.level().at < 5 {
        press(&mut state, &[Key::Down]);
    }
    press(&mut state, &[Key::Tab]);
    let [attention] = &lines(&state, "attention")[..] else {
        panic!("{}", text(&state))
    };
    assert!(attention.contains("the usual port of a database"), "{attention}");
    press(&mut state, &[Key::Char('e')]);
    assert!(text(&state).contains("marked with !"), "{}", text(&state));
    press(&mut state, &[Key::Esc, Key::Char('?')]);
    assert!(
        text(&state).contains("a database open to all"),
        "{}",
        text(&state)
    );
}

#[test]
fn headings_and_the_age_are_in_plain_words() {
    let mut state = state((80, 24));
    press(&mut state, &[Key::Char('3'), Key::Char('b'), Key::Char('b')]);
    assert!(lines(&state, "SOCKETS")[0].contains("USER"), "{}", text(&state));
    press(&mut state, &[Key::Char('s'), Key::Char('g')]);
    assert!(lines(&state, "SOCKETS")[0].contains("USER^"), "{}", text(&state));
    state.data.cost = Duration::from_millis(12);
    state.data.reads = state.data.cost;
    let first = |state: &State| text(state).lines().next().unwrap().to_owned();
    assert!(first(&state).ends_with("live 1 s, rest 2 s"), "{}", first(&state));
    state.size = (120, 24);
    assert!(
        first(&state).ends_with("live 1 s, what is not on screen 2 s (takes 12 ms)"),
        "{}",
        first(&state)
    );
    state.size = (40, 12);
    assert!(first(&state).ends_with("live 2 s"), "{}", first(&state));
}
