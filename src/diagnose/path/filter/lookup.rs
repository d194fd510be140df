//! Looks keys up in sets and maps.

use super::value::{Cell, Truth, at_least, between, bytes, equal};
use super::walk::{Stop, Walk};
use crate::model::packet_filter::{Element, Set};

/// How many elements of a map an unknown key may match before the prediction gives up.
const CANDIDATES_MAX: usize = 8;

impl<'a> Walk<'a> {
    /// Looks up register bytes in a set. Returns the element that matches.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn look_up(
        &mut self,
        table: usize,
        name: &'a [u8],
        from: u8,
        packet: u8,
    ) -> Result<Option<&'a Element>, Stop> {
        let index = self.index;
        let Some((set, ready)) = index.set(table, name) else {
            return Err(self.give_up("a missing set"));
        };
        let cells = self.load(from, set.key_bytes);
        if self.changed.contains(&(table, name)) {
            return Err(self.give_up("a set that the packet itself changes"));
        }
        let mut found = None;
        let mut candidates = Vec::new();
        let known = bytes(&cells);
        match (&known, set.has(Set::INTERVAL)) {
            (Some(key), false) => found = ready.exact.get(&**key).copied(),
            (Some(key), true) if ready.ranges.is_empty() => {
                let at = ready.intervals.partition_point(|(start, ..)| *start <= &**key);
                let interval = at.checked_sub(1).and_then(|at| ready.intervals.get(at));
                found = interval
                    .filter(|(_, end, _)| end.is_none_or(|end| **key < *end))
                    .map(|(.., element)| *element);
            }
            _ => {
                self.spend(set.elements.len() as u64)?;
                let limits = self.limits;
                let exact = ready
                    .exact
                    .values()
                    .map(|element| (*element, equal(&cells, &element.key, limits)));
                let intervals = ready.intervals.iter().map(|(start, end, element)| {
                    let before = end.map_or(Truth::Yes, |end| at_least(&cells, end, limits).not());
                    (*element, at_least(&cells, start, limits).and(before))
                });
                let ranges = ready.ranges.iter().map(|(low, high, element)| {
                    let fields = fields(set);
                    let inside = fields.into_iter().map(|(at, length)| {
                        let part = |bytes: &'a [u8]| bytes.get(at..at + length).unwrap_or_default();
                        let cells = cells.get(at..at + length).unwrap_or_default();
                        between(cells, part(low), part(high), limits)
                    });
                    (*element, inside.fold(Truth::Yes, Truth::and))
                });
                for (element, truth) in exact.chain(intervals).chain(ranges) {
                    match truth {
                        Truth::Yes => found = Some(element),
                        Truth::Unknown => candidates.push(element),
                        Truth::No => {}
                    }
                }
            }
        }
        if found.is_none() && !candidates.is_empty() {
            found = self.candidate(&cells, set, name, candidates)?;
        }
        if found.is_none() && !set.complete {
            return Err(self.give_up("a set with more elements than sockstat reads"));
        }
        match found.or(ready.catch_all) {
            Some(element) if element.is_limited => {
                let passes = self.ask_here(packet, "the limit of a set element")?;
                Ok(passes.then_some(element))
            }
            found => Ok(found),
        }
    }

    /// Chooses among the elements that an unknown key may match.
    fn candidate(
        &mut self,
        cells: &[Cell],
        set: &'a Set,
        name: &[u8],
        candidates: Vec<&'a Element>,
    ) -> Result<Option<&'a Element>, Stop> {
        let alike = candidates.windows(2).all(|pair| match pair {
            [one, other] => {
                (&one.data, &one.object, one.is_limited) == (&other.data, &other.object, other.is_limited)
            }
            _ => true,
        });
        if alike && set.fields.is_empty() {
            let test = [b"in ", name].concat();
            let is_in = self.decide(Truth::Unknown, cells, &test)?;
            return Ok(candidates.first().copied().filter(|_| is_in));
        }
        if candidates.len() > CANDIDATES_MAX {
            return Err(self.give_up("which of many set elements matches"));
        }
        for element in candidates {
            let test = [b"is ", &*element.key, b" of ", name].concat();
            if self.decide(Truth::Unknown, cells, &test)? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }
}

/// The offset and length of each field of a key.
fn fields(set: &Set) -> Vec<(usize, usize)> {
    if set.fields.is_empty() {
        return vec![(0, set.key_bytes)];
    }
    let mut at = 0;
    let mut fields = Vec::new();
    for length in &set.fields {
        fields.push((at, *length));
        at += length.next_multiple_of(4);
    }
    fields
}
