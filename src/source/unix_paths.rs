//! Paths of unix sockets: what is there, and what this process may do with it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, major, minor};

use super::{disk, tape};
use crate::model::endpoint::UnixFile;
use crate::model::unix_path::{Directory, FileKind, PathFacts};

/// Reads what is at the path. Whether a file may be made there is asked of the kernel only `for_us`: it answers for
/// the user of this process.
pub fn look(path: &[u8], for_us: bool) -> PathFacts {
    let path = Path::new(OsStr::from_bytes(path));
    if let Ok(stat) = disk::lstat(path) {
        let kind = if stat.is_socket() {
            FileKind::Socket
        } else {
            FileKind::Other
        };
        return PathFacts {
            file: Some(kind),
            directory: None,
            removable: stat.is_socket().then(|| may_remove(path, stat.uid)),
        };
    }
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => {
            return PathFacts {
                file: Some(FileKind::Other),
                directory: None,
                removable: None,
            };
        }
    };
    let stat = disk::stat(directory).ok();
    PathFacts {
        file: None,
        removable: None,
        directory: stat.map(|stat| Directory {
            uid: stat.uid,
            mode: stat.mode,
            writable: for_us.then(|| may(directory, MAY_MAKE)),
        }),
    }
}

/// Whether this process may remove a file of that owner: it needs the right to write the directory, and in one with the
/// sticky bit it must own either.
fn may_remove(path: &Path, uid: u32) -> bool {
    const STICKY: u32 = 0o1000;
    let Some(parent) = path.parent() else { return false };
    let directory = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let own = tape::euid();
    let is_ours = |stat: disk::Stat| own == 0 || stat.mode & STICKY == 0 || [uid, stat.uid].contains(&own);
    disk::stat(directory).is_ok_and(is_ours) && may(directory, MAY_MAKE)
}

/// The file at a path as the kernel names it for the sockets that are bound there. The same path means another file
/// in another mount namespace.
pub fn file_id(path: &[u8]) -> Option<UnixFile> {
    let stat = disk::stat(OsStr::from_bytes(path)).ok()?;
    Some(UnixFile {
        // sock_diag reports the low half only.
        inode: u32::try_from(stat.ino & u64::from(u32::MAX)).unwrap_or_default(),
        device: major(stat.dev) << 20 | minor(stat.dev),
    })
}

/// Whether a socket's file is at the path.
pub fn is_socket_file(path: &[u8]) -> bool {
    disk::stat(OsStr::from_bytes(path)).is_ok_and(|stat| stat.is_socket())
}

/// Whether this process may connect to the socket at the path: that needs write permission.
pub fn may_connect(path: &[u8]) -> bool {
    may(Path::new(OsStr::from_bytes(path)), MAY_WRITE)
}

/// What may be done, and the word for it in the key of a recording, which outlives any name in this code.
type Permission = (Access, &'static str);
/// Connect to a socket.
const MAY_WRITE: Permission = (Access::WRITE_OK, "Access(WRITE_OK)");
/// Make a file in a directory.
const MAY_MAKE: Permission = (
    Access::WRITE_OK.union(Access::EXEC_OK),
    "Access(WRITE_OK | EXEC_OK)",
);

fn may(path: &Path, (access, word): Permission) -> bool {
    tape::fact(&format!("may {word} {}", path.display()), || {
        accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_another_file_and_no_file() {
        let directory = std::env::temp_dir().join(format!("sockstat-unix-paths-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let at = |name: &str| directory.join(name).into_os_string().into_encoded_bytes();
        let listener = std::os::unix::net::UnixListener::bind(directory.join("a.sock")).unwrap();
        std::fs::write(directory.join("text"), "").unwrap();
        let found = [at("a.sock"), at("text"), at("none"), at("none/none")].map(|path| look(&path, true));
        let (ours, theirs) = (look(&at("none"), true), look(&at("none"), false));
        let is_socket = [at("a.sock"), at("text")].map(|path| is_socket_file(&path));
        let may_write = may_connect(&at("a.sock"));
        drop(listener);
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(
            found.map(|facts| facts.file),
            [Some(FileKind::Socket), Some(FileKind::Other), None, None]
        );
        assert_eq!(
            ours.directory.and_then(|directory| directory.writable),
            Some(true)
        );
        assert_eq!(theirs.directory.map(|directory| directory.writable), Some(None));
        assert!(found[3].directory.is_none());
        assert_eq!((is_socket, may_write), ([true, false], true));
    }
}
