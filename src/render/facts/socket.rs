//! Facts that any socket can have: queues, memory, filter, timer, options, identity.

use super::parts::{joined, number, word};
use crate::model::Row;
use crate::model::TimerKind;
use crate::query::field::{Field, Value};
use crate::render::human::{bytes, duration_ms};
use crate::render::owner;

pub(super) fn queues(row: &Row<'_>) -> String {
    let of_listener = number(row, Field::AcceptQ).map(|waiting| match number(row, Field::Backlog) {
        Some(limit) => format!("{waiting} of {limit} waiting to be accepted"),
        None => format!("{waiting} waiting to be accepted"),
    });
    let unread = number(row, Field::RecvQ).map(|queue| format!("{queue} unread"));
    let unacked = number(row, Field::SendQ).map(|queue| format!("{queue} unacknowledged"));
    let drops = number(row, Field::MemoryDrops).map(|drops| format!("{drops} drops"));
    joined([of_listener, unread, unacked, drops])
}

pub(super) fn memory(row: &Row<'_>) -> String {
    let buffer = |limit, used, name: &str| {
        let (limit, used) = (number(row, limit)?, number(row, used)?);
        Some(format!("{name} {} ({} used)", bytes(limit), bytes(used)))
    };
    joined([
        buffer(Field::Rcvbuf, Field::RmemAlloc, "rcvbuf"),
        buffer(Field::Sndbuf, Field::WmemQueued, "sndbuf"),
    ])
}

/// The socket filter program of a packet socket.
pub(super) fn filter(row: &Row<'_>) -> String {
    match Field::FilterProgram.value(row) {
        Value::Texts(program) => {
            let instructions = program.texts();
            format!("filter of {}: {}", instructions.len(), instructions.join(", "))
        }
        _ => String::new(),
    }
}

pub(super) fn timer(row: &Row<'_>) -> String {
    let Some(timer) = row.socket.timer else {
        return String::new();
    };
    let what = match timer.kind {
        TimerKind::On | TimerKind::T3Rtx => "retransmit",
        TimerKind::Keepalive => "keepalive probe",
        TimerKind::TimeWait => "gone",
        TimerKind::Persist => "zero window probe",
        TimerKind::Delack => "delayed acknowledgement",
        TimerKind::Unknown => "unknown timer",
    };
    let when = timer
        .expires_ms
        .map_or_else(String::new, |ms| format!(" in {}", duration_ms(ms.into())));
    let again = (timer.retransmits > 0).then(|| format!("{} before it", timer.retransmits));
    joined([Some(format!("{what}{when}")), again])
}

pub(super) fn options(row: &Row<'_>) -> String {
    let hex = |field, name: &str| {
        let number = number(row, field).filter(|number| *number > 0);
        number.map(|number| format!("{name} {number:#x}"))
    };
    joined([
        hex(Field::Mark, "mark"),
        hex(Field::Tos, "tos"),
        hex(Field::Tclass, "tclass"),
        hex(Field::ClassId, "class or priority"),
        word(row, Field::SocketOptions)
            .filter(|options| options != "\"\"")
            .map(|options| options.replace(',', " ")),
    ])
}

pub(super) fn identity(row: &Row<'_>) -> String {
    let named = |field, name: &str| word(row, field).map(|value| format!("{name} {value}"));
    let shutdown = word(row, Field::Shutdown).filter(|word| word != "none");
    joined([
        named(Field::Inode, "inode"),
        named(Field::Cookie, "cookie"),
        named(Field::Uid, "uid"),
        named(Field::Cgroup, "cgroup"),
        shutdown.map(|directions| format!("shut down: {directions}")),
        row.processes()
            .next()
            .map(|_| owner::text(row))
            .filter(|owner| !owner.is_empty()),
    ])
}
