//! The sockets on one port, with their owners: the kernel is asked for that port alone.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::{local_port_between, local_port_is, options};
use crate::command::why::Existing;
use crate::join::{Owners, needs_owner};
use crate::model::{Backend, Gap, HolderTable, OwnerStatus, Protocol, Stash, StateSet};
use crate::plan::Dump;
use crate::source::proc::ProcRoot;
use crate::source::proc::holders::{Look, walk};
use crate::source::settle::settle;
use crate::source::tables::Tables;

/// What is on a port.
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
    let bytecode = if from == to {
        local_port_is(from)
    } else {
        local_port_between(from, to)
    };
    let dumps = vec![Dump {
        bytecode: Some(bytecode),
        ..Dump::new(protocol, states)
    }];
    let mut stash = Stash::default();
    let mut existing = Vec::new();
    let mut tables = Tables::open(&ProcRoot::default());
    tables.read(&dumps, &mut |sockets| {
        for socket in &*sockets {
            // A table under /proc is not filtered.
            if socket
                .inet()
                .is_some_and(|pair| (from..=to).contains(&pair.local_port))
            {
                stash.push(socket);
                existing.push(Existing::new(socket.clone()));
            }
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
        match walk(&root, look) {
            Ok(walked) => self.owners = settle(&root, &self.dumps, &self.stash, walked),
            Err(error) => self.gaps.push(Gap::loss(
                "owners-unreadable",
                format!("cannot list /proc: {error}"),
            )),
        }
    }

    /// Reads the options of every socket whose descriptor we may copy.
    pub fn read_options(&mut self) {
        for one in &mut self.existing {
            let holders = self.owners.of(&one.socket);
            if holders.status == OwnerStatus::Known {
                options::read(one, holders.holders);
            }
        }
    }
}
