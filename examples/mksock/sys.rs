//! The system calls that rustix does not offer, each behind a safe function.
//!
//! This is the only file with unsafe code: calls whose arguments are plain numbers or buffers that
//! live across the call.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// The length of a buffer as the kernel takes it.
fn length(bytes: &[u8]) -> io::Result<libc::socklen_t> {
    libc::socklen_t::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Moves the calling thread into new namespaces or gives it a file table of its own.
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: a thread that leaves the shared file table (the one unsound use of this call) keeps
    // only copies of descriptors that it closes by number and never uses.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(Into::into)
}

pub(crate) fn set_option(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `value.len()` bytes of `value` and keeps no pointer.
    let result =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length(value)?) };
    checked(result).map(drop)
}

pub(crate) fn set_int(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set_option(fd, level, name, &value.to_ne_bytes())
}

/// Reads the option into `value`, and returns the part that was filled.
pub(crate) fn get_option<'a>(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &'a mut [u8],
) -> io::Result<&'a [u8]> {
    let mut len = length(value)?;
    // SAFETY: the kernel writes at most `len` bytes into `value`, which holds that many.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    checked(result)?;
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(value.len());
    Ok(value.get(..len).unwrap_or(&[]))
}

pub(crate) fn get_int(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    let mut value = [0; size_of::<c_int>()];
    get_option(fd, level, name, &mut value)?;
    Ok(c_int::from_ne_bytes(value))
}

/// Attaches a packet filter that drops everything, so that the socket neither sees nor answers a packet.
pub(crate) fn drop_incoming(fd: BorrowedFd<'_>) -> io::Result<()> {
    // A classic BPF program of one instruction: return 0, that is, keep no byte of the packet.
    let mut drop_all = libc::sock_filter {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: 0,
    };
    let program = libc::sock_fprog {
        len: 1,
        filter: &raw mut drop_all,
    };
    let size = libc::socklen_t::try_from(size_of_val(&program)).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel copies the program and its one instruction during the call.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size,
        )
    };
    checked(result).map(drop)
}

/// Bytes sent that the peer has not acknowledged.
pub(crate) fn unacknowledged_bytes(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut bytes: c_int = 0;
    // SAFETY: this request writes one int.
    checked(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(bytes)
}

/// Sets the interface `lo` of the caller's network namespace up.
pub(crate) fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: all zeroes is a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(*b"lo") {
        *slot = libc::c_char::from_ne_bytes([byte]);
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
    // SAFETY: the kernel reads one ifreq, whose name is terminated and whose flags are set.
    checked(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) }).map(drop)
}

/// A unix address with exactly these bytes of `sun_path` (at most 108) and its length.
fn unix_address(name: &[u8]) -> io::Result<(libc::sockaddr_un, libc::socklen_t)> {
    // SAFETY: all zeroes is a valid sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    if name.len() > address.sun_path.len() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a unix socket name has at most 108 bytes",
        ));
    }
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap_or(1);
    for (slot, &byte) in address.sun_path.iter_mut().zip(name) {
        *slot = libc::c_char::from_ne_bytes([byte]);
    }
    Ok((address, length(name)? + 2))
}

/// Binds to these bytes of `sun_path`; none at all lets the kernel choose an abstract name.
pub(crate) fn bind_unix(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    let (address, len) = unix_address(name)?;
    // SAFETY: `len` is within the address.
    checked(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) }).map(drop)
}

pub(crate) fn connect_unix(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    let (address, len) = unix_address(name)?;
    // SAFETY: `len` is within the address.
    checked(unsafe { libc::connect(fd.as_raw_fd(), (&raw const address).cast(), len) }).map(drop)
}

/// Opens a socket of any family.
pub(crate) fn socket(family: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: three numbers; the new descriptor is ours alone.
    unsafe {
        let fd = checked(libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Binds to an address that is given as its bytes, family and all.
pub(crate) fn bind_bytes(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `address.len()` bytes of `address`.
    checked(unsafe { libc::bind(fd.as_raw_fd(), address.as_ptr().cast(), length(address)?) }).map(drop)
}

/// Connects to an address that is given as its bytes.
pub(crate) fn connect_bytes(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `address.len()` bytes of `address`.
    checked(unsafe { libc::connect(fd.as_raw_fd(), address.as_ptr().cast(), length(address)?) }).map(drop)
}

/// The bytes of `sun_path` from getsockname, including the terminator; for another family, the bytes after its number.
pub(crate) fn unix_name(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    // Longer than a sockaddr_un: a path of 108 bytes comes with a terminator behind it.
    let mut address = [0_u8; 128];
    let mut len = length(&address)?;
    // SAFETY: the kernel writes at most `len` bytes into the buffer of that size.
    checked(unsafe { libc::getsockname(fd.as_raw_fd(), address.as_mut_ptr().cast(), &raw mut len) })?;
    let len = usize::try_from(len).unwrap_or(0);
    Ok(address.get(2..len).unwrap_or(&[]).to_vec())
}

/// Forks; `None` in the child.
///
/// The child has only the calling thread, so it must not wait for another one.
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the C library keeps its allocator usable in the child, and the child uses no other
    // lock: it makes system calls and leaves by `exit_now`.
    let pid = checked(unsafe { libc::fork() })?;
    Ok(Pid::from_raw(pid))
}

/// Ends the process at once: no destructor and no exit handler of the parent's copy runs.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: _exit has no conditions.
    unsafe { libc::_exit(status) }
}

/// Ends the calling thread alone; the process stays as long as another thread lives.
pub(crate) fn exit_thread() -> ! {
    // SAFETY: exit(2) ends this thread and touches no memory of ours. It runs no destructor, and nothing waits for
    // a lock of this thread.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("exit returned")
}

/// Closes a descriptor by number, in a file table that nobody else uses.
pub(crate) fn close_number(fd: RawFd) {
    // SAFETY: called only in a forked child or in a thread with its own file table, for copies that no object there
    // owns.
    unsafe { libc::close(fd) };
}

/// Makes the number `to` a copy of `from`, under the same conditions as [`close_number`].
pub(crate) fn replace_number(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: see above; the standard streams have no owner that could be surprised.
    checked(unsafe { libc::dup2(from, to) }).map(drop)
}

/// Creates an `io_uring` and registers `fd` as its only fixed file.
pub(crate) fn uring_holding(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    const IORING_REGISTER_FILES: libc::c_uint = 2;
    // struct io_uring_params has 120 bytes, and all zeroes ask for the defaults.
    let mut params = [0_u32; 30];
    // SAFETY: the kernel reads and writes the 120 bytes of `params`.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr()) };
    let ring = checked(c_int::try_from(ring).unwrap_or(-1))?;
    // SAFETY: the call above made this descriptor for us.
    let ring = unsafe { OwnedFd::from_raw_fd(ring) };
    let files = [fd.as_raw_fd()];
    // SAFETY: the kernel reads one int from `files`.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            IORING_REGISTER_FILES,
            files.as_ptr(),
            1,
        )
    };
    checked(c_int::try_from(result).unwrap_or(-1))?;
    Ok(ring)
}
