//! What is at the path of a unix socket.

/// What stat says about a path and its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// The file at the path; `None` if there is none.
    pub file: Option<FileKind>,
    /// The directory of a path without a file; `None` if it does not exist or was not looked at.
    pub directory: Option<Directory>,
    /// Whether this process may remove a socket's file there; `None` if there is none.
    pub removable: Option<bool>,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

/// A directory's owner and permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The user who owns it.
    pub uid: u32,
    /// Type and permission bits (`st_mode`).
    pub mode: u32,
    /// Whether the kernel lets this process make a file in it; `None` if it was not asked.
    pub writable: Option<bool>,
}
