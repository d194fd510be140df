//! Makes a single TCP connection and closes it again (`reach --try`).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::error_queue::{self, Icmp};
use super::{route, tape};

/// Time limit for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Returns whether a connection was accepted, and what the kernel's answer means. Recordings contain these texts.
/// `None` if the replayed recording has none.
pub fn connect_once(destination: SocketAddr) -> Option<(bool, String)> {
    tape::fact(&format!("connection to {}", route::place(destination)), || {
        Some(match try_it(destination) {
            Ok(()) => (true, "a connection was accepted".to_owned()),
            Err(failure) => (false, failure.meaning()),
        })
    })
}

/// Why there was no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// A host or router on the path sent this ICMP message.
    Icmp(Icmp),
    /// The kernel returned this errno, without a message.
    Errno(Errno),
    /// There was no answer.
    Silence,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

fn try_it(destination: SocketAddr) -> Result<(), Failure> {
    let family = if destination.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // The errno is the same for a missing host and for a filter that rejects; the message distinguishes them.
    error_queue::keep(socket.as_fd(), destination.is_ipv6());
    match connect(&socket, &destination) {
        Ok(()) => return Ok(()),
        Err(Errno::INPROGRESS) => wait(&socket)?,
        Err(errno) => return Err(failure(&socket, errno)),
    }
    match sockopt::socket_error(&socket)? {
        // Linux before 5.13 queues no message, and a message may be queued before its error is.
        Ok(()) => error_queue::take(socket.as_fd()).map_or(Ok(()), |icmp| Err(Failure::Icmp(icmp))),
        Err(errno) => Err(failure(&socket, errno)),
    }
}

fn failure(socket: &OwnedFd, errno: Errno) -> Failure {
    error_queue::take(socket.as_fd()).map_or(Failure::Errno(errno), Failure::Icmp)
}

/// Waits until the connection is made or has failed.
fn wait(socket: &OwnedFd) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| Failure::Silence)?;
        let mut sockets = [PollFd::new(socket, PollFlags::OUT)];
        match poll(&mut sockets, Some(&timeout)) {
            Ok(0) => return Err(Failure::Silence),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

impl Failure {
    fn meaning(self) -> String {
        let errno = match self {
            Self::Icmp(icmp) => return of_icmp(icmp),
            Self::Silence => return "no answer within 3 s: packets are dropped".to_owned(),
            Self::Errno(errno) => errno,
        };
        match errno {
            Errno::CONNREFUSED => "refused: nothing listens there, or a packet filter resets it".to_owned(),
            Errno::HOSTUNREACH => "host unreachable: no router or host answers for that address".to_owned(),
            Errno::NETUNREACH => "no route to that network".to_owned(),
            Errno::ADDRNOTAVAIL => "no local port is left for that destination".to_owned(),
            Errno::ACCESS | Errno::PERM => {
                "forbidden by a local packet filter, route or security module".to_owned()
            }
            Errno::TIMEDOUT => "no answer: packets are dropped".to_owned(),
            other => io::Error::from(other).to_string(),
        }
    }
}

/// What a message means (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1).
fn of_icmp(icmp: Icmp) -> String {
    let prohibited = "prohibited: a packet filter rejects it";
    let meaning = match icmp {
        Icmp::V4(3, 9 | 10 | 13) | Icmp::V6(1, 1 | 5 | 6) => prohibited,
        // A machine without a listener answers TCP with a reset, so this comes from a filter.
        Icmp::V4(3, 3) | Icmp::V6(1, 4) => "refused: a packet filter rejects it",
        Icmp::V4(3, 0 | 6 | 11) | Icmp::V6(1, 0) => {
            "network unreachable: a router or a packet filter says so"
        }
        Icmp::V4(3, 1 | 5 | 7 | 12) | Icmp::V6(1, 2 | 3) => {
            "host unreachable: a router or a packet filter says so"
        }
        Icmp::V4(3, 2) => "protocol unreachable: a packet filter rejects it",
        Icmp::V4(11, _) | Icmp::V6(3, _) => "the packet's TTL expired on the way, as in a routing loop",
        Icmp::V4(..) | Icmp::V6(..) => "an error on the way",
    };
    let (version, kind, code) = match icmp {
        Icmp::V4(kind, code) => ("", kind, code),
        Icmp::V6(kind, code) => ("v6", kind, code),
    };
    format!("{meaning} (ICMP{version} type {kind}, code {code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejecting_filter_is_distinguished_from_a_missing_host() {
        for icmp in [Icmp::V4(3, 13), Icmp::V4(3, 10), Icmp::V6(1, 1)] {
            assert!(of_icmp(icmp).starts_with("prohibited: "), "{icmp:?}");
        }
        assert!(of_icmp(Icmp::V4(3, 3)).starts_with("refused: a packet filter"));
        assert!(of_icmp(Icmp::V6(1, 3)).starts_with("host unreachable: a router"));
        let missing = Failure::Errno(Errno::HOSTUNREACH).meaning();
        assert!(missing.contains("no router or host answers"), "{missing}");
    }
}
