//! Tests whether bind works by binding a socket for a few microseconds.
//!
//! Used only for TCP, with a reuse option set, if a visible socket overlaps and its options cannot be read. The socket
//! never listens, so nobody can connect to it. Not used for UDP, because a bound UDP socket would receive datagrams of
//! others.
#![allow(unsafe_code, reason = "SO_BINDTOIFINDEX has no safe wrapper")]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Gid, Uid};
use rustix::io::Errno as OsError;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use crate::model::bind::BindAttempt;
use crate::model::{Family, Protocol};
use crate::source::tape;

/// Returns whether bind succeeds for a socket with the attempt's options, or fails with `EADDRINUSE`. `None` if it
/// must not be tried, or fails for another reason.
pub fn bind_once(attempt: &BindAttempt) -> Option<bool> {
    let allowed =
        attempt.protocol == Protocol::Tcp && attempt.port != 0 && (attempt.reuseaddr || attempt.reuseport);
    if !allowed {
        return None;
    }
    tape::fact(&key(attempt), || try_once(attempt))
}

/// The recording key of the answer. The text is part of the recording format, and does not change with names in this
/// code.
fn key(attempt: &BindAttempt) -> String {
    let interface = |index: Option<NonZeroU32>| match index {
        Some(index) => format!("Some({index})"),
        None => "None".to_owned(),
    };
    format!(
        "bind BindAttempt {{ protocol: Tcp, address: {}, port: {}, v6only: {}, reuseaddr: {}, reuseport: {}, device: {}, \
         scope_id: {}, uid: {}, net_bind_service: {}, listen: {} }}",
        attempt.address,
        attempt.port,
        attempt.v6only,
        attempt.reuseaddr,
        attempt.reuseport,
        interface(attempt.device),
        interface(attempt.scope_id),
        attempt.uid,
        attempt.net_bind_service,
        attempt.listen,
    )
}

/// Returns whether the port was available; `None` for any other answer.
fn try_once(attempt: &BindAttempt) -> Option<bool> {
    let fd = open(attempt).ok()?;
    let mut address = SocketAddr::new(attempt.address, attempt.port);
    if let (SocketAddr::V6(v6), Some(scope)) = (&mut address, attempt.scope_id) {
        v6.set_scope_id(scope.get());
    }
    match bind(&fd, &address) {
        Ok(()) => Some(true),
        Err(OsError::ADDRINUSE) => Some(false),
        Err(_) => None,
    }
}

fn open(attempt: &BindAttempt) -> rustix::io::Result<OwnedFd> {
    let family = match attempt.family() {
        Family::Inet6 => AddressFamily::INET6,
        _ => AddressFamily::INET,
    };
    let fd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if family == AddressFamily::INET6 {
        sockopt::set_ipv6_v6only(&fd, attempt.v6only)?;
    }
    sockopt::set_socket_reuseaddr(&fd, attempt.reuseaddr)?;
    sockopt::set_socket_reuseport(&fd, attempt.reuseport)?;
    if let Some(device) = attempt.device {
        bind_to_device(&fd, device.get())?;
    }
    // The uid matters only for SO_REUSEPORT.
    if attempt.reuseport && attempt.uid != rustix::process::getuid().as_raw() {
        rustix::fs::fchown(&fd, Some(Uid::from_raw(attempt.uid)), None::<Gid>)?;
    }
    Ok(fd)
}

fn bind_to_device(fd: &OwnedFd, index: u32) -> rustix::io::Result<()> {
    let index = i32::try_from(index).map_err(|_| OsError::NODEV)?;
    // SAFETY: the value is an int, as the option requires, and outlives the call.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            (&raw const index).cast(),
            4,
        )
    };
    if result == 0 { Ok(()) } else { Err(OsError::PERM) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_recording_stays_as_it_was_in_version_1() {
        let mut attempt = BindAttempt::new(Protocol::Tcp, "fe80::1".parse().unwrap(), 80);
        assert_eq!(
            key(&attempt),
            "bind BindAttempt { protocol: Tcp, address: fe80::1, port: 80, v6only: false, reuseaddr: false, \
             reuseport: false, device: None, scope_id: None, uid: 0, net_bind_service: true, listen: true }"
        );
        attempt.scope_id = NonZeroU32::new(3);
        attempt.device = attempt.scope_id;
        assert!(key(&attempt).contains("device: Some(3), scope_id: Some(3), "));
    }
}
