//! One owner as an object.

use super::string::{push_optional, push_string};
use crate::model::{Holder, Name, Process, Row};
use crate::render::human;
use crate::render::text::{push_each, push_number};

/// One owner: its descriptor, and what is known about its process.
pub(super) fn push_owner(out: &mut Vec<u8>, row: &Row<'_>, holder: &Holder) {
    let process = row.process(holder);
    out.extend_from_slice(b"{\"pid\":");
    push_number(out, holder.pid);
    out.extend_from_slice(b",\"tid\":");
    match holder.tid {
        0 => out.extend_from_slice(b"null"),
        tid => push_number(out, tid),
    }
    out.extend_from_slice(b",\"fd\":");
    push_number(out, holder.fd);
    let bytes = |pick: fn(&Process) -> Option<&[u8]>| process.and_then(pick);
    out.extend_from_slice(b",\"comm\":");
    push_optional(out, bytes(|process| Some(&process.comm)));
    out.extend_from_slice(b",\"program\":");
    push_optional(out, bytes(|process| Some(&process.program)));
    out.extend_from_slice(b",\"exe\":");
    push_optional(out, bytes(|process| process.exe.as_deref()));
    out.extend_from_slice(b",\"cmdline\":");
    match process.and_then(|process| row.arguments(process)) {
        Some(arguments) => {
            out.push(b'[');
            push_each(out, b',', arguments, |out, argument| push_string(out, argument));
            out.push(b']');
        }
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"user\":");
    let user = process
        .and_then(|process| process.uid)
        .and_then(|uid| row.context.names.users.get(&uid));
    push_optional(out, user.map(Name::as_bytes));
    out.extend_from_slice(b",\"started_at\":");
    let started = process.and_then(|process| process.started_at).map(human::rfc3339);
    push_optional(out, started.as_deref().map(str::as_bytes));
    out.extend_from_slice(b",\"context\":");
    push_optional(out, bytes(|process| process.security_context.as_deref()));
    out.extend_from_slice(b",\"cgroup\":");
    push_optional(out, bytes(|process| process.cgroup.as_deref()));
    out.extend_from_slice(b",\"unit\":");
    push_optional(
        out,
        bytes(|process| process.home.unit.as_ref().map(Name::as_bytes)),
    );
    out.extend_from_slice(b",\"container\":");
    push_optional(
        out,
        bytes(|process| Some(process.home.container.as_ref()?.title())),
    );
    out.push(b'}');
}
