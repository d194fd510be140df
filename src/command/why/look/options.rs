//! Reads socket options that sock_diag does not tell, on a copy of the owner's descriptor.
//!
//! The copy is made with pidfd_getfd (linux 5.6; needs ptrace rights), checked to be the socket that was meant,
//! and closed at once: a copy keeps a port alive.

use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::command::why::{Existing, Flag};
use crate::model::{Family, Holder};

/// Fills in what can be read from the descriptors of `holders`; leaves the rest as it is.
pub fn read(existing: &mut Existing, holders: &[Holder]) {
    let Some(cookie) = existing.socket.cookie else {
        return;
    };
    for holder in holders {
        let Some(pid) = i32::try_from(holder.pid).ok().and_then(Pid::from_raw) else {
            continue;
        };
        let Ok(fd) = i32::try_from(holder.fd) else {
            continue;
        };
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        let Ok(copy) = pidfd_getfd(&pidfd, fd, PidfdGetfdFlags::empty()) else {
            continue;
        };
        // The descriptor may have been closed and used again since it was listed.
        if sockopt::socket_cookie(&copy) != Ok(cookie.get()) {
            continue;
        }
        existing.reuseaddr = sockopt::socket_reuseaddr(&copy).ok().map(Flag::observed);
        existing.reuseport = sockopt::socket_reuseport(&copy).ok().map(Flag::observed);
        if existing.socket.family == Family::Inet6 {
            existing.v6only = sockopt::ipv6_v6only(&copy).ok().map(Flag::observed);
        }
        return;
    }
}
