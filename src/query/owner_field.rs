//! The facts about owners that a filter can compare.

use super::field::Field;
use crate::model::named::named;

named! {
    /// A fact about one owner of a socket.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum OwnerField {
        /// Process id.
        Pid => "pid",
        /// Thread with its own file descriptor table.
        Tid => "tid",
        /// Descriptor number.
        Fd => "fd",
        /// Kernel name of the main thread.
        Comm => "comm",
        /// Common name of the program.
        Program => "process",
        /// Its executable.
        Exe => "exe",
        /// When it was started.
        StartedAt => "started_at",
        /// The arguments, joined by blanks.
        Cmdline => "cmdline",
        /// Its security context.
        Context => "context",
        /// Login name of the process.
        User => "owners.user",
        /// User id of the process.
        Uid => "owners.user",
        /// Systemd unit of the socket's creator or of the process.
        Unit => "unit",
        /// Container of the socket's creator or of the process, by name or short identifier.
        Container => "container",
        /// Its whole identifier.
        ContainerId => "container_id",
        /// Its pod.
        Pod => "pod",
    }
}

impl OwnerField {
    /// Returns the field with the same fact about the socket's creator, if there is one.
    pub const fn of_creator(self) -> Option<Field> {
        Some(match self {
            Self::Unit => Field::Unit,
            Self::Container => Field::Container,
            Self::ContainerId => Field::ContainerId,
            Self::Pod => Field::Pod,
            _ => return None,
        })
    }
}
