//! Whether a single socket still exists.

use crate::model::request::{Parts, Wanted};
use crate::model::{Protocol, Socket};
use crate::source::netlink::channel::{Channel, DumpError};
use crate::source::netlink::exact;

/// Whether a connected TCP socket is known to be gone.
pub(super) fn is_gone(channel: &mut Option<Channel>, socket: &Socket) -> bool {
    let is_connected = socket.inet().is_some_and(|pair| pair.peer_port != 0);
    if socket.protocol != Protocol::Tcp || !is_connected {
        return false;
    }
    if channel.is_none() {
        *channel = Channel::open().ok();
    }
    let Some(open) = channel else { return false };
    match exact::again(open, socket, Parts::NONE, Wanted::Row) {
        Ok(found) => found.is_none_or(|now| now.inode != socket.inode),
        Err(DumpError::Lost) => false,
        Err(_) => {
            *channel = None;
            false
        }
    }
}
