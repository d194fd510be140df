//! How fast the counters of connections grow. Most connections are idle, and only their counters are kept.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::engine::live::Figures;
use crate::model::{Key, Protocol};

/// The time over which rates are averaged.
const MEAN_SECONDS: f64 = 10.0;
/// A connection with a mean rate below this, in bytes per second, counts as idle.
const STILL: f64 = 0.5;

/// Counters of another look are compared with if they are at most this old: a longer mean says little about now.
const COMPARED: Duration = Duration::from_secs(12);

/// The counters and rates of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// The counters at the last look.
    pub figures: Figures,
    /// The time of that look.
    at: Duration,
    /// Bytes per second, received and sent, between the last two looks; `None` before the second.
    pub now: Option<(f64, f64)>,
    /// The same, averaged over about ten seconds.
    pub mean: (f64, f64),
}

impl Rates {
    fn first(figures: Figures, at: Duration) -> Self {
        Self {
            figures,
            at,
            now: None,
            mean: (0.0, 0.0),
        }
    }

    fn next(&mut self, figures: Figures, at: Duration) {
        let seconds = at.saturating_sub(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let per_second = |now: u64, before: u64| {
            #[allow(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
            let grown = now.saturating_sub(before) as f64;
            grown / seconds
        };
        let now = (
            per_second(figures.received, self.figures.received),
            per_second(figures.sent, self.figures.sent),
        );
        let weight = 1.0 - (-seconds / MEAN_SECONDS).exp();
        let mean = |mean: f64, now: f64| mean + (now - mean) * weight;
        self.mean = match self.now {
            Some(_) => (mean(self.mean.0, now.0), mean(self.mean.1, now.1)),
            None => now,
        };
        *self = Self {
            figures,
            at,
            now: Some(now),
            mean: self.mean,
        };
    }

    fn is_still(&self) -> bool {
        let (received, sent) = self.now.unwrap_or_default();
        [received, sent, self.mean.0, self.mean.1]
            .iter()
            .all(|rate| *rate < STILL)
    }
}

/// The counters of all connections, and the rates of those that are not idle.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The counters at the last look at all connections, by cookie.
    all: Vec<(NonZeroU64, Figures)>,
    /// When that was.
    at: Duration,
    /// How often the counters of all connections were read; rates are known after two times.
    times: u32,
    /// Connections that are not idle, or that are read with every look.
    rates: HashMap<Key, Rates>,
}

impl Counted {
    /// The rates of a connection; `None` if it is idle, or nothing is known yet.
    pub fn rates(&self, key: Key) -> Option<&Rates> {
        self.rates.get(&key)
    }

    /// Whether the rates of all connections are known.
    pub fn is_known(&self) -> bool {
        self.times >= 2
    }

    /// When the counters of all connections were last read.
    pub fn at(&self) -> Duration {
        self.at
    }

    /// Bytes per second, received and sent, between the last two times at which a connection was read, if the last was
    /// at this time or later; `None` if that is unknown.
    pub fn since(&self, key: Key, since: Duration) -> Option<(f64, f64)> {
        match self.rates.get(&key) {
            Some(rates) => rates.now.filter(|_| rates.at >= since),
            None => {
                found(&self.all, key)?;
                (self.is_known() && self.at >= since).then_some((0.0, 0.0))
            }
        }
    }

    /// Whether all connections are idle.
    pub fn is_still(&self) -> bool {
        self.rates.is_empty()
    }

    /// The counters of a connection, as they were last read.
    pub fn figures(&self, key: Key) -> Option<Figures> {
        match self.rates.get(&key) {
            Some(rates) => Some(rates.figures),
            None => found(&self.all, key),
        }
    }

    /// Takes the counters of all connections. `is_read` tells which are read with every look.
    pub fn all(
        &mut self,
        mut figures: Vec<(NonZeroU64, Figures)>,
        at: Duration,
        is_read: impl Fn(Key) -> bool,
    ) {
        figures.sort_unstable_by_key(|(cookie, _)| *cookie);
        for (key, rates) in &mut self.rates {
            if let Some(now) = found(&figures, *key) {
                rates.next(now, at);
            }
        }
        self.rates
            .retain(|key, rates| is_read(*key) || (!rates.is_still() && found(&figures, *key).is_some()));
        let mut before = self.all.iter().peekable();
        for (cookie, now) in &figures {
            while before.next_if(|(one, _)| one < cookie).is_some() {}
            let Some((_, then)) = before.next_if(|(one, _)| one == cookie) else {
                if self.times > 0 {
                    // A rate needs another look.
                    let first = || Rates::first(*now, at);
                    self.rates.entry((Protocol::Tcp, *cookie)).or_insert_with(first);
                }
                continue;
            };
            if (then.received, then.sent) != (now.received, now.sent) {
                let begun = self.at;
                self.rates.entry((Protocol::Tcp, *cookie)).or_insert_with(|| {
                    let mut rates = Rates::first(*then, begun);
                    rates.next(*now, at);
                    rates
                });
            }
        }
        self.times = self.times.saturating_add(1);
        self.all = figures;
        self.at = at;
    }

    /// No packet was sent or received since the counters of all connections were read: they are the same still.
    pub fn same(&mut self, at: Duration, is_read: impl Fn(Key) -> bool) {
        for rates in self.rates.values_mut() {
            rates.next(rates.figures, at);
        }
        self.rates.retain(|key, rates| is_read(*key) || !rates.is_still());
        self.times = self.times.saturating_add(1);
        self.at = at;
    }

    /// Takes the counters of a connection that was read individually.
    pub fn one(&mut self, key: Key, figures: Figures, at: Duration) {
        let (all, counted_at) = (&self.all, self.at);
        self.rates
            .entry(key)
            .and_modify(|rates| rates.next(figures, at))
            .or_insert_with(|| {
                let is_near = at.saturating_sub(counted_at) <= COMPARED;
                let before = found(all, key).filter(|_| is_near);
                let mut rates = Rates::first(before.unwrap_or(figures), counted_at);
                match before {
                    Some(_) => rates.next(figures, at),
                    None => rates.at = at,
                }
                rates
            });
    }
}

fn found(all: &[(NonZeroU64, Figures)], (protocol, cookie): Key) -> Option<Figures> {
    let at = all.binary_search_by_key(&cookie, |(one, _)| *one).ok()?;
    let (_, figures) = all.get(at).filter(|_| protocol == Protocol::Tcp)?;
    Some(*figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cookie(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).unwrap()
    }

    fn figures(received: u64) -> Figures {
        Figures {
            received,
            rtt_us: 7,
            ..Figures::default()
        }
    }

    fn look(counted: &mut Counted, seconds: u32, received: &[(u64, u64)]) {
        let all = received
            .iter()
            .map(|(number, received)| (cookie(*number), figures(*received)));
        counted.all(all.collect(), SECOND * seconds, |_| false);
    }

    fn rate(counted: &Counted, number: u64) -> Option<f64> {
        let rates = counted.rates((Protocol::Tcp, cookie(number)))?;
        rates.now.map(|(received, _)| received)
    }

    #[test]
    fn only_active_connections_have_rates_but_all_have_counters() {
        let mut counted = Counted::default();
        look(&mut counted, 1, &[(3, 100), (1, 50), (2, 0)]);
        assert!(counted.is_still());
        look(&mut counted, 3, &[(1, 50), (2, 2000), (3, 300), (4, 9)]);
        assert_eq!(
            [1, 2, 3, 4].map(|one| rate(&counted, one)),
            [None, Some(1000.0), Some(100.0), None]
        );
        let rtt = |number| {
            let figures = counted.figures((Protocol::Tcp, cookie(number)))?;
            Some(figures.rtt_us)
        };
        assert_eq!([1, 2, 4, 5].map(rtt), [Some(7), Some(7), Some(7), None]);
        // A connection that ended has no rates; an idle one keeps them until its mean has dropped to zero.
        look(&mut counted, 4, &[(1, 50), (2, 2000)]);
        assert_eq!([2, 3].map(|one| rate(&counted, one)), [Some(0.0), None]);
        for seconds in 5..100 {
            look(&mut counted, seconds, &[(1, 50), (2, 2000)]);
        }
        assert!(counted.is_still());
    }

    #[test]
    fn individually_read_connections_are_kept_between_looks_at_all() {
        let mut counted = Counted::default();
        let key = (Protocol::Tcp, cookie(1));
        counted.one(key, figures(10), SECOND);
        counted.one(key, figures(30), SECOND * 2);
        assert_eq!(rate(&counted, 1), Some(20.0));
        counted.one(key, figures(30), SECOND * 3);
        counted.all(vec![(cookie(1), figures(40))], SECOND * 4, |_| true);
        assert_eq!(rate(&counted, 1), Some(10.0));
    }
}
