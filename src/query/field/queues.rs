//! How full the queues of a socket are.

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

/// The limit of a receive queue that is counted in the memory of its packets, as `recv_q` is: of UDP, UDP-Lite and raw
/// sockets (linux 6.18 net/ipv4/udp.c, `__udp_enqueue_schedule_skb`). `None` if memory was not asked for.
pub fn recv_q_limit(socket: &Socket) -> Option<u64> {
    let by_memory = matches!(socket.protocol, Protocol::Udp | Protocol::Udplite | Protocol::Raw);
    let memory = objects::memory(socket).filter(|_| by_memory)?;
    memory.value(Field::Rcvbuf.info())
}

/// How full that is, in percent; more than 100 is possible.
pub fn recv_q_percent(socket: &Socket) -> Option<u64> {
    let limit = recv_q_limit(socket).filter(|limit| *limit > 0)?;
    Some(u64::from(socket.recv_q()?) * 100 / limit)
}
