//! Which sockets the filter lets go although they still exist: what it requires of them may change (queues, states,
//! owners), and that is no end.

use std::collections::{BTreeSet, HashSet};

use super::Scope;
use crate::model::{Key, Socket, Store};

/// The sockets that matched at the last look, and those that matched once and still exist.
#[derive(Debug, Default)]
pub(super) struct Matching {
    shown: HashSet<Key>,
    hidden: HashSet<Key>,
    rejected: HashSet<Key>,
}

impl Matching {
    /// Takes a socket that this look found and that does not match.
    pub(super) fn reject(&mut self, socket: &Socket) {
        if let Some(key) = socket.identity()
            && (self.shown.contains(&key) || self.hidden.contains(&key))
        {
            self.rejected.insert(key);
        }
    }

    /// Takes the sockets that match. Returns those that were shown, still exist and no longer match, and those that
    /// match again. A look at a part of the sockets says nothing about the others.
    pub(super) fn end(&mut self, matches: &Store, scope: Scope) -> (BTreeSet<Key>, BTreeSet<Key>) {
        let rejected = std::mem::take(&mut self.rejected);
        let left: BTreeSet<Key> = rejected.intersection(&self.shown).copied().collect();
        let keys = || matches.keys().map(|(key, _)| key);
        let returned: BTreeSet<Key> = keys().filter(|key| self.hidden.contains(key)).collect();
        if scope == Scope::All {
            self.shown.clear();
            self.hidden.clear();
        }
        self.shown.retain(|key| !left.contains(key));
        self.shown.extend(keys());
        self.hidden.retain(|key| !returned.contains(key));
        self.hidden.extend(rejected);
        (left, returned)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::model::{Protocol, State};
    use crate::query::samples::tcp;

    fn socket(cookie: u64) -> Socket {
        Socket {
            cookie: NonZeroU64::new(cookie),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::Established)
        }
    }

    fn keys(cookies: &[u64]) -> BTreeSet<Key> {
        let key = |cookie: &u64| (Protocol::Tcp, NonZeroU64::new(*cookie).unwrap());
        cookies.iter().map(key).collect()
    }

    #[test]
    fn a_socket_that_no_longer_matches_has_left_and_may_return_unless_it_closed() {
        let mut matching = Matching::default();
        let mut look = |scope: Scope, matches: &[u64], others: &[u64]| {
            for cookie in others {
                matching.reject(&socket(*cookie));
            }
            let matches: Vec<Socket> = matches.iter().map(|cookie| socket(*cookie)).collect();
            matching.end(&Store::of(&matches), scope)
        };
        let none = || (keys(&[]), keys(&[]));
        assert_eq!(look(Scope::All, &[1, 2, 3], &[4]), none());
        // 2 no longer matches, 3 is closed, and 4 has never been shown.
        assert_eq!(look(Scope::All, &[1], &[2, 4]), (keys(&[2]), keys(&[])));
        assert_eq!(look(Scope::Waiting, &[], &[]), none());
        assert_eq!(look(Scope::All, &[1, 2, 4], &[]), (keys(&[]), keys(&[2])));
        assert_eq!(look(Scope::Waiting, &[], &[1]), (keys(&[1]), keys(&[])));
        assert_eq!(look(Scope::Waiting, &[1], &[]), (keys(&[]), keys(&[1])));
        // 2 closes while it is hidden: what comes later is another socket.
        assert_eq!(look(Scope::All, &[1], &[2]), (keys(&[2]), keys(&[])));
        assert_eq!(look(Scope::All, &[1], &[]), none());
        assert_eq!(look(Scope::All, &[1, 2], &[]), none());
    }
}
