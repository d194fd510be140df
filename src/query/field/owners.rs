//! The owners of a socket and of its other end.

use super::value::{Value, bytes, integer, text, time};
use crate::model::Row;
use crate::model::time::Moment;
use crate::model::{OwnerStatus, Process};

pub(super) fn user<'a>(row: &Row<'a>) -> Value<'a> {
    text(row.socket.uid.and_then(|uid| row.context.names.users.get(&uid)))
}

pub(super) fn process<'a>(row: &Row<'a>) -> Value<'a> {
    match row.processes().next() {
        Some(Process { program, .. }) => Value::Text(program),
        None => Value::Null,
    }
}

pub(super) fn pid<'a>(row: &Row<'a>) -> Value<'a> {
    integer(row.ownership.holders.first().map(|holder| holder.pid))
}

pub(super) fn fd<'a>(row: &Row<'a>) -> Value<'a> {
    integer(row.ownership.holders.first().map(|holder| holder.fd))
}

pub(super) fn context<'a>(row: &Row<'a>) -> Value<'a> {
    let first = row.processes().next();
    bytes(first.and_then(|process| process.security_context.as_deref()))
}

pub(super) fn exe<'a>(row: &Row<'a>) -> Value<'a> {
    let first = row.processes().next();
    bytes(first.and_then(|process| process.exe.as_deref()))
}

pub(super) fn started_at<'a>(row: &Row<'a>) -> Value<'a> {
    let first = row.processes().next();
    time(
        first
            .and_then(|process| process.started_at)
            .map(Moment::in_seconds),
    )
}

/// Counts processes, not descriptors.
pub(super) fn count<'a>(row: &Row<'a>) -> Value<'a> {
    match all(row) {
        Value::Owners(row) => {
            // Holders are sorted by process.
            let processes = row.ownership.holders.chunk_by(|a, b| a.pid == b.pid);
            Value::Integer(processes.count() as u64)
        }
        _ => Value::Null,
    }
}

pub(super) fn all<'a>(row: &Row<'a>) -> Value<'a> {
    match row.ownership.status {
        // The socket has an owner, but it is unknown.
        OwnerStatus::Queued if row.ownership.holders.is_empty() => Value::Null,
        OwnerStatus::Known | OwnerStatus::Queued | OwnerStatus::None | OwnerStatus::Kernel => {
            Value::Owners(*row)
        }
        _ => Value::Null,
    }
}

/// The same for the other end.
pub(super) fn of_peer<'a>(row: &Row<'a>, read: fn(&Row<'a>) -> Value<'a>) -> Value<'a> {
    row.of_peer().map_or(Value::Null, |peer| read(&peer))
}
