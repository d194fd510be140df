//! Sockets, holders and processes brought together.
//!
//! Pure: it gets what was captured and answers who owns a socket, or why that cannot be said.

mod beside;
mod ends;
mod half_open;
mod peers;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;

use crate::model::cgroup::Home;
use crate::model::{
    Backend, Holder, HolderTable, InetPair, Names, Namespace, OwnerStatus, Process, Processes, Protocol,
    Socket, State,
};

pub use beside::Beside;
pub use ends::{Ends, Kinds};
pub use half_open::HalfOpen;
pub use peers::{Others, Peer, Peers};

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

/// Who holds one socket. For `queued` the holders are those of the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// What is known.
    pub status: OwnerStatus,
    /// The holders, by pid and descriptor.
    pub holders: &'a [Holder],
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

/// A listener that connections may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// The place of its network namespace, which connections share.
    pub netns: u32,
    /// Where it is bound.
    pub address: IpAddr,
    /// TCP or MPTCP.
    pub protocol: Protocol,
    /// Its inode.
    pub inode: u32,
}

impl Listener {
    /// The listener that a socket is, if it is one and somebody holds it.
    pub fn of(socket: &Socket) -> Option<Self> {
        let pair = socket.inet().filter(|_| socket.is_listener())?;
        let inode = socket.inode?.get();
        Some(Self {
            port: pair.local_port,
            netns: socket.netns,
            address: pair.local_address,
            protocol: socket.protocol,
            inode,
        })
    }

    /// How well it fits a connection at `address`: 2 exactly, 1 by wildcard, 0 not at all.
    fn fit(&self, address: IpAddr) -> u8 {
        let (own, address) = (self.address.to_canonical(), address.to_canonical());
        match (own, address) {
            _ if own == address => 2,
            (IpAddr::V6(wildcard), _) if wildcard.is_unspecified() => 1,
            (IpAddr::V4(wildcard), IpAddr::V4(_)) if wildcard.is_unspecified() => 1,
            _ => 0,
        }
    }
}

/// What is known about the scan when a socket has an inode but no holder was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one observation, and all are looked at together"
)]
pub struct Evidence {
    /// The socket was there again after the walk.
    pub still_there: bool,
    /// A second walk was made for the sockets that were left over.
    pub walked_again: bool,
    /// Processes whose descriptors we were not allowed to list.
    pub processes_refused: u32,
    /// /proc hides other users' processes.
    pub hidepid: bool,
    /// Some unix socket has descriptors in flight (`scm_fds`), or that could not be read.
    pub descriptors_in_flight: bool,
    /// Every io_uring's registered files were read.
    pub io_uring_read: bool,
    /// /proc shows the initial pid namespace.
    pub initial_pid_namespace: bool,
    /// We are in the initial user namespace.
    pub initial_user_namespace: bool,
}

impl Evidence {
    /// The status of a socket without a holder. `kernel` is the last resort, said only when every other
    /// explanation has been ruled out.
    pub fn status(&self) -> OwnerStatus {
        if !self.still_there {
            OwnerStatus::Unknown
        } else if self.processes_refused > 0 || self.hidepid {
            OwnerStatus::Hidden
        } else if self.descriptors_in_flight {
            OwnerStatus::InFlight
        } else if !self.initial_pid_namespace {
            OwnerStatus::Elsewhere
        } else if self.initial_user_namespace && self.io_uring_read && self.walked_again {
            OwnerStatus::Kernel
        } else {
            OwnerStatus::Unknown
        }
    }
}

/// Answers who owns a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    asked: bool,
    holders: HolderTable,
    /// Inodes without a holder, and why.
    left_over: BTreeMap<u32, OwnerStatus>,
    /// By port.
    listeners: Vec<Listener>,
}

impl Owners {
    /// The answer when nobody asked: `not-asked` for every socket.
    pub fn not_asked() -> Self {
        Self::default()
    }

    /// `left_over` says why an inode has no holder; one that is neither there nor held is `unknown`.
    pub fn new(
        holders: HolderTable,
        left_over: BTreeMap<u32, OwnerStatus>,
        mut listeners: Vec<Listener>,
    ) -> Self {
        listeners.sort_unstable();
        Self {
            asked: true,
            holders,
            left_over,
            listeners,
        }
    }

    /// The holders by inode.
    pub fn holders(&self) -> &HolderTable {
        &self.holders
    }

    /// The holders alone.
    pub fn into_holders(self) -> HolderTable {
        self.holders
    }

    /// The holders of every listener that connections may wait for.
    pub fn listener_holders(&self) -> impl Iterator<Item = &Holder> {
        self.listeners
            .iter()
            .flat_map(|listener| self.holders.of(listener.inode))
    }

    /// Who owns `socket`.
    pub fn of(&self, socket: &Socket) -> Ownership<'_> {
        if !self.asked {
            return Ownership {
                status: OwnerStatus::NotAsked,
                holders: &[],
            };
        }
        if socket.is_of_kernel() {
            return Ownership {
                status: OwnerStatus::Kernel,
                holders: &[],
            };
        }
        match socket.inode {
            Some(inode) => self.of_inode(inode),
            None => self.without_inode(socket),
        }
    }

    fn of_inode(&self, inode: NonZeroU32) -> Ownership<'_> {
        let holders = self.holders.of(inode.get());
        let status = if holders.is_empty() {
            self.left_over
                .get(&inode.get())
                .copied()
                .unwrap_or(OwnerStatus::Unknown)
        } else {
            OwnerStatus::Known
        };
        Ownership { status, holders }
    }

    /// No inode: no program holds the socket (linux 6.18 net/core/sock.c, sock_i_ino).
    fn without_inode(&self, socket: &Socket) -> Ownership<'_> {
        let (status, holders): (_, &[Holder]) = match socket.state {
            State::TimeWait | State::FinWait1 | State::FinWait2 | State::LastAck | State::Closing => {
                (OwnerStatus::None, &[])
            }
            State::SynRecv | State::Established | State::CloseWait => match socket.inet() {
                Some(pair) => (OwnerStatus::Queued, self.listener_of(socket, pair)),
                None => (OwnerStatus::Unknown, &[]),
            },
            State::SynSent | State::Unconnected | State::Listen | State::Bound => (OwnerStatus::Unknown, &[]),
        };
        Ownership { status, holders }
    }

    /// The holders of the listener that a connection waits for: the one at its very address before a wildcard.
    fn listener_of(&self, socket: &Socket, pair: &InetPair) -> &[Holder] {
        let from = self
            .listeners
            .partition_point(|listener| listener.port < pair.local_port);
        let tail = self.listeners.get(from..).unwrap_or_default();
        tail.iter()
            .take_while(|listener| listener.port == pair.local_port)
            .filter(|listener| listener.protocol == socket.protocol && listener.netns == socket.netns)
            .map(|listener| (listener.fit(pair.local_address), listener))
            .filter(|(fit, _)| *fit > 0)
            .max_by_key(|(fit, listener)| (*fit, std::cmp::Reverse(listener.inode)))
            .map_or(&[], |(_, listener)| self.holders.of(listener.inode))
    }
}

/// Whether the row's owner is worth a scan: it has an inode, or waits for a listener.
pub fn needs_owner(inode: Option<NonZeroU32>, state: State, backend: Backend) -> bool {
    inode.is_some()
        || (backend == Backend::SockDiag
            && matches!(state, State::SynRecv | State::Established | State::CloseWait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoints;

    fn tcp(local: &str, port: u16, state: State, inode: u32) -> Socket {
        let pair = InetPair {
            local_address: local.parse().unwrap(),
            local_port: port,
            ..InetPair::UNSPECIFIED
        };
        Socket {
            state,
            endpoints: Endpoints::Inet(pair),
            inode: NonZeroU32::new(inode),
            ..Socket::BLANK
        }
    }

    fn owners(listeners: &[Socket]) -> Owners {
        let holders = listeners.iter().filter_map(|s| s.inode).map(|i| Holder {
            inode: i.get(),
            pid: i.get() * 10,
            fd: 3,
            tid: 0,
        });
        let left_over = BTreeMap::from([(99, OwnerStatus::Hidden)]);
        Owners::new(
            HolderTable::new(holders.collect()),
            left_over,
            listeners.iter().filter_map(Listener::of).collect(),
        )
    }

    #[test]
    fn a_queued_connection_names_the_owner_of_the_best_listener() {
        let owners = owners(&[
            tcp("::", 80, State::Listen, 1),
            tcp("10.0.0.1", 80, State::Listen, 2),
            tcp("10.0.0.1", 81, State::Listen, 3),
        ]);
        let pid = |socket: &Socket| owners.of(socket).holders.first().map(|holder| holder.pid);
        assert_eq!(pid(&tcp("10.0.0.1", 80, State::Established, 0)), Some(20));
        assert_eq!(pid(&tcp("::ffff:10.0.0.1", 80, State::SynRecv, 0)), Some(20));
        assert_eq!(pid(&tcp("10.0.0.2", 80, State::Established, 0)), Some(10));
        assert_eq!(pid(&tcp("10.0.0.2", 81, State::Established, 0)), None);
        assert_eq!(
            owners.of(&tcp("10.0.0.2", 81, State::Established, 0)).status,
            OwnerStatus::Queued
        );
    }

    #[test]
    fn closed_sockets_have_no_owner_and_left_overs_say_why() {
        let owners = owners(&[tcp("::", 80, State::Listen, 1)]);
        assert_eq!(
            owners.of(&tcp("::1", 80, State::TimeWait, 0)).status,
            OwnerStatus::None
        );
        assert_eq!(
            owners.of(&tcp("::1", 80, State::LastAck, 0)).status,
            OwnerStatus::None
        );
        assert_eq!(
            owners.of(&tcp("::1", 80, State::Established, 99)).status,
            OwnerStatus::Hidden
        );
        assert_eq!(
            owners.of(&tcp("::1", 80, State::Established, 98)).status,
            OwnerStatus::Unknown
        );
        assert_eq!(
            owners.of(&tcp("::1", 80, State::Listen, 1)).status,
            OwnerStatus::Known
        );
        assert_eq!(
            Owners::not_asked().of(&tcp("::1", 80, State::Listen, 1)).status,
            OwnerStatus::NotAsked
        );
    }

    #[test]
    fn kernel_is_said_only_when_everything_else_is_ruled_out() {
        let sure = Evidence {
            still_there: true,
            walked_again: true,
            processes_refused: 0,
            hidepid: false,
            descriptors_in_flight: false,
            io_uring_read: true,
            initial_pid_namespace: true,
            initial_user_namespace: true,
        };
        assert_eq!(sure.status(), OwnerStatus::Kernel);
        let doubts = [
            (
                Evidence {
                    still_there: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    walked_again: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    processes_refused: 1,
                    ..sure
                },
                OwnerStatus::Hidden,
            ),
            (
                Evidence {
                    hidepid: true,
                    ..sure
                },
                OwnerStatus::Hidden,
            ),
            (
                Evidence {
                    descriptors_in_flight: true,
                    ..sure
                },
                OwnerStatus::InFlight,
            ),
            (
                Evidence {
                    io_uring_read: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
            (
                Evidence {
                    initial_pid_namespace: false,
                    ..sure
                },
                OwnerStatus::Elsewhere,
            ),
            (
                Evidence {
                    initial_user_namespace: false,
                    ..sure
                },
                OwnerStatus::Unknown,
            ),
        ];
        for (evidence, status) in doubts {
            assert_eq!(evidence.status(), status, "{evidence:?}");
        }
    }
}
