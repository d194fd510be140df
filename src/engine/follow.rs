//! Derives events from two looks at the tables and from the kernel's messages in between. Pure.
//!
//! A socket is followed by its cookie, from the look that first shows it until the kernel reports that it was freed, or
//! a look no longer shows it. What remains of a connection after that (TIME-WAIT, and FIN-WAIT-2 without a program)
//! keeps the cookie, but no program holds it: it is followed only on request.

use std::collections::BTreeSet;

use crate::model::{Key, Socket, State, Store, TimerKind};

/// How many missed sockets are remembered: a report that was lost never comes.
const MISSED_MAX: usize = 16 * 1024;

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The previous look did not show it.
    Opened,
    /// Its state was this one.
    Changed(State),
    /// It is gone. The socket is what was last known, and has its last state.
    Closed,
    /// It is gone, and no look had shown it: only what the kernel reported at its end is known.
    ClosedUnseen,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub happened: Happened,
    /// The socket that it happened to.
    pub socket: Socket,
}

/// The sockets known to exist.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    known: Store,
    /// Those that a look missed first: the kernel's report comes later, at times after further looks (it is sent from a
    /// work queue), and must not end them again.
    missed: BTreeSet<Key>,
    /// Whether remains of connections are followed too.
    remains: bool,
    /// Whether a socket that its program closed keeps the inode by which that program was found.
    keeps_inode: bool,
}

impl Followed {
    /// Follows what programs hold, and remembers who held what they closed.
    pub fn owned() -> Self {
        Self {
            keeps_inode: true,
            ..Self::default()
        }
    }

    /// Follows sockets as they are; also the remains of connections if these are wanted.
    pub fn shown(remains: bool) -> Self {
        Self {
            remains,
            ..Self::default()
        }
    }

    /// The sockets.
    pub fn known(&self) -> &Store {
        &self.known
    }

    /// Takes the first look: existing sockets are not events.
    pub fn begin(&mut self, look: Store) {
        self.known = self.wanted(look);
        self.missed.clear();
    }

    /// The kernel reports that a socket was freed, and no look is in progress. `None` if that was reported before.
    pub fn freed(&mut self, message: Socket) -> Option<Event> {
        let key = message.identity()?;
        if self.missed.remove(&key) {
            return None;
        }
        Some(match self.known.remove(key) {
            Some(known) => closed(known, &message),
            None => Event {
                happened: Happened::ClosedUnseen,
                socket: message,
            },
        })
    }

    /// Takes another look, and what the kernel reported about freed sockets since the look began.
    pub fn look(&mut self, look: Store, freed_meanwhile: Vec<Socket>) -> Vec<Event> {
        let mut now = self.wanted(look);
        let mut events = self.ended(&mut now, freed_meanwhile);
        self.compare(&now, &mut events, |_, _| true);
        if self.keeps_inode {
            // A program that closed its socket is no longer its owner, but it was.
            let mut closed = Vec::new();
            now.each(|socket| {
                if socket.inode.is_none()
                    && let Some(before) = socket.identity().and_then(|key| self.known.get(key))
                    && before.inode.is_some()
                {
                    closed.push(Socket {
                        inode: before.inode,
                        ..socket.clone()
                    });
                }
            });
            for socket in closed {
                now.insert(&socket);
            }
        }
        self.known = now;
        events
    }

    /// Takes a look at the sockets for which `covers` is true; the others stay as they are.
    pub fn part(
        &mut self,
        look: Store,
        freed_meanwhile: Vec<Socket>,
        covers: impl Fn(Key, State) -> bool,
    ) -> Vec<Event> {
        let mut now = self.wanted(look);
        let mut events = self.ended(&mut now, freed_meanwhile);
        let gone = self.compare(&now, &mut events, covers);
        for key in gone {
            self.known.remove(key);
        }
        now.each(|socket| {
            self.known.insert(socket);
        });
        events
    }

    /// Undoes an event: the sockets are as they were before it.
    pub fn undo(&mut self, event: &Event) {
        let Some(key) = event.socket.identity() else {
            return;
        };
        match event.happened {
            Happened::Opened => drop(self.known.remove(key)),
            Happened::Closed => drop(self.known.insert(&event.socket)),
            Happened::Changed(from) => {
                if let Some(now) = self.known.get(key) {
                    self.known.insert(&Socket { state: from, ..now });
                }
            }
            Happened::ClosedUnseen => {}
        }
    }

    /// A socket that was freed during the look is gone, although the look may have seen it before: it was opened
    /// in between.
    fn ended(&mut self, now: &mut Store, freed: Vec<Socket>) -> Vec<Event> {
        let mut events = Vec::new();
        for message in freed {
            let Some(key) = message.identity() else { continue };
            if let Some(socket) = now.remove(key)
                && !self.known.contains(key)
            {
                self.known.insert(&socket);
                events.push(Event {
                    happened: Happened::Opened,
                    socket,
                });
            }
            events.extend(self.freed(message));
        }
        events
    }

    /// Adds what differs, in the order of keys; returns those that are gone.
    fn compare(
        &mut self,
        now: &Store,
        events: &mut Vec<Event>,
        covers: impl Fn(Key, State) -> bool,
    ) -> Vec<Key> {
        let mut found = 0;
        let happened = |(key, state): (Key, State)| match self.known.state(key) {
            None => Some((key, Happened::Opened)),
            Some(before) => {
                found += 1;
                (before != state).then_some((key, Happened::Changed(before)))
            }
        };
        let mut new: Vec<(Key, Happened)> = now.keys().filter_map(happened).collect();
        new.sort_unstable_by_key(|(key, _)| *key);
        let is_gone = |(key, state): &(Key, State)| covers(*key, *state) && !now.contains(*key);
        let mut gone: Vec<Key> = Vec::new();
        // Most sockets that ended were reported by the kernel, and are not known any more.
        if found < self.known.len() {
            gone.extend(self.known.keys().filter(is_gone).map(|(key, _)| key));
            gone.sort_unstable();
        }
        for key in &gone {
            if key.0.end_is_reported() {
                self.missed.insert(*key);
            }
            events.extend(self.known.get(*key).map(|socket| Event {
                happened: Happened::Closed,
                socket,
            }));
        }
        while self.missed.len() > MISSED_MAX {
            // The oldest socket: the kernel counts cookies upwards.
            self.missed.pop_first();
        }
        for (key, happened) in new {
            // It was between two tables when a look missed it.
            self.missed.remove(&key);
            events.extend(now.get(key).map(|socket| Event { happened, socket }));
        }
        gone
    }

    /// The sockets that are followed.
    fn wanted(&self, mut look: Store) -> Store {
        if !self.remains {
            let may_be = |(_, state): &(Key, State)| matches!(state, State::TimeWait | State::FinWait2);
            let keys: Vec<Key> = look.keys().filter(may_be).map(|(key, _)| key).collect();
            for key in keys {
                if look.get(key).is_some_and(|socket| is_remains(&socket)) {
                    look.remove(key);
                }
            }
        }
        look
    }
}

/// Whether the kernel keeps no more than the addresses.
fn is_remains(socket: &Socket) -> bool {
    let of_time_wait = socket
        .timer
        .is_some_and(|timer| timer.kind == TimerKind::TimeWait);
    socket.state == State::TimeWait || (socket.state == State::FinWait2 && of_time_wait)
}

/// Its owner and state are known from before; the message has its last counters.
fn closed(known: Socket, message: &Socket) -> Event {
    let mut details = message.details.clone();
    for (kind, value) in known.details.iter() {
        if details.get(kind).is_none() {
            details.push(kind, value);
        }
    }
    Event {
        happened: Happened::Closed,
        socket: Socket {
            details,
            drops: message.drops.or(known.drops),
            ..known
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timer;
    use std::num::{NonZeroU32, NonZeroU64};

    fn tcp(cookie: u64, state: State) -> Socket {
        Socket {
            cookie: NonZeroU64::new(cookie),
            inode: NonZeroU32::new(7),
            state,
            ..Socket::BLANK
        }
    }

    fn message(cookie: u64) -> Socket {
        Socket {
            inode: None,
            ..tcp(cookie, State::Unconnected)
        }
    }

    fn told(events: &[Event]) -> Vec<(Happened, u64, State)> {
        let cookie = |socket: &Socket| socket.cookie.unwrap().get();
        events
            .iter()
            .map(|event| (event.happened, cookie(&event.socket), event.socket.state))
            .collect()
    }

    fn following(sockets: &[Socket]) -> Followed {
        let mut followed = Followed::owned();
        followed.begin(Store::of(sockets));
        followed
    }

    #[test]
    fn two_looks_tell_what_opened_changed_and_closed() {
        let mut followed = following(&[
            tcp(1, State::Listen),
            tcp(2, State::Established),
            tcp(3, State::SynSent),
        ]);
        let look = vec![
            tcp(1, State::Listen),
            tcp(3, State::Established),
            tcp(4, State::SynRecv),
        ];
        let events = followed.look(Store::of(&look), Vec::new());
        assert_eq!(
            told(&events),
            [
                (Happened::Closed, 2, State::Established),
                (Happened::Changed(State::SynSent), 3, State::Established),
                (Happened::Opened, 4, State::SynRecv),
            ]
        );
        let again = vec![
            tcp(1, State::Listen),
            tcp(3, State::Established),
            tcp(4, State::SynRecv),
        ];
        assert_eq!(followed.look(Store::of(&again), Vec::new()), []);
    }

    #[test]
    fn a_freed_socket_has_what_was_known_and_is_told_once() {
        let mut followed = following(&[tcp(1, State::CloseWait)]);
        let event = followed.freed(message(1)).unwrap();
        assert_eq!(
            told(std::slice::from_ref(&event)),
            [(Happened::Closed, 1, State::CloseWait)]
        );
        assert_eq!(event.socket.inode, NonZeroU32::new(7));
        assert_eq!(followed.look(Store::default(), Vec::new()), []);
        let unseen = followed.freed(message(9)).unwrap();
        assert_eq!(unseen.happened, Happened::ClosedUnseen);
    }

    #[test]
    fn a_message_that_comes_after_the_look_that_missed_the_socket_is_no_second_event() {
        let mut followed = following(&[tcp(1, State::Established)]);
        assert_eq!(followed.look(Store::default(), Vec::new()).len(), 1);
        // Nor if another look comes first.
        assert_eq!(followed.look(Store::default(), Vec::new()), []);
        assert_eq!(followed.freed(message(1)), None);
        assert_eq!(
            followed.freed(message(1)).unwrap().happened,
            Happened::ClosedUnseen
        );
    }

    #[test]
    fn a_socket_that_a_look_missed_between_two_tables_can_end_again() {
        let mut followed = following(&[tcp(1, State::SynSent)]);
        followed.look(Store::default(), Vec::new());
        followed.look(Store::of(&[tcp(1, State::Established)]), Vec::new());
        assert_eq!(followed.freed(message(1)).unwrap().happened, Happened::Closed);
    }

    #[test]
    fn of_very_many_missed_sockets_the_newest_are_remembered() {
        let count = u64::try_from(MISSED_MAX).unwrap() + 1;
        let sockets: Vec<Socket> = (1..=count)
            .map(|cookie| tcp(cookie, State::Established))
            .collect();
        let mut followed = following(&sockets);
        followed.look(Store::default(), Vec::new());
        assert_eq!(followed.freed(message(2)), None);
        assert_eq!(followed.freed(message(count)), None);
        assert_eq!(
            followed.freed(message(1)).unwrap().happened,
            Happened::ClosedUnseen
        );
    }

    #[test]
    fn what_was_freed_during_the_look_is_not_there_although_the_look_saw_it() {
        let mut followed = following(&[tcp(1, State::Established)]);
        let look = vec![tcp(1, State::Established), tcp(2, State::Established)];
        let events = followed.look(Store::of(&look), vec![message(2), message(1), message(3)]);
        assert_eq!(
            told(&events),
            [
                (Happened::Opened, 2, State::Established),
                (Happened::Closed, 2, State::Established),
                (Happened::Closed, 1, State::Established),
                (Happened::ClosedUnseen, 3, State::Unconnected),
            ]
        );
        assert_eq!(followed.look(Store::default(), Vec::new()), []);
    }

    #[test]
    fn who_closed_a_socket_is_remembered_until_its_end() {
        let mut followed = following(&[tcp(1, State::Established)]);
        let orphan = Socket {
            inode: None,
            ..tcp(1, State::FinWait1)
        };
        let events = followed.look(Store::of([&orphan]), Vec::new());
        assert_eq!(events[0].socket, orphan);
        let closed = followed.freed(message(1)).unwrap();
        assert_eq!(
            (closed.socket.state, closed.socket.inode),
            (State::FinWait1, NonZeroU32::new(7))
        );
    }

    #[test]
    fn remains_of_a_connection_are_not_followed() {
        let timer = Timer {
            kind: TimerKind::TimeWait,
            expires_ms: None,
            retransmits: 0,
        };
        let minisock = Socket {
            timer: Some(timer),
            ..tcp(2, State::FinWait2)
        };
        let mut followed = following(&[tcp(1, State::Established), tcp(2, State::FinWait2)]);
        let look = vec![tcp(1, State::TimeWait), minisock, tcp(3, State::TimeWait)];
        let closed = followed.look(Store::of(&look), Vec::new());
        assert_eq!(
            told(&closed),
            [
                (Happened::Closed, 1, State::Established),
                (Happened::Closed, 2, State::FinWait2)
            ]
        );
        assert_eq!(followed.look(Store::default(), Vec::new()), []);
    }

    #[test]
    fn a_look_at_a_part_leaves_the_rest_as_it_is() {
        let mut followed = following(&[
            tcp(1, State::Listen),
            tcp(2, State::Established),
            tcp(3, State::Listen),
        ]);
        let look = Store::of(&[tcp(3, State::Listen), tcp(4, State::Listen)]);
        let events = followed.part(look, Vec::new(), |_, state| state == State::Listen);
        assert_eq!(
            told(&events),
            [
                (Happened::Closed, 1, State::Listen),
                (Happened::Opened, 4, State::Listen)
            ]
        );
        assert_eq!(followed.known().len(), 3);
        assert_eq!(followed.freed(message(1)), None, "told before");
    }
}
