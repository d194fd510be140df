//! Exit statuses that scripts can use (design: 0 done, 1 could not be done, 2 usage).

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
