//! A socket with its owner and context: the input of filters, sorting and renderers.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::cgroup::Home;
use super::machine::Origin;
use super::reachable::Reachability;
use super::{
    HalfOpen, Holder, Name, Names, Namespace, OwnerStatus, Ownership, Peer, Peers, Printed, Process,
    Processes, Socket,
};

/// A socket with its owner and context: the input of filters, sorting and renderers.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// Its owners.
    pub ownership: Ownership<'a>,
    /// Names and processes of the capture.
    pub context: &'a Context,
}

/// Data that the rows of one capture share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Facts about the processes that hold shown sockets.
    pub processes: Processes,
    /// Names for ids.
    pub names: Names,
    /// The security contexts of sockets, by inode, if requested.
    pub socket_contexts: BTreeMap<u32, Box<[u8]>>,
    /// The network namespaces of the capture; only the caller's unless others were requested.
    pub namespaces: Vec<Namespace>,
    /// The other ends of rows on this machine, if requested.
    pub peers: Peers,
    /// Half-open connections by listener, if requested.
    pub half_open: HalfOpen,
    /// Whether clients on other machines reach listeners, if requested.
    pub reachability: Reachability,
    /// When the capture began, and on which machine, if that was requested.
    pub origin: Origin,
    /// Whether the capture ran as root, for whom "needs root" is no remedy.
    pub as_root: bool,
    /// Which arguments of programs are printed.
    pub arguments: Printed,
}

impl<'a> Row<'a> {
    /// Returns the process of a holder, if it was read.
    pub fn process(&self, holder: &Holder) -> Option<&'a Process> {
        self.context.processes.get(&holder.pid)
    }

    /// Returns the arguments of a process that are to be printed; `None` if they are unknown or not wanted.
    pub fn arguments(&self, process: &'a Process) -> Option<&'a [Box<[u8]>]> {
        process.cmdline.as_ref()?.printed(self.context.arguments)
    }

    /// Returns the network namespace of the socket.
    pub fn namespace(&self) -> Option<&'a Namespace> {
        let place = usize::try_from(self.socket.netns).ok()?;
        self.context.namespaces.get(place)
    }

    /// Returns the unit, container and pod of the socket's creator; if its cgroup names none (v1, or unknown),
    /// those of the first owner.
    pub fn home(&self) -> Option<&'a Home> {
        self.home_of_creator()
            .or_else(|| Some(&self.processes().next()?.home))
    }

    /// Returns the unit, container and pod of the creator alone.
    pub fn home_of_creator(&self) -> Option<&'a Home> {
        self.context.names.homes.get(&self.socket.cgroup_id?.get())
    }

    /// The security context of the socket itself, if it was read.
    pub fn security_context(&self) -> Option<&'a [u8]> {
        let inode = self.socket.inode?.get();
        self.context.socket_contexts.get(&inode).map(AsRef::as_ref)
    }

    /// The name of an interface in the socket's network namespace.
    pub fn interface(&self, index: NonZeroU32) -> Option<&'a Name> {
        let interfaces = &self.context.names.interfaces;
        interfaces.get(&(self.socket.netns, index.get()))
    }

    /// Returns the other end, if it is on this machine and was requested.
    pub fn peer(&self) -> Option<Peer<'a>> {
        self.context.peers.of(self.socket)
    }

    /// Returns the row with the owners of the other end instead of its own; `None` if [`Row::peer`] is.
    pub fn of_peer(&self) -> Option<Self> {
        let ownership = self.peer()?.ownership;
        Some(Self { ownership, ..*self })
    }

    /// Returns the holder that no other holder started: the master of a server with workers, whatever their pids. If
    /// there are several, returns the one with the lowest pid.
    pub fn topmost(&self) -> Option<&'a Process> {
        let holds = |pid: u32| self.ownership.holders.iter().any(|holder| holder.pid == pid);
        let is_topmost = |process: &&Process| !process.parent.is_some_and(holds);
        self.processes()
            .find(is_topmost)
            .or_else(|| self.processes().next())
    }

    /// Returns whether no known holder belongs to the user who created the socket, while some processes cannot be
    /// inspected. One of these probably holds it too, such as nginx's master for a user who may inspect only its
    /// workers.
    pub fn creator_is_unseen(&self) -> bool {
        let of_another = |creator: u32| {
            let mut seen = self.processes().peekable();
            seen.peek().is_some() && seen.all(|process| process.uid.is_some_and(|uid| uid != creator))
        };
        self.ownership.may_be_more
            && self.ownership.status == OwnerStatus::Known
            && self.socket.uid.is_some_and(of_another)
    }

    /// Returns the processes that hold the socket, each once, by pid.
    pub fn processes(&self) -> impl Iterator<Item = &'a Process> {
        let mut previous = None;
        let context = self.context;
        self.ownership.holders.iter().filter_map(move |holder| {
            let seen = previous.replace(holder.pid) == Some(holder.pid);
            if seen {
                None
            } else {
                context.processes.get(&holder.pid)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_its_name_in_the_namespace_of_the_socket() {
        let mut context = Context::default();
        context.names.interfaces = [((7, 2), "eth0".into())].into();
        let name = |netns, index| {
            let socket = Socket {
                netns,
                ..Socket::BLANK
            };
            let row = Row {
                socket: &socket,
                ownership: Ownership {
                    status: OwnerStatus::NotAsked,
                    holders: &[],
                    may_be_more: false,
                },
                context: &context,
            };
            row.interface(NonZeroU32::new(index).unwrap()).cloned()
        };
        assert_eq!(name(7, 2), Some("eth0".into()));
        assert_eq!((name(7, 3), name(8, 2)), (None, None));
    }

    #[test]
    fn a_creator_is_unseen_if_no_holder_is_its_own_and_some_are_hidden() {
        let process = |pid, uid| {
            let process = Process {
                pid,
                uid: Some(uid),
                ..Process::default()
            };
            (pid, process)
        };
        let context = Context {
            processes: [process(7, 0), process(8, 33)].into(),
            ..Context::default()
        };
        let socket = Socket {
            uid: Some(0),
            ..Socket::BLANK
        };
        let of = |pids: &[u32], may_be_more| {
            let holder = |pid: &u32| Holder {
                inode: 1,
                pid: *pid,
                fd: 3,
                tid: 0,
            };
            let holders: Vec<_> = pids.iter().map(holder).collect();
            let ownership = Ownership {
                status: OwnerStatus::Known,
                holders: &holders,
                may_be_more,
            };
            Row {
                socket: &socket,
                ownership,
                context: &context,
            }
            .creator_is_unseen()
        };
        assert!(of(&[8], true));
        assert!(!of(&[8], false), "every process was inspected");
        assert!(!of(&[7, 8], true), "the creator's own process is known");
        assert!(!of(&[9], true), "nothing is known about the holder");
    }
}
