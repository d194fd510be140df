//! The cookies that a capture has already read.

use std::collections::BTreeSet;

/// A set of cookies: a hash table with open addressing, each slot a block of 32 cookies with a bit for each.
///
/// The kernel numbers cookies consecutively, and assigns one when a dump first asks for it. So the sockets of a dump
/// share slots, and most take less than a byte each; a cookie alone in its block takes about 10 bytes.
///
/// A dump is not a snapshot: a socket that moves to another table meanwhile can be reported twice.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The number of the block, and its bits; 0 for a free slot.
    slots: Vec<u64>,
    used: usize,
    /// Cookies whose block number does not fit in 32 bits.
    high: BTreeSet<u64>,
}

/// Cookies in a block, as a power of two.
const BLOCK_BITS: u32 = 5;

impl Seen {
    /// Adds a cookie; returns false if it was present. 0 means no cookie and always counts as new.
    pub(super) fn insert(&mut self, cookie: u64) -> bool {
        if cookie == 0 {
            return true;
        }
        let Ok(block) = u32::try_from(cookie >> BLOCK_BITS) else {
            return self.high.insert(cookie);
        };
        // At most four fifths full.
        if self.used * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let slot = Self::find(&self.slots, block);
        let bit = 1 << (cookie % (1 << BLOCK_BITS));
        let before = self.slots[slot];
        self.slots[slot] = before | u64::from(block) << 32 | bit;
        self.used += usize::from(before == 0);
        before & bit == 0
    }

    fn grow(&mut self) {
        let mut slots = vec![0; (self.slots.len() * 2).max(256)];
        for taken in self.slots.iter().filter(|slot| **slot != 0) {
            let slot = Self::find(&slots, block_of(*taken));
            slots[slot] = *taken;
        }
        self.slots = slots;
    }

    /// Returns the slot that holds `block`, or the free slot where it belongs. The table is never full.
    fn find(slots: &[u64], block: u32) -> usize {
        let mask = slots.len() - 1;
        // Block numbers are consecutive: the product spreads them over the high bits.
        let hash = u64::from(block).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut slot = usize::try_from(hash).unwrap_or(0) & mask;
        while slots[slot] != 0 && block_of(slots[slot]) != block {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

/// The block in a slot.
fn block_of(slot: u64) -> u32 {
    u32::try_from(slot >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_btree_set(
            dense in proptest::collection::vec(1u64..3000, 0..4000),
            sparse in proptest::collection::vec(1u64.., 0..400),
        ) {
            let mut seen = Seen::default();
            let mut plain = std::collections::HashSet::new();
            for cookie in dense.into_iter().chain(sparse.clone()).chain(sparse) {
                prop_assert_eq!(seen.insert(cookie), plain.insert(cookie), "{}", cookie);
            }
        }
    }

    #[test]
    fn rows_without_a_cookie_are_never_duplicates() {
        let mut seen = Seen::default();
        assert!(seen.insert(0));
        assert!(seen.insert(0));
    }

    #[test]
    fn consecutive_cookies_take_a_bit_each() {
        let mut seen = Seen::default();
        assert!((1..=200_000).all(|cookie| seen.insert(cookie)));
        assert!(!(1..=200_000).any(|cookie| seen.insert(cookie)));
        assert!(seen.slots.len() * 8 < 200_000, "{}", seen.slots.len());
        assert!(seen.insert(u64::MAX) && !seen.insert(u64::MAX) && seen.insert(u64::MAX - 32));
    }
}
