//! The last ten minutes: reconstructs the sockets at an earlier look by undoing the events since then.

use std::mem::{replace, take};
use std::sync::Arc;

use super::data::Data;
use crate::model::details::Details;
use crate::model::{Socket, Store};

/// A look is a burst if at least this many times as many sockets opened and closed as in the neighbouring looks, and at
/// least this many sockets.
const BURST: (usize, usize) = (3, 3);

impl Data {
    /// Returns the sockets at an earlier look, in the states that they had then. Figures that were not kept are
    /// unknown.
    pub fn rewound(&self, at: usize) -> Option<Self> {
        let moment = self.moments.get(at)?.clone();
        let mut past = Self {
            filter: self.filter.clone(),
            around: Arc::clone(&self.around),
            accepting: self.accepting.clone(),
            lacks_listeners: self.lacks_listeners,
            chosen: self.chosen.clone(),
            followed: self.followed.clone(),
            total: None,
            moved: moment.moved,
            looked: Some(moment.at),
            looked_at_all: Some(moment.at),
            clock: Some(moment.clock),
            moments: self.moments.range(..=at).cloned().collect(),
            ..Self::default()
        };
        for line in self.events.iter().rev().take_while(|line| line.at > moment.at) {
            past.followed.undo(&line.event);
        }
        past.events = self
            .events
            .iter()
            .take_while(|line| line.at <= moment.at)
            .cloned()
            .collect();
        let mut sockets = Store::default();
        past.followed.known().each(|socket| {
            let kept = socket.identity().and_then(|key| moment.waiting.get(key));
            sockets.insert(&kept.unwrap_or_else(|| Socket {
                rqueue: None,
                wqueue: None,
                timer: None,
                drops: None,
                details: Details::NONE,
                ..socket.clone()
            }));
        });
        past.followed.begin(sockets);
        past.closed = self.closed_until_then(&past);
        past.find_losing();
        past.total = Some(past.followed.known().len() as u64);
        Some(past)
    }

    /// Splits off the looks with the filter that was used so far, with what is needed to go back to them.
    pub(super) fn split_off(&mut self) -> Self {
        let listened = self.listened();
        Self {
            filter: take(&mut self.filter),
            followed: take(&mut self.followed),
            events: take(&mut self.events),
            moments: take(&mut self.moments),
            kept_bytes: take(&mut self.kept_bytes),
            accepting: replace(&mut self.accepting, listened),
            lacks_listeners: self.lacks_listeners,
            closed: self.closed.clone(),
            chosen: self.chosen.clone(),
            around: Arc::clone(&self.around),
            ..Self::default()
        }
    }
}

/// Returns the next or the previous burst among looks, of which this is how many sockets opened and closed.
pub(super) fn burst(moved: &[(usize, usize)], from: usize, forward: bool) -> Option<usize> {
    let weight = |at: usize| moved.get(at).map_or(0, |(opened, closed)| opened + closed);
    let total: usize = (0..moved.len()).map(weight).sum();
    let mean = total / moved.len().max(1);
    let is_burst = |at: &usize| weight(*at) >= (mean * BURST.0).max(BURST.1);
    if forward {
        (from + 1..moved.len()).find(is_burst)
    } else {
        (0..from.min(moved.len())).rev().find(is_burst)
    }
}
