//! A socket with all that is known around it: what filters, sorts and renderers see.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::cgroup::Home;
use super::{HalfOpen, Holder, Names, Namespace, Ownership, Peer, Peers, Process, Processes, Socket};

/// A socket with all that is known around it: what filters, sorts and renderers see.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// Who holds it.
    pub ownership: Ownership<'a>,
    /// Names and processes of the capture.
    pub context: &'a Context,
}

/// What rows of one capture share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Facts about the processes that hold shown sockets.
    pub processes: Processes,
    /// Names for numbers.
    pub names: Names,
    /// The security contexts of sockets, by inode, if somebody asked.
    pub socket_contexts: BTreeMap<u32, Box<[u8]>>,
    /// The network namespaces of the capture; that of the caller alone unless others were asked for.
    pub namespaces: Vec<Namespace>,
    /// The other ends of rows, where they are on this machine and somebody asked.
    pub peers: Peers,
    /// Connections that are being opened, by listener, if somebody asked.
    pub half_open: HalfOpen,
    /// Whether the capture ran as root, for whom "needs root" is no advice.
    pub as_root: bool,
}

impl<'a> Row<'a> {
    /// The process behind a holder, if its facts were read.
    pub fn process(&self, holder: &Holder) -> Option<&'a Process> {
        self.context.processes.get(&holder.pid)
    }

    /// The network namespace of the socket.
    pub fn namespace(&self) -> Option<&'a Namespace> {
        let place = usize::try_from(self.socket.netns).ok()?;
        self.context.namespaces.get(place)
    }

    /// The unit, container and pod of the socket's creator; where its cgroup does not tell (v1, or unknown), those of
    /// the first owner.
    pub fn home(&self) -> Option<&'a Home> {
        self.home_of_creator()
            .or_else(|| Some(&self.processes().next()?.home))
    }

    /// The same of the creator alone.
    pub fn home_of_creator(&self) -> Option<&'a Home> {
        self.context.names.homes.get(&self.socket.cgroup_id?.get())
    }

    /// The security context of the socket itself, if it was read.
    pub fn security_context(&self) -> Option<&'a [u8]> {
        let inode = self.socket.inode?.get();
        self.context.socket_contexts.get(&inode).map(AsRef::as_ref)
    }

    /// The name of an interface in the socket's network namespace.
    pub fn interface(&self, index: NonZeroU32) -> Option<&'a String> {
        let interfaces = &self.context.names.interfaces;
        interfaces.get(&(self.socket.netns, index.get()))
    }

    /// The other end, where it is on this machine and somebody asked.
    pub fn peer(&self) -> Option<Peer<'a>> {
        self.context.peers.of(self.socket)
    }

    /// The same row with the owners of the other end in the place of its own; `None` where [`Row::peer`] is.
    pub fn of_peer(&self) -> Option<Self> {
        let ownership = self.peer()?.ownership;
        Some(Self { ownership, ..*self })
    }

    /// The process among the holders that no other of them started: the master of a server with workers, whatever
    /// their pids. Of several the one with the lowest pid.
    pub fn topmost(&self) -> Option<&'a Process> {
        let holds = |pid: u32| self.ownership.holders.iter().any(|holder| holder.pid == pid);
        let is_topmost = |process: &&Process| !process.parent.is_some_and(holds);
        self.processes()
            .find(is_topmost)
            .or_else(|| self.processes().next())
    }

    /// The processes that hold the socket, each once, by pid.
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
