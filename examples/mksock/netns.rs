//! A network namespace of our own, with `lo` up.
//!
//! Without the privilege, it is created inside a user namespace of our own, where we are root.

use std::fs;
use std::io;
use std::os::fd::AsFd as _;

use anyhow::Result;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{getgid, getuid};
use rustix::thread::UnshareFlags;

use crate::made::Skip;
use crate::sys;

/// Moves this process, which must have only one thread, into a new namespace.
pub(crate) fn enter_new() -> Result<()> {
    if let Err(plain) = sys::unshare(UnshareFlags::NEWNET) {
        as_own_root().map_err(|error| {
            Skip(format!(
                "no network namespace: unshare(CLONE_NEWNET): {plain}; inside a user namespace: {error}"
            ))
        })?;
    }
    raise_loopback().map_err(|error| Skip(format!("lo of the new network namespace stays down: {error}")))?;
    Ok(())
}

fn as_own_root() -> io::Result<()> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    sys::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)?;
    // The kernel wants setgroups() given up before an ordinary user may map its group.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

fn raise_loopback() -> io::Result<()> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    sys::loopback_up(socket.as_fd())
}
