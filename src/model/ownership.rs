//! The owner of a socket, as far as it is known.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;

use super::{Holder, HolderTable, InetPair, OwnerStatus, Protocol, Socket, State};

/// The owners of one socket. For `queued`, those of its listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// What is known.
    pub status: OwnerStatus,
    /// The holders, by pid and descriptor.
    pub holders: &'a [Holder],
    /// Some processes could not be inspected, so there may be more holders.
    pub may_be_more: bool,
}

/// What may hide holders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Processes whose descriptors could not be listed or read.
    pub processes_refused: u32,
    /// /proc hides other users' processes.
    pub processes_hidden: bool,
    /// We ran out of descriptors of our own.
    pub out_of_descriptors: bool,
    /// /proc shows no process at all.
    pub proc_is_empty: bool,
}

impl Unseen {
    /// Whether anything may hide holders.
    pub fn is_any(&self) -> bool {
        *self != Self::default()
    }
}

/// Finds the owner of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    asked: bool,
    holders: HolderTable,
    /// Inodes without a holder, and why.
    left_over: BTreeMap<u32, OwnerStatus>,
    /// By port.
    listeners: Vec<Listener>,
    unseen: Unseen,
}

impl Owners {
    /// Returns `not-asked` for every socket, for runs that do not request owners.
    pub fn not_asked() -> Self {
        Self::default()
    }

    /// `left_over` has the reason for each inode without a holder; an inode that has neither a reason nor a holder is
    /// `unknown`.
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
            unseen: Unseen::default(),
        }
    }

    /// Adds what may have hidden holders: every list of holders may then be partial.
    #[must_use]
    pub fn with_unseen(mut self, unseen: Unseen) -> Self {
        self.unseen = unseen;
        self
    }

    /// Whether owners were requested.
    pub fn is_asked(&self) -> bool {
        self.asked
    }

    /// Whether the owner of any socket is hidden.
    pub fn may_be_hidden(&self) -> bool {
        self.left_over
            .values()
            .any(|status| *status == OwnerStatus::Hidden)
    }

    /// What may have hidden holders.
    pub fn unseen(&self) -> Unseen {
        self.unseen
    }

    /// The holders by inode.
    pub fn holders(&self) -> &HolderTable {
        &self.holders
    }

    /// The holders alone.
    pub fn into_holders(self) -> HolderTable {
        self.holders
    }

    /// Returns the holders of every listener at which connections may wait.
    pub fn listener_holders(&self) -> impl Iterator<Item = &Holder> {
        self.listeners
            .iter()
            .flat_map(|listener| self.holders.of(listener.inode))
    }

    /// Returns the holders of the listener that may have accepted a connection.
    pub fn at_port_of(&self, socket: &Socket) -> impl Iterator<Item = &Holder> {
        let pair = socket.inet().filter(|pair| pair.peer_port != 0);
        pair.map_or(&[][..], |pair| self.listener_of(socket, pair)).iter()
    }

    /// Returns the owner of `socket`.
    pub fn of(&self, socket: &Socket) -> Ownership<'_> {
        if !self.asked {
            return Ownership {
                status: OwnerStatus::NotAsked,
                holders: &[],
                may_be_more: false,
            };
        }
        if socket.is_of_kernel() {
            return Ownership {
                status: OwnerStatus::Kernel,
                holders: &[],
                may_be_more: false,
            };
        }
        match socket.inode {
            Some(inode) => self.of_inode(inode),
            None => self.without_inode(socket),
        }
    }

    fn ownership<'a>(&self, status: OwnerStatus, holders: &'a [Holder]) -> Ownership<'a> {
        Ownership {
            status,
            holders,
            may_be_more: self.unseen.is_any(),
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
        self.ownership(status, holders)
    }

    /// Without an inode, no program holds the socket (linux 6.18 net/core/sock.c, sock_i_ino).
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
        self.ownership(status, holders)
    }

    /// Returns the holders of the listener at which a connection waits; a listener on its exact address takes
    /// precedence over a wildcard.
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

/// A listener at which connections may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// The index of its network namespace, which its connections share.
    pub netns: u32,
    /// The address that it is bound to.
    pub address: IpAddr,
    /// TCP, MPTCP, DCCP or SMC.
    pub protocol: Protocol,
    /// Its inode.
    pub inode: u32,
}

impl Listener {
    /// Returns a socket as a listener, if it is one and has a holder.
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

    /// Returns how well it matches a connection at `address`: 2 exactly, 1 by wildcard, 0 not at all.
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
    fn closed_sockets_have_no_owner_and_others_have_a_reason() {
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
}
