//! Which details of sockets the kernel is asked for: by an option, or because a field of theirs was named.

use super::Wanted;
use super::columns::Needs;
use crate::cli::ListArgs;
use crate::model::details::kind;
use crate::source::netlink::inet::extension;
use crate::source::netlink::unix::SHOW_MEMORY;

/// What is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The counter of drops, which comes with memory.
    pub drops: bool,
    /// Counters of memory (`-m`).
    pub memory: bool,
}

impl Details {
    /// By these options, or because of these fields.
    pub fn of(args: &ListArgs, needs: &Needs) -> Self {
        Self {
            drops: needs.drops,
            memory: args.memory || needs.memory,
        }
    }

    /// How much of each answer is read because of this.
    pub fn wanted(self) -> Wanted {
        if self.memory { Wanted::Details } else { Wanted::Row }
    }

    /// `INET_DIAG_*` extension bits.
    pub fn of_inet(self) -> u32 {
        let memory = self.drops || self.memory;
        if memory { extension(kind::SKMEMINFO) } else { 0 }
    }

    /// `UDIAG_SHOW_*` bits.
    pub fn of_unix(self) -> u32 {
        if self.memory { SHOW_MEMORY } else { 0 }
    }
}
