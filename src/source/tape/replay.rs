//! The contents of a recording, ready for lookups.
//!
//! Records are kept in one buffer, packed as in the file, with an index of positions sorted by kind and key. So a file
//! of small records takes little more memory than its size.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::codec::{self, Recordable};
use super::format::{Kind, Record};
use super::{LOOK, asked, here};

/// The contents of a recording.
#[derive(Debug, Default)]
pub struct Replay {
    /// For each record: its kind, the lengths of key and value, and these two.
    bytes: Vec<u8>,
    /// Where each record begins, sorted by kind and key; records with the same key are in file order.
    index: Vec<u32>,
    /// How many answers were taken for each key, by its first position in the index.
    taken: BTreeMap<usize, usize>,
    /// Number of answers that were not of the expected type.
    pub(super) odd: u64,
    /// Where each look ends, and when it was made; empty if the recording holds a single one.
    looks: Vec<(u32, SystemTime)>,
    /// The current look; the last if `None`.
    look: Option<usize>,
    /// The looks during which owners were searched for.
    searched: Vec<usize>,
}

/// Kind and lengths.
const HEAD_BYTES: usize = 9;

impl Replay {
    /// Creates a replay of these records.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut replay = Self::default();
        for record in records {
            replay.add(&record);
        }
        replay.sorted()
    }

    /// Adds a record; [`Replay::sorted`] must follow. The size of a file is limited so that positions fit into 32 bits.
    pub(super) fn add(&mut self, record: &Record) {
        let lengths = [&record.key, &record.value].map(|bytes| u32::try_from(bytes.len()));
        let ([Ok(key), Ok(value)], Ok(at)) = (lengths, u32::try_from(self.bytes.len())) else {
            return;
        };
        if record.kind == Kind::Fact && record.key == LOOK {
            self.looks
                .extend(codec::decoded(&record.value).map(|time| (at, time)));
            return;
        }
        let look = self.looks.len();
        if matches!(record.kind, Kind::Walk | Kind::Bpf) && self.searched.last() != Some(&look) {
            self.searched.push(look);
        }
        self.index.push(at);
        self.bytes.push(record.kind as u8);
        self.bytes.extend_from_slice(&key.to_ne_bytes());
        self.bytes.extend_from_slice(&value.to_ne_bytes());
        self.bytes.extend_from_slice(&record.key);
        self.bytes.extend_from_slice(&record.value);
    }

    /// The same, ready for look-ups.
    pub(super) fn sorted(mut self) -> Self {
        let mut index = std::mem::take(&mut self.index);
        // A later record has a later position.
        index.sort_unstable_by_key(|at| (self.place(*at), *at));
        self.index = index;
        self
    }

    /// Kind, key and value of the record at a position.
    fn record(&self, at: u32) -> (u8, &[u8], &[u8]) {
        let record = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..));
        let Some((head, rest)) = record.and_then(<[u8]>::split_first_chunk::<HEAD_BYTES>) else {
            return (0, &[], &[]);
        };
        let [kind, a, b, c, d, value @ ..] = *head;
        let length = |bytes: [u8; 4]| usize::try_from(u32::from_ne_bytes(bytes)).unwrap_or(usize::MAX);
        let (key, rest) = rest.split_at_checked(length([a, b, c, d])).unwrap_or_default();
        (kind, key, rest.get(..length(value)).unwrap_or_default())
    }

    /// The sort key of records.
    fn place(&self, at: u32) -> (u8, &[u8]) {
        let (kind, key, _) = self.record(at);
        (kind, key)
    }

    /// The position in the index of the first record with this key, and how many there are.
    fn find(&self, kind: Kind, key: &[u8]) -> Option<(usize, usize)> {
        let wanted = (kind as u8, key);
        let first = self.index.partition_point(|at| self.place(*at) < wanted);
        self.present(first, self.count(first, wanted))
    }

    /// How many records from this position in the index on have this kind and key.
    fn count(&self, first: usize, wanted: (u8, &[u8])) -> usize {
        let rest = self.index.get(first..).unwrap_or_default();
        rest.partition_point(|at| self.place(*at) == wanted)
    }

    /// The records of one key that apply to the current look: those of this look or, except for sockets, of the last
    /// earlier look that had any.
    fn present(&self, first: usize, count: usize) -> Option<(usize, usize)> {
        let of_key = self.index.get(first..first + count)?;
        let Some(present) = self.present_look() else {
            return Some((first, count)).filter(|_| count > 0);
        };
        let end_of = |look: usize| self.looks.get(look).map_or(0, |(end, _)| *end);
        let end = of_key.partition_point(|at| *at < end_of(present));
        let last = of_key.get(..end)?.last()?;
        let look = self.looks.partition_point(|(end, _)| end <= last);
        let (kind, key, _) = self.record(*last);
        if look < present && kind == Kind::Netlink as u8 && asked::is_of_sockets(key) {
            return None;
        }
        let begin = look.checked_sub(1).map_or(0, end_of);
        let begin = of_key.partition_point(|at| *at < begin);
        Some((first + begin, end - begin))
    }

    /// The current look; `None` if there is a single one.
    fn present_look(&self) -> Option<usize> {
        let last = self.looks.len().checked_sub(1)?;
        Some(self.look.unwrap_or(last))
    }

    /// When each look was made.
    pub(super) fn looks(&self) -> impl Iterator<Item = SystemTime> + '_ {
        self.looks.iter().map(|(_, time)| *time)
    }

    /// When the current look was made; `None` if there is a single one.
    pub(super) fn time(&self) -> Option<SystemTime> {
        self.looks.get(self.present_look()?).map(|(_, time)| *time)
    }

    /// Whether owners were searched for during the current look.
    pub(super) fn has_searched(&self) -> bool {
        let present = self.present_look().unwrap_or(0);
        self.searched.binary_search(&present).is_ok()
    }

    /// Makes this look the current one.
    pub(super) fn turn_to(&mut self, look: usize) {
        self.look = Some(look);
        self.taken.clear();
    }

    /// Returns whether there is an answer for a key.
    pub(super) fn has(&self, kind: Kind, key: &[u8]) -> bool {
        self.find(kind, &here(key)).is_some()
    }

    /// Returns the next answer for a key, or the last one again if there are no more. `None` if the recording has none
    /// or it cannot be decoded.
    pub fn answer<T: Recordable>(&mut self, kind: Kind, key: &[u8]) -> Option<T> {
        let (first, count) = self.find(kind, &here(key))?;
        let taken = self.taken.entry(first).or_default();
        let at = first + (*taken).min(count - 1);
        *taken += 1;
        let (_, _, value) = self.record(*self.index.get(at)?);
        let decoded = codec::decoded(value);
        self.odd += u64::from(decoded.is_none());
        decoded
    }

    /// Returns every answer of this kind, with its key.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut next = self.index.partition_point(|at| self.record(*at).0 < kind as u8);
        let mut found = Vec::new();
        while let Some(at) = self.index.get(next)
            && self.record(*at).0 == kind as u8
        {
            let count = self.count(next, self.place(*at));
            if let Some((first, count)) = self.present(next, count) {
                found.extend(self.index.get(first..first + count).unwrap_or_default());
            }
            next += count;
        }
        found.into_iter().map(|at| {
            let (_, key, value) = self.record(at);
            (key, value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Kind, key: &str, value: &impl Recordable) -> Record {
        Record {
            kind,
            key: key.as_bytes().to_vec(),
            value: codec::encoded(value),
        }
    }

    #[test]
    fn answers_come_in_order_and_the_last_one_is_repeated() {
        let mut replay = Replay::of([
            record(Kind::Fact, "a", &1u32),
            record(Kind::File, "a", &7u32),
            record(Kind::Fact, "b", &3u32),
            record(Kind::Fact, "a", &2u32),
        ]);
        let asked: Vec<Option<u32>> = (0..3).map(|_| replay.answer(Kind::Fact, b"a")).collect();
        assert_eq!(asked, [Some(1), Some(2), Some(2)]);
        assert_eq!(replay.answer::<u32>(Kind::Fact, b"b"), Some(3));
        assert_eq!(replay.answer::<u32>(Kind::Fact, b"c"), None);
        assert_eq!(replay.answer::<u32>(Kind::Link, b"a"), None);
        assert!(replay.has(Kind::File, b"a") && !replay.has(Kind::File, b"b"));
        let keys: Vec<_> = replay.all(Kind::Fact).map(|(key, _)| key.to_vec()).collect();
        assert_eq!(keys, [b"a", b"a", b"b"]);
        assert_eq!(replay.all(Kind::Directory).count(), 0);
        assert_eq!(replay.odd, 0);
    }

    #[test]
    fn an_answer_of_another_type_is_none_and_counted() {
        let mut replay = Replay::of([record(Kind::Fact, "a", &1u32)]);
        assert_eq!(replay.answer::<String>(Kind::Fact, b"a"), None);
        assert_eq!(replay.odd, 1);
    }

    #[test]
    fn small_records_take_little_more_memory_than_in_the_file() {
        let replay = Replay::of((0..100_000).map(|number| Record {
            kind: Kind::File,
            key: format!("{number}").into_bytes(),
            value: Vec::new(),
        }));
        let in_file: usize = (0..100_000)
            .map(|number: u32| HEAD_BYTES + number.to_string().len())
            .sum();
        assert_eq!(replay.bytes.len(), in_file);
        assert_eq!(replay.index.len(), 100_000);
    }

    #[test]
    fn a_look_answers_with_its_own_records_or_earlier_ones() {
        let time = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let look = |seconds| record(Kind::Fact, "look", &time(seconds));
        let mut replay = Replay::of([
            record(Kind::Fact, "before", &1u32),
            record(Kind::File, "twice", &10u32),
            record(Kind::File, "twice", &11u32),
            record(Kind::File, "once", &12u32),
            look(10),
            record(Kind::File, "twice", &20u32),
            record(Kind::Walk, "all", &true),
            record(Kind::Walk, "new", &true),
            look(20),
            record(Kind::File, "late", &30u32),
            look(30),
            record(Kind::File, "once", &40u32),
        ]);
        assert_eq!(replay.looks().collect::<Vec<_>>(), [10, 20, 30].map(time));
        assert!(!replay.has_searched());
        assert_eq!(
            replay.time(),
            Some(time(30)),
            "the last one, unless another is wanted"
        );
        let answers = |replay: &mut Replay, key: &str| {
            let all: Vec<u32> = replay
                .all(Kind::File)
                .filter(|(of, _)| *of == key.as_bytes())
                .filter_map(|(_, value)| codec::decoded(value))
                .collect();
            let asked: Vec<u32> = (0..2)
                .filter_map(|_| replay.answer(Kind::File, key.as_bytes()))
                .collect();
            (asked, all)
        };
        assert_eq!(answers(&mut replay, "twice"), (vec![20, 20], vec![20]));
        assert_eq!(answers(&mut replay, "late"), (vec![30, 30], vec![30]));
        replay.turn_to(0);
        assert_eq!(answers(&mut replay, "twice"), (vec![10, 11], vec![10, 11]));
        assert_eq!(answers(&mut replay, "late"), (vec![], vec![]));
        assert!(!replay.has_searched());
        replay.turn_to(1);
        assert!(replay.has_searched());
        assert_eq!(answers(&mut replay, "twice"), (vec![20, 20], vec![20]));
        assert_eq!(answers(&mut replay, "once"), (vec![12, 12], vec![12]));
        assert_eq!(replay.answer(Kind::Fact, b"before"), Some(1u32));
        replay.turn_to(2);
        let once = answers(&mut replay, "once").0;
        assert_eq!(once, [12, 12], "a look without an end does not count");
    }
}
