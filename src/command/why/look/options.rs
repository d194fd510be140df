//! Reads socket options that sock_diag does not tell, on a copy of the owner's descriptor.
//!
//! The copy is made with pidfd_getfd (linux 5.6; needs ptrace rights), checked to be the socket that was meant,
//! and closed at once: a copy keeps a port alive.

use std::num::NonZeroU64;

use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::command::why::{Existing, Flag};
use crate::model::{Family, Holder};
use crate::source::tape;

/// Fills in what can be read from the descriptors of `holders`; leaves the rest as it is.
pub fn read(existing: &mut Existing, holders: &[Holder]) {
    let Some(cookie) = existing.socket.cookie else {
        return;
    };
    let name = format!("options of the socket {cookie:x}");
    let v6 = existing.socket.family == Family::Inet6;
    let Some((reuseaddr, reuseport, v6only)) = tape::fact(&name, || ask(cookie, v6, holders)) else {
        return;
    };
    existing.reuseaddr = reuseaddr.map(Flag::observed);
    existing.reuseport = reuseport.map(Flag::observed);
    if v6 {
        existing.v6only = v6only.map(Flag::observed);
    }
}

/// `SO_REUSEADDR`, `SO_REUSEPORT` and `IPV6_V6ONLY`.
type Options = (Option<bool>, Option<bool>, Option<bool>);

fn ask(cookie: NonZeroU64, v6: bool, holders: &[Holder]) -> Option<Options> {
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
        let v6only = if v6 {
            sockopt::ipv6_v6only(&copy).ok()
        } else {
            None
        };
        return Some((
            sockopt::socket_reuseaddr(&copy).ok(),
            sockopt::socket_reuseport(&copy).ok(),
            v6only,
        ));
    }
    None
}
