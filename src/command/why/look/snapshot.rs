//! The sockets on one port, or of one name, with their owners: the kernel is asked for that port alone.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::local_ports;
use crate::diagnose::bind::{Existing, Flag};
use crate::engine;
use crate::engine::tables::Tables;
use crate::model::request::{Condition, Dump, OwnersBy, Question};
use crate::model::{Family, Gap, OwnerStatus, Owners, Protocol, Socket, State, StateSet};
use crate::source::bpf::{self, Narrow, Wanted};
use crate::source::proc::ProcRoot;
use crate::source::socket_options;

/// What is on a port, or has a name.
#[derive(Debug)]
pub struct Snapshot {
    /// The sockets, with their options as far as they were read.
    pub existing: Vec<Existing>,
    /// Who holds them.
    pub owners: Owners,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    read: engine::Snapshot,
}

/// Reads the sockets of `protocol` on these ports, both included. Owners come later, if at all.
pub fn read(protocol: Protocol, from: u16, to: u16) -> Snapshot {
    read_states(protocol, from, to, StateSet::ALL)
}

/// The same for some states only. Listeners have a table of their own in the kernel, so asking for them alone
/// costs microseconds, where connections have to be gone through one by one.
pub fn read_states(protocol: Protocol, from: u16, to: u16, states: StateSet) -> Snapshot {
    let dumps = vec![Dump {
        condition: Some(local_ports(from, to)),
        ..Dump::new(protocol, states)
    }];
    // A table under /proc is not filtered.
    let is_there = |socket: &Socket| {
        socket
            .inet()
            .is_some_and(|pair| (from..=to).contains(&pair.local_port))
    };
    gather(dumps, is_there)
}

/// Reads what the dumps bring and `wanted` keeps.
pub(super) fn gather(dumps: Vec<Dump>, wanted: impl Fn(&Socket) -> bool) -> Snapshot {
    let mut read = engine::Snapshot::read(dumps, wanted);
    Snapshot {
        existing: read.sockets.iter().cloned().map(Existing::new).collect(),
        owners: Owners::not_asked(),
        gaps: std::mem::take(&mut read.gaps),
        read,
    }
}

impl Snapshot {
    /// Finds the owners of the sockets.
    pub fn find_owners(&mut self, by: OwnersBy) {
        self.read.find_owners(by);
        self.owners = std::mem::take(&mut self.read.owners);
        self.gaps.append(&mut self.read.gaps);
    }

    /// Finds out which sockets asked for their port and which were given it: the kernel filters by that, and a
    /// second dump with the filter tells who passes.
    pub fn read_given_ports(&mut self) {
        for dump in &mut self.read.dumps().to_vec() {
            let given = Condition::Ask(Question::Autobound);
            dump.condition = Some(Condition::and(dump.condition.take().into_iter().chain([given])));
            let mut passed = BTreeSet::new();
            let mut tables = Tables::open(&ProcRoot::default());
            tables.read(std::slice::from_ref(dump), &mut |sockets| {
                // Rows of a table under /proc, which nobody filters, have no cookie.
                passed.extend(sockets.iter().filter_map(|socket| socket.cookie));
                ControlFlow::Continue(())
            });
            for one in &mut self.existing {
                one.port_was_given = one.socket.cookie.map(|cookie| passed.contains(&cookie));
            }
        }
    }

    /// Reads the options of the sockets in one of the states: from a copy of the owner's descriptor, and where that is
    /// refused from the kernel's BPF iterator. How the owners were found makes no difference.
    pub fn read_options(&mut self, states: StateSet) {
        let wanted = |one: &Existing| one.reuseaddr.is_none() && states.contains(one.socket.state);
        let mut refused = false;
        for one in self.existing.iter_mut().filter(|one| wanted(one)) {
            let holders = self.owners.of(&one.socket);
            if holders.status != OwnerStatus::Known {
                continue;
            }
            let Some(options) = socket_options::read(&one.socket, holders.holders) else {
                refused = true;
                continue;
            };
            one.reuseaddr = options.reuseaddr.map(Flag::observed);
            one.reuseport = options.reuseport.map(Flag::observed);
            if one.socket.family == Family::Inet6 {
                one.v6only = options.v6only.map(Flag::observed);
            }
        }
        if !refused {
            return;
        }
        let facts = self.iterator_facts();
        for one in self.existing.iter_mut().filter(|one| wanted(one)) {
            if let Some(facts) = one.socket.inode.and_then(|inode| facts.get(&inode)) {
                one.reuseaddr = Some(Flag::observed(facts.reuseaddr));
                one.reuseport = Some(Flag::observed(facts.reuseport));
                if one.socket.family == Family::Inet6 {
                    one.v6only = Some(Flag::observed(facts.v6only));
                }
            }
        }
    }

    /// The flags of all sockets by inode, as the iterator reports them; empty where it is refused.
    fn iterator_facts(&self) -> BTreeMap<NonZeroU32, bpf::Facts> {
        let waits = |one: &&Existing| {
            let states = [State::Listen, State::Bound, State::Unconnected];
            one.socket.inode.is_none() || states.contains(&one.socket.state)
        };
        let wanted = Wanted {
            listeners_only: self.existing.iter().all(|one| waits(&one)),
            narrow: Narrow::Inet,
            facts: true,
        };
        let mut facts = BTreeMap::new();
        let asked = bpf::holders(wanted, &mut |record| {
            facts.extend(NonZeroU32::new(record.inode).zip(record.facts));
        });
        asked.map(|_| facts).unwrap_or_default()
    }
}
