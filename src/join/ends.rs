//! Which socket is at the other end of which, among the sockets that a capture read.
//!
//! Pure: sockets are added as they are read, in any order, and then looked up. It knows nothing of owners, and it
//! does not guess: an end that is not among the sockets read, or that several could be, is none.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::model::{Endpoints, InetPair, Protocol, Socket, SocketType, State, UnixPair};

/// Which sockets are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Unix sockets: their links and names.
    pub unix: bool,
    /// IP sockets with a peer, and UDP sockets that wait for one.
    pub inet: bool,
}

/// The ends that a capture read. Build it with [`Ends::add`], then call [`Ends::finish`] once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    kinds: Kinds,
    /// Unix inodes that belong together, each pair in both directions; sorted.
    links: Vec<(u32, u32)>,
    /// The bound names of unix sockets, by inode; sorted.
    names: Vec<(u32, Box<[u8]>)>,
    /// Connections between addresses of this machine; sorted.
    connections: Vec<InetEnd>,
    /// UDP sockets that are bound and not connected; sorted.
    receivers: Vec<InetEnd>,
}

/// One end of an IP connection. Addresses are canonical: a mapped IPv4 address is that IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InetEnd {
    protocol: Protocol,
    local: (IpAddr, u16),
    peer: (IpAddr, u16),
    /// The place of its network namespace.
    netns: u32,
    /// Its inode; `None` where no program holds it (yet).
    pub inode: Option<NonZeroU32>,
    /// Its state.
    pub state: State,
    /// Whether it takes IPv6 alone; known of sockets without a peer.
    v6only: bool,
}

impl InetEnd {
    /// The end as a socket of which no more is known.
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
    /// Nothing yet, and only these kinds of sockets will be remembered.
    pub fn of(kinds: Kinds) -> Self {
        Self {
            kinds,
            ..Self::default()
        }
    }

    /// Whether anything is remembered at all.
    pub fn is_asked(&self) -> bool {
        self.kinds.unix || self.kinds.inet
    }

    /// Remembers what a socket says of its ends. The same socket may come twice.
    pub fn add(&mut self, socket: &Socket) {
        match &socket.endpoints {
            Endpoints::Unix(pair) if self.kinds.unix => self.add_unix(socket, pair),
            Endpoints::Inet(pair) if self.kinds.inet => self.add_inet(socket, pair),
            _ => {}
        }
    }

    fn add_unix(&mut self, socket: &Socket, pair: &UnixPair) {
        let Some(own) = socket.inode.map(NonZeroU32::get) else {
            return;
        };
        if let Some(name) = &pair.name {
            self.names.push((own, name.clone()));
        }
        let others = pair.peer_inode.map(NonZeroU32::get);
        for other in others.iter().chain(&pair.pending) {
            self.links.extend([(own, *other), (*other, own)]);
        }
    }

    fn add_inet(&mut self, socket: &Socket, pair: &InetPair) {
        let end = InetEnd {
            protocol: socket.protocol,
            local: (pair.local_address.to_canonical(), pair.local_port),
            peer: (pair.peer_address.to_canonical(), pair.peer_port),
            netns: socket.netns,
            inode: socket.inode,
            state: socket.state,
            v6only: pair.v6only == Some(true),
        };
        match socket.state {
            State::Listen | State::TimeWait | State::Bound => {}
            _ if pair.peer_port != 0 => self.connections.push(end),
            State::Unconnected if socket.kind == Some(SocketType::Dgram) && pair.local_port != 0 => {
                self.receivers.push(end);
            }
            _ => {}
        }
    }

    /// Brings everything into the order in which it is found, and drops what leads off the machine.
    pub fn finish(&mut self) {
        self.links.sort_unstable();
        self.links.dedup();
        self.names.sort_unstable();
        self.names.dedup_by_key(|(inode, _)| *inode);
        let local: HashSet<IpAddr> = self.connections.iter().map(|end| end.local.0).collect();
        self.connections.retain(|end| local.contains(&end.peer.0));
        self.connections.shrink_to_fit();
        for ends in [&mut self.connections, &mut self.receivers] {
            ends.sort_unstable();
            ends.dedup();
        }
    }

    /// The inodes of the unix sockets at the other end of this one: its peer, the senders of a datagram socket,
    /// the clients that wait at a listener, or the listener that a client waits at.
    pub fn unix_others(&self, inode: u32) -> impl Iterator<Item = u32> {
        let from = self.links.partition_point(|(own, _)| *own < inode);
        let tail = self.links.get(from..).unwrap_or_default();
        tail.iter()
            .take_while(move |(own, _)| *own == inode)
            .map(|(_, other)| *other)
    }

    /// The bound name of a unix socket.
    pub fn unix_name(&self, inode: u32) -> Option<&[u8]> {
        let found = self.names.binary_search_by_key(&inode, |(own, _)| *own).ok()?;
        self.names.get(found).map(|(_, name)| &**name)
    }

    /// The socket whose name the peer of this one has: its peer, or the listener at which it waits.
    pub fn unix_named(&self, socket: &Socket, pair: &UnixPair) -> Option<u32> {
        if let Some(peer) = pair.peer_inode {
            return Some(peer.get());
        }
        let waits = socket.state == State::Established && socket.kind != Some(SocketType::Dgram);
        let own = socket.inode.filter(|_| waits)?;
        self.unix_others(own.get()).next()
    }

    /// The other end of an IP connection, or the UDP socket that takes what this one sends. It is looked for in the
    /// socket's own network namespace, and then, unless the addresses mean that alone, in the others that were read:
    /// containers on one bridge.
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
        // One with an inode sorts behind one without: a connection that is accepted meanwhile may be told twice.
        let here = same().filter(|end| end.netns == socket.netns).last();
        here.or_else(|| self.receiver(socket, local.0, peer)).or_else(|| {
            let elsewhere = same().last().filter(|end| !end.local.0.is_loopback())?;
            same()
                .all(|end| end.netns == elsewhere.netns)
                .then_some(elsewhere)
        })
    }

    /// The unconnected UDP socket at an address of this machine: one bound to that very address, else one bound
    /// to all of them; none if several could be meant.
    fn receiver(&self, socket: &Socket, from: IpAddr, to: (IpAddr, u16)) -> Option<&InetEnd> {
        // What is sent to an address of this machine comes from that address, unless somebody chose another.
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
        // The order in which the kernel prefers them (linux 6.18 net/ipv4/udp.c, compute_score).
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
