//! Ends one target: signals the processes that were verified, and watches them end.
//!
//! Three facts are kept apart: whether a process was signalled, whether it has ended (seen through its pidfd), and
//! whether it has closed its sockets. The ports are checked after all targets are done ([`super::ports`]).

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::Signal;

use crate::model::Holder;
use crate::plan::kill::Goal;
use crate::source::proc::held::{Held, held};
use crate::source::signals::{Pinned, wait_ended};

/// The longest pause between two checks.
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// How long a process that has closed its sockets may take to end before it is reported as still running. Most do both
/// at once; some finish pending work first.
const GRACE: Duration = Duration::from_secs(1);

/// The progress of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Every process that was signalled has ended; if none was signalled, every process of the target has.
    Ended,
    /// At least one still runs, but none holds the sockets any more.
    ClosedSockets,
    /// At least one still runs and may still hold a socket.
    Running,
}

/// One process of a target, pinned by a pidfd before it was verified.
#[derive(Debug)]
struct Process {
    pinned: Pinned,
    holds: Vec<Holder>,
    signalled: bool,
}

/// Why a process was not signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The kernel refused: `EPERM`.
    Forbidden,
    /// /proc does not show whether the process still holds a socket, so it is not signalled.
    Unverified,
    /// No pidfd could be opened.
    Failed(Errno),
}

/// The processes of one target.
#[derive(Debug)]
pub(super) struct Target {
    processes: Vec<Process>,
    goal: Goal,
    /// Whether the processes are independent: ending one does not end the others.
    are_siblings: bool,
}

impl Target {
    /// Pins the processes, topmost first, and leaves out those that have ended meanwhile.
    ///
    /// # Errors
    /// If a process cannot be pinned.
    pub(super) fn pin(pids: &[u32], holders: &[Holder], goal: Goal) -> Result<Self, Refused> {
        let mut processes = Vec::new();
        for pid in pids {
            match Pinned::new(*pid) {
                Ok(pinned) => processes.push(Process {
                    pinned,
                    holds: holders.iter().filter(|one| one.pid == *pid).copied().collect(),
                    signalled: false,
                }),
                Err(Errno::SRCH) => {}
                Err(errno) => return Err(Refused::Failed(errno)),
            }
        }
        Ok(Self {
            processes,
            goal,
            are_siblings: false,
        })
    }

    /// Sets whether the processes are independent of each other, so that all are signalled at once.
    #[must_use]
    pub(super) fn of_siblings(mut self, are_siblings: bool) -> Self {
        self.are_siblings = are_siblings;
        self
    }

    /// Signals the topmost process, gives the others time to end with it, and then signals those that still hold a
    /// socket. A process is signalled only if it certainly holds one of the sockets, or if it was signalled before.
    ///
    /// # Errors
    /// Why the first process that could not be signalled was not; those before it were signalled.
    pub(super) fn signal(&mut self, signal: Signal, deadline: Instant) -> Result<Progress, Refused> {
        let count = self.processes.len();
        for at in 0..count {
            let Some(process) = self.processes.get_mut(at) else {
                break;
            };
            if process.pinned.has_ended() {
                continue;
            }
            if !process.signalled {
                match look(&process.holds) {
                    Held::No => continue,
                    Held::Unreadable => return Err(Refused::Unverified),
                    Held::Descriptor | Held::Ring => {}
                }
            }
            match process.pinned.signal(signal) {
                Ok(()) => process.signalled = true,
                Err(Errno::SRCH) => continue,
                Err(Errno::PERM) => return Err(Refused::Forbidden),
                Err(errno) => return Err(Refused::Failed(errno)),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let patience = match at + 1 < count {
                true if self.are_siblings => Duration::ZERO,
                true => left / 2,
                false => left,
            };
            if self.watch(Instant::now() + patience) == Progress::Ended {
                break;
            }
        }
        Ok(self.watch(deadline))
    }

    /// Waits until all signalled processes have ended, or the deadline has passed. If freeing the port is the goal, it
    /// is enough that they have closed it.
    fn watch(&self, deadline: Instant) -> Progress {
        if self.watched().is_empty() && !self.processes.iter().all(|process| process.pinned.has_ended()) {
            return Progress::ClosedSockets;
        }
        let mut pause = Duration::from_millis(1);
        let mut let_go_at = None;
        loop {
            let now = Instant::now();
            if wait_ended(
                &self.watched(),
                pause.min(deadline.saturating_duration_since(now)),
            ) {
                return Progress::Ended;
            }
            let holds = |process: &Process| look(&process.holds) != Held::No;
            if self.processes.iter().any(holds) {
                let_go_at = None;
            } else {
                let since = *let_go_at.get_or_insert(now);
                let over = self.goal == Goal::Port && now.duration_since(since) >= GRACE;
                if over || now >= deadline {
                    return Progress::ClosedSockets;
                }
            }
            if now >= deadline {
                return Progress::Running;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The processes whose end counts: those that were signalled, and those that still hold a socket.
    fn watched(&self) -> Vec<&Pinned> {
        let counts = |process: &&Process| process.signalled || look(&process.holds) != Held::No;
        self.processes
            .iter()
            .filter(counts)
            .map(|process| &process.pinned)
            .collect()
    }

    /// The processes that were signalled.
    pub(super) fn signalled(&self) -> Vec<u32> {
        let signalled = self.processes.iter().filter(|process| process.signalled);
        signalled.map(|process| process.pinned.pid()).collect()
    }
}

/// Whether any of the descriptors still refers to its socket; an unreadable one may.
fn look(holds: &[Holder]) -> Held {
    let mut unreadable = false;
    for holder in holds {
        match held(holder) {
            Held::No => {}
            Held::Unreadable => unreadable = true,
            certain => return certain,
        }
    }
    if unreadable { Held::Unreadable } else { Held::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_process_that_does_not_hold_the_socket_is_not_signalled() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = listener.as_raw_fd();
        let inode = std::fs::metadata(format!("/proc/self/fd/{fd}")).unwrap().ino();
        // The pid of a child that never had the socket, as if its number had been reused.
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let recycled = Holder {
            pid: child.id(),
            fd: u32::try_from(fd).unwrap(),
            inode: u32::try_from(inode).unwrap(),
            tid: 0,
        };
        let mut target = Target::pin(&[child.id()], &[recycled], Goal::Process).unwrap();
        let progress = target.signal(Signal::KILL, Instant::now());
        assert_eq!(progress, Ok(Progress::ClosedSockets));
        assert!(target.signalled().is_empty());
        assert!(child.try_wait().unwrap().is_none(), "it still runs");
        child.kill().unwrap();
        child.wait().unwrap();
        let target = Target::pin(&[child.id()], &[recycled], Goal::Process).unwrap();
        assert!(target.processes.is_empty(), "gone");
    }
}
