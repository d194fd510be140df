//! The network namespaces of a capture.

use super::Name;

/// One network namespace. Sockets refer to it by its index in [`crate::model::Context::namespaces`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its inode number, as in `net:[…]`; `None` if unreadable.
    pub inode: Option<u64>,
    /// Its name (from ip-netns(8) or a container runtime); any text.
    pub name: Option<Name>,
}
