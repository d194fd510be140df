//! The cookies that a capture has already read.

/// A set of cookies: open addressing, some 10 bytes per cookie.
///
/// A dump is not a snapshot: a socket that moves to another table meanwhile can be reported twice.
#[derive(Debug, Default)]
pub(super) struct Seen {
    slots: Vec<u64>,
    count: usize,
}

impl Seen {
    /// Adds a cookie; returns false if it was present. 0 means no cookie and always counts as new.
    pub(super) fn insert(&mut self, cookie: u64) -> bool {
        if cookie == 0 {
            return true;
        }
        // At most four fifths full.
        if self.count * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let slot = Self::find(&self.slots, cookie);
        let new = self.slots[slot] == 0;
        self.slots[slot] = cookie;
        self.count += usize::from(new);
        new
    }

    fn grow(&mut self) {
        let mut slots = vec![0; (self.slots.len() * 2).max(256)];
        for cookie in self.slots.iter().filter(|cookie| **cookie != 0) {
            let slot = Self::find(&slots, *cookie);
            slots[slot] = *cookie;
        }
        self.slots = slots;
    }

    /// Returns the slot that holds `cookie`, or the free slot where it belongs. The table is never full.
    fn find(slots: &[u64], cookie: u64) -> usize {
        let mask = slots.len() - 1;
        // Cookies count up: the product spreads them over the high bits.
        let hash = cookie.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut slot = usize::try_from(hash).unwrap_or(0) & mask;
        while slots[slot] != 0 && slots[slot] != cookie {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(cookies in proptest::collection::vec(1u64..3000, 0..4000)) {
            let mut seen = Seen::default();
            let mut plain = std::collections::HashSet::new();
            for cookie in cookies {
                prop_assert_eq!(seen.insert(cookie), plain.insert(cookie));
            }
        }
    }

    #[test]
    fn rows_without_a_cookie_are_never_doubles() {
        let mut seen = Seen::default();
        assert!(seen.insert(0));
        assert!(seen.insert(0));
    }
}
