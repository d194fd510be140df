//! Sets of numbers, as sorted ranges.

/// A set of numbers as sorted, disjoint, inclusive ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges(Box<[(u64, u64)]>);

impl Ranges {
    /// The union of these ranges, in any order. A range that ends before it begins is empty.
    pub fn new(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.retain(|(low, high)| low <= high);
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let touches = next.0 <= kept.1.saturating_add(1);
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
        Self(ranges.into())
    }

    /// One number.
    pub fn one(number: u64) -> Self {
        Self::new(vec![(number, number)])
    }

    /// Returns whether the set contains the number.
    pub fn contains(&self, number: u64) -> bool {
        match &*self.0 {
            [(low, high)] => (*low..=*high).contains(&number),
            ranges => {
                let after = ranges.partition_point(|(low, _)| *low <= number);
                after
                    .checked_sub(1)
                    .and_then(|index| ranges.get(index))
                    .is_some_and(|(_, high)| number <= *high)
            }
        }
    }

    /// The ranges, in order.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Returns the number if there is exactly one.
    pub fn single(&self) -> Option<u64> {
        match &*self.0 {
            [(low, high)] if low == high => Some(*low),
            _ => None,
        }
    }

    /// Returns at most `limit` ranges (at least one) that cover this set, and as few other numbers as possible: the
    /// smallest gaps are filled.
    #[must_use]
    pub fn coarser(&self, limit: usize) -> Self {
        let excess = self.0.len().saturating_sub(limit.max(1));
        if excess == 0 {
            return self.clone();
        }
        let mut gaps: Vec<(u64, usize)> = self
            .0
            .windows(2)
            .enumerate()
            .map(|(index, pair)| (pair[1].0 - pair[0].1, index))
            .collect();
        gaps.sort_unstable();
        let filled = gaps.iter().take(excess).map(|(_, index)| {
            let (low, high) = (self.0[*index], self.0[index + 1]);
            (low.0, high.1)
        });
        Self::new(self.0.iter().copied().chain(filled).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_are_joined_and_empty_ranges_dropped() {
        let ranges = Ranges::new(vec![(5, 6), (1, 2), (3, 3), (9, 8), (6, 7), (u64::MAX, u64::MAX)]);
        assert_eq!(ranges.as_slice(), [(1, 3), (5, 7), (u64::MAX, u64::MAX)]);
        assert_eq!(Ranges::one(7).single(), Some(7));
        assert_eq!(ranges.single(), None);
        assert!(!Ranges::new(Vec::new()).contains(0));
    }

    proptest! {
        #[test]
        fn a_set_holds_what_went_in_and_a_coarser_one_at_least_that(
            parts in proptest::collection::vec((0u64..300, 0u64..300), 0..20), probe in 0u64..310, limit in 0usize..6,
        ) {
            let ranges = Ranges::new(parts.clone());
            prop_assert_eq!(ranges.contains(probe), parts.iter().any(|(low, high)| (*low..=*high).contains(&probe)));
            let coarse = ranges.coarser(limit);
            prop_assert!(coarse.as_slice().len() <= limit.max(1));
            prop_assert!(!ranges.contains(probe) || coarse.contains(probe));
        }
    }
}
