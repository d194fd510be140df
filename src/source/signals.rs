//! Processes pinned by a pidfd, signals to them, and their termination.
//!
//! A pidfd refers to one process for as long as it is open, even after the pid was reused (pidfd_open(2)). So nothing
//! here can signal, or wait for, a later process with the same pid.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, test_kill_process};

/// A process identified by a pidfd.
#[derive(Debug)]
pub struct Pinned {
    pid: u32,
    pidfd: OwnedFd,
}

impl Pinned {
    /// Pins the process that currently has this pid.
    ///
    /// # Errors
    /// `ESRCH` if there is none; `ENOSYS` before Linux 5.3; `EMFILE` and similar.
    pub fn new(pid: u32) -> Result<Self, Errno> {
        let raw = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(Errno::SRCH)?;
        let pidfd = pidfd_open(raw, PidfdFlags::empty())?;
        Ok(Self { pid, pidfd })
    }

    /// Its pid, in our pid namespace.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal to the whole process.
    ///
    /// # Errors
    /// `ESRCH` if it has ended, `EPERM` if not permitted.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        pidfd_send_signal(&self.pidfd, signal)
    }

    /// Returns whether it has ended, including all its threads. A zombie counts as ended.
    pub fn has_ended(&self) -> bool {
        wait_ended(&[self], Duration::ZERO)
    }
}

/// Returns whether the kernel lets us signal all of these processes; those that have ended are no obstacle.
pub fn may_signal(pids: &[u32]) -> bool {
    let raw = pids
        .iter()
        .filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    raw.into_iter()
        .all(|pid| test_kill_process(pid) != Err(Errno::PERM))
}

/// Waits until each of the processes has ended, or the time is up; returns true if all have.
pub fn wait_ended(processes: &[&Pinned], timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    for process in processes {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            // A pidfd becomes readable when the last thread has exited (linux 6.18 kernel/fork.c, pidfd_poll).
            let mut fds = [PollFd::new(&process.pidfd, PollFlags::IN)];
            match poll(&mut fds, Some(&left)) {
                Ok(0) => return false,
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
    true
}

/// Returns a signal by name, with or without SIG, or by number.
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

    #[test]
    fn the_end_of_a_process_is_seen_before_it_is_reaped() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pinned = Pinned::new(child.id()).unwrap();
        assert!(!pinned.has_ended());
        pinned.signal(Signal::KILL).unwrap();
        assert!(wait_ended(&[&pinned], Duration::from_secs(60)));
        assert!(pinned.has_ended(), "a zombie");
        child.wait().unwrap();
        assert!(pinned.has_ended(), "reaped");
        assert_eq!(pinned.signal(Signal::KILL), Err(Errno::SRCH));
        assert_eq!(Pinned::new(0).unwrap_err(), Errno::SRCH);
    }

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(signal_named("term"), Some(Signal::TERM));
        assert_eq!(signal_named("SIGKILL"), Some(Signal::KILL));
        assert_eq!(signal_named("9"), Some(Signal::KILL));
        assert_eq!(signal_named("nope"), None);
    }
}
