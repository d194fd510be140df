//! Lets a program run inside the namespaces of `mksock`, or as another user.
#![allow(
    unsafe_code,
    reason = "only Command::pre_exec runs code between fork and exec; it makes plain system calls"
)]

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Whether we are root, so that namespaces can be entered without one of the users.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A handle on a process by which others can enter its namespaces.
pub(crate) fn open(pid: u32) -> Arc<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    Arc::new(pidfd_open(pid, PidfdFlags::empty()).expect("pidfd_open of mksock"))
}

/// Makes `command` run in the network namespace of the process, and without root also in the user namespace that the
/// process had to create for that.
pub(crate) fn inside(command: &mut Command, process: &Arc<OwnedFd>) {
    let process = Arc::clone(process);
    let namespaces = if is_root() {
        libc::CLONE_NEWNET
    } else {
        libc::CLONE_NEWUSER | libc::CLONE_NEWNET
    };
    // SAFETY: between fork and exec there is one system call on a descriptor that the closure keeps open; it
    // allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || match libc::setns(process.as_raw_fd(), namespaces) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// Makes `command` run as an ordinary user without supplementary groups. Its own group stays, as it does for mksock's child
/// of another user: one may look into a process only if user and group are the same. Comes after [`inside`], which
/// needs root.
pub(crate) fn as_user(command: &mut Command, uid: u32) {
    // SAFETY: two system calls on numbers, and no allocation or lock between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let done = libc::setgroups(0, std::ptr::null()) == 0 && libc::setuid(uid) == 0;
            if done {
                Ok(())
            } else {
                Err(io::Error::last_os_error())
            }
        });
    }
}

/// Runs `inside` on a thread of its own in a new network namespace, and keeps the thread there until the value that
/// it returned is dropped. Skips and returns `None` if that is refused.
#[track_caller]
pub(crate) fn on_a_thread_elsewhere<T: Send + 'static>(
    inside: impl FnOnce() -> T + Send + 'static,
) -> Option<(T, impl Drop)> {
    let (told, listen) = std::sync::mpsc::channel();
    let (keep, kept) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        // SAFETY: nothing but the network namespace of this thread changes; no descriptor table is unshared.
        let left = unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) };
        let _ = told.send(left.map(|()| inside()));
        // Until the other end is dropped.
        let _ = kept.recv();
    });
    match listen.recv().expect("the thread tells") {
        Ok(value) => Some((value, Stay(Some((keep, thread))))),
        Err(error) => {
            crate::skip::skip(&format!("no network namespace: {error}"));
            None
        }
    }
}

/// Ends a thread, and waits for it.
struct Stay(Option<(std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>)>);

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some((keep, thread)) = self.0.take() {
            drop(keep);
            let _ = thread.join();
        }
    }
}
