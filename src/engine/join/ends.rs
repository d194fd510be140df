//! Collects the ends of sockets as they are read, in any order.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;

use crate::model::ends::{Ends, InetEnd};
use crate::model::request::PeerKinds;
use crate::model::{Endpoints, InetPair, Socket, SocketType, State, UnixPair};

/// Ends in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub(super) struct EndsBuilder(Ends);

impl EndsBuilder {
    /// Collects only these kinds of sockets.
    pub(super) fn of(kinds: PeerKinds) -> Self {
        Self(Ends {
            kinds,
            ..Ends::default()
        })
    }

    /// Returns whether any kind of socket is collected.
    pub(super) fn is_asked(&self) -> bool {
        self.0.is_asked()
    }

    /// Records the ends of a socket. The same socket may come twice.
    pub(super) fn add(&mut self, socket: &Socket) {
        match &socket.endpoints {
            Endpoints::Unix(pair) if self.0.kinds.unix => self.add_unix(socket, pair),
            Endpoints::Inet(pair) if self.0.kinds.inet => self.add_inet(socket, pair),
            _ => {}
        }
    }

    fn add_unix(&mut self, socket: &Socket, pair: &UnixPair) {
        let Some(own) = socket.inode.map(NonZeroU32::get) else {
            return;
        };
        if let Some(name) = &pair.name {
            self.0.names.push((own, name.clone()));
        }
        let others = pair.peer_inode.map(NonZeroU32::get);
        for other in others.iter().chain(&pair.pending) {
            self.0.links.extend([(own, *other), (*other, own)]);
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
            _ if pair.peer_port != 0 => self.0.connections.push(end),
            State::Unconnected if socket.kind == Some(SocketType::Dgram) && pair.local_port != 0 => {
                self.0.receivers.push(end);
            }
            _ => {}
        }
    }

    /// Sorts everything for look-ups, and drops connections that leave the machine.
    pub(super) fn finish(mut self) -> Ends {
        self.0.links.sort_unstable();
        self.0.links.dedup();
        self.0.names.sort_unstable();
        self.0.names.dedup_by_key(|(inode, _)| *inode);
        let local: HashSet<IpAddr> = self.0.connections.iter().map(|end| end.local.0).collect();
        self.0.connections.retain(|end| local.contains(&end.peer.0));
        self.0.connections.shrink_to_fit();
        for ends in [&mut self.0.connections, &mut self.0.receivers] {
            ends.sort_unstable();
            ends.dedup();
        }
        self.0
    }
}
