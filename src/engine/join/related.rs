//! Collects facts about rows that depend on other sockets, from every socket that is read.

use super::ends::EndsBuilder;
use super::half_open::HalfOpenCounter;
use super::peers::{Others, peers};
use crate::model::ends::Ends;
use crate::model::request::PeerKinds;
use crate::model::{Context, HalfOpen, Owners, Socket, Stash};

/// Other ends and half-open connections, as far as requested.
#[derive(Clone, Debug, Default)]
pub struct Related {
    collecting: (EndsBuilder, HalfOpenCounter),
    ends: Ends,
    half_open: HalfOpen,
}

impl Related {
    /// Creates an empty collection. `half_open` requests half-open connections by listener.
    pub fn of(peers: PeerKinds, half_open: bool) -> Self {
        Self {
            collecting: (EndsBuilder::of(peers), HalfOpenCounter::new(half_open)),
            ..Self::default()
        }
    }

    /// Returns whether anything is collected, so that all sockets must be read before a row is complete.
    pub fn is_asked(&self) -> bool {
        let (ends, half_open) = &self.collecting;
        ends.is_asked() || half_open.is_asked()
    }

    /// Records a socket. The same may come twice.
    pub fn add(&mut self, socket: &Socket) {
        let (ends, half_open) = &mut self.collecting;
        ends.add(socket);
        half_open.add(socket);
    }

    /// Completes the collection. Called once, after all sockets were added.
    pub fn finish(&mut self) {
        let (ends, half_open) = std::mem::take(&mut self.collecting);
        self.ends = ends.finish();
        self.half_open = half_open.finish();
    }

    /// Returns the sockets at the other ends of these rows, whose owners are needed too.
    pub fn others(&self, rows: &Stash) -> Others {
        Others::of(&self.ends, rows)
    }

    /// Moves what was collected into the context of these rows.
    pub fn complete(&mut self, context: &mut Context, owners: &Owners, rows: &Stash) {
        context.peers = peers(std::mem::take(&mut self.ends), owners, rows);
        context.half_open = std::mem::take(&mut self.half_open);
    }
}
