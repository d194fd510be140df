//! From a typed request to rows: sockets, their owners, and the reasons for missing ones.
//!
//! Every command gets its sockets and owners here, so that the same question has one answer. [`stream`] passes rows to
//! a [`Sink`] as soon as they are complete; [`around`] looks up what surrounds sockets that were read before.
//!
//! All of it is blocking code: a dump runs inside our own system calls, and so does /proc.

mod around;
pub mod bound;
mod descriptor_only;
pub mod follow;
pub mod join;
pub mod live;
pub mod namespaces;
mod outlet;
pub mod owners;
mod prefilter;
mod request;
pub mod resolve;
mod run;
#[cfg(test)]
mod samples;
mod seen;
mod smc;
pub mod snapshot;
mod stream;
mod tables;

use std::ops::ControlFlow;
use std::time::SystemTime;

use crate::model::{Context, Gap, OwnerStatus, Owners, Socket};

pub use around::{around, around_all, around_found};
pub use owners::How;
pub use request::Request;
pub use snapshot::Snapshot;
pub use stream::stream;
pub use tables::read_tables;

/// Receives rows. It may do I/O of its own (writing them).
pub trait Sink: Send {
    /// Receives some sockets that passed the filter, with everything known about them. The slice is reused: a sink
    /// that keeps sockets may move them out and leave anything in their place. `Break` ends the run.
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()>;
}

/// The result of a run, in addition to the rows.
#[derive(Debug)]
pub struct Captured {
    /// The context of each socket that was passed on.
    pub owners: Owners,
    /// Processes and names.
    pub context: Context,
    /// What is missing, or was read in another way.
    pub gaps: Vec<Gap>,
    /// Rows passed on, by [`OwnerStatus`] in the order of [`OwnerStatus::ALL`].
    pub by_status: [u64; OwnerStatus::ALL.len()],
    /// Rows that the filter could not decide because their owners are not all known, in the same order.
    pub undecided: [u64; OwnerStatus::ALL.len()],
    /// How owners were found.
    pub owners_by: How,
    /// When the run began.
    pub taken_at: SystemTime,
}

impl Captured {
    /// Returns the number of rows with this owner status.
    pub fn count(&self, status: OwnerStatus) -> u64 {
        self.by_status[status as usize]
    }
}
