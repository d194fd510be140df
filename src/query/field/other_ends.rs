//! What packet, netlink, VM, XDP and TIPC sockets have instead of addresses and ports.

use super::list::List;
use super::name::Field;
use super::value::{Value, bytes, integer, texts, word};
use crate::model::details::kind;
use crate::model::numbers::netlink_protocol_name;
use crate::model::other_ends::{NetlinkPair, TipcPair, VsockPair, vsock_number};
use crate::model::{Endpoints, Protocol, Socket};

impl Field {
    /// The only protocol whose sockets have the field, among those that are neither TCP, UDP nor unix sockets.
    pub const fn only_of(self) -> Option<Protocol> {
        match self {
            Self::Ethertype | Self::FilterInstructions | Self::FilterProgram => Some(Protocol::Packet),
            Self::QueueId => Some(Protocol::Xdp),
            Self::NetlinkProtocol
            | Self::Portid
            | Self::PeerPortid
            | Self::PeerGroup
            | Self::NetlinkGroups => Some(Protocol::Netlink),
            Self::LocalCid | Self::PeerCid => Some(Protocol::Vsock),
            Self::LocalNode
            | Self::LocalRef
            | Self::PeerNode
            | Self::PeerRef
            | Self::ServiceType
            | Self::ServiceInstance
            | Self::Published
            | Self::TipcCongestion
            | Self::TipcGroup
            | Self::TipcGroupId => Some(Protocol::Tipc),
            Self::Smc | Self::SmcState | Self::SmcMode | Self::SmcFallbackReason | Self::SmcPeerDiagnosis => {
                Some(Protocol::Smc)
            }
            _ => None,
        }
    }
}

pub(super) fn ethertype(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Packet(end) => Value::Integer(end.ethertype.into()),
        _ => Value::Null,
    }
}

/// The socket filter program of a packet socket.
fn program(socket: &Socket) -> Option<&[u8]> {
    match &socket.endpoints {
        Endpoints::Packet(_) => socket.details.get(kind::PACKET_FILTER),
        _ => None,
    }
}

pub(super) fn filter_instructions(socket: &Socket) -> Value<'_> {
    integer(program(socket).and_then(|program| u32::try_from(program.len() / 8).ok()))
}

pub(super) fn filter_program(socket: &Socket) -> Value<'_> {
    texts(program(socket).map(List::Program))
}

pub(super) fn queue_id(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Xdp(end) => integer(end.interface.map(|_| end.queue_id)),
        _ => Value::Null,
    }
}

pub(super) fn kernel_protocol(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::ProtocolOnly(name) => bytes(Some(name.as_bytes())),
        _ => Value::Null,
    }
}

fn netlink(socket: &Socket) -> Option<&NetlinkPair> {
    match &socket.endpoints {
        Endpoints::Netlink(pair) => Some(pair),
        _ => None,
    }
}

pub(super) fn netlink_protocol(socket: &Socket) -> Value<'_> {
    word(netlink(socket).and_then(|pair| netlink_protocol_name(pair.protocol)))
}

pub(super) fn portid(socket: &Socket) -> Value<'_> {
    integer(netlink(socket).map(|pair| pair.portid))
}

pub(super) fn peer_portid(socket: &Socket) -> Value<'_> {
    let connected = netlink(socket).filter(|pair| pair.is_connected());
    integer(connected.map(|pair| pair.peer_portid))
}

pub(super) fn peer_group(socket: &Socket) -> Value<'_> {
    let group = netlink(socket).map(|pair| pair.peer_group);
    integer(group.filter(|group| *group != 0))
}

pub(super) fn netlink_groups(socket: &Socket) -> Value<'_> {
    netlink(socket).map_or(Value::Null, |pair| Value::Numbers(&pair.groups))
}

fn vsock(socket: &Socket) -> Option<&VsockPair> {
    match &socket.endpoints {
        Endpoints::Vsock(pair) => Some(pair),
        _ => None,
    }
}

pub(super) fn local_cid(socket: &Socket) -> Value<'_> {
    integer(vsock(socket).and_then(|pair| vsock_number(pair.local_cid)))
}

pub(super) fn peer_cid(socket: &Socket) -> Value<'_> {
    integer(vsock(socket).and_then(|pair| vsock_number(pair.peer_cid)))
}

fn tipc(socket: &Socket) -> Option<&TipcPair> {
    match &socket.endpoints {
        Endpoints::Tipc(pair) => Some(pair),
        _ => None,
    }
}

pub(super) fn local_node(socket: &Socket) -> Value<'_> {
    integer(tipc(socket).map(|pair| pair.local.node))
}

pub(super) fn local_ref(socket: &Socket) -> Value<'_> {
    integer(tipc(socket).map(|pair| pair.local.reference))
}

pub(super) fn peer_node(socket: &Socket) -> Value<'_> {
    integer(tipc(socket).and_then(|pair| pair.peer).map(|end| end.node))
}

pub(super) fn peer_ref(socket: &Socket) -> Value<'_> {
    integer(tipc(socket).and_then(|pair| pair.peer).map(|end| end.reference))
}

/// The type and the instance of the service by which a socket was connected.
pub(super) fn service(socket: &Socket, of: fn([u32; 2]) -> u32) -> Value<'_> {
    integer(tipc(socket).and_then(|pair| pair.service).map(of))
}

/// Unknown for connected sockets.
pub(super) fn published(socket: &Socket) -> Value<'_> {
    let pair = tipc(socket).filter(|pair| pair.peer.is_none());
    pair.map_or(Value::Null, |pair| Value::Bool(pair.is_published))
}

/// Words of `tipc_congestion`, as ss has them.
pub const TIPC_CONGESTION: [&str; 3] = ["none", "link", "conn"];

pub(super) fn tipc_congestion(socket: &Socket) -> Value<'_> {
    let [none, link, connection] = TIPC_CONGESTION;
    word(tipc(socket).map(|pair| match pair {
        TipcPair {
            is_link_congested: true,
            ..
        } => link,
        TipcPair {
            is_connection_congested: true,
            ..
        } => connection,
        _ => none,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netlink_socket_that_is_connected_to_no_group_has_none() {
        let connected_to = |peer_group| Socket {
            endpoints: Endpoints::Netlink(NetlinkPair {
                protocol: 0,
                portid: 812,
                peer_portid: 0,
                peer_group,
                groups: [].into(),
            }),
            ..Socket::BLANK
        };
        assert!(matches!(peer_group(&connected_to(0)), Value::Null));
        assert!(matches!(peer_group(&connected_to(2)), Value::Integer(2)));
    }
}
