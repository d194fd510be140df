//! System call filters that make something appear unavailable (seccomp(2), linux 6.18).

use std::io;

const LOAD_WORD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const FAIL: u32 = 0x0005_0000;
/// Where `struct seccomp_data` has the number of the call, and the low half of its first argument.
const NUMBER: u32 = 0;
const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

/// Makes socket(2) answer EAFNOSUPPORT for IPv6, in this process and all that it starts.
pub(crate) fn forbid_ipv6() -> io::Result<()> {
    load(&mut [
        step(LOAD_WORD, 0, 0, NUMBER),
        step(JUMP_IF_EQUAL, 0, 3, word(libc::SYS_socket)),
        step(LOAD_WORD, 0, 0, FIRST_ARGUMENT),
        step(JUMP_IF_EQUAL, 0, 1, word(libc::AF_INET6.into())),
        step(RETURN, 0, 0, FAIL | word(libc::EAFNOSUPPORT.into())),
        step(RETURN, 0, 0, ALLOW),
    ])
}

/// Makes `BPF_PROG_LOAD` of bpf(2) answer EPERM, in this process and all that it starts.
pub(crate) fn forbid_bpf_programs() -> io::Result<()> {
    /// linux 6.18 include/uapi/linux/bpf.h
    const BPF_PROG_LOAD: u32 = 5;
    load(&mut [
        step(LOAD_WORD, 0, 0, NUMBER),
        step(JUMP_IF_EQUAL, 0, 3, word(libc::SYS_bpf)),
        step(LOAD_WORD, 0, 0, FIRST_ARGUMENT),
        step(JUMP_IF_EQUAL, 0, 1, BPF_PROG_LOAD),
        step(RETURN, 0, 0, FAIL | word(libc::EPERM.into())),
        step(RETURN, 0, 0, ALLOW),
    ])
}

fn step(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

fn word(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[allow(unsafe_code, reason = "prctl has no safe wrapper for this")]
fn load(program: &mut [libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap_or(u16::MAX),
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
