//! The socket at a path: which file it is, and whether a socket is bound to it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, StatxFlags, accessat, major, minor, statx};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::model::unix_path::FileId;
use crate::source::{disk, tape};

/// Identifies the file at a path in the same way as the sockets that are bound to it. In another mount namespace, the
/// same path may be another file.
pub fn file_id(path: &[u8]) -> Option<FileId> {
    let path = Path::new(OsStr::from_bytes(path));
    let stat = disk::stat(path).ok()?;
    let of_file = major(stat.dev) << 20 | minor(stat.dev);
    let of_mount = tape::fact(&format!("device under {}", path.display()), || {
        device_of_mount(path)
    });
    Some(FileId {
        // sock_diag reports only the low half.
        inode: u32::try_from(stat.ino & u64::from(u32::MAX)).unwrap_or_default(),
        devices: [of_file, of_mount.unwrap_or(of_file)],
    })
}

/// The device of the mount that a path is on: that of the whole file system, not that of a subvolume.
fn device_of_mount(path: &Path) -> Option<u32> {
    let stat = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    // Linux before 5.8 does not report the mount.
    if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return None;
    }
    device_in(
        &disk::read_to_string("/proc/thread-self/mountinfo").ok()?,
        stat.stx_mnt_id,
    )
}

/// The device of a mount: the third field of its line.
fn device_in(mountinfo: &str, mount: u64) -> Option<u32> {
    let mount = mount.to_string();
    let mut lines = mountinfo.lines().map(|line| line.split(' '));
    let mut fields =
        lines.find_map(|mut fields| (fields.next() == Some(mount.as_str())).then_some(fields))?;
    let (major, minor) = fields.nth(1)?.split_once(':')?;
    Some(major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?)
}

/// Whether there is a socket file at the path.
pub fn is_socket_file(path: &[u8]) -> bool {
    disk::stat(OsStr::from_bytes(path)).is_ok_and(|stat| stat.is_socket())
}

/// Whether this process may connect to the socket at the path, which requires write permission.
pub fn may_connect(path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    // The recording key is part of the format, and does not change with names in this code.
    tape::fact(&format!("may Access(WRITE_OK) {}", path.display()), || {
        accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    })
}

/// Whether a socket is bound to the file at the path, in any network namespace; `None` if the kernel does not
/// report that to this process.
///
/// This connects a datagram socket to it. If a stream socket is bound, that fails with `EPROTOTYPE` before the stream
/// socket is touched; a datagram socket does not notice. If no socket is bound, it fails with `ECONNREFUSED` (linux
/// 6.18 net/unix/af_unix.c, `unix_find_bsd`). Nothing is sent.
pub fn is_bound(path: &[u8]) -> Option<bool> {
    let name = Path::new(OsStr::from_bytes(path)).display();
    tape::fact(&format!("socket bound to {name}"), || {
        let address = SocketAddrUnix::new(path).ok()?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).ok()?;
        match connect(&socket, &address) {
            // EPERM: it is connected to another socket, and accepts datagrams only from that.
            Ok(()) | Err(Errno::PROTOTYPE | Errno::PERM) => Some(true),
            Err(Errno::CONNREFUSED) => Some(false),
            Err(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_of_a_mount_is_in_its_line() {
        let text = "2 1 8:1 / / rw - ext4 /dev/sda1 rw\n47 27 0:41 / /m\\040n rw - overlay o rw\n";
        assert_eq!(device_in(text, 47), Some(41));
        assert_eq!(device_in(text, 2), Some(8 << 20 | 1));
        assert_eq!(device_in(text, 7), None);
    }
}
