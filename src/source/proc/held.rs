//! Checks whether a descriptor that was seen earlier still refers to the same socket.
//!
//! Reads the link or the fdinfo of the descriptor; never opens it. An unreadable entry proves nothing: the answer is
//! then [`Held::Unreadable`], never "released".

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::worker::own_socket_mount;
use super::{ProcRoot, fdinfo};
use crate::model::Holder;
use crate::source::disk;

/// How a process holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// By a descriptor in the process's file table, or in the thread's.
    Descriptor,
    /// Registered with an io_uring; the socket's own descriptor may be closed.
    Ring,
    /// Not any more: the descriptor or the whole process is gone, or the descriptor refers to something else.
    No,
    /// Unknown: /proc is not readable.
    Unreadable,
}

/// Checks one holder again. sockfs does not reuse an inode number while its socket exists, and the caller has compared
/// the cookie.
pub fn held(holder: &Holder) -> Held {
    let Holder { inode, pid, fd, tid } = *holder;
    let directory = match tid {
        0 => format!("/proc/{pid}"),
        tid => format!("/proc/{pid}/task/{tid}"),
    };
    let info = || read_info(&format!("{directory}/fdinfo/{fd}"));
    match disk::read_link(format!("{directory}/fd/{fd}")) {
        Ok(link) => by_link(&link, inode, info),
        Err(error) if is_gone(&error) => Held::No,
        // CAP_SYS_PTRACE alone opens fdinfo but not the links (linux 6.18 fs/proc/fd.c).
        Err(_) => match info() {
            Ok(info) if info.registered_sockets.contains(&inode) => Held::Ring,
            Ok(info) if info.inode.is_none() || info.mount_id.is_none() => Held::Unreadable,
            Ok(info) if info.inode != Some(inode.into()) => Held::No,
            Ok(info) if own_socket_mount(&ProcRoot::default()) == info.mount_id => Held::Descriptor,
            Err(error) if is_gone(&error) => Held::No,
            Ok(_) | Err(_) => Held::Unreadable,
        },
    }
}

fn by_link(link: &Path, inode: u32, info: impl FnOnce() -> std::io::Result<fdinfo::FdInfo>) -> Held {
    let link = link.as_os_str().as_bytes();
    if link != b"anon_inode:[io_uring]" {
        return match fdinfo::socket_inode(link) {
            Some(found) if found == inode => Held::Descriptor,
            _ => Held::No,
        };
    }
    match info() {
        Ok(info) if info.registered_sockets.contains(&inode) => Held::Ring,
        Ok(info) if info.has_registered_files => Held::No,
        Err(error) if is_gone(&error) => Held::No,
        _ => Held::Unreadable,
    }
}

fn read_info(path: &str) -> std::io::Result<fdinfo::FdInfo> {
    disk::read(path).map(|text| fdinfo::parse(&text))
}

fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;

    fn ours(fd: i32, inode: u64) -> Holder {
        Holder {
            pid: std::process::id(),
            fd: u32::try_from(fd).unwrap(),
            tid: 0,
            inode: u32::try_from(inode).unwrap(),
        }
    }

    #[test]
    fn a_descriptor_holds_its_own_socket_and_no_other() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = listener.as_raw_fd();
        let inode = std::fs::metadata(format!("/proc/self/fd/{fd}")).unwrap().ino();
        assert_eq!(held(&ours(fd, inode)), Held::Descriptor);
        assert_eq!(held(&ours(fd, inode + 1)), Held::No);
        assert_eq!(
            held(&Holder {
                pid: 0,
                ..ours(fd, inode)
            }),
            Held::No
        );
        let thread = Holder {
            tid: u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap(),
            ..ours(fd, inode)
        };
        assert_eq!(held(&thread), Held::Descriptor, "through the table of a thread");
    }

    #[test]
    fn a_ring_that_does_not_list_its_files_proves_nothing() {
        let link = Path::new("anon_inode:[io_uring]");
        let info = |text: &'static str| move || Ok(fdinfo::parse(text.as_bytes()));
        let listed = "UserFiles:\t1\n    0: socket:[77]\n";
        assert_eq!(by_link(link, 77, info(listed)), Held::Ring);
        assert_eq!(by_link(link, 78, info(listed)), Held::No);
        assert_eq!(by_link(link, 77, info("SqMask:\t3\n")), Held::Unreadable);
        let refused = || Err(std::io::Error::from_raw_os_error(libc::EACCES));
        assert_eq!(by_link(link, 77, refused), Held::Unreadable);
        let gone = || Err(std::io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(by_link(link, 77, gone), Held::No);
    }
}
