//! The verdict on one name for a unix socket, as data.

use crate::diagnose::bind::cure::Cure;
use crate::diagnose::bind::verdict::Outcome;

/// The verdict on a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixVerdict {
    /// What bind does.
    pub bind: Outcome,
    /// The reason.
    pub code: UnixCode,
    /// The reason in words.
    pub sentence: String,
    /// The socket that it is about, by its index in the facts.
    pub socket: Option<usize>,
    /// What helps.
    pub cures: Vec<Cure>,
}

/// The reason for a verdict on a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixCode {
    /// Nothing has the name.
    Free,
    /// A socket listens on it.
    Listener,
    /// A socket is bound to it.
    Bound,
    /// A socket's file is left, and no socket.
    Stale,
    /// Another file is at the path.
    OtherFile,
    /// Only sockets of another type have the abstract name.
    OtherType,
    /// The directory does not exist.
    NoDirectory,
    /// No file may be made in the directory.
    DirectoryForbidden,
    /// Whether a file may be made in the directory is unknown.
    Unreadable,
}

impl UnixCode {
    /// Every code, in the order of the schema.
    pub const ALL: [Self; 9] = [
        Self::Free,
        Self::Listener,
        Self::Bound,
        Self::Stale,
        Self::OtherFile,
        Self::OtherType,
        Self::NoDirectory,
        Self::DirectoryForbidden,
        Self::Unreadable,
    ];

    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Listener => "unix-listener",
            Self::Bound => "unix-bound",
            Self::Stale => "unix-stale",
            Self::OtherFile => "unix-other-file",
            Self::OtherType => "unix-other-type",
            Self::NoDirectory => "no-directory",
            Self::DirectoryForbidden => "directory-forbidden",
            Self::Unreadable => "unreadable",
        }
    }
}
