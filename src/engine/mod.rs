//! From a typed request to rows: sockets, their owners, and the reasons for missing ones.
//!
//! Every command gets its sockets and owners here, so that the same question has one answer. [`stream`] passes rows to
//! a [`Sink`] as soon as they are complete; [`around`] looks up the owners and names of sockets that were already read.
//!
//! All of it is blocking code: the kernel does the work of a dump, or of a read of /proc, inside our own system calls.

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

/// Receives rows. It may do I/O, such as writing them.
pub trait Sink: Send {
    /// Receives some sockets that passed the filter, with everything known about them. The slice is reused: a sink
    /// that keeps sockets may move them out and leave anything in their place. `Break` ends the run.
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()>;
}

/// The result of a run, in addition to the rows.
#[derive(Debug)]
pub struct Captured {
    /// The owners of the sockets that were passed on.
    pub owners: Owners,
    /// Processes and names.
    pub context: Context,
    /// What is missing, or was read by a fallback.
    pub gaps: Vec<Gap>,
    /// The number of rows passed on per [`OwnerStatus`], in the order of [`OwnerStatus::ALL`].
    pub by_status: [u64; OwnerStatus::ALL.len()],
    /// The number of rows that the filter could not decide because not all of their owners are known, in the same
    /// order.
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
