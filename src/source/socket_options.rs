//! Reads socket options that sock_diag does not report, on a copy of the owner's descriptor.
//!
//! The copy is made with pidfd_getfd (linux 5.6; needs ptrace rights), checked to be the socket that was meant,
//! and closed at once: a copy keeps a port alive.

use std::num::NonZeroU64;

use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::model::{Family, Holder, Socket};
use crate::source::tape;

/// The options that decide whether two sockets share a port. `None` for one that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `SO_REUSEADDR`.
    pub reuseaddr: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuseport: Option<bool>,
    /// `IPV6_V6ONLY`, of an IPv6 socket.
    pub v6only: Option<bool>,
}

/// Reads the options of `socket` from the first descriptor of `holders` that can be copied; `None` if none can.
pub fn read(socket: &Socket, holders: &[Holder]) -> Option<Options> {
    let cookie = socket.cookie?;
    let name = format!("options of the socket {cookie:x}");
    let v6 = socket.family == Family::Inet6;
    let (reuseaddr, reuseport, v6only) = tape::fact(&name, || ask(cookie, v6, holders))?;
    Some(Options {
        reuseaddr,
        reuseport,
        v6only,
    })
}

/// The three options in order, as recordings keep them.
type Recorded = (Option<bool>, Option<bool>, Option<bool>);

fn ask(cookie: NonZeroU64, v6: bool, holders: &[Holder]) -> Option<Recorded> {
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
