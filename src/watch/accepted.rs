//! Which connections were accepted here. Only their listener tells, and it may have closed since.

use super::data::Data;
use super::kind::Kind;
use crate::engine::follow::Happened;
use crate::engine::live::Accepting;
use crate::model::{Protocol, Socket, State};

impl Data {
    /// The row of a connection on a port where nothing waits now.
    pub(super) fn kind_of(&self, protocol: Protocol, port: u16) -> Kind {
        if self.accepting.contains(&(protocol, port)) {
            Kind::LeftOut
        } else if self.closed.contains(&(protocol, port)) {
            Kind::Closed
        } else if protocol.is_tcp() && (self.lacks_listeners || !self.is_chosen(port)) {
            Kind::Unclear
        } else {
            Kind::Opened
        }
    }

    /// Whether the kernel chooses this port for connections that are opened from here. Another port was bound, as servers
    /// do, and some clients.
    fn is_chosen(&self, port: u16) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.contains(&port))
    }

    /// All ports with listeners at the last look.
    pub(super) fn listened(&self) -> Accepting {
        let mut listened = self.accepting.clone();
        let known = self.followed.known();
        let mut slot = Socket::BLANK;
        for (key, state) in known.keys() {
            if state == State::Listen && known.read(key, &mut slot) {
                listened.extend(place(&slot));
            }
        }
        listened
    }

    /// Takes note of a socket that closed.
    pub(super) fn note_closed(&mut self, socket: &Socket) {
        if socket.is_listener() {
            self.closed.extend(place(socket));
            self.closed_is_stale = true;
        } else if !self.closed.is_empty() {
            self.closed_is_stale |= place(socket).is_some_and(|place| self.closed.contains(&place));
        }
    }

    /// Takes the ports with listeners that the filter leaves out. Those that are gone are remembered as long as they have
    /// connections: later, the kernel may choose the same port for another one. With a filter, not all connections are
    /// known.
    pub(super) fn take_accepting(&mut self, accepting: Accepting) {
        let before = std::mem::replace(&mut self.accepting, accepting);
        let is_gone = |place: &&(Protocol, u16)| !self.lacks_listeners && !self.accepting.contains(place);
        let closed: Vec<_> = before.iter().filter(is_gone).copied().collect();
        self.closed_is_stale |= !closed.is_empty();
        self.closed.extend(closed);
        if self.closed_is_stale && self.filter.trim().is_empty() {
            self.closed_is_stale = false;
            let mut used = Accepting::new();
            self.followed.known().each(|socket| {
                let place = place(socket).filter(|_| !socket.is_listener());
                used.extend(place.filter(|place| self.closed.contains(place)));
            });
            self.closed = used;
        }
    }

    /// The same at an earlier look: also the listeners that had closed before it.
    pub(super) fn closed_until_then(&self, past: &Self) -> Accepting {
        let mut closed = self.closed.clone();
        for line in &past.events {
            let socket = &line.event.socket;
            if line.event.happened == Happened::Closed && socket.is_listener() {
                closed.extend(place(socket));
            }
        }
        closed
    }
}

fn place(socket: &Socket) -> Option<(Protocol, u16)> {
    Some((socket.protocol, socket.inet()?.local_port))
}
