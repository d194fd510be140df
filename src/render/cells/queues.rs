//! Queues and their limits.

use super::cell::{Cell, Tone};
use crate::model::Row;
use crate::model::Socket;
use crate::query::field::{recv_q_limit, recv_q_percent};
use crate::render::human;

pub(super) fn accept_queue(row: &Row<'_>) -> Cell {
    let socket = row.socket;
    let tone = if socket.accept_queue_is_full() {
        Tone::Alarm
    } else {
        Tone::Plain
    };
    let text = match (socket.accept_q(), socket.backlog()) {
        (Some(waiting), Some(limit)) if waiting > limit => format!("{waiting}/{limit} full"),
        (Some(waiting), Some(limit)) => format!("{waiting}/{limit}"),
        (Some(waiting), None) => format!("{waiting}/?"),
        _ => String::new(),
    };
    Cell::fixed(text).toned(tone)
}

/// The fill levels, in percent, at which a receive buffer is highlighted as worth a look and as needing action. A
/// datagram that does not fit is lost.
const FILLING_PERCENT: u64 = 50;
const FULL_PERCENT: u64 = 90;

/// A non-empty receive queue and its buffer size.
pub(super) fn receive_queue(socket: &Socket) -> Cell {
    let Some((waiting @ 1.., limit)) = socket.recv_q().zip(recv_q_limit(socket)) else {
        return Cell::default();
    };
    let text = format!("{}/{}", human::bytes(waiting.into()), human::bytes(limit));
    match recv_q_percent(socket) {
        Some(FULL_PERCENT..) => Cell::fixed(format!("{text} full")).toned(Tone::Alarm),
        Some(FILLING_PERCENT..) => Cell::fixed(text).toned(Tone::Warn),
        _ => Cell::fixed(text),
    }
}
