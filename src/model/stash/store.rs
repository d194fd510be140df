//! Packed storage for sockets that are kept for a long time and found by identity: the tables of `events` and the live
//! screen.

use std::borrow::Cow;
use std::num::NonZeroU64;

use super::bytes::{take, take32, take64};
use super::{COOKIE, DEAD, Position, Stash, protocol_of, state_of};
use crate::model::{Protocol, Socket, State};

/// What identifies a socket for as long as the machine runs.
pub type Key = (Protocol, NonZeroU64);

/// How many bytes of removed records are tolerated before the store is packed again.
const DEAD_BYTES: usize = 64 * 1024;
/// The size of the record of an idle IPv4 connection.
const RECORD_BYTES: usize = 48;
/// The minimum number of slots in an index.
const SLOTS_MIN: usize = 64;

/// Sockets by key: one record each, as in a [`Stash`], and about six bytes of index.
#[derive(Clone, Debug, Default)]
pub struct Store {
    records: Stash,
    /// Position + 1 of a record, 0 for a free slot: open addressing, at most four fifths full.
    slots: Vec<u32>,
    count: usize,
    dead_bytes: usize,
}

impl Store {
    /// An empty store with room for this many plain sockets.
    pub fn with_room(sockets: usize) -> Self {
        let mut store = Self::default();
        if sockets > 0 {
            store.records.bytes.reserve(sockets * RECORD_BYTES);
            store.slots = vec![0; (sockets * 5 / 4 + 1).next_power_of_two().max(SLOTS_MIN)];
        }
        store
    }

    /// Packs sockets; of two with the same key, the later one is kept.
    pub fn of<'a>(sockets: impl IntoIterator<Item = &'a Socket>) -> Self {
        let mut store = Self::default();
        for socket in sockets {
            store.insert(socket);
        }
        store
    }

    /// Returns the number of sockets.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns whether the other has the same sockets in the same order, and nothing was removed from either.
    pub fn is_same(&self, other: &Self) -> bool {
        self.count == other.count && self.records.bytes == other.records.bytes
    }

    /// Returns the memory it takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.records.bytes.len() + self.slots.len() * size_of::<u32>()
    }

    /// Adds a socket, or replaces the one with the same key. A socket without a key ([`Socket::identity`]) is not kept;
    /// then returns false.
    pub fn insert(&mut self, socket: &Socket) -> bool {
        let Some(key) = socket.identity() else {
            return false;
        };
        let Ok(position) = u32::try_from(self.records.bytes.len() + 1) else {
            return false;
        };
        if (self.count + 1) * 5 > self.slots.len() * 4 {
            self.grow();
        }
        let slot = self.slot_of(key);
        self.records.push(socket);
        match self.position(slot) {
            Some(old) => self.mark_dead(old),
            None => self.count += 1,
        }
        self.slots[slot] = position;
        self.pack_if_worth();
        true
    }

    /// Removes a socket, and returns it.
    pub fn remove(&mut self, key: Key) -> Option<Socket> {
        let socket = self.get(key)?;
        let mut hole = self.slot_of(key);
        let position = self.position(hole)?;
        self.mark_dead(position);
        self.count -= 1;
        // Entries that were placed further on because its slot was taken move back.
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let Some(position) = self.position(at) else { break };
            let home = self.home(self.key_at(position));
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
        }
        self.slots[hole] = 0;
        self.pack_if_worth();
        Some(socket)
    }

    /// Returns whether there is such a socket.
    pub fn contains(&self, key: Key) -> bool {
        self.find(key).is_some()
    }

    /// Returns a socket.
    pub fn get(&self, key: Key) -> Option<Socket> {
        let mut socket = Socket::BLANK;
        self.read(key, &mut socket).then_some(socket)
    }

    /// Unpacks a socket into `slot`; if there is none, returns false and leaves the slot unchanged.
    pub fn read(&self, key: Key, slot: &mut Socket) -> bool {
        self.find(key)
            .is_some_and(|position| self.records.reader_from(position).next_into(slot))
    }

    /// Returns the state of a socket.
    pub fn state(&self, key: Key) -> Option<State> {
        self.find(key).map(|position| self.state_at(position))
    }

    /// Returns the keys and states of all sockets, in insertion order.
    pub fn keys(&self) -> impl Iterator<Item = (Key, State)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let mut record = self.records.bytes.get(at..).filter(|rest| !rest.is_empty())?;
                let position = Position(at);
                at += (take32(&mut record) as usize).max(1);
                take::<8>(&mut record);
                if take32(&mut record) & DEAD == 0 {
                    return Some((self.key_at(position), self.state_at(position)));
                }
            }
        })
    }

    /// Unpacks every socket in turn, in insertion order.
    pub fn each(&self, mut visit: impl FnMut(&Socket)) {
        let mut slot = Socket::BLANK;
        let mut reader = self.records.reader();
        loop {
            let is_dead = self.is_dead(reader.position());
            if !reader.next_into(&mut slot) {
                return;
            }
            if !is_dead {
                visit(&slot);
            }
        }
    }

    /// Returns the records, which are copied only if some were removed.
    pub fn as_stash(&self) -> Cow<'_, Stash> {
        if self.dead_bytes == 0 {
            return Cow::Borrowed(&self.records);
        }
        let mut stash = Stash::default();
        self.each(|socket| stash.push(socket));
        Cow::Owned(stash)
    }

    fn is_dead(&self, position: Position) -> bool {
        let mut record = self.records.bytes.get(position.0 + 12..).unwrap_or_default();
        take32(&mut record) & DEAD != 0
    }

    fn mark_dead(&mut self, position: Position) {
        let bytes = &mut self.records.bytes;
        let mut record = bytes.get(position.0..).unwrap_or_default();
        self.dead_bytes += take32(&mut record) as usize;
        take::<8>(&mut record);
        let flags = take32(&mut record) | DEAD;
        if let Some(place) = bytes.get_mut(position.0 + 12..position.0 + 16) {
            place.copy_from_slice(&flags.to_ne_bytes());
        }
    }

    fn pack_if_worth(&mut self) {
        if self.dead_bytes > DEAD_BYTES && self.dead_bytes * 2 > self.records.bytes.len() {
            let mut packed = Self::default();
            self.each(|socket| {
                packed.insert(socket);
            });
            *self = packed;
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(SLOTS_MIN);
        let before = std::mem::replace(&mut self.slots, vec![0; slots]);
        for position in before {
            if let Some(start) = position.checked_sub(1) {
                let slot = self.slot_of(self.key_at(Position(start as usize)));
                self.slots[slot] = position;
            }
        }
    }

    fn find(&self, key: Key) -> Option<Position> {
        if self.slots.is_empty() {
            return None;
        }
        self.position(self.slot_of(key))
    }

    /// The slot of `key`, or the free slot where it belongs. The table is never full.
    fn slot_of(&self, key: Key) -> usize {
        let mut slot = self.home(key);
        while let Some(position) = self.position(slot) {
            if self.key_at(position) == key {
                break;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        slot
    }

    /// Cookies are consecutive: the product spreads them.
    fn home(&self, key: Key) -> usize {
        let hash = key.1.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(hash).unwrap_or(0) & (self.slots.len() - 1)
    }

    fn position(&self, slot: usize) -> Option<Position> {
        let position = self.slots.get(slot)?.checked_sub(1)?;
        Some(Position(position as usize))
    }

    /// Every record here has a cookie, which is the first part after the head.
    fn key_at(&self, position: Position) -> Key {
        let mut record = self.records.bytes.get(position.0 + 8..).unwrap_or_default();
        let [protocol, ..] = take::<4>(&mut record);
        let has_cookie = take32(&mut record) & COOKIE != 0;
        let cookie = if has_cookie { take64(&mut record) } else { 0 };
        (
            protocol_of(protocol),
            NonZeroU64::new(cookie).unwrap_or(NonZeroU64::MAX),
        )
    }

    fn state_at(&self, position: Position) -> State {
        let mut record = self.records.bytes.get(position.0 + 8..).unwrap_or_default();
        let [_, state, ..] = take::<4>(&mut record);
        state_of(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::samples::tcp;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn socket(cookie: u64, port: u16) -> Socket {
        Socket {
            cookie: NonZeroU64::new(cookie),
            ..tcp("10.0.0.1", port, "10.0.0.2", 443, State::Established)
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_btree_map(steps in proptest::collection::vec((1u64..200, any::<u16>(), 0u8..3), 0..2000)) {
            let mut store = Store::default();
            let mut plain: BTreeMap<Key, Socket> = BTreeMap::new();
            for (cookie, port, step) in steps {
                let socket = socket(cookie, port);
                let key = socket.identity().unwrap();
                if step == 0 {
                    prop_assert_eq!(store.remove(key), plain.remove(&key));
                } else {
                    prop_assert!(store.insert(&socket));
                    plain.insert(key, socket);
                }
                prop_assert_eq!(store.len(), plain.len());
            }
            let mut all = BTreeMap::new();
            store.each(|socket| {
                assert!(all.insert(socket.identity().unwrap(), socket.clone()).is_none());
            });
            let keys: BTreeMap<Key, State> = store.keys().collect();
            prop_assert_eq!(keys.len(), plain.len());
            prop_assert_eq!(&all, &plain);
            for key in plain.keys() {
                prop_assert_eq!(store.get(*key), plain.get(key).cloned());
                prop_assert_eq!(store.state(*key), Some(State::Established));
            }
        }
    }

    #[test]
    fn a_connection_takes_about_sixty_bytes_and_removed_ones_none() {
        let mut store = Store::default();
        for cookie in 1..=20_000 {
            store.insert(&socket(cookie, 80));
        }
        let bytes_each = store.size_bytes() / store.len();
        assert!((40..=64).contains(&bytes_each), "{bytes_each}");
        for cookie in 1..20_000 {
            store.remove((Protocol::Tcp, NonZeroU64::new(cookie).unwrap()));
        }
        assert_eq!(store.len(), 1);
        assert!(store.size_bytes() < 400_000, "{}", store.size_bytes());
    }

    #[test]
    fn the_stash_has_the_records_that_were_not_removed() {
        let mut store = Store::default();
        for cookie in 1..=3 {
            store.insert(&socket(cookie, 80));
        }
        assert!(matches!(store.as_stash(), Cow::Borrowed(_)));
        store.remove((Protocol::Tcp, NonZeroU64::MIN));
        assert_eq!(store.as_stash().len(), 2);
    }

    #[test]
    fn a_socket_without_a_cookie_is_not_kept() {
        let mut store = Store::default();
        assert!(!store.insert(&socket(0, 80)));
        assert!(store.is_empty() && !store.contains((Protocol::Tcp, NonZeroU64::MIN)));
    }
}
