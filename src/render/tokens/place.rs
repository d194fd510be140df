//! Where a socket belongs: its cgroup and its network namespace.

use crate::model::Row;
use crate::render::escape;
use crate::render::text::{push_hex, push_number};
use crate::render::token::token;

/// ` cgroup:PATH`; empty if the kernel does not report one.
pub fn push_cgroup(out: &mut Vec<u8>, row: &Row<'_>) {
    let Some(id) = row.socket.cgroup_id else { return };
    out.extend_from_slice(token!(Cgroup));
    match row.context.names.cgroups.get(&id.get()) {
        Some(path) => escape::push_also(out, path.as_bytes(), |c| c == ' '),
        None => {
            out.extend_from_slice(b"unreachable:");
            push_hex(out, id.get());
        }
    }
}

/// ` netns:NAME`, or the number of the namespace, or `?`.
pub fn push_netns(out: &mut Vec<u8>, row: &Row<'_>) {
    out.extend_from_slice(token!(NetnsName));
    let namespace = row.namespace();
    match namespace.and_then(|it| it.name.as_ref()) {
        Some(name) => escape::push_also(out, name.as_bytes(), |c| c == ' '),
        None => match namespace.and_then(|it| it.inode) {
            Some(inode) => push_number(out, inode),
            None => out.push(b'?'),
        },
    }
}
