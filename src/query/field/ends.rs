//! Addresses, ports and names of both ends.

use std::num::NonZeroU32;

use super::value::{Value, integer, text};
use crate::model::Row;
use crate::model::other_ends::vsock_number;
use crate::model::{Endpoints, InetPair, Protocol, Socket};

/// Whether the ports are ports: the "port" of a raw socket is its IP protocol, which has its own field.
fn has_ports(socket: &Socket) -> bool {
    socket.protocol != Protocol::Raw
}

fn is_connected(pair: &InetPair) -> bool {
    !pair.peer_address.is_unspecified() || pair.peer_port != 0
}

pub(super) fn local_address(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Inet(pair) => Value::Address(pair.local_address),
        _ => Value::Null,
    }
}

pub(super) fn local_port(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Inet(pair) if has_ports(socket) && pair.local_port != 0 => {
            Value::Integer(pair.local_port.into())
        }
        Endpoints::Vsock(pair) => integer(vsock_number(pair.local_port)),
        _ => Value::Null,
    }
}

pub(super) fn peer_address(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Inet(pair) if is_connected(pair) => Value::Address(pair.peer_address),
        _ => Value::Null,
    }
}

pub(super) fn peer_port(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Inet(pair) if is_connected(pair) && has_ports(socket) => {
            Value::Integer(pair.peer_port.into())
        }
        Endpoints::Vsock(pair) => integer(vsock_number(pair.peer_port)),
        _ => Value::Null,
    }
}

pub(super) fn interface<'a>(row: &Row<'a>) -> Value<'a> {
    text(row.socket.interface().and_then(|index| row.interface(index)))
}

pub(super) fn v6only(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Inet(pair) => pair.v6only.map_or(Value::Null, Value::Bool),
        _ => Value::Null,
    }
}

pub(super) fn path(socket: &Socket) -> Value<'_> {
    match &socket.endpoints {
        Endpoints::Unix(pair) => unix_name(pair.name.as_deref()),
        _ => Value::Null,
    }
}

pub(super) fn peer_path<'a>(row: &Row<'a>) -> Value<'a> {
    match &row.socket.endpoints {
        Endpoints::Unix(_) => unix_name(row.peer().and_then(|peer| peer.name)),
        _ => Value::Null,
    }
}

pub(super) fn peer_inode<'a>(row: &Row<'a>) -> Value<'a> {
    let inode = match &row.socket.endpoints {
        Endpoints::Inet(_) => row.peer().and_then(|peer| peer.inode),
        Endpoints::Unix(pair) => pair.peer_inode,
        _ => None,
    };
    integer(inode.map(NonZeroU32::get))
}

fn unix_name(name: Option<&[u8]>) -> Value<'_> {
    name.map_or(Value::Null, Value::UnixName)
}
