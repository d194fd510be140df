//! The lines of the events view.

use std::time::{Duration, SystemTime};

use crate::engine::follow::Event;

/// One line of the events view.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number since the start.
    pub number: u64,
    /// When it was noticed, relative to the start.
    pub at: Duration,
    /// The same as clock time.
    pub clock: SystemTime,
    /// What happened.
    pub event: Event,
    /// Whether the socket exists before and after: the filter no longer selects it, or selects it again.
    pub by_filter: bool,
}

impl Line {
    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.event.socket.details.as_bytes().len()
    }
}
