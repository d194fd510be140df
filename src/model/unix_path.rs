//! What exists at the path of a unix socket.

use super::endpoint::{UnixFile, UnixPair};

/// The facts about a path that matter for bind: permissions, and what exists there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// What exists there, as far as this process can see.
    pub target: Target,
    /// What the binding user may do on the path.
    pub rights: Rights,
    /// Whether this process may remove a socket's file there; `None` if there is none.
    pub removable: Option<bool>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file of that name.
    File(FileKind),
    /// The path to the directory cannot be followed.
    NoWay(Obstacle),
    /// There is a directory, but no such file in it.
    Free(Directory),
    /// Unknown: the recording lacks it.
    Unknown,
}

/// Why a path cannot be followed, or a directory cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// `ENOENT`: a part does not exist.
    Missing,
    /// `ENOTDIR`: a part is not a directory.
    NotADirectory,
    /// `ELOOP`: symbolic links form a loop.
    LinkLoop,
    /// `ENAMETOOLONG`: a name is too long.
    NameTooLong,
    /// `EACCES`: a permission is missing.
    Forbidden,
    /// Anything else, or unknown.
    Other,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

/// What the binding user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The user of this process: the result of access(2) for creating files in the directory.
    Ours(Result<(), Obstacle>),
    /// Another user: the permissions of every directory on the path, that of the file last.
    Theirs(Vec<Permissions>),
}

/// The owner and the permissions of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The user who owns it.
    pub uid: u32,
    /// Type and permission bits (`st_mode`).
    pub mode: u32,
    /// Whether there is an access control list in addition to the bits.
    pub has_acl: bool,
}

/// What may be created in a directory, regardless of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Directory {
    /// Whether the name ends in a slash, which is allowed only for a new directory.
    pub name_ends_in_slash: bool,
    /// Whether the directory itself was removed.
    pub removed: bool,
    /// Whether the mount or the file system is read-only.
    pub read_only: bool,
    /// Whether the directory is immutable (chattr +i).
    pub immutable: bool,
    /// Whether the file system supports sockets.
    pub sockets: Sockets,
    /// Whether it has room for another file.
    pub room: Room,
}

/// Whether a socket can be created on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// It can.
    Made,
    /// It cannot (sysfs, cgroup, vfat): `EPERM`.
    NotMade,
    /// It has only the names that the kernel created (/proc): `ENOENT`.
    NoNewNames,
    /// A server or a program decides (FUSE, 9p, SMB).
    Unknown,
}

/// Whether a file system has room for another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Left,
    /// No inode is left.
    None,
    /// No block is left, and the file system may need one.
    Unknown,
}

/// Identifies the file at a path in the same way as the sockets that are bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// The low 32 bits of its inode number, which is all that `sock_diag` reports.
    pub inode: u32,
    /// The device of stat(2), and that of the mount. They differ on btrfs and on an overlay over several file systems;
    /// sockets have the second one. Both as major << 20 | minor.
    pub devices: [u32; 2],
}

impl FileId {
    /// Whether a socket is bound to this file.
    pub fn is(self, file: UnixFile) -> bool {
        file.inode == self.inode && self.devices.contains(&file.device)
    }

    /// Whether the socket is bound to the file, which was found under this name. If the devices differ, or a table does
    /// not report the file, the name decides.
    pub fn is_of(self, socket: &UnixPair, name: &[u8]) -> bool {
        let has_name = socket.name.as_deref() == Some(name);
        match socket.file {
            Some(file) if file.inode == self.inode => self.is(file) || has_name,
            Some(_) => false,
            None => has_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_recognised_by_inode_and_device_or_by_name() {
        let id = FileId {
            inode: 8,
            devices: [42, 41],
        };
        let is_of = |file: Option<(u32, u32)>, name: &[u8]| {
            let pair = UnixPair {
                name: Some(name.into()),
                file: file.map(|(inode, device)| UnixFile { inode, device }),
                ..UnixPair::default()
            };
            id.is_of(&pair, b"/a")
        };
        assert!(is_of(Some((8, 42)), b"a") && is_of(Some((8, 41)), b"a") && is_of(Some((8, 7)), b"/a"));
        assert!(is_of(None, b"/a"));
        assert!(!is_of(Some((9, 41)), b"/a") && !is_of(Some((8, 7)), b"a") && !is_of(None, b"a"));
    }
}
