//! The steps about queues: connections waiting to be accepted, incomplete handshakes, unanswered connection attempts,
//! and what the kernel has dropped.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crate::diagnose::path::filter::journey::Outcome;
use crate::diagnose::path::found::{Answer, Away, Found, Here};
use crate::diagnose::path::judge::Reach;
use crate::diagnose::path::name::Lookup;
use crate::diagnose::path::pressure;
use crate::diagnose::path::queues::{SynQueue, accept_queue, unanswered, unanswered_unread};
use crate::diagnose::path::way::{Step, Way};
use crate::engine::read_tables;
use crate::model::request::Dump;
use crate::model::system::SystemFacts;
use crate::model::{Gap, GapLevel, Protocol, Socket, State, StateSet};
use crate::source::pressure::Counter;
use crate::source::{disk, pressure as counters, tape};

/// How long the counters are watched for growth.
const WATCHED: Duration = Duration::from_millis(250);

/// What to add to the steps of each answer.
pub(super) struct More {
    /// What is known about the name, if one was typed.
    pub(super) lookup: Option<Lookup>,
    /// The counters before anything else was read.
    pub(super) counters: Vec<Counter>,
    /// Whether to watch the counters for growth, which takes a quarter of a second.
    pub(super) watches: bool,
}

impl More {
    /// Adds the steps to each answer.
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
        // A recording contains both readings.
        if !tape::is_replaying() {
            thread::sleep(WATCHED);
        }
        let apart_ms = u64::try_from(WATCHED.as_millis()).unwrap_or(u64::MAX);
        pressure::step(&self.counters, Some((&counters::read(), apart_ms)))
    }
}

/// The queues of the listener, and connection attempts from this machine that it has not answered.
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
    let gaps = read_tables(&[dump], &mut |sockets| {
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
    if is_incomplete(&gaps) {
        steps.push(unanswered_unread());
    }
    steps
}

fn is_incomplete(gaps: &[Gap]) -> bool {
    gaps.iter().any(|gap| gap.level == GapLevel::Loss)
}

/// The local ports in use for connections to another machine, and connection attempts that it has not answered.
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

/// Reads the number of incomplete handshakes. If there is no room for another one, the outcome becomes unknown.
fn syn_queue(way: &mut Way, listener: &Socket) -> Option<Step> {
    let port = listener.inet()?.local_port;
    let mut waiting: u64 = 0;
    let dump = Dump {
        local_port: Some(port),
        ..Dump::new(Protocol::Tcp, StateSet::of(State::SynRecv))
    };
    let gaps = read_tables(&[dump], &mut |sockets| {
        let of_port = |socket: &&Socket| socket.inet().is_some_and(|pair| pair.local_port == port);
        waiting += sockets.iter().filter(of_port).count() as u64;
        ControlFlow::Continue(())
    });
    let number = |name: &str| -> Option<u64> {
        let text = disk::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
        text.trim().parse().ok()
    };
    let queue = SynQueue {
        waiting: (!is_incomplete(&gaps)).then_some(waiting),
        backlog: listener.backlog(),
        max_syn_backlog: number("tcp_max_syn_backlog"),
        has_cookies: number("tcp_syncookies").map(|cookies| cookies != 0),
    };
    if let Some(room) = queue.may_lack_room()
        && way.outcome == Some(Outcome::Connected)
    {
        way.outcome = None;
        way.unknown_because.push(room);
    }
    Some(queue.step())
}
