//! The network namespaces of a capture.

/// One network namespace. Sockets refer to it by its place in [`crate::model::Context::namespaces`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its inode number, as in `net:[…]`; `None` if that may not be read.
    pub inode: Option<u64>,
    /// The name it was given (ip-netns(8), or by a container runtime); any text.
    pub name: Option<String>,
}
