//! Which tables are read, and how much of each.

use super::{Condition, Parts, PeerKinds, Question};
use crate::model::{End, Protocol, Socket, SocketType, State, StateSet};

/// How much of a reply to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Addresses, state, queues and ids.
    #[default]
    Row,
    /// Every attribute that a row has a field for.
    Attributes,
    /// Also the attributes of [`crate::model::details::Details`].
    Details,
}

/// The TCP states of a connection whose other end can have a holder.
const CONNECTED: [State; 6] = [
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::LastAck,
    State::Closing,
];

/// A request for the sockets of one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "families and depth are independent")]
pub struct Dump {
    /// The protocol.
    pub protocol: Protocol,
    /// Whether IPv4 sockets are wanted; IP protocols only.
    pub v4: bool,
    /// Whether IPv6 sockets are wanted; IP protocols only.
    pub v6: bool,
    /// Unix sockets: the types wanted, all if empty.
    pub types: Vec<SocketType>,
    /// The states wanted.
    pub states: StateSet,
    /// What is reported in addition to the row.
    pub parts: Parts,
    /// How much of each reply to read.
    pub wanted: Wanted,
    /// Whether the user named the protocol; otherwise it is only part of "everything".
    pub named: bool,
    /// The only local port that can pass the filter. The kernel compares it before anything else, but not in its
    /// table of sockets that are only bound.
    pub local_port: Option<u16>,
    /// The only peer port that can pass.
    pub peer_port: Option<u16>,
    /// The condition for the kernel to check; IP protocols only. It may check less.
    pub condition: Option<Condition>,
}

impl Dump {
    /// All of a protocol, both families, in these states.
    pub fn new(protocol: Protocol, states: StateSet) -> Self {
        Self {
            protocol,
            v4: true,
            v6: true,
            types: Vec::new(),
            states,
            parts: Parts::NONE,
            wanted: Wanted::Attributes,
            named: true,
            local_port: None,
            peer_port: None,
            condition: None,
        }
    }

    /// Returns the dump needed to find the other ends of its sockets; `None` if this dump has all of them, or they are
    /// not wanted.
    pub fn for_peers(&self, peers: PeerKinds) -> Option<Self> {
        let needed = match self.protocol {
            // Listeners and sockets that are not connected have names, too.
            Protocol::Unix if peers.unix => StateSet::ALL,
            // Unconnected UDP sockets receive what connected ones send.
            Protocol::Udp | Protocol::Udplite if peers.inet => {
                StateSet::of_all(&[State::Established, State::Unconnected])
            }
            Protocol::Tcp | Protocol::Mptcp if peers.inet => StateSet::of_all(&CONNECTED),
            _ => return None,
        };
        let whole = self.types.is_empty() && self.v4 && self.v6 && !self.is_narrowed();
        if whole && needed.without(self.states).is_empty() {
            return None;
        }
        Some(Self {
            parts: if self.protocol == Protocol::Unix {
                self.parts
            } else {
                Parts::NONE
            },
            wanted: Wanted::Row,
            ..Self::new(self.protocol, needed)
        })
    }

    /// Returns the dump needed to count the half-open connections of its listeners; `None` if this dump has them.
    pub fn for_half_open(&self) -> Option<Self> {
        let needed = StateSet::of_all(&[State::Listen, State::SynRecv]);
        let whole = self.v4 && self.v6 && !self.is_narrowed();
        let listens = self.protocol == Protocol::Tcp && self.states.contains(State::Listen);
        if !listens || (whole && needed.without(self.states).is_empty()) {
            return None;
        }
        Some(Self {
            wanted: Wanted::Row,
            ..Self::new(self.protocol, needed)
        })
    }

    /// Returns the states to request from the kernel. It reports a closed TCP socket only as bound (bit 13), so
    /// requesting 7 would walk the table of connections for nothing.
    pub fn requested_states(&self) -> StateSet {
        match self.protocol {
            Protocol::Tcp | Protocol::Mptcp => self.states.without(StateSet::of(State::Unconnected)),
            _ => self.states,
        }
    }

    /// Returns whether the dump wants this reply: kernels may return more (raw sockets ignore the state mask,
    /// /proc tables have none).
    pub fn wants(&self, socket: &Socket) -> bool {
        self.states.contains(socket.state)
            && (self.types.is_empty() || socket.kind.is_some_and(|kind| self.types.contains(&kind)))
    }

    /// Returns whether the kernel filters by more than the state.
    pub fn is_narrowed(&self) -> bool {
        self.condition.is_some() || self.local_port.is_some() || self.peer_port.is_some()
    }

    /// Returns whether a TCP socket that is only bound can be among its sockets: such a socket has no peer.
    pub fn may_have_bound(&self) -> bool {
        let of_no_peer = |question: &Question| {
            Some(match question {
                Question::PortAtLeast(End::Peer, port) | Question::PortIs(End::Peer, port) => *port == 0,
                Question::PortAtMost(End::Peer, _) => true,
                Question::Address(End::Peer, prefix, port) => {
                    port.is_none_or(|port| port == 0) && prefix.contains_unspecified()
                }
                _ => return None,
            })
        };
        let possible = self.condition.as_ref().is_none_or(|condition| {
            let told = condition.map(true, &mut |question, over| {
                Condition::Constant(of_no_peer(question).unwrap_or(over))
            });
            told != Condition::Constant(false)
        });
        self.protocol == Protocol::Tcp
            && self.states.contains(State::Bound)
            && self.peer_port.is_none_or(|port| port == 0)
            && possible
    }

    /// Returns whether it is small on any ordinary machine: the kernel keeps listeners separate from connections, and
    /// only TCP has hundreds of thousands of connections.
    pub fn is_small(&self) -> bool {
        let tcp = self.protocol.is_tcp();
        !tcp || self.requested_states() == StateSet::of(State::Listen)
    }

    /// Returns whether reading it could make the kernel load a module for an unused protocol.
    pub fn may_load_a_module(&self) -> bool {
        !self.named
            && !matches!(
                self.protocol,
                Protocol::Tcp | Protocol::Udp | Protocol::Unix | Protocol::Icmp
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Prefix;

    #[test]
    fn a_bound_socket_has_no_peer() {
        let is = Condition::Is;
        let may = |condition: Condition| {
            let dump = Dump {
                condition: Some(condition),
                ..Dump::new(Protocol::Tcp, StateSet::ALL)
            };
            dump.may_have_bound()
        };
        let peer = |port| is(Question::PortIs(End::Peer, port));
        let local = || is(Question::PortIs(End::Local, 80));
        let host = |text: &str, length| {
            is(Question::Address(
                End::Peer,
                Prefix::V4(text.parse().unwrap(), length),
                None,
            ))
        };
        assert!(may(local()));
        assert!(!may(peer(443)) && may(peer(0)));
        assert!(may(Condition::or([local(), peer(443)])));
        assert!(!may(Condition::and([local(), peer(443)])));
        assert!(may(peer(443).negated()));
        assert!(!may(host("10.0.0.0", 8)) && may(host("0.0.0.0", 0)));
        assert!(!may(is(Question::PortAtLeast(End::Peer, 1))));
        assert!(may(is(Question::PortAtMost(End::Peer, 9))));
        assert!(!Dump::new(Protocol::Tcp, StateSet::of(State::Listen)).may_have_bound());
        assert!(!Dump::new(Protocol::Udp, StateSet::ALL).may_have_bound());
        let to_one_port = Dump {
            peer_port: Some(443),
            ..Dump::new(Protocol::Tcp, StateSet::ALL)
        };
        assert!(!to_one_port.may_have_bound());
    }
}
