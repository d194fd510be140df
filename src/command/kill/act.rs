//! Signals a process that was looked at before, and nobody else.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was delivered.
    Delivered,
    /// The process is gone, or holds the socket no more: nothing was sent.
    Gone,
    /// We may not.
    Forbidden,
}

/// One descriptor of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The process.
    pub pid: u32,
    /// The descriptor.
    pub fd: u32,
    /// The socket's inode.
    pub inode: u32,
}

/// Signals the process if it still holds one of the sockets. The process is pinned before it is looked at again,
/// so a pid that was used again in between is never hit.
pub fn signal(pid: u32, holds: &[Descriptor], signal: Signal) -> Sent {
    let Some(pidfd) = pin(pid) else { return Sent::Gone };
    if !holds.iter().any(still_holds) {
        return Sent::Gone;
    }
    match pidfd_send_signal(&pidfd, signal) {
        Ok(()) => Sent::Delivered,
        Err(Errno::PERM) => Sent::Forbidden,
        Err(_) => Sent::Gone,
    }
}

fn pin(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Whether the descriptor is the same socket still. Inode numbers of sockets are not used again while it lives,
/// and the caller has compared the cookie.
pub fn still_holds(descriptor: &Descriptor) -> bool {
    let Descriptor { pid, fd, inode } = descriptor;
    std::fs::read_link(format!("/proc/{pid}/fd/{fd}"))
        .is_ok_and(|link| link.as_os_str() == format!("socket:[{inode}]").as_str())
}

/// Waits until the process holds none of the sockets, or the time is over; true if it is done.
pub fn wait_released(holds: &[Descriptor], timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    while holds.iter().any(still_holds) {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
    true
}

/// A signal by name, with or without SIG, or by number.
pub fn signal_named(text: &str) -> Option<Signal> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    Some(match name {
        "HUP" | "1" => Signal::HUP,
        "INT" | "2" => Signal::INT,
        "QUIT" | "3" => Signal::QUIT,
        "KILL" | "9" => Signal::KILL,
        "USR1" | "10" => Signal::USR1,
        "USR2" | "12" => Signal::USR2,
        "TERM" | "15" => Signal::TERM,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_process_that_does_not_hold_the_socket_is_not_signalled() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = u32::try_from(listener.as_raw_fd()).unwrap();
        let inode = std::fs::metadata(format!("/proc/self/fd/{fd}")).unwrap().ino();
        let inode = u32::try_from(inode).unwrap();
        let ours = Descriptor {
            pid: std::process::id(),
            fd,
            inode,
        };
        assert!(still_holds(&ours));
        // The pid of a child that never had the socket, as if the number had been used again.
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let recycled = Descriptor {
            pid: child.id(),
            ..ours
        };
        assert_eq!(signal(child.id(), &[recycled], Signal::KILL), Sent::Gone);
        assert!(child.try_wait().unwrap().is_none(), "it lives");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(signal(child.id(), &[recycled], Signal::KILL), Sent::Gone);
    }

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(signal_named("term"), Some(Signal::TERM));
        assert_eq!(signal_named("SIGKILL"), Some(Signal::KILL));
        assert_eq!(signal_named("9"), Some(Signal::KILL));
        assert_eq!(signal_named("nope"), None);
    }
}
