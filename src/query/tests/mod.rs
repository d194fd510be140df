//! The language as a whole: filters and the rows they select.

mod documentation;
mod errors;
mod owners;
mod properties;
mod rows;
mod selection;
mod times;

use super::samples::{self, holder, tcp, unix, with_owners};
use super::{Match, Mode, Parsed, parse};
use crate::model::{Endpoints, Holder, OwnerStatus, Protocol, Socket, State, Timer, TimerKind};

fn read(filter: &str) -> Parsed {
    parse(&[filter.to_owned()], Mode::List).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn fails(filter: &str) -> String {
    match parse(&[filter.to_owned()], Mode::List) {
        Ok(parsed) => panic!("{filter} was understood: {parsed:?}"),
        Err(error) => error.render(),
    }
}

fn verdict(filter: &str, socket: &Socket, status: OwnerStatus, holders: &[Holder]) -> Match {
    let parsed = read(filter);
    if !parsed.states.is_none_or(|states| states.contains(socket.state)) {
        return Match::No;
    }
    let Some(expr) = parsed.expr else {
        return Match::Yes;
    };
    let expr = expr
        .resolve(&samples::names())
        .unwrap_or_else(|error| panic!("{}", error.render()));
    with_owners(socket, status, holders, |row| expr.matches(row))
}

/// A machine: a name for each socket, and its owner.
fn machine() -> Vec<(&'static str, Socket, Vec<Holder>)> {
    let web = Socket {
        rqueue: Some(129),
        wqueue: Some(128),
        ..tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen)
    };
    let conn = Socket {
        rqueue: Some(70_000),
        cookie: std::num::NonZeroU64::new(0x5b039),
        timer: Some(Timer {
            kind: TimerKind::Keepalive,
            expires_ms: Some(7200),
            retransmits: 0,
        }),
        ..tcp("10.0.0.1", 80, "10.0.0.9", 51234, State::Established)
    };
    let out = Socket {
        uid: Some(1000),
        mark: Some(0x15),
        socket_options: Some(0b100),
        ..tcp("::ffff:10.0.0.1", 40000, "::ffff:10.0.0.2", 443, State::CloseWait)
    };
    let ssh = tcp("::", 22, "::", 0, State::Listen);
    let rest = Socket {
        uid: None,
        ..tcp("2001:db8::1", 443, "2001:db8::9", 50000, State::TimeWait)
    };
    let mut dns = Socket {
        protocol: Protocol::Udp,
        ..tcp("127.0.0.53", 53, "0.0.0.0", 0, State::Unconnected)
    };
    if let Endpoints::Inet(pair) = &mut dns.endpoints {
        pair.interface = std::num::NonZeroU32::new(2);
    }
    let raw = Socket {
        protocol: Protocol::Raw,
        ..tcp("0.0.0.0", 1, "0.0.0.0", 0, State::Unconnected)
    };
    vec![
        ("web", web, vec![holder(812, 6)]),
        ("conn", conn, vec![holder(812, 9), holder(900, 4)]),
        ("out", out, vec![holder(900, 3)]),
        ("ssh", ssh, vec![]),
        ("rest", rest, vec![]),
        ("dns", dns, vec![]),
        ("raw", raw, vec![]),
        ("bus", unix(b"/run/Bus.sock"), vec![holder(900, 7)]),
        ("x11", unix(b"\0tmp/.X11"), vec![]),
    ]
}

/// Returns the names of the sockets that match. `rest` has no owner; those without holders have hidden ones.
fn matched(filter: &str) -> String {
    let selected = machine().into_iter().filter_map(|(name, socket, holders)| {
        let status = match (name, holders.is_empty()) {
            ("rest", _) => OwnerStatus::None,
            (_, true) => OwnerStatus::Hidden,
            _ => OwnerStatus::Known,
        };
        (verdict(filter, &socket, status, &holders) == Match::Yes).then_some(name)
    });
    selected.collect::<Vec<_>>().join(" ")
}
