//! Decides when to read everything: whenever something may have changed, but with at most a twentieth of one core.
//! Pure.

use std::time::Duration;

use crate::engine::live::{CHEAP, SHARE, Scope, Traffic, all_every};

/// How often everything is read while packets flow but nothing is opened or closed.
const FLOWING: Duration = Duration::from_secs(10);
/// How often the counters of all connections are read. Those of connections on the screen are read with every look.
const COUNTING: Duration = Duration::from_secs(3);

/// The results and costs of the last looks. Times are relative to the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Nothing expensive is done before this time.
    not_before: Duration,
    /// The last look at everything: its time, the counters then, and its cost.
    all_at: Duration,
    at_all: Traffic,
    all_cost: Duration,
    /// How often the counters of all connections were read, and when last. Rates need two times.
    times_counted: u32,
    counted_at: Duration,
    /// The counters at the last look at more than the small tables.
    at_unsettled: Traffic,
    /// The cost of the last look at the small tables.
    few_cost: Duration,
    /// Whether everything is read from time to time even if nothing happens.
    is_regular: bool,
}

impl Pace {
    /// Creates the initial state. With `is_regular`, everything is read at least every ten seconds.
    pub(super) fn new(is_regular: bool) -> Self {
        Self {
            is_regular,
            ..Self::default()
        }
    }

    /// Returns whether more than the small tables may be read.
    pub(super) fn allows(&self, now: Duration, interval: Duration) -> bool {
        now + slack(interval) >= self.not_before
    }

    /// Returns what the next look covers.
    pub(super) fn scope(&self, now: Duration, traffic: &Traffic, interval: Duration) -> Scope {
        let since = now.saturating_sub(self.all_at);
        if !self.allows(now, interval) || since + slack(interval) < all_every(self.all_cost, interval) {
            return Scope::Waiting;
        }
        // Without counters, nothing shows whether anything changed.
        let is_unknown = *traffic == Traffic::default();
        let flows = traffic.segments != self.at_all.segments;
        let is_late = since + slack(interval) >= FLOWING;
        // Two times make a rate.
        let needs_rates = self.times_counted == 1;
        let is_due =
            (flows && (is_late || needs_rates || self.all_cost <= CHEAP)) || (self.is_regular && is_late);
        if is_unknown || is_due || traffic.has_new_connections(&self.at_all) {
            Scope::All
        } else if traffic.segments != self.at_unsettled.segments {
            Scope::Unsettled
        } else {
            Scope::Waiting
        }
    }

    /// Returns whether a look at everything reads the counters of all connections, as each one does if it is cheap.
    pub(super) fn counts(&self, now: Duration) -> bool {
        let is_late = now.saturating_sub(self.counted_at) + COUNTING / 10 >= COUNTING;
        self.times_counted < 2 || is_late || self.all_cost <= CHEAP
    }

    /// Forgets that counters were read: with another filter, those of other connections are needed.
    pub(super) fn recount(&mut self) {
        self.times_counted = 0;
    }

    /// Records that the look that began at this time read the counters.
    pub(super) fn counted(&mut self, began: Duration) {
        self.times_counted = self.times_counted.saturating_add(1);
        self.counted_at = began;
    }

    /// Records a look that began at this time, with its processor time and that of a search for owners.
    pub(super) fn looked(
        &mut self,
        began: Duration,
        scope: Scope,
        traffic: &Traffic,
        cost: Duration,
        owners_cost: Option<Duration>,
    ) {
        match scope {
            Scope::All => {
                self.all_at = began;
                self.at_all = *traffic;
                self.at_unsettled = *traffic;
                self.all_cost = cost;
            }
            Scope::Unsettled => self.at_unsettled = *traffic,
            Scope::Waiting => self.few_cost = cost,
        }
        let spent = match scope {
            Scope::Waiting => owners_cost.unwrap_or_default(),
            Scope::All | Scope::Unsettled => cost + owners_cost.unwrap_or_default(),
        };
        if spent > Duration::ZERO {
            self.not_before = self.not_before.max(began) + spent * SHARE;
        }
    }

    /// Returns the pause after a look.
    pub(super) fn pause(&self, interval: Duration) -> Duration {
        interval.max(self.few_cost * SHARE)
    }
}

/// How much earlier than due a look may be.
fn slack(interval: Duration) -> Duration {
    interval / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Simulates a look every second for this long, given the costs of a look at everything and of a search for owners.
    /// Returns the scopes, and the time spent.
    fn looks(
        seconds: u32,
        cost: Duration,
        owners: Option<Duration>,
        moves: impl Fn(u32, &mut Traffic),
    ) -> (Vec<Scope>, Duration) {
        let mut traffic = Traffic {
            segments: 7,
            ..Traffic::default()
        };
        let mut pace = Pace::default();
        pace.looked(Duration::ZERO, Scope::All, &traffic, cost, owners);
        let mut spent = Duration::ZERO;
        let mut scopes = Vec::new();
        for second in 1..=seconds {
            moves(second, &mut traffic);
            let now = SECOND * second;
            let scope = pace.scope(now, &traffic, SECOND);
            let (cost, owners) = match scope {
                Scope::All => (cost, owners),
                Scope::Unsettled => (cost / 8, None),
                Scope::Waiting => (Duration::from_micros(50), None),
            };
            spent += cost + owners.unwrap_or_default();
            if scope == Scope::All && pace.counts(now) {
                pace.counted(now);
            }
            pace.looked(now, scope, &traffic, cost, owners);
            scopes.push(scope);
        }
        (scopes, spent)
    }

    fn count(scopes: &[Scope], of: Scope) -> usize {
        scopes.iter().filter(|scope| **scope == of).count()
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn without_traffic_only_the_small_tables_are_read() {
        let (scopes, _) = looks(60, MS * 20, None, |_, _| {});
        assert_eq!(count(&scopes, Scope::Waiting), 60);
    }

    #[test]
    fn new_sockets_are_seen_within_a_twentieth_of_a_core() {
        let opens = |_, traffic: &mut Traffic| traffic.active_opens += 50;
        let (scopes, _) = looks(60, MS * 4, None, opens);
        assert_eq!(count(&scopes, Scope::All), 60, "a cheap look is made each time");
        let (scopes, _) = looks(60, MS * 20, None, opens);
        assert_eq!(count(&scopes, Scope::All), 30, "any other every second time");
        let (scopes, spent) = looks(60, MS * 140, None, opens);
        assert_eq!(count(&scopes, Scope::All), 20, "every 2.8 s");
        assert!(spent <= MS * 3000);
        let (_, spent) = looks(600, MS * 80, Some(MS * 60), opens);
        assert!(spent <= MS * 30_200, "owners count: {spent:?}");
        assert!(spent >= MS * 27_000, "{spent:?}");
    }

    #[test]
    fn while_packets_flow_all_are_read_every_ten_seconds_and_the_unsettled_in_between() {
        let flows = |_, traffic: &mut Traffic| traffic.segments += 9;
        let (scopes, spent) = looks(60, MS * 70, None, flows);
        // One more at the start, for the first rates.
        assert!((5..=7).contains(&count(&scopes, Scope::All)), "{scopes:?}");
        assert!(count(&scopes, Scope::Unsettled) >= 40, "{scopes:?}");
        assert!(spent <= MS * 3000, "{spent:?}");
        let (scopes, _) = looks(60, MS * 4, None, flows);
        assert_eq!(count(&scopes, Scope::All), 60, "a cheap look is made every time");
        let once = |second, traffic: &mut Traffic| traffic.segments += u64::from(second == 3);
        let (scopes, _) = looks(9, MS * 70, None, once);
        assert_eq!(count(&scopes, Scope::Unsettled), 1, "{scopes:?}");
    }

    #[test]
    fn a_recording_has_a_look_every_ten_seconds_whatever_moves() {
        let traffic = Traffic {
            segments: 7,
            ..Traffic::default()
        };
        let mut pace = Pace::new(true);
        pace.looked(SECOND, Scope::All, &traffic, MS, None);
        assert_eq!(pace.scope(SECOND * 9, &traffic, SECOND), Scope::Waiting);
        assert_eq!(pace.scope(SECOND * 11, &traffic, SECOND), Scope::All);
    }

    #[test]
    fn counters_of_all_connections_are_read_every_three_seconds_unless_they_are_cheap() {
        let counted = |cost: Duration| {
            let traffic = Traffic::default();
            let mut pace = Pace::default();
            let mut counted = Vec::new();
            for second in 0..10 {
                let now = SECOND * second;
                if pace.counts(now) {
                    pace.counted(now);
                    counted.push(second);
                }
                pace.looked(now, Scope::All, &traffic, cost, None);
            }
            counted
        };
        assert_eq!(counted(MS * 20), [0, 1, 4, 7], "two times make a rate");
        assert_eq!(counted(MS * 4).len(), 10);
    }

    #[test]
    fn expensive_small_tables_slow_the_looks_down() {
        let mut pace = Pace::default();
        assert_eq!(pace.pause(SECOND), SECOND);
        pace.looked(SECOND, Scope::Waiting, &Traffic::default(), MS * 100, None);
        assert_eq!(pace.pause(SECOND), SECOND * 2);
    }

    #[test]
    fn unreadable_counters_do_not_suppress_looks() {
        let pace = Pace::default();
        assert_eq!(pace.scope(SECOND, &Traffic::default(), SECOND), Scope::All);
    }
}
