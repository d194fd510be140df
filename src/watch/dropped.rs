//! Which sockets drop packets, from the looks that are kept.

use std::time::Duration;

use super::data::{Data, Dropped};

/// A socket is marked if it dropped packets in this time: clients try again after one, two and four seconds, and the mark
/// should not come and go with each try.
const LOSING: Duration = Duration::from_secs(5);

impl Data {
    /// Finds the sockets that dropped packets at the last look or just before.
    pub(super) fn find_losing(&mut self) {
        self.losing = self.dropped(LOSING);
    }

    /// Which sockets that wait dropped packets in this time, by their own counters: the counters of the machine do not
    /// tell where. What a socket had dropped when it was first seen does not count: that may be long ago.
    pub(super) fn dropped(&self, within: Duration) -> Vec<Dropped> {
        let Some(last) = self.moments.back() else {
            return Vec::new();
        };
        let from = self
            .moments
            .partition_point(|moment| last.at.saturating_sub(moment.at) > within);
        let mut dropped = Vec::new();
        last.waiting.each(|socket| {
            let (Some(key), Some(now @ 1..)) = (socket.identity(), socket.drops) else {
                return;
            };
            let first = self.moments.range(from..).find_map(|moment| {
                let before = moment.waiting.get(key)?;
                Some((before.drops?, last.at.saturating_sub(moment.at)))
            });
            if let Some((before, span)) = first
                && now > before
            {
                let port = socket.inet().map_or(0, |pair| pair.local_port);
                dropped.push(Dropped {
                    key,
                    port,
                    packets: now - before,
                    span,
                });
            }
        });
        dropped
    }
}
