//! The kernel structures behind objects. `None` if a socket lacks one, or it was not requested.

use super::name::Field;
use super::structs::Struct;
use crate::model::details::kind;
use crate::model::{Protocol, Socket};

/// The structure in one attribute.
pub(super) fn whole(socket: &Socket, kind: u16, object: Field) -> Option<Struct<'_>> {
    socket.details.get(kind).map(|bytes| Struct::new(object, bytes))
}

pub(super) fn memory(socket: &Socket) -> Option<Struct<'_>> {
    whole(socket, kind::SKMEMINFO, Field::Memory)
}

/// A listener has no measurements: the kernel reports only its queue, which is in `accept_q` and `backlog`, and zeros.
fn connection(socket: &Socket, protocol: Protocol, object: Field) -> Option<Struct<'_>> {
    if socket.protocol == protocol && !socket.is_listener() {
        whole(socket, kind::INFO, object)
    } else {
        None
    }
}

pub(super) fn tcp(socket: &Socket) -> Option<Struct<'_>> {
    connection(socket, Protocol::Tcp, Field::Tcp)
}

pub(super) fn mptcp(socket: &Socket) -> Option<Struct<'_>> {
    connection(socket, Protocol::Mptcp, Field::Mptcp)
}

pub(super) fn dccp(socket: &Socket) -> Option<Struct<'_>> {
    connection(socket, Protocol::Dccp, Field::Dccp)
}

pub(super) fn tls(socket: &Socket) -> Option<Struct<'_>> {
    let attributes = socket.details.ulp()?.tls?;
    Some(Struct::nested(Field::Tls, attributes))
}

pub(super) fn subflow(socket: &Socket) -> Option<Struct<'_>> {
    let attributes = socket.details.ulp()?.subflow?;
    Some(Struct::nested(Field::Subflow, attributes))
}

/// Associations only.
pub(super) fn sctp(socket: &Socket) -> Option<Struct<'_>> {
    socket.details.association()?;
    whole(socket, kind::INFO, Field::Sctp)
}

/// Endpoints only.
pub(super) fn sctp_settings(socket: &Socket) -> Option<Struct<'_>> {
    let is_endpoint = socket.protocol == Protocol::Sctp && socket.details.association().is_none();
    whole(socket, kind::INFO, Field::SctpSettings).filter(|_| is_endpoint)
}

pub(super) fn tipc_group(socket: &Socket) -> Option<Struct<'_>> {
    let attributes = socket.details.get(kind::TIPC_GROUP)?;
    Some(Struct::nested(Field::TipcGroup, attributes))
}

/// Each ring is an attribute of its own; the object exists if any of them does.
pub(super) fn xdp_rings(socket: &Socket) -> Option<Struct<'_>> {
    if socket.details.is_empty() {
        return None;
    }
    let rings = Struct::nested(Field::XdpRings, socket.details.as_bytes());
    let any = rings.parts().iter().any(|part| rings.value(part).is_some());
    any.then_some(rings)
}
