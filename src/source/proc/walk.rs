//! What a walk over descriptors looks for, and what it found.

use crate::model::Holder;

/// What a walk looks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// Keep only holders of these inodes (sorted); all if `None`.
    pub wanted: Option<&'a [u32]>,
    /// If set, also visit the file table of every thread, and read the fdinfo of each socket for descriptors in flight,
    /// except for these inodes (sorted), which are known not to be unix sockets.
    pub thorough: Option<&'a [u32]>,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Every holder seen, in no order.
    pub holders: Vec<Holder>,
    /// Processes visited.
    pub processes: u32,
    /// Processes with descriptors that we were not permitted to list or read.
    pub refused: u32,
    /// We ran out of descriptors; processes that could not be opened for this reason count as refused.
    pub out_of_descriptors: bool,
    /// There is an io_uring whose registered files could not be read.
    pub io_uring_unread: bool,
    /// A thorough walk found descriptors in flight.
    pub descriptors_in_flight: bool,
}

impl Walk {
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.holders.append(&mut other.holders);
        self.processes += other.processes;
        self.refused += other.refused;
        self.out_of_descriptors |= other.out_of_descriptors;
        self.io_uring_unread |= other.io_uring_unread;
        self.descriptors_in_flight |= other.descriptors_in_flight;
    }
}
