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
    /// A socket is bound to the file, and is in no dump here.
    Elsewhere,
    /// Whether a socket belongs to the file is unknown.
    Unseen,
    /// Another file is at the path.
    OtherFile,
    /// Only sockets of another type have the abstract name.
    OtherType,
    /// The directory does not exist.
    NoDirectory,
    /// A part of the path is not a directory.
    NotADirectory,
    /// The links in the path lead in a circle.
    LinkLoop,
    /// A name in the path is too long.
    NameTooLong,
    /// The name ends in a slash.
    TrailingSlash,
    /// No file may be made in the directory.
    DirectoryForbidden,
    /// The directory is immutable.
    Immutable,
    /// The file system is read-only.
    ReadOnly,
    /// The file system has no sockets.
    NoSockets,
    /// The file system is full.
    Full,
    /// Whether a file may be made in the directory is unknown.
    Unreadable,
}

impl UnixCode {
    /// Every code, in the order of the schema.
    pub const ALL: [Self; 19] = [
        Self::Free,
        Self::Listener,
        Self::Bound,
        Self::Stale,
        Self::Elsewhere,
        Self::Unseen,
        Self::OtherFile,
        Self::OtherType,
        Self::NoDirectory,
        Self::NotADirectory,
        Self::LinkLoop,
        Self::NameTooLong,
        Self::TrailingSlash,
        Self::DirectoryForbidden,
        Self::Immutable,
        Self::ReadOnly,
        Self::NoSockets,
        Self::Full,
        Self::Unreadable,
    ];

    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Listener => "unix-listener",
            Self::Bound => "unix-bound",
            Self::Stale => "unix-stale",
            Self::Elsewhere => "unix-elsewhere",
            Self::Unseen => "unix-unseen",
            Self::OtherFile => "unix-other-file",
            Self::OtherType => "unix-other-type",
            Self::NoDirectory => "no-directory",
            Self::NotADirectory => "not-a-directory",
            Self::LinkLoop => "link-loop",
            Self::NameTooLong => "name-too-long",
            Self::TrailingSlash => "trailing-slash",
            Self::DirectoryForbidden => "directory-forbidden",
            Self::Immutable => "directory-immutable",
            Self::ReadOnly => "read-only",
            Self::NoSockets => "no-sockets",
            Self::Full => "full",
            Self::Unreadable => "unreadable",
        }
    }
}
