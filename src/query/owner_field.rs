//! The facts about owners that a filter can compare.

use super::field::Field;

/// A fact about one owner of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerField {
    /// Process id.
    Pid,
    /// Thread with its own file descriptor table.
    Tid,
    /// Descriptor number.
    Fd,
    /// Kernel name of the main thread.
    Comm,
    /// Common name of the program.
    Program,
    /// Its executable.
    Exe,
    /// When it was started.
    StartedAt,
    /// The arguments, joined by blanks.
    Cmdline,
    /// Its security context.
    Context,
    /// Login name of the process.
    User,
    /// User id of the process.
    Uid,
    /// Systemd unit of the socket's creator or of the process.
    Unit,
    /// Container of the socket's creator or of the process, by name or short identifier.
    Container,
    /// Its whole identifier.
    ContainerId,
    /// Its pod.
    Pod,
}

impl OwnerField {
    /// Its name in a filter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Tid => "tid",
            Self::Fd => "fd",
            Self::Comm => "comm",
            Self::Program => "process",
            Self::Exe => "exe",
            Self::StartedAt => "started_at",
            Self::Cmdline => "cmdline",
            Self::Context => "context",
            Self::User | Self::Uid => "owners.user",
            Self::Unit => "unit",
            Self::Container => "container",
            Self::ContainerId => "container_id",
            Self::Pod => "pod",
        }
    }

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
