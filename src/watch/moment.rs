//! What is kept from each look of the last minutes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::live::Scope;
use crate::model::Store;

/// How far back the user can go.
pub const KEPT_FOR: Duration = Duration::from_secs(600);
/// Queues are kept for every look unless there are more sockets than this.
const QUEUES_MAX: usize = 500;

/// One look.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When it was made, since the start.
    pub at: Duration,
    /// The same by the clock.
    pub clock: SystemTime,
    /// How many sockets had opened and closed.
    pub moved: (usize, usize),
    /// The waiting sockets, with their queues.
    pub waiting: Arc<Store>,
}

impl Moment {
    /// A look. Sockets that wait for connections or datagrams are kept, unless there are too many.
    pub(super) fn new(at: Duration, clock: SystemTime, moved: (usize, usize), known: &Store) -> Self {
        let mut waiting = Store::default();
        if known.len() <= QUEUES_MAX * 4 {
            known.each(|socket| {
                if Scope::Waiting.covers(socket.protocol, socket.state) && waiting.len() < QUEUES_MAX {
                    waiting.insert(socket);
                }
            });
        }
        Self {
            at,
            clock,
            moved,
            waiting: Arc::new(waiting),
        }
    }
}
