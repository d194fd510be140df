//! Extended attributes of sockets, through a descriptor of a process that holds them.
//!
//! The process may replace the descriptor's file at any time, with one on a file system that never answers (FUSE). So
//! the attribute is not read through the descriptor itself. Its link is opened as a handle (`O_PATH`), which opens no
//! file and keeps no socket open. The handle must have the device and inode of the socket, which can be checked without
//! querying a file system. Then the attribute is read through the handle, which nobody can replace. Following the link
//! may still block if it leads to a dead NFS or 9p server, so everything has a deadline (source/deadline.rs).

use std::collections::BTreeMap;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Statx, StatxFlags, getxattr, openat, statx};

use super::{ProcRoot, fdinfo};
use crate::model::Holder;
use crate::source::deadline::{self, Answers};
use crate::source::interfaces::any_socket;
use crate::source::tape;

/// The name of the protocol, which sockfs reports for every socket (linux 6.18 net/socket.c).
const PROTOCOL: &str = "system.sockprotoname";
/// The attribute with which SELinux reports the context of any inode, from memory (linux 6.18 fs/xattr.c,
/// `xattr_getsecurity`).
const SELINUX: &str = "security.selinux";
/// Longer than any protocol name or context.
const VALUE_BYTES: usize = 4096;

/// Time limit for all reads together, and the extra time for each.
const WITHIN: Duration = Duration::from_secs(1);
const WITHIN_EACH: Duration = Duration::from_micros(50);
/// Several threads, so that a stuck one does not delay the rest.
const THREADS: usize = 8;

/// Returns the kernel's protocol names of sockets, by inode; tries the holders of each until one answers.
pub fn protocols(root: &ProcRoot, sockets: BTreeMap<u32, Vec<Holder>>) -> Answers<u32, String> {
    let inodes: Vec<u32> = sockets.keys().copied().collect();
    let mut live = ask_unless_replaying(root, PROTOCOL, sockets);
    let name = |value: &[u8]| {
        let name = value.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(name).into_owned())
    };
    let found = inodes.into_iter().filter_map(|inode| {
        let protocol = tape::fact(&format!("protocol of socket {inode}"), || {
            live.found.remove(&inode).and_then(|value| name(&value))
        });
        Some((inode, protocol?))
    });
    let found = found.collect();
    let late = tape::fact("protocols of sockets late", || live.late);
    Answers { found, late }
}

/// Returns the security contexts of sockets, by inode, as SELinux writes them.
pub(super) fn contexts(root: &ProcRoot, sockets: BTreeMap<u32, Vec<Holder>>) -> Answers<u32, Box<[u8]>> {
    let inodes: Vec<u32> = sockets.keys().copied().collect();
    let mut live = ask_unless_replaying(root, SELINUX, sockets);
    let found = inodes.into_iter().filter_map(|inode| {
        let context = tape::fact(&format!("socket context {inode}"), || {
            live.found.remove(&inode).and_then(context_text)
        });
        Some((inode, context?))
    });
    let found = found.collect();
    let late = tape::fact("contexts of sockets late", || live.late);
    Answers { found, late }
}

/// Returns a context for display: depending on the module, the kernel ends it with a NUL or a newline.
pub(super) fn context_text(mut bytes: Vec<u8>) -> Option<Box<[u8]>> {
    while matches!(bytes.last(), Some(b'\0' | b'\n')) {
        bytes.pop();
    }
    (!bytes.is_empty()).then(|| bytes.into())
}

fn ask_unless_replaying(
    root: &ProcRoot,
    attribute: &'static str,
    sockets: BTreeMap<u32, Vec<Holder>>,
) -> Answers<u32, Vec<u8>> {
    if tape::is_replaying() {
        return Answers {
            found: BTreeMap::new(),
            late: 0,
        };
    }
    let Some(device) = device_of_sockets() else {
        return Answers {
            found: BTreeMap::new(),
            late: sockets.len(),
        };
    };
    let root = root.clone();
    within(sockets, move |holder| {
        of_descriptor(&root, device, attribute, holder)
    })
}

/// Tries the holders of each socket in turn, all sockets under one deadline.
fn within(
    sockets: BTreeMap<u32, Vec<Holder>>,
    ask: impl Fn(&Holder) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Answers<u32, Vec<u8>> {
    let inodes: Vec<u32> = sockets.keys().copied().collect();
    let each = WITHIN_EACH * u32::try_from(inodes.len()).unwrap_or(u32::MAX);
    deadline::ask(inodes, THREADS, WITHIN + each, move |inode| {
        sockets.get(inode)?.iter().find_map(&ask)
    })
}

/// Reads the attribute of the socket behind a descriptor, if it is still that socket.
fn of_descriptor(root: &ProcRoot, device: (u32, u32), attribute: &str, holder: &Holder) -> Option<Vec<u8>> {
    let Holder { inode, pid, fd, tid } = *holder;
    let link = root.join(match tid {
        0 => format!("{pid}/fd/{fd}"),
        tid => format!("{pid}/task/{tid}/fd/{fd}"),
    });
    let handle = openat(CWD, &link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let stat = cached_stat(&handle)?;
    let is_socket = (stat.stx_dev_major, stat.stx_dev_minor) == device && stat.stx_ino == u64::from(inode);
    // A copy of /proc (--proc-root) has other files in place of sockets.
    let stands_for_it = || {
        let to = std::fs::read_link(&link).unwrap_or_default();
        root.is_given() && fdinfo::socket_inode(to.as_os_str().as_encoded_bytes()) == Some(inode)
    };
    if !is_socket && !stands_for_it() {
        return None;
    }
    let mut value = vec![0; VALUE_BYTES];
    let length = getxattr(
        format!("/proc/thread-self/fd/{}", handle.as_raw_fd()),
        attribute,
        &mut value[..],
    );
    value.truncate(length.ok()?);
    Some(value)
}

/// The device that all sockets are on, taken from one of our own.
fn device_of_sockets() -> Option<(u32, u32)> {
    let stat = cached_stat(&any_socket()?)?;
    Some((stat.stx_dev_major, stat.stx_dev_minor))
}

fn cached_stat(file: &std::os::fd::OwnedFd) -> Option<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    statx(file, c"", flags, StatxFlags::INO).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder_of(file: &impl std::os::fd::AsRawFd, inode: u32) -> Holder {
        Holder {
            inode,
            pid: std::process::id(),
            fd: u32::try_from(file.as_raw_fd()).unwrap(),
            tid: 0,
        }
    }

    fn protocol(holder: Holder) -> Option<String> {
        let sockets = BTreeMap::from([(holder.inode, vec![holder])]);
        let mut answers = protocols(&ProcRoot::default(), sockets);
        assert_eq!(answers.late, 0);
        answers.found.remove(&holder.inode)
    }

    #[test]
    fn our_own_socket_has_a_protocol_and_other_files_are_not_read() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = fdinfo::socket_inode(link.as_os_str().as_encoded_bytes()).unwrap();
        assert_eq!(protocol(holder_of(&socket, inode)).as_deref(), Some("UDP"));
        assert_eq!(protocol(holder_of(&socket, inode.wrapping_add(1))), None);
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(protocol(holder_of(&file, inode)), None, "a file meanwhile");
    }

    #[test]
    fn contexts_are_cut_at_their_end_alone() {
        let shown =
            |bytes: &[u8]| context_text(bytes.to_vec()).map(|it| String::from_utf8(it.into()).unwrap());
        assert_eq!(
            shown(b"system_u:system_r:httpd_t:s0\0").as_deref(),
            Some("system_u:system_r:httpd_t:s0")
        );
        assert_eq!(
            shown(b"/usr/sbin/ntpd (enforce)\n").as_deref(),
            Some("/usr/sbin/ntpd (enforce)")
        );
        assert_eq!(shown(b"\0\n"), None);
        assert_eq!(shown(b""), None);
    }

    #[test]
    fn a_handle_keeps_no_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let link = format!("/proc/self/fd/{}", listener.as_raw_fd());
        let handle = openat(CWD, link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        drop(listener);
        assert!(std::net::TcpListener::bind(address).is_ok());
        drop(handle);
    }

    #[test]
    fn a_descriptor_that_blocks_is_counted_and_the_others_answer() {
        let holder = |inode| Holder {
            inode,
            pid: 1,
            fd: 3,
            tid: 0,
        };
        let sockets = (1..=3).map(|inode| (inode, vec![holder(inode)])).collect();
        let answers = within(sockets, |holder| {
            if holder.inode == 2 {
                loop {
                    std::thread::park();
                }
            }
            Some(vec![b'x'])
        });
        assert_eq!(answers.found.keys().copied().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(answers.late, 1);
    }
}
