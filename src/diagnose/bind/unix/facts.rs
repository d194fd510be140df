//! The facts about a name for a unix socket.

use crate::diagnose::bind::holders::Holders;
use crate::model::unix_path::PathFacts;
use crate::model::{Socket, SocketType};
use crate::render::escape;
use crate::render::text::written;

/// What was found under a name.
#[derive(Clone, Debug)]
pub struct UnixFacts {
    /// The name in the kernel's form; abstract if it starts with NUL.
    pub name: Vec<u8>,
    /// The type of the socket that is to be bound.
    pub kind: SocketType,
    /// The user who binds it.
    pub uid: u32,
    /// What is at the path; `None` for an abstract name.
    pub path: Option<PathFacts>,
    /// Whether a socket is bound to the file at the path; `None` if unknown or not requested.
    pub is_bound: Option<bool>,
    /// The sockets that have the name: by inode and device of the file, or by the same abstract name.
    pub sockets: Vec<(Socket, Holders)>,
}

/// Whether a name is abstract.
pub fn is_abstract(name: &[u8]) -> bool {
    name.first() == Some(&0)
}

/// The name as people write it.
pub fn printable(name: &[u8]) -> String {
    written(|out| escape::push_unix_name(out, name, |_| false))
}
