//! A BPF program that checks every bind in a cgroup and allows it.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

const INET4_BIND: u32 = 8;

#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log: [u32; 4],
    version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_type: u32,
}

#[repr(C)]
struct Attach {
    target: i32,
    program: i32,
    occasion: u32,
    flags: u32,
}

/// Attaches the program for as long as its cgroup exists. If that is not allowed, prints the reason and returns `None`.
pub(crate) fn attach(cgroup: &Path) -> Option<OwnedFd> {
    // r0 = 1; exit
    let code: [u64; 2] = [0x0000_0001_0000_00b7, 0x95];
    let load = Load {
        kind: 18,
        count: 2,
        instructions: code.as_ptr().expose_provenance() as u64,
        license: c"GPL".as_ptr().expose_provenance() as u64,
        log: [0; 4],
        version: 0,
        flags: 0,
        name: [0; 16],
        interface: 0,
        attach_type: INET4_BIND,
    };
    let fd = bpf(5, &load);
    let Ok(fd) = i32::try_from(fd)
        .map_err(|_| ())
        .and_then(|fd| if fd < 0 { Err(()) } else { Ok(fd) })
    else {
        eprintln!(
            "skipped: {}: this test needs CAP_BPF",
            std::io::Error::last_os_error()
        );
        return None;
    };
    // SAFETY: a new descriptor, which nobody else knows.
    #[allow(unsafe_code, reason = "the descriptor comes from a raw system call")]
    let program = unsafe { OwnedFd::from_raw_fd(fd) };
    let directory = File::open(cgroup).unwrap();
    let attach = Attach {
        target: directory.as_raw_fd(),
        program: program.as_raw_fd(),
        occasion: INET4_BIND,
        flags: 0,
    };
    assert_eq!(bpf(8, &attach), 0, "{}", std::io::Error::last_os_error());
    Some(program)
}

fn bpf<T>(command: i32, request: &T) -> i64 {
    // SAFETY: the request is as long as we say, its addresses outlive the call, and the kernel only reads them.
    #[allow(unsafe_code, reason = "bpf(2) has no safe wrapper")]
    unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(request),
            size_of::<T>(),
        )
    }
}
