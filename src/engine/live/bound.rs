//! TCP sockets that are bound but not listening. To find them, the kernel walks through all connections once more, so
//! most looks reuse the result of an earlier one.

use crate::model::{Key, Socket, State, Store};

/// If there are more than this, every look reads them.
const BOUND_MAX: usize = 1000;

/// The bound sockets found by the last look that read them.
#[derive(Debug, Default)]
pub(super) struct Bound {
    sockets: Option<Vec<Socket>>,
}

impl Bound {
    /// The sockets, for a look that does not read them; `None` if it has to.
    pub(super) fn known(&self) -> Option<Vec<Socket>> {
        self.sockets.clone()
    }

    /// Forgets the sockets, so that the next look reads them.
    pub(super) fn forget(&mut self) {
        self.sockets = None;
    }

    /// Removes a socket that was freed.
    pub(super) fn freed(&mut self, key: Key) {
        if let Some(sockets) = &mut self.sockets {
            sockets.retain(|socket| socket.identity() != Some(key));
        }
    }

    /// Keeps the sockets that the look did not find in another state.
    pub(super) fn still(sockets: Vec<Socket>, look: &Store) -> Vec<Socket> {
        let is_elsewhere = |socket: &Socket| socket.identity().is_some_and(|key| look.contains(key));
        sockets
            .into_iter()
            .filter(|socket| !is_elsewhere(socket))
            .collect()
    }

    /// Takes the bound sockets from a look at all sockets.
    pub(super) fn take(&mut self, look: &Store) {
        let keys: Vec<Key> = look
            .keys()
            .filter(|(_, state)| *state == State::Bound)
            .map(|(key, _)| key)
            .take(BOUND_MAX + 1)
            .collect();
        let sockets = keys.iter().filter_map(|key| look.get(*key));
        self.sockets = (keys.len() <= BOUND_MAX).then(|| sockets.collect());
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::query::samples::tcp;

    fn socket(cookie: u64, state: State) -> Socket {
        Socket {
            cookie: NonZeroU64::new(cookie),
            ..tcp("10.0.0.1", 80, "0.0.0.0", 0, state)
        }
    }

    #[test]
    fn bound_sockets_are_known_until_they_are_freed_or_do_something_else() {
        let mut bound = Bound::default();
        assert!(bound.known().is_none());
        let look = [1, 2, 3].map(|cookie| socket(cookie, State::Bound));
        bound.take(&Store::of(&[&look[..], &[socket(4, State::Listen)]].concat()));
        bound.freed(look[0].identity().unwrap());
        let known = bound.known().unwrap();
        assert_eq!(known, look[1..]);
        let later = Store::of(&[socket(2, State::Listen)]);
        assert_eq!(Bound::still(known, &later), look[2..]);
        let many: Vec<Socket> = (1..1100).map(|cookie| socket(cookie, State::Bound)).collect();
        bound.take(&Store::of(&many));
        assert!(bound.known().is_none());
    }
}
