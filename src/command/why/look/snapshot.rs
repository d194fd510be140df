//! The sockets on one port, or of one name, with their owners: the kernel is asked for that port alone.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::local_ports;
use crate::diagnose::bind::{Existing, Flag};
use crate::engine::join::{Others, needs_owner};
use crate::engine::resolve::resolve_owners;
use crate::engine::tables::Tables;
use crate::model::Owners;
use crate::model::request::Dump;
use crate::model::request::{Condition, Question};
use crate::model::{
    Backend, Family, Gap, Holder, HolderTable, OwnerStatus, Protocol, Socket, Stash, State, StateSet,
};
use crate::source::bpf::{self, Narrow, Wanted};
use crate::source::netns::Views;
use crate::source::proc::ProcRoot;
use crate::source::proc::holders::{Look, Walk, has_descriptors, walk};
use crate::source::socket_options;

/// With fewer descriptors on the machine the walk is done before the iterator is set up.
const WORTH_IT_DESCRIPTORS: u64 = 3000;

/// What is on a port, or has a name.
#[derive(Debug)]
pub struct Snapshot {
    /// The sockets, with their options as far as they were read.
    pub existing: Vec<Existing>,
    /// Who holds them.
    pub owners: Owners,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    dumps: Vec<Dump>,
    stash: Stash,
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
    let mut stash = Stash::default();
    let mut existing = Vec::new();
    let mut tables = Tables::open(&ProcRoot::default());
    tables.read(&dumps, &mut |sockets| {
        for socket in sockets.iter().filter(|socket| wanted(socket)) {
            stash.push(socket);
            existing.push(Existing::new(socket.clone()));
        }
        ControlFlow::Continue(())
    });
    Snapshot {
        existing,
        owners: Owners::not_asked(),
        gaps: tables.gaps,
        dumps,
        stash,
    }
}

impl Snapshot {
    /// Looks for the holders, unless nobody can hold any of the sockets.
    pub fn find_owners(&mut self) {
        let owned = |one: &Existing| needs_owner(one.socket.inode, one.socket.state, Backend::SockDiag);
        if !self.existing.iter().any(owned) {
            self.owners = Owners::new(HolderTable::default(), BTreeMap::new(), Vec::new());
            return;
        }
        let mut wanted: Vec<u32> = self
            .existing
            .iter()
            .filter_map(|one| one.socket.inode)
            .map(NonZeroU32::get)
            .collect();
        wanted.sort_unstable();
        let root = ProcRoot::default();
        let look = Look {
            wanted: Some(&wanted),
            thorough: None,
        };
        let walked = match self.ask_iterator(&wanted) {
            Some(holders) => Ok(Walk {
                holders,
                ..Walk::default()
            }),
            None => walk(&root, look),
        };
        match walked {
            Ok(mut walked) => {
                let holders = HolderTable::new(std::mem::take(&mut walked.holders));
                let (views, others) = (Views::default(), Others::default());
                self.owners =
                    resolve_owners(&root, &views, &self.dumps, &self.stash, &others, holders, &walked);
            }
            Err(error) => self.gaps.push(Gap::loss(
                "owners-unreadable",
                format!("cannot list /proc: {error}"),
            )),
        }
    }

    /// The holders by the kernel's own iterator, which tells the options as well. Where it may be used, that is
    /// several times as fast as the walk on a machine with many sockets; on others its set-up costs more than
    /// it saves.
    fn ask_iterator(&mut self, wanted: &[u32]) -> Option<Vec<Holder>> {
        if !has_descriptors(&ProcRoot::default(), WORTH_IT_DESCRIPTORS) {
            return None;
        }
        let waits = |one: &Existing| {
            matches!(
                one.socket.state,
                State::Listen | State::Bound | State::Unconnected
            )
        };
        let wish = Wanted {
            listeners_only: self
                .existing
                .iter()
                .filter(|one| one.socket.inode.is_some())
                .all(waits),
            narrow: match self.dumps.first().map(|dump| dump.protocol) {
                Some(Protocol::Unix) => Narrow::Unix,
                _ => Narrow::Inet,
            },
            facts: true,
        };
        let mut holders = Vec::new();
        let mut facts = BTreeMap::new();
        let done = bpf::holders(wish, &mut |record| {
            if wanted.binary_search(&record.inode).is_ok() {
                facts.extend(record.facts.map(|told| (record.inode, told)));
                holders.push(Holder {
                    inode: record.inode,
                    pid: record.pid,
                    fd: record.fd,
                    tid: record.tid,
                });
            }
        });
        done.ok()?;
        for one in &mut self.existing {
            let told = one.socket.inode.and_then(|inode| facts.get(&inode.get()));
            if let Some(told) = told {
                one.reuseaddr = Some(Flag::observed(told.reuseaddr));
                one.reuseport = Some(Flag::observed(told.reuseport));
                one.v6only = Some(Flag::observed(told.v6only));
            }
        }
        Some(holders)
    }

    /// Finds out which sockets asked for their port and which were given it: the kernel filters by that, and a
    /// second dump with the filter tells who passes.
    pub fn read_given_ports(&mut self) {
        for dump in &mut self.dumps.clone() {
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

    /// Reads the options of every socket in one of the states whose descriptor we may copy.
    pub fn read_options(&mut self, states: StateSet) {
        let wanted = |one: &&mut Existing| one.reuseaddr.is_none() && states.contains(one.socket.state);
        for one in self.existing.iter_mut().filter(wanted) {
            let holders = self.owners.of(&one.socket);
            if holders.status == OwnerStatus::Known {
                let Some(options) = socket_options::read(&one.socket, holders.holders) else {
                    continue;
                };
                one.reuseaddr = options.reuseaddr.map(Flag::observed);
                one.reuseport = options.reuseport.map(Flag::observed);
                if one.socket.family == Family::Inet6 {
                    one.v6only = options.v6only.map(Flag::observed);
                }
            }
        }
    }
}
