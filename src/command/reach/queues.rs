//! The steps about queues: connections that wait to be accepted, those whose handshake is not complete, those that wait
//! for an answer, and what the kernel has dropped.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crate::diagnose::path::filter::journey::Outcome;
use crate::diagnose::path::found::{Answer, Away, Found, Here};
use crate::diagnose::path::judge::Reach;
use crate::diagnose::path::name::Lookup;
use crate::diagnose::path::pressure;
use crate::diagnose::path::way::{Step, Way};
use crate::engine::read_tables;
use crate::model::request::Dump;
use crate::model::system::SystemFacts;
use crate::model::{Protocol, Socket, State, StateSet};
use crate::source::pressure::Counter;
use crate::source::{disk, pressure as counters, tape};

/// How long the counters are watched.
const WATCHED: Duration = Duration::from_millis(250);

/// What is added to each answer's steps.
pub(super) struct More {
    /// What is known about the name, if one was typed.
    pub(super) lookup: Option<Lookup>,
    /// The counters before anything else was read.
    pub(super) counters: Vec<Counter>,
    /// Whether to watch them for growth, which takes a quarter of a second.
    pub(super) watches: bool,
}

impl More {
    /// Adds the steps.
    pub(super) fn add(&self, answers: &mut [Answer], system: &SystemFacts) {
        let drops = self.drops();
        for answer in answers {
            let Some(mut way) = answer.way.take() else {
                continue;
            };
            if let Some(lookup) = &self.lookup {
                way.steps.insert(
                    0,
                    Step {
                        step: "name",
                        ok: Some(true),
                        sentence: lookup.sentence(),
                    },
                );
            }
            if answer.protocol == Protocol::Tcp {
                let steps = match &answer.found {
                    Found::Here(here) => {
                        of_listener(&mut way, here, SocketAddr::new(answer.address, answer.port))
                    }
                    Found::Away(away) => of_client(away, system),
                    Found::Special(_) | Found::Unrecorded => Vec::new(),
                };
                let after = way.steps.iter().position(|step| step.step == "listener");
                let after = after.map_or(way.steps.len(), |at| at + 1);
                way.steps.splice(after..after, steps);
                way.steps.extend(drops.clone());
            }
            answer.way = Some(way);
        }
    }

    fn drops(&self) -> Option<Step> {
        if !self.watches {
            return pressure::step(&self.counters, None);
        }
        // A recording has both reads.
        if !tape::is_replaying() {
            thread::sleep(WATCHED);
        }
        let apart_ms = u64::try_from(WATCHED.as_millis()).unwrap_or(u64::MAX);
        pressure::step(&self.counters, Some((&counters::read(), apart_ms)))
    }
}

/// The queues of the listener, and connections from this machine that wait for its answer.
fn of_listener(way: &mut Way, here: &Here, place: SocketAddr) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Reach::Accepted(at) | Reach::QueueFull(at) = here.reach
        && let Some(listener) = here.sockets.get(at)
    {
        steps.extend(accept_queue(listener));
        steps.extend(syn_queue(way, listener));
    }
    let dump = Dump {
        peer_port: Some(place.port()),
        ..Dump::new(Protocol::Tcp, StateSet::of(State::SynSent))
    };
    let mut waiting = Vec::new();
    let _ = read_tables(&[dump], &mut |sockets| {
        let is_to = |socket: &&Socket| {
            socket.inet().is_some_and(|pair| {
                (pair.peer_address.to_canonical(), pair.peer_port)
                    == (place.ip().to_canonical(), place.port())
            })
        };
        waiting.extend(sockets.iter().filter(is_to).cloned());
        ControlFlow::Continue(())
    });
    steps.extend(unanswered(&waiting));
    steps
}

/// The local ports of connections to another machine, and those that wait for its answer.
fn of_client(away: &Away, system: &SystemFacts) -> Vec<Step> {
    if away.source.is_none() {
        return Vec::new();
    }
    let all = system.local_port_range.clone().count();
    let mut steps = vec![Step {
        step: "local ports",
        ok: Some(away.ports_used < all),
        sentence: format!("{} of {all} are in use towards it", away.ports_used),
    }];
    steps.extend(unanswered(&away.unanswered));
    steps
}

fn accept_queue(listener: &Socket) -> Option<Step> {
    let (waiting, limit) = (listener.accept_q()?, listener.backlog()?);
    Some(Step {
        step: "accept queue",
        ok: Some(!listener.accept_queue_is_full()),
        sentence: format!("{waiting} waiting, the limit is {limit}"),
    })
}

/// Connections whose handshake is not complete. With SYN cookies they need no room.
fn syn_queue(way: &mut Way, listener: &Socket) -> Option<Step> {
    let port = listener.inet()?.local_port;
    let mut waiting: u64 = 0;
    let dump = Dump {
        local_port: Some(port),
        ..Dump::new(Protocol::Tcp, StateSet::of(State::SynRecv))
    };
    let _ = read_tables(&[dump], &mut |sockets| {
        let of_port = |socket: &&Socket| socket.inet().is_some_and(|pair| pair.local_port == port);
        waiting += sockets.iter().filter(of_port).count() as u64;
        ControlFlow::Continue(())
    });
    let number = |name: &str| -> Option<u64> {
        let text = disk::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
        text.trim().parse().ok()
    };
    let most = number("tcp_max_syn_backlog")?;
    let has_cookies = number("tcp_syncookies")? != 0;
    // linux 6.18 net/ipv4/tcp_input.c, tcp_conn_request: without cookies a quarter is kept for peers that are known.
    let limit = listener
        .backlog()
        .map_or(u64::MAX, u64::from)
        .min(most - most / 4);
    let is_full = !has_cookies && waiting >= limit;
    if is_full && way.outcome == Some(Outcome::Connected) {
        way.outcome = None;
        way.unknown_because.push(format!(
            "room in the SYN queue, which is full ({waiting}, and tcp_syncookies is 0)"
        ));
    }
    let cookies = if has_cookies { "on" } else { "off" };
    Some(Step {
        step: "SYN queue",
        ok: Some(!is_full),
        sentence: format!("{waiting} half open, SYN cookies are {cookies}"),
    })
}

fn unanswered(waiting: &[Socket]) -> Option<Step> {
    let most = waiting
        .iter()
        .map(|socket| socket.timer.map_or(0, |timer| timer.retransmits))
        .max()?;
    let count = waiting.len();
    let again = match most {
        1 => "once".to_owned(),
        _ => format!("{most} times"),
    };
    Some(Step {
        step: "unanswered",
        ok: None,
        sentence: format!("{count} in SYN-SENT to it, retried up to {again}"),
    })
}
