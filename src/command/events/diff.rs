//! What happened between two looks at the tables, and what the kernel said meanwhile. Pure.
//!
//! A socket is followed by its cookie, from when a look first shows it until the kernel says that it was freed, or a
//! look does not show it any more. What remains of a connection after that (TIME-WAIT, and FIN-WAIT-2 without a
//! program) keeps the cookie, but no program has it: it is not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use crate::model::{Protocol, Socket, State, TimerKind};

/// What identifies a socket as long as the machine runs.
pub type Key = (Protocol, NonZeroU64);

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was not there at the look before.
    Opened,
    /// Its state was this one.
    Changed(State),
    /// It is gone. The socket is what was last known, and has its last state.
    Closed,
    /// It is gone, and no look had shown it: only what the kernel told at its end is known.
    ClosedUnseen,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub happened: Happened,
    /// To whom.
    pub socket: Socket,
}

/// The sockets that are there, as far as is known.
#[derive(Debug, Default)]
pub struct Followed {
    known: BTreeMap<Key, Socket>,
    /// Those that the last look missed: the kernel may still be about to say that they were freed.
    missed: BTreeSet<Key>,
}

impl Followed {
    /// Takes the first look: what is there already is no event.
    pub fn begin(&mut self, look: Vec<Socket>) {
        self.known = keyed(look);
    }

    /// The kernel says that a socket was freed, and no look is going on. `None` if that was told before.
    pub fn freed(&mut self, message: Socket) -> Option<Event> {
        let key = message.identity()?;
        if self.missed.remove(&key) {
            return None;
        }
        Some(match self.known.remove(&key) {
            Some(known) => closed(known, &message),
            None => Event {
                happened: Happened::ClosedUnseen,
                socket: message,
            },
        })
    }

    /// Takes another look, and what the kernel said of freed sockets since the look began.
    pub fn look(&mut self, look: Vec<Socket>, freed_meanwhile: Vec<Socket>) -> Vec<Event> {
        let mut now = keyed(look);
        let mut events = Vec::new();
        let mut ended = BTreeSet::new();
        for message in freed_meanwhile {
            let Some(key) = message.identity() else { continue };
            ended.insert(key);
            // The look saw it before it ended: it was opened in between.
            if !self.known.contains_key(&key)
                && let Some(socket) = now.get(&key)
            {
                events.push(Event {
                    happened: Happened::Opened,
                    socket: socket.clone(),
                });
                self.known.insert(key, socket.clone());
            }
            events.extend(self.freed(message));
        }
        now.retain(|key, _| !ended.contains(key));
        self.missed.clear();
        for (key, socket) in &self.known {
            if !now.contains_key(key) {
                self.missed.insert(*key);
                events.push(Event {
                    happened: Happened::Closed,
                    socket: socket.clone(),
                });
            }
        }
        for (key, socket) in &now {
            let happened = match self.known.get(key) {
                None => Happened::Opened,
                Some(before) if before.state != socket.state => Happened::Changed(before.state),
                Some(_) => continue,
            };
            events.push(Event {
                happened,
                socket: socket.clone(),
            });
        }
        for (key, socket) in &mut now {
            // A program that closed its socket is not its owner any more, but it was.
            let before = self.known.get(key).and_then(|before| before.inode);
            socket.inode = socket.inode.or(before);
        }
        self.known = now;
        events
    }
}

/// The sockets that are followed, by what identifies them.
fn keyed(look: Vec<Socket>) -> BTreeMap<Key, Socket> {
    look.into_iter()
        .filter(|socket| !is_remains(socket))
        .filter_map(|socket| Some((socket.identity()?, socket)))
        .collect()
}

/// Whether the kernel keeps no more than the addresses.
fn is_remains(socket: &Socket) -> bool {
    let of_time_wait = socket
        .timer
        .is_some_and(|timer| timer.kind == TimerKind::TimeWait);
    socket.state == State::TimeWait || (socket.state == State::FinWait2 && of_time_wait)
}

/// Who had the socket, and in which state, is known from before; the message has its last counters.
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
    use std::num::NonZeroU32;

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
        let mut followed = Followed::default();
        followed.begin(sockets.to_vec());
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
        let events = followed.look(look, Vec::new());
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
        assert_eq!(followed.look(again, Vec::new()), []);
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
        assert_eq!(followed.look(Vec::new(), Vec::new()), []);
        let unseen = followed.freed(message(9)).unwrap();
        assert_eq!(unseen.happened, Happened::ClosedUnseen);
    }

    #[test]
    fn a_message_that_comes_after_the_look_that_missed_the_socket_is_no_second_event() {
        let mut followed = following(&[tcp(1, State::Established)]);
        assert_eq!(followed.look(Vec::new(), Vec::new()).len(), 1);
        assert_eq!(followed.freed(message(1)), None);
        assert_eq!(
            followed.freed(message(1)).unwrap().happened,
            Happened::ClosedUnseen
        );
    }

    #[test]
    fn what_was_freed_during_the_look_is_not_there_although_the_look_saw_it() {
        let mut followed = following(&[tcp(1, State::Established)]);
        let look = vec![tcp(1, State::Established), tcp(2, State::Established)];
        let events = followed.look(look, vec![message(2), message(1), message(3)]);
        assert_eq!(
            told(&events),
            [
                (Happened::Opened, 2, State::Established),
                (Happened::Closed, 2, State::Established),
                (Happened::Closed, 1, State::Established),
                (Happened::ClosedUnseen, 3, State::Unconnected),
            ]
        );
        assert_eq!(followed.look(Vec::new(), Vec::new()), []);
    }

    #[test]
    fn who_closed_a_socket_is_remembered_until_its_end() {
        let mut followed = following(&[tcp(1, State::Established)]);
        let orphan = Socket {
            inode: None,
            ..tcp(1, State::FinWait1)
        };
        let events = followed.look(vec![orphan.clone()], Vec::new());
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
        let closed = followed.look(look, Vec::new());
        assert_eq!(
            told(&closed),
            [
                (Happened::Closed, 1, State::Established),
                (Happened::Closed, 2, State::FinWait2)
            ]
        );
        assert_eq!(followed.look(Vec::new(), Vec::new()), []);
    }
}
