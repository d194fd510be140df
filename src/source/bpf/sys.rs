//! bpf(2) and mmap(2), which have no safe wrappers. This is the only file of this module with `unsafe`.
//!
//! It only makes the calls: errors are plain errnos, and [`super::refusal`] interprets them.
//!
//! Sources: bpf(2), mmap(2) of man-pages 6.9; linux 6.18 include/uapi/linux/bpf.h (`union bpf_attr`). These structs are
//! older, shorter versions of it: the kernel treats missing fields as zero.

// Raw system calls are the purpose of this file.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::slice;

use crate::source::uapi::bpf::{
    ITER_CREATE, LINK_CREATE, PROG_LOAD, PROG_QUERY, PROG_TYPE_TRACING, QUERY_EFFECTIVE, TRACE_ITER,
};

/// The helpers that we call are reserved for programs under a GPL-compatible licence. To the kernel, "MIT" alone is not
/// one.
const LICENSE: &std::ffi::CStr = c"Dual MIT/GPL";
const NAME: [u8; 16] = *b"sockstat\0\0\0\0\0\0\0\0";

/// The kernel aborts a load when a signal arrives, and asks to try again.
const MOST_LOADS: u32 = 5;

/// The arguments of `PROG_LOAD`, up to the id of the function to attach to.
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
    attach_prog_fd: u32,
    core_relo_cnt: u32,
}

#[repr(C)]
struct Link {
    prog_fd: RawFd,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    iter_info: u64,
    iter_info_len: u32,
}

/// The form of `union bpf_iter_link_info` that names tasks; all fields zero for every task.
#[repr(C)]
#[derive(Default)]
struct Tasks {
    tid: u32,
    pid: u32,
    pid_fd: u32,
    rest: u32,
}

const SIZE_OF_TASKS: u32 = 16;
const _: () = assert!(size_of::<Tasks>() == SIZE_OF_TASKS as usize);

#[repr(C)]
struct Iterate {
    link_fd: RawFd,
    flags: u32,
}

/// The arguments of `PROG_QUERY`. The kernel writes into them, including the last field, so the struct has its full
/// length.
#[repr(C)]
#[derive(Default)]
struct Query {
    target_fd: RawFd,
    attach_type: u32,
    flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    padding: u32,
    prog_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}

/// Returns how many programs run for this cgroup at this hook, including those of its ancestors.
pub(super) fn count_cgroup_programs(cgroup: &File, attach_type: u32) -> io::Result<u32> {
    count_programs(cgroup.as_raw_fd(), attach_type, QUERY_EFFECTIVE)
}

/// Returns how many programs are attached to a network namespace at this hook.
pub(super) fn count_namespace_programs(namespace: &File, attach_type: u32) -> io::Result<u32> {
    count_programs(namespace.as_raw_fd(), attach_type, 0)
}

/// Returns how many programs are attached to an interface at this hook.
pub(super) fn count_device_programs(interface: u32, attach_type: u32) -> io::Result<u32> {
    // The index of the interface is passed in place of a descriptor.
    count_programs(interface.cast_signed(), attach_type, 0)
}

fn count_programs(target_fd: RawFd, attach_type: u32, flags: u32) -> io::Result<u32> {
    let mut request = Query {
        target_fd,
        attach_type,
        flags,
        ..Query::default()
    };
    // SAFETY: the request is ours, alive and as long as we say; its addresses are null, and the kernel writes
    // numbers into its fields only.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, PROG_QUERY, &raw mut request, size_of::<Query>()) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(request.prog_cnt)
}

/// Loads a program that attaches to the iterator function of this BTF id. If there is a log, the verifier writes its
/// messages there, as text up to the first NUL, whatever the outcome.
pub(super) fn load(code: &[u64], attach_btf_id: u32, log: Option<&mut [u8]>) -> io::Result<OwnedFd> {
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut request = Load {
        prog_type: PROG_TYPE_TRACING,
        insn_cnt: u32::try_from(code.len()).map_err(too_long)?,
        insns: address(code.as_ptr()),
        license: address(LICENSE.as_ptr()),
        prog_name: NAME,
        expected_attach_type: TRACE_ITER,
        attach_btf_id,
        ..Load::default()
    };
    if let Some(log) = log {
        request.log_level = 1;
        request.log_size = u32::try_from(log.len()).map_err(too_long)?;
        request.log_buf = address(log.as_mut_ptr());
    }
    let mut loads = 1;
    loop {
        // SAFETY: `insns` and `license` point to as many instructions and to the string they say,
        // which outlive the call and are only read; `log_buf` is null with size 0 or points to
        // `log_size` bytes that are ours alone to write.
        match unsafe { bpf(PROG_LOAD, &request) } {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && loads < MOST_LOADS => {
                loads += 1;
            }
            other => return other,
        }
    }
}

/// Links a loaded program to the iterator over tasks' files: those of one process (Linux 6.1), or of all.
pub(super) fn link(program: &OwnedFd, pid: Option<u32>) -> io::Result<OwnedFd> {
    let tasks = Tasks {
        pid: pid.unwrap_or(0),
        ..Tasks::default()
    };
    let (iter_info, iter_info_len) = match pid {
        Some(_) => (address(&raw const tasks), SIZE_OF_TASKS),
        None => (0, 0),
    };
    let request = Link {
        prog_fd: program.as_raw_fd(),
        target_fd: 0,
        attach_type: TRACE_ITER,
        flags: 0,
        iter_info,
        iter_info_len,
    };
    // SAFETY: `iter_info` is null with length 0, or the address of `tasks`, which is as long as said, outlives the
    // call and is only read.
    unsafe { bpf(LINK_CREATE, &request) }
}

/// Opens a file whose reads run the linked program over the tasks of our own pid namespace.
pub(super) fn iterate(link: &OwnedFd) -> io::Result<File> {
    let request = Iterate {
        link_fd: link.as_raw_fd(),
        flags: 0,
    };
    // SAFETY: the request holds no pointers.
    unsafe { bpf(ITER_CREATE, &request) }.map(File::from)
}

/// # Safety
/// Every address in the request is null, or is valid for what the kernel does with it in this
/// command: reading or writing as many bytes as the request says.
unsafe fn bpf<T>(command: libc::c_int, request: &T) -> io::Result<OwnedFd> {
    // SAFETY: the request is alive and as long as we say, and the kernel only reads it; the caller
    // vouches for addresses in it.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, ptr::from_ref(request), size_of::<T>()) };
    match RawFd::try_from(answer) {
        // SAFETY: the commands used here answer with a new descriptor, which nobody else knows.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

/// The kernel's own type information, world-readable if the kernel was built with it.
pub(super) const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

/// The contents of [`BTF_PATH`], mapped read-only: mapping takes a quarter of the time of reading. Linux 6.16 or
/// newer.
pub(super) struct BtfMapping {
    start: NonNull<u8>,
    length_bytes: usize,
}

impl BtfMapping {
    pub(super) fn new() -> io::Result<Self> {
        let file = File::open(BTF_PATH)?;
        let length_bytes = usize::try_from(file.metadata()?.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let (anywhere, from_start) = (ptr::null_mut(), 0);
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
        let start = unsafe {
            libc::mmap(
                anywhere,
                length_bytes,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                from_start,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { start, length_bytes })
    }
}

impl Deref for BtfMapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is this long, stays until `self` is dropped, and the kernel's BTF
        // neither changes nor shrinks while it runs.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length_bytes) }
    }
}

impl Drop for BtfMapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped, and no slice of it outlives `self`. Failure would only
        // leave it mapped.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length_bytes) };
    }
}
