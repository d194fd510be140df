//! The tables of sockets, under the names and in the order of ss 7.1.

use crate::model::{Protocol, SocketType, State, StateSet};

/// A table in the sense of ss: unix and VM sockets have three, packet sockets two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// All sockets of a protocol.
    Whole(Protocol),
    /// The sockets of one type.
    Typed(Protocol, SocketType),
}

impl Table {
    /// Its protocol.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Whole(protocol) | Self::Typed(protocol, _) => protocol,
        }
    }
}

/// The order in which ss prints tables; it has no SMC.
pub(super) const ORDER: [Protocol; 15] = [
    Protocol::Netlink,
    Protocol::Packet,
    Protocol::Unix,
    Protocol::Raw,
    Protocol::Icmp,
    Protocol::Udp,
    Protocol::Udplite,
    Protocol::Tcp,
    Protocol::Dccp,
    Protocol::Sctp,
    Protocol::Vsock,
    Protocol::Tipc,
    Protocol::Xdp,
    Protocol::Mptcp,
    Protocol::Smc,
];

/// The socket types with tables of their own.
pub(super) const fn types(protocol: Protocol) -> &'static [SocketType] {
    match protocol {
        Protocol::Unix | Protocol::Vsock => &[SocketType::Stream, SocketType::Dgram, SocketType::Seqpacket],
        Protocol::Packet => &[SocketType::Raw, SocketType::Dgram],
        _ => &[],
    }
}

/// The tables of a protocol.
pub(super) fn tables(protocol: Protocol) -> Vec<Table> {
    match types(protocol) {
        [] => vec![Table::Whole(protocol)],
        types => types.iter().map(|kind| Table::Typed(protocol, *kind)).collect(),
    }
}

/// Every table.
pub(super) fn all() -> impl Iterator<Item = Table> {
    ORDER.into_iter().flat_map(tables)
}

/// The tables of IP sockets.
pub(super) fn all_inet() -> impl Iterator<Item = Table> {
    all().filter(|table| table.protocol().is_inet())
}

/// The default states of a table. Packet, netlink and XDP sockets have only one.
pub(super) const fn default_states(protocol: Protocol) -> StateSet {
    match protocol {
        Protocol::Packet | Protocol::Netlink | Protocol::Xdp => StateSet::of(State::Unconnected),
        // TIPC is mostly used with datagram sockets and listeners.
        Protocol::Tipc => StateSet::LISTENING.union(StateSet::of(State::Established)),
        _ => StateSet::CONN,
    }
}

/// Returns the tables that a name of `-A` selects, including ss's short forms.
pub(super) fn tables_of_name(name: &str) -> Option<Vec<Table>> {
    let typed = |protocol, kind| Some(vec![Table::Typed(protocol, kind)]);
    match name {
        "all" => Some(all().collect()),
        "inet" => Some(all_inet().collect()),
        "unix_stream" | "u_str" => typed(Protocol::Unix, SocketType::Stream),
        "unix_dgram" | "u_dgr" => typed(Protocol::Unix, SocketType::Dgram),
        "unix_seqpacket" | "u_seq" => typed(Protocol::Unix, SocketType::Seqpacket),
        "packet_raw" | "p_raw" => typed(Protocol::Packet, SocketType::Raw),
        "packet_dgram" | "p_dgr" => typed(Protocol::Packet, SocketType::Dgram),
        "vsock_stream" | "v_str" => typed(Protocol::Vsock, SocketType::Stream),
        "vsock_dgram" | "v_dgr" => typed(Protocol::Vsock, SocketType::Dgram),
        _ => Protocol::from_name(name)
            .filter(|protocol| ORDER.contains(protocol))
            .map(tables),
    }
}
