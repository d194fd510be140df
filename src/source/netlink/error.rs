//! Why a dump fails.

use std::io;

/// Why a dump ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpError {
    /// The netlink socket could not be opened or written: errno.
    Channel(i32),
    /// The kernel rejected the request or gave up on it: errno. `ENOENT` means that it has no such table.
    Kernel(i32),
    /// Replies were lost or truncated; what was passed on is incomplete.
    Lost,
    /// The caller wants no more. The channel is in the middle of a dump and must not be reused.
    Stopped,
    /// In a replay, the recording lacks a part of what was requested; the rest was passed on.
    NotRecorded,
}

impl DumpError {
    pub(super) fn of_channel(error: &io::Error) -> Self {
        Self::Channel(error.raw_os_error().unwrap_or(0))
    }
}
