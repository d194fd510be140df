//! The order of rows: the default one, and the one of `--sort`.

use std::cmp::Ordering;

use super::field::{Field, Value};
use crate::model::Row;
use crate::model::{Endpoints, Socket};

/// The stable total order of tables and JSON: protocol, listeners first, local port, local address, network namespace,
/// cookie; rows without a cookie by inode.
pub fn by_default(a: &Socket, b: &Socket) -> Ordering {
    a.protocol
        .cmp(&b.protocol)
        .then_with(|| b.is_listener().cmp(&a.is_listener()))
        .then_with(|| match (&a.endpoints, &b.endpoints) {
            (Endpoints::Inet(a), Endpoints::Inet(b)) => {
                (a.local_port, a.local_address).cmp(&(b.local_port, b.local_address))
            }
            (Endpoints::Unix(a), Endpoints::Unix(b)) => {
                // Named sockets first: the others cannot be found by name.
                (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name))
            }
            (a, b) => place(a).cmp(&place(b)),
        })
        .then_with(|| (a.netns, a.cookie, a.inode).cmp(&(b.netns, b.cookie, b.inode)))
}

/// The sort key of the other families; the first number separates families.
fn place(endpoints: &Endpoints) -> (u8, u32, u32) {
    let index = |interface: Option<std::num::NonZeroU32>| interface.map_or(0, std::num::NonZeroU32::get);
    match endpoints {
        Endpoints::Inet(pair) => (0, pair.local_port.into(), 0),
        Endpoints::Unix(_) => (1, 0, 0),
        Endpoints::Packet(end) => (2, index(end.interface), end.ethertype.into()),
        Endpoints::Netlink(pair) => (3, pair.protocol.into(), pair.portid),
        Endpoints::Vsock(pair) => (4, pair.local_port, pair.local_cid),
        Endpoints::Xdp(end) => (5, index(end.interface), end.queue_id),
        Endpoints::ProtocolOnly(_) => (6, 0, 0),
        Endpoints::Tipc(pair) => (7, pair.local.node, pair.local.reference),
    }
}

/// One field of `--sort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The field to compare.
    pub field: Field,
    /// Largest first.
    pub descending: bool,
}

/// The order of `--sort`; equal rows stay in the default order. Null comes last in either direction.
pub fn by_keys(keys: &[SortKey], a: &Row<'_>, b: &Row<'_>) -> Ordering {
    for key in keys {
        let order = match (key.field.value(a), key.field.value(b)) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            (a, b) if key.descending => compare(&b, &a),
            (a, b) => compare(&a, &b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    by_default(a.socket, b.socket)
}

/// Compares two values of one field: numbers by size, addresses numerically, text by its bytes, owners by their
/// number.
fn compare(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) | (Value::Hex(a), Value::Hex(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Word(a), Value::Word(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) | (Value::UnixName(a), Value::UnixName(b)) => a.cmp(b),
        (Value::Address(a), Value::Address(b)) => a.cmp(b),
        (Value::SocketOptions(a), Value::SocketOptions(b)) => a.cmp(b),
        (Value::Numbers(a), Value::Numbers(b)) => a.cmp(b),
        (Value::Owners(a), Value::Owners(b)) => a.ownership.holders.len().cmp(&b.ownership.holders.len()),
        _ => Ordering::Equal,
    }
}
