//! What is learnt of all sockets that are read, for the few facts of a row that come from other rows.

use super::{Context, Ends, HalfOpen, Kinds, Others, Owners, Peers};
use crate::model::{Socket, Stash};

/// Other ends and half-open connections, as far as they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    ends: Ends,
    half_open: HalfOpen,
}

impl Beside {
    /// Nothing yet. `half_open` asks for half-open connections by listener.
    pub fn of(peers: Kinds, half_open: bool) -> Self {
        Self {
            ends: Ends::of(peers),
            half_open: HalfOpen::new(half_open),
        }
    }

    /// Whether anything is wanted, so that all sockets have to be read before a row can be told.
    pub fn is_asked(&self) -> bool {
        self.ends.is_asked() || self.half_open.is_asked()
    }

    /// Learns from a socket. The same may come twice.
    pub fn add(&mut self, socket: &Socket) {
        self.ends.add(socket);
        self.half_open.add(socket);
    }

    /// To be called once, when all have been added.
    pub fn finish(&mut self) {
        self.ends.finish();
        self.half_open.finish();
    }

    /// The sockets whose owners are wanted beside those of these rows.
    pub fn others(&self, rows: &Stash) -> Others {
        Others::of(&self.ends, rows)
    }

    /// Hands over what was learnt to those who show these rows.
    pub fn tell(&mut self, context: &mut Context, owners: &Owners, rows: &Stash) {
        context.peers = Peers::new(std::mem::take(&mut self.ends), owners, rows);
        context.half_open = std::mem::take(&mut self.half_open);
    }
}
