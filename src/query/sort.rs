//! The order of rows where nobody asked for another.

use std::cmp::Ordering;

use crate::model::{Endpoints, Socket};

/// The stable total order of tables and JSON: protocol, listeners first, local port, local address, cookie; rows
/// without a cookie by inode.
pub fn by_default(a: &Socket, b: &Socket) -> Ordering {
    a.protocol
        .cmp(&b.protocol)
        .then_with(|| b.is_listener().cmp(&a.is_listener()))
        .then_with(|| match (&a.endpoints, &b.endpoints) {
            (Endpoints::Inet(a), Endpoints::Inet(b)) => {
                (a.local_port, a.local_address).cmp(&(b.local_port, b.local_address))
            }
            (Endpoints::Unix(a), Endpoints::Unix(b)) => {
                // Named sockets first: the others have nothing to be found by.
                (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name))
            }
            (Endpoints::Inet(_), Endpoints::Unix(_)) => Ordering::Less,
            (Endpoints::Unix(_), Endpoints::Inet(_)) => Ordering::Greater,
        })
        .then_with(|| (a.cookie, a.inode).cmp(&(b.cookie, b.inode)))
}
