//! The last resort for a socket's options: those of its listener, which an accepted connection inherits.
//!
//! An inferred option may explain an answer but never decides it: the listener may have changed its options since, or
//! may have been restarted.

use crate::model::State;

use super::cover::Cover;
use super::existing::{Existing, Flag, How};

/// The listener that most likely accepted a connection: one on the same port that covers its local address.
pub fn listener_of<'a>(one: &Existing, all: &'a [Existing]) -> Option<(usize, &'a Existing)> {
    let pair = one.socket.inet().filter(|_| one.is_connected())?;
    let wanted = Cover::of(pair.local_address, true);
    all.iter().enumerate().find(|(_, other)| {
        let takes_it = other.socket.inet().is_some_and(|listens| {
            listens.local_port == pair.local_port
                && Cover::of(listens.local_address, listens.v6only == Some(true)).overlaps(wanted)
        });
        takes_it && other.socket.state == State::Listen && other.shares_ports_with(one.socket.protocol)
    })
}

/// The socket with unknown options replaced by those of its listener; `None` without a listener.
pub fn with_options_of_listener(one: &Existing, all: &[Existing]) -> Option<Existing> {
    let (_, listener) = listener_of(one, all)?;
    let inferred = |own: Option<Flag>, theirs: Option<Flag>| {
        own.or(theirs.map(|flag| Flag {
            how: How::Inferred,
            ..flag
        }))
    };
    Some(Existing {
        port_was_given: one.port_was_given,
        socket: one.socket.clone(),
        reuseaddr: inferred(one.reuseaddr, listener.reuseaddr),
        reuseport: inferred(one.reuseport, listener.reuseport),
        v6only: inferred(one.v6only, listener.effective_v6only()),
    })
}
