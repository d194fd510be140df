//! The other end of each socket, among the sockets that a run read.
//!
//! It does not guess: if the other end was not read, or several sockets qualify, there is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use super::request::PeerKinds;
use super::{Endpoints, InetPair, Protocol, Socket, SocketType, State, UnixPair};

/// The ends of the sockets that were read, sorted for lookups. `engine::join` collects them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The kinds of sockets that were collected.
    pub kinds: PeerKinds,
    /// Pairs of connected unix inodes, in both directions; sorted.
    pub links: Vec<(u32, u32)>,
    /// The bound names of unix sockets, by inode; sorted.
    pub names: Vec<(u32, Box<[u8]>)>,
    /// Connections between addresses of this machine; sorted.
    pub connections: Vec<InetEnd>,
    /// UDP sockets that are bound and not connected; sorted.
    pub receivers: Vec<InetEnd>,
}

/// One end of an IP connection. Addresses are canonical: a mapped IPv4 address is that IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InetEnd {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its own address and port.
    pub local: (IpAddr, u16),
    /// The address and port of its peer.
    pub peer: (IpAddr, u16),
    /// The index of its network namespace.
    pub netns: u32,
    /// Its inode; `None` if no program holds it (or not yet).
    pub inode: Option<NonZeroU32>,
    /// Its state.
    pub state: State,
    /// Whether it accepts only IPv6; known only for sockets without a peer.
    pub v6only: bool,
}

impl InetEnd {
    /// Returns the end as a socket without any other facts.
    pub fn socket(&self) -> Socket {
        Socket {
            protocol: self.protocol,
            state: self.state,
            netns: self.netns,
            inode: self.inode,
            endpoints: Endpoints::Inet(InetPair {
                local_address: self.local.0,
                local_port: self.local.1,
                peer_address: self.peer.0,
                peer_port: self.peer.1,
                ..InetPair::UNSPECIFIED
            }),
            ..Socket::BLANK
        }
    }
}

impl Ends {
    /// Returns whether any socket was collected.
    pub fn is_asked(&self) -> bool {
        self.kinds.unix || self.kinds.inet
    }

    /// Returns the inodes of the unix sockets at the other end of this one: its peer, the senders of a datagram
    /// socket, the clients that wait at a listener, or the listener that a client waits at.
    pub fn unix_others(&self, inode: u32) -> impl Iterator<Item = u32> {
        let from = self.links.partition_point(|(own, _)| *own < inode);
        let tail = self.links.get(from..).unwrap_or_default();
        tail.iter()
            .take_while(move |(own, _)| *own == inode)
            .map(|(_, other)| *other)
    }

    /// Returns the bound name of a unix socket.
    pub fn unix_name(&self, inode: u32) -> Option<&[u8]> {
        let found = self.names.binary_search_by_key(&inode, |(own, _)| *own).ok()?;
        self.names.get(found).map(|(_, name)| &**name)
    }

    /// Returns the inode of the socket that gives the peer its name: the peer itself, or the listener at which this one
    /// waits.
    pub fn unix_named(&self, socket: &Socket, pair: &UnixPair) -> Option<u32> {
        if let Some(peer) = pair.peer_inode {
            return Some(peer.get());
        }
        let waits = socket.state == State::Established && socket.kind != Some(SocketType::Dgram);
        let own = socket.inode.filter(|_| waits)?;
        self.unix_others(own.get()).next()
    }

    /// Returns the other end of an IP connection, or the UDP socket that receives what this one sends. It searches the
    /// socket's own network namespace first. Then, unless the addresses are local to that namespace, it searches the
    /// others that were read, for containers on one bridge.
    pub fn inet_other(&self, socket: &Socket, pair: &InetPair) -> Option<&InetEnd> {
        if pair.peer_port == 0 || !self.kinds.inet {
            return None;
        }
        let local = (pair.local_address.to_canonical(), pair.local_port);
        let peer = (pair.peer_address.to_canonical(), pair.peer_port);
        let key = (socket.protocol, peer, local);
        let from = self
            .connections
            .partition_point(|end| (end.protocol, end.local, end.peer) < key);
        let rest = self.connections.get(from..).unwrap_or_default();
        let same = || {
            let ends = rest.iter();
            ends.take_while(|end| (end.protocol, end.local, end.peer) == key)
        };
        // A connection that is accepted meanwhile may be reported twice. The record with an inode sorts last.
        let here = same().filter(|end| end.netns == socket.netns).last();
        here.or_else(|| self.receiver(socket, local.0, peer)).or_else(|| {
            let elsewhere = same().last().filter(|end| !end.local.0.is_loopback())?;
            same()
                .all(|end| end.netns == elsewhere.netns)
                .then_some(elsewhere)
        })
    }

    /// Returns the unconnected UDP socket at an address of this machine: one bound to exactly that address, else
    /// one bound to all of them; none if several qualify.
    fn receiver(&self, socket: &Socket, from: IpAddr, to: (IpAddr, u16)) -> Option<&InetEnd> {
        // Packets to an address of this machine come from that same address, unless the sender bound another one.
        if !to.0.is_loopback() && from != to.0 {
            return None;
        }
        let at = |address: IpAddr| {
            let key = (socket.protocol, (address, to.1));
            let from = self
                .receivers
                .partition_point(|end| (end.protocol, end.local) < key);
            let same = self.receivers.get(from..).unwrap_or_default().iter();
            same.take_while(move |end| (end.protocol, end.local) == key)
                .filter(|end| end.netns == socket.netns)
                .filter(|end| to.0.is_ipv6() || !end.v6only)
        };
        // The kernel's order of preference (linux 6.18 net/ipv4/udp.c, compute_score).
        let all_v4 = Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).filter(|_| to.0.is_ipv4());
        let addresses = [Some(to.0), all_v4, Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED))];
        for address in addresses.into_iter().flatten() {
            let mut found = at(address);
            if let Some(first) = found.next() {
                return found.next().is_none().then_some(first);
            }
        }
        None
    }
}
