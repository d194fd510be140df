//! Reads socket options that sock_diag does not report, on a copy of the owner's descriptor.
//!
//! The copy is made with pidfd_getfd (linux 5.6; needs ptrace rights), checked to be the intended socket, and closed
//! at once: a copy keeps a port alive.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::model::bind::SocketOptions;
use crate::model::{Family, Holder, Socket};
use crate::source::bpf::{self, Narrow, Wanted};
use crate::source::deadline;
use crate::source::tape;

/// Reads the options of `socket` from the first descriptor of `holders` that can be copied; `None` if none can.
pub fn read(socket: &Socket, holders: &[Holder]) -> Option<SocketOptions> {
    let cookie = socket.cookie?;
    let name = format!("options of the socket {cookie:x}");
    let v6 = socket.family == Family::Inet6;
    let (reuseaddr, reuseport, v6only) = tape::fact(&name, || ask(cookie, v6, holders))?;
    Some(SocketOptions {
        reuseaddr,
        reuseport,
        v6only,
    })
}

/// Time limit for the copies of one socket's descriptors; each takes some microseconds.
const COPIES_WITHIN: Duration = Duration::from_secs(1);

/// The three options in order, as stored in recordings.
pub(super) type Recorded = (Option<bool>, Option<bool>, Option<bool>);

fn ask(cookie: NonZeroU64, v6: bool, holders: &[Holder]) -> Option<Recorded> {
    on_copy(holders, move |_, copy| {
        // The descriptor may have been closed and reused since it was listed.
        (sockopt::socket_cookie(copy) == Ok(cookie.get())).then(|| of_copy(copy, v6))
    })
}

/// Calls `read` with a copy of each holder's descriptor until it returns something; `None` if no copy may be made, or
/// it takes too long.
///
/// If the holder replaces the socket with another file, closing the copy may wait for a file system that never answers.
/// So all of this happens on a thread that can be abandoned.
pub(super) fn on_copy<T: Send + 'static>(
    holders: &[Holder],
    read: impl Fn(&Holder, &OwnedFd) -> Option<T> + Send + Sync + 'static,
) -> Option<T> {
    let holders = holders.to_vec();
    let first = move |(): &()| holders.iter().find_map(|holder| read(holder, &copy(holder)?));
    deadline::ask(vec![()], 1, COPIES_WITHIN, first).found.remove(&())
}

/// Copies a descriptor of another process; `None` if that is not permitted. Close it at once: a copy keeps a port
/// alive.
fn copy(holder: &Holder) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(holder.pid).ok()?)?;
    let fd = i32::try_from(holder.fd).ok()?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    pidfd_getfd(&pidfd, fd, PidfdGetfdFlags::empty()).ok()
}

/// The options of a socket; `v6` if it is an IPv6 one.
pub(super) fn of_copy(copy: &OwnedFd, v6: bool) -> Recorded {
    let v6only = if v6 { sockopt::ipv6_v6only(copy).ok() } else { None };
    (
        sockopt::socket_reuseaddr(copy).ok(),
        sockopt::socket_reuseport(copy).ok(),
        v6only,
    )
}

/// Returns the options of all sockets by inode, from the BPF iterator; empty if it cannot be used. With `unconnected`,
/// only sockets without a peer are needed.
pub fn by_iterator(unconnected: bool) -> BTreeMap<NonZeroU32, SocketOptions> {
    let wanted = Wanted {
        listeners_only: unconnected,
        narrow: Narrow::Inet,
        facts: true,
    };
    let mut found = BTreeMap::new();
    let asked = bpf::holders(wanted, &mut |record| {
        let options = record.facts.map(|facts| SocketOptions {
            reuseaddr: Some(facts.reuseaddr),
            reuseport: Some(facts.reuseport),
            v6only: Some(facts.v6only),
        });
        found.extend(NonZeroU32::new(record.inode).zip(options));
    });
    asked.map(|_| found).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd as _;

    #[test]
    fn a_call_that_never_returns_is_abandoned() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let holder = Holder {
            inode: 0,
            pid: std::process::id(),
            fd: u32::try_from(socket.as_raw_fd()).unwrap(),
            tid: 0,
        };
        let cookie = sockopt::socket_cookie(&socket).unwrap();
        let copied = on_copy(&[holder], |_, copy| sockopt::socket_cookie(copy).ok());
        assert_eq!(copied, Some(cookie));
        let never = on_copy(&[holder], |_, _| -> Option<()> {
            loop {
                std::thread::park();
            }
        });
        assert_eq!(never, None);
    }
}
