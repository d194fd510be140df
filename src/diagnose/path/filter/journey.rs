//! A connection to predict: who connects where, and its possible outcomes.

use std::net::{IpAddr, SocketAddr};

use super::effect::Refusal;
use super::place::RulePlace;

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// A program on this machine.
    Here,
    /// Another machine: its address, and the interface through which its packets arrive.
    From {
        /// Its address.
        address: IpAddr,
        /// The interface.
        interface: u32,
    },
}

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub protocol: u8,
    /// Who connects.
    pub client: Client,
    /// Where to.
    pub server: SocketAddr,
    /// The interface of link-local addresses.
    pub zone: Option<u32>,
}

impl Attempt {
    /// The only interface through which packets to an address may leave.
    pub fn outgoing(zone: Option<u32>, destination: IpAddr) -> Option<u32> {
        zone.filter(|_| matches!(destination, IpAddr::V6(v6) if v6.is_unicast_link_local()))
    }
}

/// The result of connect().
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It succeeds.
    Connected,
    /// It succeeds, but the server never sees the connection: the last packet of the handshake is stopped.
    HalfOpen,
    /// ECONNREFUSED.
    Refused,
    /// EHOSTUNREACH, ENETUNREACH or EACCES.
    Unreachable,
    /// No answer.
    Timeout,
    /// Rules send it to another machine, which cannot be examined.
    Forwarded(SocketAddr),
    /// It leaves this machine, where the prediction ends.
    Away,
}

/// Which packet was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// The first one.
    Request,
    /// The answer of the server's machine.
    Answer,
    /// The error that a rule sends.
    Error,
    /// The last one of the handshake.
    Acknowledgement,
}

/// What stopped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A rule or policy, which may notify the sender.
    Rule(RulePlace, Option<Refusal>),
    /// The routing table: errno.
    Route(i32),
    /// The routing table, after rules changed the destination or mark of a packet that was on its way: errno.
    Rerouted(i32),
    /// A loopback source address on a packet that would leave this machine.
    LoopbackSource,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The result of connect().
    pub outcome: Outcome,
    /// Which packet was stopped, by what, and at which hook.
    pub stopped: Option<(Leg, Cause)>,
    /// Where on this machine the connection arrived, after translation.
    pub lands_at: Option<SocketAddr>,
}
