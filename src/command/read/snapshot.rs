//! Reads the sockets on one port or of one unix name, with their owners. The kernel filters by the port.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::diagnose::bind::Existing;
use crate::diagnose::bind::unix::facts::is_abstract;
use crate::engine;
use crate::engine::bound::{Unlisted, unlisted};
use crate::engine::read_tables;
use crate::model::gap::BOUND_UNSEEN;
use crate::model::request::{Condition, Dump, OwnersBy, Parts, Question};
use crate::model::{End, Endpoints, Gap, OwnerStatus, Owners, Protocol, Socket, State, StateSet};
use crate::source::{socket_options, tape, unix_paths};

/// The sockets on a port, or of a name.
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

/// Reads the sockets of `protocol` on the ports from `from` to `to`, inclusive, without owners.
pub fn read(protocol: Protocol, from: u16, to: u16) -> Snapshot {
    read_states(protocol, from, to, StateSet::ALL)
}

/// The same for some states only. Listeners have a table of their own in the kernel, so requesting only them takes
/// microseconds, whereas connections have to be checked one by one.
pub fn read_states(protocol: Protocol, from: u16, to: u16, states: StateSet) -> Snapshot {
    let dumps = vec![Dump {
        condition: Some(local_ports(from, to)),
        // DCCP was not requested by name, so the kernel must not load its module.
        named: protocol != Protocol::Dccp,
        ..Dump::new(protocol, states)
    }];
    // Tables under /proc are not filtered.
    let is_there = |socket: &Socket| {
        socket
            .inet()
            .is_some_and(|pair| (from..=to).contains(&pair.local_port))
    };
    collect(dumps, is_there)
}

/// Makes the kernel leave out sockets whose local port is outside this inclusive range.
pub fn local_ports(from: u16, to: u16) -> Condition {
    Condition::and([
        Condition::Is(Question::PortAtLeast(End::Local, from)),
        Condition::Is(Question::PortAtMost(End::Local, to)),
    ])
}

/// Reads the sockets that are bound to a unix name, given by path or abstract name.
pub fn read_unix(name: &[u8]) -> Snapshot {
    let id = if is_abstract(name) {
        None
    } else {
        unix_paths::file_id(name)
    };
    let dump = Dump {
        parts: Parts::UNIX_NAMES.and(Parts::UNIX_FILES),
        ..Dump::new(Protocol::Unix, StateSet::LISTENING)
    };
    collect(vec![dump], |socket| match &socket.endpoints {
        Endpoints::Unix(pair) if is_abstract(name) => pair.name.as_deref() == Some(name),
        Endpoints::Unix(pair) => id.is_some_and(|id| id.is_of(pair, name)),
        _ => false,
    })
}

fn collect(dumps: Vec<Dump>, wanted: impl Fn(&Socket) -> bool) -> Snapshot {
    let mut read = engine::Snapshot::read(dumps, &wanted);
    let mut snapshot = Snapshot {
        existing: read.sockets.iter().cloned().map(Existing::new).collect(),
        owners: Owners::not_asked(),
        gaps: std::mem::take(&mut read.gaps),
        read,
    };
    if snapshot.gaps.iter().any(|gap| gap.code == BOUND_UNSEEN) {
        snapshot.add_bound(unlisted(wanted));
    }
    snapshot
}

impl Snapshot {
    /// Keeps only these sockets.
    pub fn retain(&mut self, wanted: impl Fn(&Socket) -> bool) {
        self.existing.retain(|one| wanted(&one.socket));
        self.read.sockets.retain(wanted);
    }

    /// Adds bound sockets that no dump lists. If nothing else is missing, the answer is then complete.
    fn add_bound(&mut self, found: Unlisted) {
        for (socket, options) in found.sockets {
            let mut existing = Existing::new(socket.clone());
            existing.set_options(options);
            self.existing.push(existing);
            self.read.sockets.push(socket);
        }
        if !found.is_complete {
            return;
        }
        self.gaps.retain(|gap| gap.code != BOUND_UNSEEN);
        let message = "bound TCP sockets that do not listen were found by their descriptors";
        self.gaps.push(Gap::note("bound-by-descriptor", message));
        if found.maybe_bound > 0 {
            let message = format!(
                "{} TCP sockets were once connected and may still hold their port: Linux before 6.8 does not report it",
                found.maybe_bound
            );
            self.gaps
                .push(Gap::loss(BOUND_UNSEEN, message).with_count(found.maybe_bound));
        }
    }

    /// Finds the owners of the sockets.
    pub fn find_owners(&mut self, by: OwnersBy) {
        self.read.find_owners(by);
        self.owners = std::mem::take(&mut self.read.owners);
        self.gaps.append(&mut self.read.gaps);
    }

    /// Determines which sockets chose their port and which were assigned one. The kernel can only filter by this, so a
    /// second dump with that filter shows which sockets pass.
    pub fn read_given_ports(&mut self) {
        // A recording of the live screen has no dump with this filter.
        if !tape::looks().is_empty() {
            return;
        }
        for dump in &mut self.read.dumps().to_vec() {
            let given = Condition::Is(Question::Autobound);
            dump.condition = Some(Condition::and(dump.condition.take().into_iter().chain([given])));
            let mut passed = BTreeSet::new();
            // Gaps of these tables were reported when they were first read.
            read_tables(std::slice::from_ref(dump), &mut |sockets| {
                // Tables under /proc are not filtered; their rows have no cookie.
                passed.extend(sockets.iter().filter_map(|socket| socket.cookie));
                ControlFlow::Continue(())
            });
            for one in &mut self.existing {
                one.port_was_given = one.socket.cookie.map(|cookie| passed.contains(&cookie));
            }
        }
    }

    /// Reads the options of the sockets in these states: from a copy of the owner's descriptor or, where that is
    /// refused, from the kernel's BPF iterator. How the owners were found makes no difference.
    pub fn read_options(&mut self, states: StateSet) {
        let wanted = |one: &Existing| one.reuseaddr.is_none() && states.contains(one.socket.state);
        let mut refused = false;
        for one in self.existing.iter_mut().filter(|one| wanted(one)) {
            let holders = self.owners.of(&one.socket);
            if holders.status != OwnerStatus::Known {
                continue;
            }
            match socket_options::read(&one.socket, holders.holders) {
                Some(options) => one.set_options(options),
                None => refused = true,
            }
        }
        if !refused {
            return;
        }
        let options = socket_options::by_iterator(self.are_unconnected());
        for one in self.existing.iter_mut().filter(|one| wanted(one)) {
            if let Some(options) = one.socket.inode.and_then(|inode| options.get(&inode)) {
                one.set_options(*options);
            }
        }
    }

    fn are_unconnected(&self) -> bool {
        let states = [State::Listen, State::Bound, State::Unconnected];
        self.existing
            .iter()
            .all(|one| one.socket.inode.is_none() || states.contains(&one.socket.state))
    }
}
