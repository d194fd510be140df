//! An index of chains and sets, with sets prepared for lookups.

use std::collections::HashMap;

use crate::model::packet_filter::{Element, PacketFilter, Set};

/// A table by its index, and a name in it.
type Key<'a> = (usize, &'a [u8]);

/// The index of a packet filter.
#[derive(Debug)]
pub struct Index<'a> {
    chains: HashMap<Key<'a>, usize>,
    sets: HashMap<Key<'a>, Prepared<'a>>,
    legacy: Vec<HashMap<u32, usize>>,
}

/// A set, as read and as prepared.
#[derive(Debug)]
struct Prepared<'a> {
    set: &'a Set,
    ready: Ready<'a>,
}

/// The first key, the first key after the interval, and the element.
type Interval<'a> = (&'a [u8], Option<&'a [u8]>, &'a Element);

/// A prepared set.
#[derive(Debug)]
pub struct Ready<'a> {
    /// Elements by their whole key.
    pub exact: HashMap<&'a [u8], &'a Element>,
    /// Intervals, sorted: the first key and, unless the interval is open, the first key after it.
    pub intervals: Vec<Interval<'a>>,
    /// Elements whose fields lie between two keys, inclusive.
    pub ranges: Vec<(&'a [u8], &'a [u8], &'a Element)>,
    /// The element for every other key.
    pub catch_all: Option<&'a Element>,
}

impl<'a> Index<'a> {
    /// Builds the index.
    pub fn new(filter: &'a PacketFilter) -> Self {
        let mut index = Self {
            chains: HashMap::new(),
            sets: HashMap::new(),
            legacy: Vec::new(),
        };
        for (at, table) in filter.tables.iter().enumerate() {
            for (chain, one) in table.chains.iter().enumerate() {
                index.chains.insert((at, &one.name), chain);
            }
            for set in &table.sets {
                let ready = ready_of(set);
                index.sets.insert((at, &set.name), Prepared { set, ready });
            }
        }
        for table in &filter.legacy {
            let offsets = table
                .entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.offset, at));
            index.legacy.push(offsets.collect());
        }
        index
    }

    /// A chain of a table, by its name.
    pub fn chain(&self, table: usize, name: &[u8]) -> Option<usize> {
        self.chains.get(&(table, name)).copied()
    }

    /// A set of a table.
    pub fn set(&self, table: usize, name: &'a [u8]) -> Option<(&'a Set, &Ready<'a>)> {
        let prepared = self.sets.get(&(table, name))?;
        Some((prepared.set, &prepared.ready))
    }

    /// A rule of iptables-legacy, by its offset.
    pub fn legacy(&self, table: usize, offset: u32) -> Option<usize> {
        self.legacy.get(table)?.get(&offset).copied()
    }
}

fn ready_of(set: &Set) -> Ready<'_> {
    let mut ready = Ready {
        exact: HashMap::new(),
        intervals: Vec::new(),
        ranges: Vec::new(),
        catch_all: set.elements.iter().find(|element| element.is_catch_all),
    };
    let elements = set.elements.iter().filter(|element| !element.is_catch_all);
    if !set.has(Set::INTERVAL) {
        ready.exact = elements.map(|element| (&*element.key, element)).collect();
        return ready;
    }
    let (ranges, points): (Vec<_>, Vec<_>) = elements.partition(|element| element.key_end.is_some());
    ready.ranges = ranges
        .into_iter()
        .filter_map(|element| Some((&*element.key, element.key_end.as_deref()?, element)))
        .collect();
    if set.has(Set::CONCAT) {
        // In a concatenation of intervals, a single key has no end.
        ready.ranges.extend(
            points
                .into_iter()
                .map(|element| (&*element.key, &*element.key, element)),
        );
        return ready;
    }
    let mut points = points;
    // Where one interval ends and the next begins, the end comes first.
    points.sort_by_key(|element| (&*element.key, !element.is_end));
    for (at, element) in points.iter().enumerate() {
        if !element.is_end {
            let end = points.get(at + 1).map(|next| &*next.key);
            ready.intervals.push((&element.key, end, element));
        }
    }
    ready
}
