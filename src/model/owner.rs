//! The holders of sockets.

/// One descriptor of one process (or thread, or io_uring) that refers to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The sockfs inode.
    pub inode: u32,
    /// The process id in our pid namespace.
    pub pid: u32,
    /// The descriptor. For a file registered with an io_uring: the ring's descriptor.
    pub fd: u32,
    /// The thread id, if the descriptor is in a thread's own file table (after `unshare(CLONE_FILES)`); else 0.
    pub tid: u32,
}

named! {
    /// How much is known about the owner of a socket. Each value applies only under its conditions.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum OwnerStatus {
        /// At least one holder is known.
        Known => "known",
        /// No holder was found, but a process that we may not inspect may be one.
        Hidden => "hidden",
        /// Its program closed it: time-wait, or an orphan that the kernel is still closing.
        None => "none",
        /// It waits in an accept queue (or is not yet a full connection); the listener's owner is named.
        Queued => "queued",
        /// No holder was found, but some unix socket has descriptors in flight, and it may be one of them.
        InFlight => "in-flight",
        /// No holder was found, but only a part of the machine's pid namespaces is visible.
        Elsewhere => "elsewhere",
        /// No holder exists: the kernel itself uses it. Reported only in the initial pid and user namespace, with no
        /// process refused, no hidepid, no descriptors in flight, io_uring registrations read, and after a second look
        /// at the socket and a second walk.
        Kernel => "kernel",
        /// It or its holder vanished between two reads, or its inode is unknown.
        Unknown => "unknown",
        /// Owners were not requested.
        NotAsked => "not-asked",
    }
}

/// All holders of a capture, found by inode.
///
/// Holders are sorted by inode, pid, tid and fd; an open-addressing table of indices, at most half full, points to the
/// first of each inode. The hash must be multiplicative: inodes come in runs, which an identity hash would turn into
/// long probe sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolderTable {
    holders: Vec<Holder>,
    /// Index + 1 of the first holder of an inode; 0 for a free slot. A power of two long, or empty.
    slots: Vec<u32>,
}

impl HolderTable {
    /// Builds the table, without duplicates (the same descriptor reported twice).
    pub fn new(mut holders: Vec<Holder>) -> Self {
        holders.sort_unstable();
        holders.dedup();
        let slots = (holders.len() * 2).next_power_of_two();
        let mut table = Self {
            slots: vec![0; slots],
            holders,
        };
        let mut previous = None;
        for index in 0..table.holders.len() {
            let inode = table.holders[index].inode;
            if previous != Some(inode) {
                table.set_slot(index, inode);
                previous = Some(inode);
            }
        }
        table
    }

    /// Returns the table with more holders. Adding those of new sockets, whose inodes are the highest, costs next to
    /// nothing.
    #[must_use]
    pub fn with(&self, mut more: Vec<Holder>) -> Self {
        more.sort_unstable();
        more.dedup();
        let last = self.holders.last().map(|holder| holder.inode);
        let follow = more.first().map(|holder| holder.inode) > last;
        if !follow || (self.holders.len() + more.len()) * 2 > self.slots.len() {
            more.extend_from_slice(&self.holders);
            return Self::new(more);
        }
        let mut table = self.clone();
        let mut previous = last;
        for holder in more {
            table.holders.push(holder);
            if previous != Some(holder.inode) {
                table.set_slot(table.holders.len() - 1, holder.inode);
                previous = Some(holder.inode);
            }
        }
        table
    }

    /// Points the slot of an inode to its first holder. The table is never full.
    fn set_slot(&mut self, index: usize, inode: u32) {
        let mut slot = slot_of(inode, self.slots.len());
        while self.slots[slot] != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = u32::try_from(index + 1).unwrap_or(u32::MAX);
    }

    /// Returns the holders of a socket, by pid, tid and fd; empty if none is known.
    pub fn of(&self, inode: u32) -> &[Holder] {
        if self.holders.is_empty() {
            return &[];
        }
        let mut slot = slot_of(inode, self.slots.len());
        loop {
            let Some(first) = self.slots[slot].checked_sub(1) else {
                return &[];
            };
            let first = first as usize;
            if self.holders.get(first).is_none_or(|holder| holder.inode == inode) {
                let tail = self.holders.get(first..).unwrap_or_default();
                let count = tail.iter().take_while(|holder| holder.inode == inode).count();
                return &tail[..count];
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Returns every holder, sorted by inode.
    pub fn all(&self) -> &[Holder] {
        &self.holders
    }

    /// The holders alone.
    pub fn into_all(self) -> Vec<Holder> {
        self.holders
    }
}

/// Fibonacci hashing: the high bits of the product are well mixed.
fn slot_of(inode: u32, slots: usize) -> usize {
    let hash = u64::from(inode).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(hash >> 32).unwrap_or(0) & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holder(inode: u32, pid: u32, fd: u32) -> Holder {
        Holder {
            inode,
            pid,
            fd,
            tid: 0,
        }
    }

    #[test]
    fn an_empty_table_has_no_holders() {
        assert!(HolderTable::new(Vec::new()).of(7).is_empty());
        assert!(HolderTable::default().of(0).is_empty());
    }

    #[test]
    fn all_holders_of_a_shared_socket_are_kept_without_duplicates() {
        let table = HolderTable::new(vec![
            holder(5, 2, 3),
            holder(5, 1, 9),
            holder(6, 1, 4),
            holder(5, 2, 3),
        ]);
        assert_eq!(table.of(5), [holder(5, 1, 9), holder(5, 2, 3)]);
        assert_eq!(table.of(6), [holder(6, 1, 4)]);
        assert!(table.of(7).is_empty());
    }

    proptest! {
        #[test]
        fn the_table_finds_the_same_as_a_linear_search(inodes in proptest::collection::vec(0u32..300, 0..400), probe in 0u32..310) {
            let holders: Vec<_> = inodes.iter().enumerate().map(|(i, inode)| holder(*inode, u32::try_from(i).unwrap(), 3)).collect();
            let table = HolderTable::new(holders.clone());
            let mut expected: Vec<_> = holders.into_iter().filter(|h| h.inode == probe).collect();
            expected.sort_unstable();
            prop_assert_eq!(table.of(probe), &expected[..]);
        }
    }

    proptest! {
        #[test]
        fn adding_holders_equals_building_the_table_from_all(
            first in proptest::collection::vec((1u32..40, 1u32..4, 0u32..4), 0..60),
            more in proptest::collection::vec((1u32..80, 1u32..4, 0u32..4), 0..40),
            later in any::<bool>(),
        ) {
            let holder = |(inode, pid, fd): &(u32, u32, u32)| Holder { inode: *inode, pid: *pid, fd: *fd, tid: 0 };
            let first: Vec<Holder> = first.iter().map(holder).collect();
            let mut more: Vec<Holder> = more.iter().map(holder).collect();
            if later {
                for one in &mut more {
                    one.inode += 40;
                }
            }
            let grown = HolderTable::new(first.clone()).with(more.clone());
            let whole = HolderTable::new([first, more].concat());
            prop_assert_eq!(grown.all(), whole.all());
            for inode in 0..130 {
                prop_assert_eq!(grown.of(inode), whole.of(inode));
            }
        }
    }
}
