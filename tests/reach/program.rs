//! BPF programs that let everything pass, attached where they see packets.
#![allow(unsafe_code, reason = "bpf(2) has no safe wrapper")]

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Where a program is attached: the type of the program, and of its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Xdp,
    TcxEgress,
    CgroupIngress,
    CgroupConnect4,
    SocketLookup,
}

impl Place {
    const fn numbers(self) -> (u32, u32) {
        match self {
            Self::Xdp => (6, 37),
            Self::TcxEgress => (3, 47),
            Self::CgroupIngress => (8, 0),
            Self::CgroupConnect4 => (18, 10),
            Self::SocketLookup => (30, 36),
        }
    }

    /// What the program returns to let a packet pass.
    const fn passes(self) -> u64 {
        match self {
            Self::Xdp => 2,
            Self::TcxEgress => 0,
            Self::CgroupIngress | Self::CgroupConnect4 | Self::SocketLookup => 1,
        }
    }
}

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
struct Link {
    program: i32,
    target: i32,
    attach_type: u32,
    flags: u32,
}

/// Attaches a program for as long as the link is kept. `target` is a descriptor, or the index of an interface.
pub(crate) fn attach(place: Place, target: i32) -> std::io::Result<OwnedFd> {
    let (kind, attach_type) = place.numbers();
    // r0 = passes; exit
    let code: [u64; 2] = [place.passes() << 32 | 0xb7, 0x95];
    let program = bpf(
        5,
        &Load {
            kind,
            count: 2,
            instructions: code.as_ptr().expose_provenance() as u64,
            license: c"GPL".as_ptr().expose_provenance() as u64,
            log: [0; 4],
            version: 0,
            flags: 0,
            name: [0; 16],
            interface: 0,
            attach_type,
        },
    )?;
    bpf(
        28,
        &Link {
            program: program.as_raw_fd(),
            target,
            attach_type,
            flags: 0,
        },
    )
}

fn bpf<T>(command: i32, request: &T) -> std::io::Result<OwnedFd> {
    // SAFETY: the request is as long as we say, its addresses outlive the call, and the kernel only reads them.
    let made = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(request),
            size_of::<T>(),
        )
    };
    match i32::try_from(made) {
        // SAFETY: a new descriptor, which nobody else knows.
        Ok(made) if made >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(made) }),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// `SO_BINDTOIFINDEX`.
pub(crate) fn bind_to_device(socket: &OwnedFd, index: i32) {
    // SAFETY: the descriptor is open, and the kernel reads four bytes that are ours.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            62,
            std::ptr::from_ref(&index).cast(),
            4,
        )
    };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}
