//! Tests of the text about a path. The wording may change: the tests pin the verdict, and the names in it.

use std::num::NonZeroU32;

use super::filter::journey::Outcome;
use super::found::{Answer, Away, Found, Here};
use super::judge::{Reach, Why};
use super::text::{reachable_at, render, sentence};
use super::unix::{UnixName, UnixReach, judge};
use super::way::{Step, Way};
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::owner::Owner;
use crate::diagnose::bind::samples::{self, socket};
use crate::diagnose::stopped::Stopped;
use crate::model::ownership::Unseen;
use crate::model::process::Stop;
use crate::model::system::{SystemFacts, V4Network, V6Address};
use crate::model::{Endpoints, OwnerStatus, Protocol, Socket, State, Timer, TimerKind};

/// A machine with 10.0.0.1/24 on eth0 and ::1.
fn system() -> SystemFacts {
    let v4 = |address: [u8; 4], prefix| V4Network {
        address: address.into(),
        prefix,
    };
    SystemFacts {
        local_v4: vec![
            v4([127, 0, 0, 0], 8),
            v4([127, 0, 0, 1], 32),
            v4([127, 255, 255, 255], 32),
            v4([10, 0, 0, 1], 32),
            v4([10, 0, 0, 255], 32),
        ],
        local_v6: vec![V6Address {
            address: std::net::Ipv6Addr::LOCALHOST,
            interface: 1,
            tentative: false,
        }],
        interfaces: [(1, "lo".into()), (2, "eth0".into())].into(),
        v4_links: vec![(v4([10, 0, 0, 0], 24), "eth0".into())],
        ..samples::system()
    }
}

fn owner(program: &str, pid: u32) -> Owner {
    Owner {
        program: program.as_bytes().to_vec(),
        pid,
        ..Owner::default()
    }
}

/// A listener on port 80 with 6 of 5 connections in its queue if it is full.
fn listener(address: &str, full: bool) -> Socket {
    Socket {
        rqueue: Some(if full { 6 } else { 0 }),
        wqueue: Some(5),
        ..samples::socket(State::Listen, address, 80).socket
    }
}

fn here(reach: Reach, sockets: Vec<Socket>) -> Here {
    Here {
        reach,
        sockets,
        owners: vec![owner("nginx", 7)],
        stopped: None,
        owner_status: OwnerStatus::Known,
        user: Some("www".into()),
        elsewhere: Vec::new(),
        other_protocol: None,
        gaps: Vec::new(),
        unseen: Unseen::default(),
    }
}

fn answer(address: &str, found: Found) -> Answer {
    Answer {
        address: address.parse().unwrap(),
        zone: None,
        port: 80,
        protocol: Protocol::Tcp,
        found,
        tried: None,
        way: None,
    }
}

/// The text about a connection to 10.0.0.1 with this result.
fn said(here: Here) -> String {
    sentence(&answer("10.0.0.1", Found::Here(here)), &system())
}

#[track_caller]
fn holds(text: &str, start: &str, words: &[&str]) {
    assert!(text.starts_with(start), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

#[test]
fn each_verdict_names_the_owner_and_the_place() {
    let any = || vec![listener("0.0.0.0", false)];
    let loopback = || vec![listener("127.0.0.1", false)];
    let owned = ["nginx 7", "0.0.0.0:80"];
    holds(&said(here(Reach::Accepted(0), any())), "Yes:", &owned);
    let full = said(here(Reach::QueueFull(0), vec![listener("0.0.0.0", true)]));
    holds(&full, "No:", &["nginx 7", "0.0.0.0:80", "6 wait", "limit is 5"]);
    holds(
        &said(here(Reach::Unknown, Vec::new())),
        "Cannot tell",
        &["port 80"],
    );
    let refused = |why, sockets| said(here(Reach::Refused(why), sockets));
    let nothing = refused(Why::Nothing, Vec::new());
    holds(&nothing, "No: refused", &["port 80"]);
    assert!(!nothing.contains("nginx"), "{nothing}");
    holds(&refused(Why::NotListening(0), any()), "No: refused", &owned);
    let only = ["nginx 7", "127.0.0.1:80 only"];
    for why in [Why::OnlyLoopback(0), Why::OtherFamily(0), Why::OtherAddress(0)] {
        holds(&refused(why, loopback()), "No: refused", &only);
    }
    let v6only = refused(Why::V6only(0), vec![listener("::", false)]);
    holds(&v6only, "No: refused", &["nginx 7", "[::]:80", "IPV6_V6ONLY"]);
    let all = [Why::OnlyLoopback(0), Why::OtherFamily(0), Why::OtherAddress(0)];
    let texts: std::collections::BTreeSet<_> = all.map(|why| refused(why, loopback())).into();
    assert_eq!(texts.len(), 3, "three reasons have three texts");
}

#[test]
fn a_listener_of_one_interface_is_named_with_it() {
    for (index, name) in [(2, "eth0"), (9, "9")] {
        let mut one = listener("0.0.0.0", false);
        if let Endpoints::Inet(pair) = &mut one.endpoints {
            pair.interface = NonZeroU32::new(index);
        }
        let text = said(here(Reach::Refused(Why::OtherDevice(0)), vec![one]));
        assert!(text.ends_with(&format!("{name}.")), "{text}");
    }
}

#[test]
fn an_owner_that_is_not_seen_is_described() {
    let of = |owner_status, user: Option<&str>, owners: Vec<Owner>| {
        said(Here {
            owner_status,
            owners,
            user: user.map(Into::into),
            ..here(Reach::Accepted(0), vec![listener("0.0.0.0", false)])
        })
    };
    holds(&of(OwnerStatus::Kernel, None, vec![]), "Yes:", &["kernel"]);
    holds(
        &of(OwnerStatus::Hidden, Some("www"), vec![]),
        "Yes:",
        &["user www"],
    );
    let unseen = of(OwnerStatus::Hidden, None, vec![]);
    assert!(!unseen.contains("user") && unseen.contains("process"), "{unseen}");
    let two = of(
        OwnerStatus::Known,
        None,
        vec![owner("nginx", 7), owner("nginx", 8)],
    );
    holds(&two, "Yes:", &["nginx 7 +1 "]);
    let elsewhere = said(Here {
        elsewhere: vec![owner("redis", 9), owner("redis", 10)],
        ..here(Reach::Refused(Why::Nothing), Vec::new())
    });
    holds(&elsewhere, "No: refused", &["redis 9 ", "network namespace"]);
    let other = said(Here {
        other_protocol: Some("80/udp is in use by nginx 7".to_owned()),
        ..here(Reach::Refused(Why::Nothing), Vec::new())
    });
    assert_eq!(
        other,
        "No: refused. Nothing listens on port 80; 80/udp is in use by nginx 7."
    );
}

#[test]
fn a_connection_to_a_stopped_server_gets_no_answer() {
    let of = |stops: &[Option<Stop>], reach, sockets: Vec<Socket>| {
        let owners: Vec<_> = (7..)
            .zip(stops)
            .map(|(pid, stop)| Owner {
                stop: *stop,
                ..owner("nginx", pid)
            })
            .collect();
        said(Here {
            stopped: Stopped::among(&owners, 0, false),
            owners,
            ..here(reach, sockets)
        })
    };
    let (one, stop) = (|| listener("0.0.0.0", false), Some(Stop::Signal));
    assert_eq!(
        of(&[stop], Reach::Accepted(0), vec![one()]),
        "Yes, it connects, but nginx 7 is stopped (state T): nothing will answer until `kill -CONT 7`."
    );
    let some = of(&[stop, None], Reach::Accepted(0), vec![one()]);
    holds(&some, "Yes: nginx 7 +1 would accept the connection", &[]);
    let shared = of(&[stop], Reach::Accepted(0), vec![one(), one()]);
    holds(
        &shared,
        "Yes, it connects, but nginx 7",
        &["one of several sockets"],
    );
    let full = of(&[stop], Reach::QueueFull(0), vec![listener("0.0.0.0", true)]);
    holds(&full, "No: it would hang.", &["nginx 7 is stopped (state T)"]);
    let owners = vec![Owner {
        stop,
        ..owner("nginx", 7)
    }];
    let doubtful = Answer {
        way: Some(Way {
            not_examined: Some("needs CAP_NET_ADMIN"),
            ..Way::default()
        }),
        ..answer(
            "10.0.0.1",
            Found::Here(Here {
                stopped: Stopped::among(&owners, 0, false),
                owners,
                ..here(Reach::Accepted(0), vec![one()])
            }),
        )
    };
    holds(
        &sentence(&doubtful, &system()),
        "Cannot tell: nginx 7 would accept the connection",
        &["not examined", "besides, nginx 7 is stopped"],
    );
    let refused = of(&[stop], Reach::Refused(Why::OnlyLoopback(0)), vec![one()]);
    assert!(!refused.contains("stopped"), "{refused}");
}

#[test]
fn udp_sockets_receive_datagrams_instead_of_accepting() {
    let of = |reach| Answer {
        protocol: Protocol::Udp,
        ..answer(
            "10.0.0.1",
            Found::Here(here(reach, vec![listener("0.0.0.0", false)])),
        )
    };
    holds(
        &sentence(&of(Reach::Accepted(0)), &system()),
        "Yes:",
        &["receives datagrams"],
    );
    holds(
        &sentence(&of(Reach::Refused(Why::Nothing)), &system()),
        "No: not taken",
        &[],
    );
}

#[test]
fn for_another_machine_the_text_says_what_is_seen_from_here() {
    let unanswered = |retransmits| Socket {
        timer: Some(Timer {
            kind: TimerKind::On,
            expires_ms: None,
            retransmits,
        }),
        ..socket(State::SynSent, "10.0.0.1", 40_000).socket
    };
    let away = |retransmits, owners: Vec<Owner>| Away {
        source: Some("10.0.0.1".parse().unwrap()),
        device: Some("eth0".into()),
        unanswered: vec![unanswered(retransmits); 2],
        owners,
        ports_used: 3,
        gaps: Vec::new(),
    };
    let mut one = answer("10.0.0.9", Found::Away(away(1, vec![owner("curl", 5)])));
    let text = sentence(&one, &system());
    let seen = [
        "10.0.0.9",
        "10.0.0.1 (eth0)",
        " 2 ",
        "of curl 5",
        "1 time:",
        "3 of 28232",
        "--try",
    ];
    holds(&text, "Cannot tell", &seen);
    one.tried = Some((false, "refused".to_owned()));
    assert!(!sentence(&one, &system()).contains("--try"));
    one.tried = None;
    one.protocol = Protocol::Udp;
    let text = sentence(&one, &system());
    assert!(!text.contains("28232") && !text.contains("--try"), "{text}");
    one.found = Found::Away(away(2, Vec::new()));
    let text = sentence(&one, &system());
    holds(&text, "Cannot tell", &["2 times:"]);
    assert!(!text.contains(" of "), "{text}");
    one.found = Found::Away(Away {
        source: None,
        ..away(0, Vec::new())
    });
    holds(&sentence(&one, &system()), "No:", &["no route", "10.0.0.9"]);
}

#[test]
fn other_addresses_that_work_are_listed_without_broadcast_and_full_queues() {
    let at = |address: &str, reach, sockets: Vec<Socket>| {
        let here = here(reach, sockets);
        let one = answer(address, Found::Here(here.clone()));
        reachable_at(&here, 80, &[one], &system())
    };
    let refused = Reach::Refused(Why::OtherAddress(0));
    let any = || vec![listener("0.0.0.0", false)];
    assert_eq!(at("10.0.0.1", refused, any()), ["127.0.0.1:80"]);
    assert_eq!(
        at("10.0.0.1", Reach::Accepted(0), any()),
        ["127.0.0.1:80", "10.0.0.1:80"]
    );
    let dual = vec![listener("::", false)];
    assert_eq!(at("10.0.0.1", refused, dual), ["127.0.0.1:80", "[::1]:80"]);
    assert!(at("10.0.0.1", refused, vec![listener("0.0.0.0", true)]).is_empty());
    let bound = vec![socket(State::Bound, "0.0.0.0", 80).socket];
    assert!(at("10.0.0.1", refused, bound).is_empty());
}

#[test]
fn a_refusal_says_where_it_would_work_and_an_arrival_does_not() {
    let page = |reach, address: &str| {
        let found = Found::Here(here(reach, vec![listener(address, false)]));
        render(&[answer("10.0.0.1", found)], None, &system(), false, None)
    };
    let refused = page(Reach::Refused(Why::OnlyLoopback(0)), "127.0.0.1");
    let row = |label: &str| refused.lines().find(|line| line.trim_start().starts_with(label));
    assert!(
        row("reachable at").is_some_and(|row| row.ends_with("127.0.0.1:80")),
        "{refused}"
    );
    assert!(row("to fix").is_some(), "{refused}");
    let other = page(Reach::Refused(Why::OtherAddress(0)), "127.0.0.1");
    assert!(
        other.contains("reachable at") && !other.contains("to fix"),
        "{other}"
    );
    let accepted = page(Reach::Accepted(0), "0.0.0.0");
    assert!(
        !accepted.contains("reachable at") && !accepted.contains("to fix"),
        "{accepted}"
    );
    let mut tried = answer(
        "10.0.0.1",
        Found::Here(here(Reach::Accepted(0), vec![listener("0.0.0.0", false)])),
    );
    tried.tried = Some((true, "a connection was accepted".to_owned()));
    let text = render(&[tried], None, &system(), false, None);
    assert!(text.contains("a connection was accepted"), "{text}");
}

#[test]
fn a_unix_socket_with_a_full_queue_says_how_full() {
    let full = Socket {
        protocol: Protocol::Unix,
        ..listener("0.0.0.0", true)
    };
    let answer = judge(&UnixName {
        name: b"/run/app.sock".to_vec(),
        is_socket_file: true,
        may_connect: true,
        is_bound: None,
        sockets: vec![(full, Holders::default())],
    });
    assert_eq!(answer.verdict, UnixReach::QueueFull);
    holds(&answer.sentence, "No", &["/run/app.sock", "6", "5"]);
}

#[test]
fn without_a_route_the_reason_is_that_of_the_step_of_the_route() {
    let step = |step, sentence: &str| Step {
        step,
        ok: Some(false),
        sentence: sentence.to_owned(),
    };
    let said = |route: &str| {
        let away = Away {
            source: None,
            device: None,
            unanswered: Vec::new(),
            owners: Vec::new(),
            ports_used: 0,
            gaps: Vec::new(),
        };
        let mut one = answer("10.0.0.9", Found::Away(away));
        one.way = Some(Way {
            outcome: Some(Outcome::Unreachable),
            steps: vec![step("packet filter", "passes"), step("route", route)],
            ..Way::default()
        });
        sentence(&one, &system())
    };
    assert_eq!(
        said("a rule forbids it"),
        "No: there is no route to 10.0.0.9: a rule forbids it."
    );
    assert_eq!(said("no route to 10.0.0.9"), "No: there is no route to 10.0.0.9.");
}
