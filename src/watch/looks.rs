//! The looks that are kept, also those with earlier filters, and the way back to one of them.

use std::mem::take;
use std::time::{Duration, SystemTime};

use super::data::{Data, KEPT_BYTES};
use super::history::burst;
use super::moment::{KEPT_FOR, Moment};
use super::state::State;
use crate::model::{Key, time};
use crate::render::escape;

impl State {
    /// All looks that are kept, also those with earlier filters, the latest last.
    pub fn looks(&self) -> impl Iterator<Item = &Moment> {
        let now = self.frozen.as_deref().unwrap_or(&self.data);
        let earlier = self.earlier.iter().flat_map(|data| &data.moments);
        earlier.chain(&now.moments)
    }

    /// The accept queue of a listener at each look in a row that showed it, up to the last of this data, whatever the
    /// filters of the looks: time, waiting, limit.
    pub(super) fn accept_queue(&self, data: &Data, key: Key) -> Vec<(SystemTime, u32, u32)> {
        let begin = data.moments.front().map_or(Duration::MAX, |moment| moment.at);
        let earlier = self.earlier.iter().flat_map(|data| &data.moments);
        let earlier = earlier.take_while(|moment| moment.at < begin);
        let looks: Vec<&Moment> = earlier.chain(&data.moments).collect();
        let at_look = |moment: &&Moment| {
            let socket = moment.waiting.get(key)?;
            Some((moment.clock, socket.accept_q()?, socket.backlog()?))
        };
        // Nothing is known of the time before a look with a filter that left it out.
        let mut queue: Vec<_> = looks.iter().rev().map_while(at_look).collect();
        queue.reverse();
        queue
    }

    /// The sockets at the look with this number, unless it is the last.
    pub(super) fn rewound(&self, at: usize) -> Option<Data> {
        let now = self.frozen.as_deref().unwrap_or(&self.data);
        let mut at = at;
        for data in &self.earlier {
            if at < data.moments.len() {
                return data.rewound(at);
            }
            at -= data.moments.len();
        }
        (at + 1 < now.moments.len()).then(|| now.rewound(at)).flatten()
    }

    /// Before the first look with another filter, keeps those with the previous one.
    pub(super) fn keep_looks(&mut self) {
        // At the start there is only a part of the first look.
        if self.data.looked_at_all.is_some() && !self.data.keeps_all {
            let earlier = self.data.split_off();
            self.earlier.push(earlier);
        }
    }

    /// Drops looks with earlier filters that are too old, and those beyond the memory limit.
    pub(super) fn forget_looks(&mut self, at: Duration) {
        let mut room = KEPT_BYTES.saturating_sub(self.data.kept_bytes);
        let mut kept = Vec::new();
        for mut data in take(&mut self.earlier).into_iter().rev() {
            let sockets = data.followed.known().size_bytes();
            data.forget(at, room.saturating_sub(sockets));
            let is_young = |moment: &Moment| at.saturating_sub(moment.at) <= KEPT_FOR;
            if data.kept_bytes + sockets > room || !data.moments.back().is_some_and(is_young) {
                break;
            }
            room -= data.kept_bytes + sockets;
            kept.push(data);
        }
        kept.reverse();
        self.earlier = kept;
    }

    /// Goes back (forward, if `steps` is positive) by this many looks, after freezing the screen.
    pub fn travel(&mut self, steps: isize) {
        self.freeze();
        let last = self.looks().count().saturating_sub(1);
        let from = self.past.as_ref().map_or(last, |(at, _)| *at);
        if from == 0 && steps < 0 {
            self.say("this is the oldest look that is kept");
        }
        self.travel_to(from.saturating_add_signed(steps).min(last));
    }

    /// Goes to the next or the previous burst.
    pub fn travel_to_burst(&mut self, forward: bool) {
        self.freeze();
        let moved: Vec<_> = self.looks().map(|moment| moment.moved).collect();
        let last = moved.len().saturating_sub(1);
        let from = self.past.as_ref().map_or(last, |(at, _)| *at);
        match burst(&moved, from, forward) {
            Some(at) => self.travel_to(at),
            None => self.say("no burst in that direction"),
        }
    }

    /// Goes to the last look at a time, or says that there is none.
    pub fn travel_to_time(&mut self, text: &str) {
        let last = self.freeze().clock;
        let wanted = last.and_then(|last| time::end_of(text, last));
        let found = wanted.map(|wanted| self.looks().take_while(|moment| moment.clock <= wanted).count());
        match found {
            None => self.say(format!("'{}' is not a time", escape::text(text.as_bytes()))),
            Some(0) => self.say("no look from that time is kept"),
            Some(after) => self.travel_to(after - 1),
        }
    }

    fn freeze(&mut self) -> &Data {
        self.frozen.get_or_insert_with(|| Box::new(self.data.clone()))
    }

    fn travel_to(&mut self, at: usize) {
        self.freeze();
        let past = self.rewound(at);
        self.past = past.map(|past| (at, Box::new(past)));
        self.rebuild();
    }
}
