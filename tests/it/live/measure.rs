//! The cost of a run as the kernel counts it, however busy the machine is.
#![allow(
    unsafe_code,
    reason = "wait4(2), which reports the resources used by one child, has no safe wrapper"
)]

use std::io::Read as _;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::run::Ran;

/// A run that takes longer hangs: on an idle processor, it takes less than a second.
const HANGS_AFTER: Timespec = Timespec {
    tv_sec: 600,
    tv_nsec: 0,
};

/// What a process used until its end.
#[derive(Debug)]
pub(super) struct Used {
    /// Time on all processors, in the program and in the kernel on its behalf.
    pub(super) cpu: Duration,
    /// Its peak memory, its own files included. `None` if that is less than this process had,
    /// of which it was a copy before exec(2).
    pub(super) resident_bytes: Option<u64>,
}

/// Runs a command with its standard input closed. One that hangs is killed, and then has no exit status.
#[allow(clippy::zombie_processes, reason = "wait4(2) waits for it")]
pub(super) fn measured(command: &mut Command) -> (Ran, Used) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    let watch = std::thread::spawn(move || {
        // It is readable once the child has ended.
        if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&HANGS_AFTER)) == Ok(0) {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
    });
    let mut complaints = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut stderr = Vec::new();
        complaints.read_to_end(&mut stderr).unwrap();
        stderr
    });
    let mut stdout = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    let stderr = reader.join().unwrap();
    watch.join().unwrap();
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both pointers are valid for the call, and zeroes are a valid rusage. The child is ours, and nobody else
    // waits for it: `child` is dropped, which does not wait.
    let usage = unsafe {
        assert_eq!(
            libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, usage.as_mut_ptr()),
            pid.as_raw_nonzero().get()
        );
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    let output = Output {
        status: ExitStatus::from_raw(status),
        stdout,
        stderr,
    };
    let used = Used {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        // Both in KiB (getrusage(2), proc_pid_status(5)).
        resident_bytes: Some(usage.ru_maxrss.unsigned_abs())
            .filter(|most| *most > own_peak())
            .map(|most| most * 1024),
    };
    (Ran::from(output), used)
}

/// The peak memory of this process.
fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    peak.expect("proc has VmHWM")
}

/// The number of files that are open on the whole machine (proc_sys_fs(5)): a run that looks for owners looks at all of
/// them.
pub(super) fn open_files() -> u64 {
    let open = std::fs::read_to_string("/proc/sys/fs/file-nr").unwrap();
    open.split_whitespace().next().unwrap().parse().unwrap()
}
