//! The verdict on one name for a unix socket, as data.

use crate::diagnose::bind::cure::Cure;
use crate::diagnose::bind::verdict::Outcome;
use crate::model::named::named;

/// The verdict on a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixVerdict {
    /// What bind does.
    pub bind: Outcome,
    /// The reason.
    pub code: UnixCode,
    /// The reason in words.
    pub sentence: String,
    /// The socket in question, by its index in the facts.
    pub socket: Option<usize>,
    /// The remedies.
    pub cures: Vec<Cure>,
}

named! {
    /// The reason for a verdict on a name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum UnixCode {
        /// Nothing uses the name.
        Free => "free",
        /// A socket listens on it.
        Listener => "unix-listener",
        /// A socket is bound to it.
        Bound => "unix-bound",
        /// A leftover socket file that no socket is bound to.
        Stale => "unix-stale",
        /// A socket is bound to the file, but is in no dump of this namespace.
        Elsewhere => "unix-elsewhere",
        /// Whether a socket belongs to the file is unknown.
        Unseen => "unix-unseen",
        /// Another file is at the path.
        OtherFile => "unix-other-file",
        /// Only sockets of another type have the abstract name.
        OtherType => "unix-other-type",
        /// The directory does not exist.
        NoDirectory => "no-directory",
        /// A part of the path is not a directory.
        NotADirectory => "not-a-directory",
        /// The links in the path form a loop.
        LinkLoop => "link-loop",
        /// A name in the path is too long.
        NameTooLong => "name-too-long",
        /// The name ends in a slash.
        TrailingSlash => "trailing-slash",
        /// No file may be created in the directory.
        DirectoryForbidden => "directory-forbidden",
        /// The directory is immutable.
        Immutable => "directory-immutable",
        /// The file system is read-only.
        ReadOnly => "read-only",
        /// The file system does not support sockets.
        NoSockets => "no-sockets",
        /// The file system is full.
        Full => "full",
        /// Whether a file may be created in the directory is unknown.
        Unreadable => "unreadable",
    }
}
