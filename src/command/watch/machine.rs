//! The thread that reads the kernel's tables: small ones at every look, all of them when something was opened or closed
//! (`pace`).

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use super::Event;
use super::pace::Pace;
use crate::command::events::messages::Messages;
use crate::command::filter;
use crate::engine::live::{Live, Scope, Traffic};
use crate::model::Socket;
use crate::model::summary::Figure;
use crate::plan::watch::Selected;
use crate::plan::{FilterInput, Place, WatchPlan};
use crate::query::Expr;
use crate::source::proc::{ProcRoot, summary};
use crate::source::threads;
use crate::watch::msg::{News, Part};
use crate::watch::{Effect, Msg};

/// How often all owners are searched again, because descriptors are passed on.
const OWNERS: Duration = Duration::from_secs(60);
/// The longest pause after looks that failed.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// The state of the thread.
pub(super) struct Machine {
    plan: WatchPlan,
    live: Live,
    remains: bool,
    place: Place,
    begun: Instant,
    number: u32,
    rows: Vec<Socket>,
    messages: Messages,
    interval: Duration,
    /// Whether the next look is the first with this filter.
    is_first: bool,
    traffic: Traffic,
    pace: Pace,
    owners_at: Instant,
    failures: u32,
}

impl Machine {
    pub(super) fn new(plan: WatchPlan, selected: Selected, begun: Instant, place: Place) -> Self {
        Self {
            interval: plan.interval,
            messages: Messages::open(&selected.request.dumps),
            live: Live::new(selected.request),
            remains: selected.remains,
            place,
            begun,
            plan,
            number: 0,
            rows: Vec::new(),
            is_first: true,
            traffic: Traffic::default(),
            pace: Pace::default(),
            owners_at: begun,
            failures: 0,
        }
    }

    /// Looks until the screen is closed.
    pub(super) fn run(mut self, orders: &Receiver<Effect>, screen: &Sender<Event>) {
        let mut next = Instant::now();
        loop {
            let order = orders.recv_timeout(next.saturating_duration_since(Instant::now()));
            let all = match order {
                Ok(Effect::Rows(rows)) => {
                    self.rows = rows;
                    continue;
                }
                Ok(Effect::Filter(number, filter)) => match self.set_filter(number, &filter) {
                    Ok(()) => true,
                    Err(why) => {
                        let refused = Event::Msg(Msg::Refused(number, why));
                        if screen.send(refused).is_err() {
                            return;
                        }
                        continue;
                    }
                },
                Ok(Effect::Interval(interval)) => {
                    self.interval = interval;
                    next = next.min(Instant::now() + interval);
                    continue;
                }
                Ok(Effect::Look) => true,
                Ok(_) => continue,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (msgs, pause) = self.look(all);
            for msg in msgs {
                if screen.send(Event::Msg(msg)).is_err() {
                    return;
                }
            }
            next = Instant::now() + pause;
        }
    }

    fn set_filter(&mut self, number: u32, filter: &str) -> Result<(), String> {
        let parsed = filter::read(&FilterInput::of_line(filter)).map_err(|error| format!("{error:#}"))?;
        let parsed = parsed.map_err(|error| error.to_string())?;
        let selected = self.plan.select(parsed, &self.place).map_err(|error| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        })?;
        self.live.turn_to(selected.request);
        self.remains = selected.remains;
        self.number = number;
        self.is_first = true;
        Ok(())
    }

    /// Looks at what may have changed; `all` if everything is wanted now.
    fn look(&mut self, all: bool) -> (Vec<Msg>, Duration) {
        self.traffic = Traffic::read(&ProcRoot::default());
        if self.is_first {
            let mut msgs = Vec::new();
            if self.number == 0 {
                // Ports first: they are always few.
                msgs.push(self.news(Part::First, Scope::Waiting, false));
            }
            msgs.push(self.news(Part::First, Scope::All, true));
            self.is_first = self.failures > 0;
            return (msgs, self.pause());
        }
        let now = self.begun.elapsed();
        let scope = if all {
            Scope::All
        } else {
            self.pace.scope(now, &self.traffic, self.interval)
        };
        let part = if scope == Scope::All {
            Part::All
        } else {
            Part::Waiting
        };
        // A filter by owner cannot judge a socket without them.
        let by_owner = self
            .live
            .request()
            .filter
            .as_ref()
            .is_some_and(Expr::needs_owners);
        let finds_owners = all || by_owner || self.pace.allows(now, self.interval);
        let msg = self.news(part, scope, finds_owners);
        (vec![msg], self.pause())
    }

    fn news(&mut self, part: Part, scope: Scope, finds_owners: bool) -> Msg {
        let at = self.begun.elapsed();
        let begun = threads::cpu_time();
        if scope == Scope::All && self.owners_at.elapsed() > OWNERS {
            self.live.forget_owners();
            self.owners_at = Instant::now();
        }
        let look = match self.live.look(scope, finds_owners) {
            Ok(look) => look,
            Err(error) => {
                self.failures += 1;
                let why = format!("cannot list the processes in /proc: {error}");
                return Msg::Failed(why, self.pause());
            }
        };
        self.failures = 0;
        let rows = self.live.again(&self.rows).unwrap_or_default();
        let heard = self.messages.now();
        let freed = heard
            .freed
            .into_iter()
            .filter(|socket| self.live.may_want(socket));
        let freed = freed.collect();
        let owners_cost = look.owners_cost.unwrap_or_default();
        let cost = threads::cpu_time().saturating_sub(begun + owners_cost);
        self.pace.looked(at, scope, &self.traffic, cost, look.owners_cost);
        Msg::News(Box::new(News {
            filter: self.number,
            at,
            clock: SystemTime::now(),
            part,
            total: self.total(look.sockets.len() as u64, scope),
            look,
            rows,
            freed,
            lost: heard.lost,
            around: self.live.around(),
            traffic: self.traffic,
            cost: cost + owners_cost,
        }))
    }

    /// How many sockets there are, whatever the filter.
    fn total(&self, seen: u64, scope: Scope) -> Option<u64> {
        if self.live.request().filter.is_none() {
            return (scope == Scope::All).then_some(seen);
        }
        let counts = summary::read_counts(&ProcRoot::default()).ok()?;
        let mut figures = vec![
            Figure::TcpInUse,
            Figure::Tcp6InUse,
            Figure::UdpInUse,
            Figure::Udp6InUse,
        ];
        if self.remains {
            figures.push(Figure::TcpTimeWait);
        }
        Some(figures.into_iter().filter_map(|figure| counts.get(figure)).sum())
    }

    fn pause(&self) -> Duration {
        match self.failures {
            0 => self.pace.pause(self.interval),
            failures => (self.interval * 2u32.saturating_pow(failures)).min(RETRY_MAX),
        }
    }
}
