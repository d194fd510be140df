//! Exit statuses for scripts: 0 done, 1 failed, 2 usage error, 3 incomplete.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, even with no row. With `--exit-status`: there were rows.
    Done = 0,
    /// It could not be done. With `--exit-status`: there was no row, and the view was complete.
    Failed = 1,
    /// The command line was wrong; nothing was read.
    Usage = 2,
    /// With `--exit-status`: no row was seen, but the view was incomplete.
    Incomplete = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
