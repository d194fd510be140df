//! Determines whether a thread has a file table of its own.
//!
//! Threads normally share one, and /proc/PID/fd shows it. After `unshare(CLONE_FILES)`, a thread's sockets are only
//! under /proc/PID/task/TID/fd. kcmp(2) detects that with one system call per thread.
#![allow(unsafe_code, reason = "kcmp(2) has no safe wrapper")]

use crate::source::uapi::KCMP_FILES;

/// Returns whether two tasks share their file table; `None` if the kernel does not tell (no kcmp, not permitted, or
/// ended).
pub fn share_files(one: u32, other: u32) -> Option<bool> {
    // SAFETY: kcmp takes five integers and does not access our memory.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_FILES, 0, 0) };
    match order {
        0 => Some(true),
        1..=3 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_shares_its_files_with_itself() {
        let own = std::process::id();
        // It is `None` if the sandbox of the test machine forbids kcmp.
        assert_ne!(share_files(own, own), Some(false));
    }
}
