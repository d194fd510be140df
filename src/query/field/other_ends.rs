//! What packet, netlink, VM and XDP sockets have instead of addresses and ports.

use super::list::List;
use super::name::Field;
use super::value::{Value, bytes, integer, texts, word};
use crate::model::details::kind;
use crate::model::numbers::netlink_protocol_name;
use crate::model::other_ends::{NetlinkPair, VsockPair, vsock_number};
use crate::model::{Endpoints, Protocol, Socket};

impl Field {
    /// The only protocol whose sockets have the field, among those that are neither IP nor unix sockets.
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
