//! Programs: their sockets by state, and what waits in their queues.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::page::{Kind, Page};
use super::words::{self, OTHER, OTHER_PROGRAMS, directions};
use crate::model::{Row, State};

/// The states that are counted separately; the rest is `other`.
const STATES: [State; 5] = [
    State::Established,
    State::CloseWait,
    State::SynSent,
    State::Listen,
    State::TimeWait,
];

/// Sockets by state, `other` last; and bytes by direction.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sockets: [u64; STATES.len() + 1],
    queued: [u64; 2],
}

impl Counts {
    fn total(&self) -> u64 {
        self.sockets.iter().sum()
    }

    fn merge(&mut self, other: &Self) {
        for (sum, count) in self.sockets.iter_mut().zip(other.sockets) {
            *sum += count;
        }
        for (sum, bytes) in self.queued.iter_mut().zip(other.queued) {
            *sum += bytes;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Programs {
    all: BTreeMap<String, Counts>,
}

impl Programs {
    pub(super) fn add(&mut self, row: &Row<'_>, program: String) {
        let counts = self.all.entry(program).or_default();
        let state = STATES.iter().position(|state| *state == row.socket.state);
        if let Some(sockets) = counts.sockets.get_mut(state.unwrap_or(STATES.len())) {
            *sockets += 1;
        }
        for (sum, (_, bytes)) in counts.queued.iter_mut().zip(directions(row)) {
            *sum += bytes;
        }
    }

    pub(super) fn write(self, page: &mut Page, most: usize) {
        // The rows without a program are few, and do not count against the limit.
        let (unnamed, mut named): (Vec<_>, Vec<_>) =
            self.all.into_iter().partition(|(name, _)| name.starts_with('('));
        named.sort_by_key(|(_, counts)| Reverse(counts.total()));
        let rest = named.split_off(most.min(named.len()));
        // A program may be called like one of our own words. The two are summed, because a series may occur only once.
        let mut shown: BTreeMap<String, Counts> = BTreeMap::new();
        let known = ["(hidden)", "(closed)", "(kernel)", "(unknown)"];
        let is_known = |name: &String| known.contains(&name.as_str());
        for (name, counts) in named.into_iter().chain(unnamed) {
            let name = if name.starts_with('(') && !is_known(&name) {
                OTHER_PROGRAMS.to_owned()
            } else {
                name
            };
            shown.entry(name).or_default().merge(&counts);
        }
        for (_, counts) in rest {
            shown.entry(OTHER_PROGRAMS.to_owned()).or_default().merge(&counts);
        }
        page.family(
            "process_sockets",
            Kind::Gauge,
            "Sockets of a program by state; in parentheses why none is named",
        );
        let names = STATES.map(words::state);
        let names: Vec<_> = names.into_iter().chain([OTHER]).collect();
        for (program, counts) in &shown {
            for (state, count) in names.iter().zip(counts.sockets) {
                page.sample(&[("process", program), ("state", state)], count);
            }
        }
        page.family(
            "process_queued_bytes",
            Kind::Gauge,
            "Bytes in the queues of a program's sockets",
        );
        for (program, counts) in &shown {
            for (direction, bytes) in ["receive", "send"].into_iter().zip(counts.queued) {
                page.sample(&[("process", program), ("direction", direction)], bytes);
            }
        }
    }
}
