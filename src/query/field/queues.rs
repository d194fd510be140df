//! The fill level of a socket's queues.

use super::name::Field;
use super::objects;
use super::value::Value;
use crate::model::{Protocol, Socket};

pub(super) fn accept_queue_full(socket: &Socket) -> Value<'_> {
    match (socket.accept_q(), socket.backlog()) {
        (Some(_), Some(_)) => Value::Bool(socket.accept_queue_is_full()),
        _ => Value::Null,
    }
}

/// Returns the limit of a receive queue that, like `recv_q`, is counted in packet memory: for UDP, UDP-Lite and raw
/// sockets (linux 6.18 net/ipv4/udp.c, `__udp_enqueue_schedule_skb`). `None` if memory was not requested.
pub fn recv_q_limit(socket: &Socket) -> Option<u64> {
    let by_memory = matches!(socket.protocol, Protocol::Udp | Protocol::Udplite | Protocol::Raw);
    let memory = objects::memory(socket).filter(|_| by_memory)?;
    memory.value(Field::Rcvbuf.info())
}

/// Returns the fill level in percent; it can exceed 100.
pub fn recv_q_percent(socket: &Socket) -> Option<u64> {
    let limit = recv_q_limit(socket).filter(|limit| *limit > 0)?;
    Some(u64::from(socket.recv_q()?) * 100 / limit)
}
