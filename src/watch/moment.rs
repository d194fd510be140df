//! What is kept from each look of the last few minutes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::live::Scope;
use crate::model::{Socket, Store};

/// How far back the user can go.
pub const KEPT_FOR: Duration = Duration::from_secs(600);
/// With at most this many sockets, queues are kept for every look.
const QUEUES_MAX: usize = 2000;

/// One look.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When it was made, since the start.
    pub at: Duration,
    /// The same as clock time.
    pub clock: SystemTime,
    /// How many sockets had opened and closed.
    pub moved: (usize, usize),
    /// The waiting sockets, with their queues.
    pub waiting: Arc<Store>,
    /// The memory that it takes.
    pub(super) bytes: usize,
}

impl Moment {
    /// Keeps a look: the sockets that wait for connections or datagrams. What has not changed since the previous look
    /// is shared with it.
    pub(super) fn new(
        at: Duration,
        clock: SystemTime,
        moved: (usize, usize),
        known: &Store,
        before: Option<&Self>,
    ) -> Self {
        let mut waiting = Store::default();
        let mut slot = Socket::BLANK;
        for (key, state) in known.keys() {
            let is_wanted = Scope::Waiting.covers(key.0, state) && waiting.len() < QUEUES_MAX;
            if is_wanted && known.read(key, &mut slot) {
                waiting.insert(&slot);
            }
        }
        let mut bytes = size_of::<Self>();
        let waiting = match before {
            Some(before) if before.waiting.is_same(&waiting) => Arc::clone(&before.waiting),
            _ => {
                bytes += waiting.size_bytes();
                Arc::new(waiting)
            }
        };
        Self {
            at,
            clock,
            moved,
            waiting,
            bytes,
        }
    }
}
