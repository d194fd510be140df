//! A filter of system calls under which IPv6 does not exist.

use std::io;

/// Makes socket(2) answer EAFNOSUPPORT for IPv6, in this process and all that it starts (seccomp(2), linux 6.18).
#[allow(unsafe_code, reason = "prctl has no safe wrapper for this")]
pub(crate) fn forbid_ipv6() -> io::Result<()> {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const FAIL: u32 = 0x0005_0000;
    /// Where `struct seccomp_data` has the number of the call, and the low half of its first argument.
    const NUMBER: u32 = 0;
    const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let word = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut program = [
        step(LOAD_WORD, 0, 0, NUMBER),
        step(JUMP_IF_EQUAL, 0, 3, word(libc::SYS_socket)),
        step(LOAD_WORD, 0, 0, FIRST_ARGUMENT),
        step(JUMP_IF_EQUAL, 0, 1, word(libc::AF_INET6.into())),
        step(RETURN, 0, 0, FAIL | word(libc::EAFNOSUPPORT.into())),
        step(RETURN, 0, 0, ALLOW),
    ];
    let program = libc::sock_fprog {
        len: 6,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the second call reads the program, which is as long as we say and lives through it.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            ) == 0
    };
    if done {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
