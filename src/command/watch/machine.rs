//! The thread that reads the kernel's tables: small ones at every look, all of them when sockets were opened or closed
//! (`pace`).

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use super::Event;
use super::pace::Pace;
use super::surroundings::Surroundings;
use super::total;
use crate::command::events::messages::Messages;
use crate::command::filter;
use crate::engine::live::{Live, Scope, Traffic};
use crate::model::request::Dump;
use crate::model::summary::Figure;
use crate::model::{Protocol, Socket};
use crate::plan::watch::Selected;
use crate::plan::{FilterInput, Place, WatchPlan};
use crate::query::Expr;
use crate::source::proc::{ProcRoot, summary};
use crate::source::{tape, threads};
use crate::watch::msg::{News, Part};
use crate::watch::{Effect, Msg};

/// How often all owners are searched for again, because descriptors can be passed between processes.
const OWNERS: Duration = Duration::from_secs(60);
/// How often sockets that are bound but not listening are read.
const BOUND: Duration = Duration::from_secs(10);
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
    /// The filter, also one of states alone.
    filter: String,
    rows: Vec<Socket>,
    messages: Messages,
    interval: Duration,
    /// Whether the next look is the first with this filter.
    is_first: bool,
    /// Whether the ports alone have been shown, which is done at the start.
    has_ports: bool,
    traffic: Traffic,
    pace: Pace,
    owners_at: Instant,
    bound_at: Instant,
    failures: u32,
    surroundings: Surroundings,
}

impl Machine {
    pub(super) fn new(plan: WatchPlan, selected: Selected, begun: Instant, place: Place) -> Self {
        // The kernel of the machine that replays knows nothing about the recorded sockets.
        let heard = if tape::is_replaying() {
            &[][..]
        } else {
            &selected.request.dumps
        };
        Self {
            interval: plan.interval,
            messages: Messages::open(heard),
            live: Live::new(selected.request),
            remains: selected.remains,
            place,
            begun,
            filter: plan.filter.clone(),
            plan,
            number: 0,
            rows: Vec::new(),
            is_first: true,
            has_ports: false,
            traffic: Traffic::default(),
            pace: Pace::new(tape::is_recording()),
            owners_at: begun,
            bound_at: begun,
            failures: 0,
            surroundings: Surroundings::default(),
        }
    }

    /// Looks until the screen is closed. A recording ends with a look at everything.
    pub(super) fn run(mut self, orders: &Receiver<Effect>, screen: &Sender<Event>) {
        if tape::is_replaying() {
            return self.replay(orders, screen);
        }
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
                Err(RecvTimeoutError::Disconnected) => {
                    if tape::is_recording() {
                        self.seen(Part::All, Scope::All, true);
                    }
                    return;
                }
            };
            let (msg, pause) = self.look(all);
            if screen.send(Event::Msg(msg)).is_err() {
                return;
            }
            next = Instant::now() + pause;
        }
    }

    /// Processes all looks of a recording, again for each filter that is entered.
    fn replay(&mut self, orders: &Receiver<Effect>, screen: &Sender<Event>) {
        let mut looks = tape::looks();
        if looks.is_empty() {
            looks.push(tape::now());
        }
        let (mut next, mut searched_at) = (0, Duration::ZERO);
        loop {
            // A filter makes it start again, also before it has read everything.
            let order = match looks.get(next) {
                Some(_) => orders.try_recv().map_err(|error| error == TryRecvError::Empty),
                None => orders.recv().map_err(|_| false),
            };
            let msg = match (order, looks.get(next)) {
                (Ok(Effect::Filter(number, filter)), _) => match self.set_filter(number, &filter) {
                    Ok(()) => {
                        next = 0;
                        continue;
                    }
                    Err(why) => Msg::Refused(number, why),
                },
                (Err(true), Some(time)) => {
                    let since = looks.first().and_then(|first| time.duration_since(*first).ok());
                    let at = since.unwrap_or_default();
                    tape::turn_to(next);
                    next += 1;
                    // Owners that were found late, and those that changed, as a listing of that time shows them.
                    let is_due = tape::has_searched() && at.saturating_sub(searched_at) >= OWNERS;
                    if is_due || next == 1 || next == looks.len() {
                        self.live.forget_owners();
                        searched_at = at;
                    }
                    self.traffic = Traffic::read(&ProcRoot::default());
                    let part = if next == 1 { Part::First } else { Part::All };
                    let news = self.news(part, Scope::All, true, at, *time);
                    let progress = Msg::Reading(self.number, next, looks.len());
                    if screen.send(Event::Msg(progress)).is_err() || screen.send(Event::Msg(news)).is_err() {
                        return;
                    }
                    if next < looks.len() {
                        continue;
                    }
                    Msg::Replayed(self.number)
                }
                (Err(_), _) => return,
                (Ok(_), _) => continue,
            };
            if screen.send(Event::Msg(msg)).is_err() {
                return;
            }
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
        filter.clone_into(&mut self.filter);
        self.is_first = true;
        self.pace.recount();
        Ok(())
    }

    /// Looks at whatever may have changed, or at everything if `all`.
    fn look(&mut self, all: bool) -> (Msg, Duration) {
        self.traffic = tape::unrecorded(|| Traffic::read(&ProcRoot::default()));
        if self.is_first && !self.has_ports {
            // Ports first: they are always few.
            self.has_ports = true;
            return (self.seen(Part::Start, Scope::Waiting, false), Duration::ZERO);
        }
        if self.is_first {
            let msg = self.seen(Part::First, Scope::All, true);
            self.is_first = self.failures > 0;
            return (msg, self.pause());
        }
        if all {
            self.live.forget_bound();
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
        // A filter by owner needs the owners of every socket.
        let by_owner = self
            .live
            .request()
            .filter
            .as_ref()
            .is_some_and(Expr::needs_owners);
        let finds_owners = all || by_owner || self.pace.allows(now, self.interval);
        let msg = self.seen(part, scope, finds_owners);
        (msg, self.pause())
    }

    /// Looks now. Only looks at everything are recorded.
    fn seen(&mut self, part: Part, scope: Scope, finds_owners: bool) -> Msg {
        let (at, clock) = (self.begun.elapsed(), SystemTime::now());
        if scope != Scope::All {
            return tape::unrecorded(|| self.news(part, scope, finds_owners, at, clock));
        }
        self.traffic = Traffic::read(&ProcRoot::default());
        let news = self.news(part, scope, finds_owners, at, clock);
        tape::end_look(clock);
        news
    }

    fn news(&mut self, part: Part, scope: Scope, finds_owners: bool, at: Duration, clock: SystemTime) -> Msg {
        let begun = threads::cpu_time();
        if scope == Scope::All && self.owners_at.elapsed() > OWNERS {
            self.live.forget_owners();
            self.owners_at = Instant::now();
        }
        // In a recording, every look covers everything.
        let is_on_tape = tape::is_recording() || tape::is_replaying();
        if scope == Scope::All && (is_on_tape || self.bound_at.elapsed() > BOUND) {
            self.live.forget_bound();
            self.bound_at = Instant::now();
        }
        let counts = scope == Scope::All && (is_on_tape || self.pace.counts(at));
        let mut look = match self.live.look(scope, finds_owners, counts) {
            Ok(look) => look,
            Err(error) => {
                self.failures += 1;
                let why = format!("cannot list the processes in /proc: {error}");
                return Msg::Failed(why, self.pause());
            }
        };
        self.failures = 0;
        if scope == Scope::All && tape::is_recording() {
            let all = look.recorded.take();
            let all = all.as_ref().unwrap_or(&look.sockets);
            self.surroundings.record(all, &self.live.around());
        }
        let rows = tape::unrecorded(|| self.live.again(&self.rows));
        let heard = self.messages.now();
        let freed = heard
            .freed
            .into_iter()
            .filter(|socket| self.live.may_want(socket));
        let freed: Vec<Socket> = freed.collect();
        for socket in &freed {
            self.live.freed(socket);
        }
        let owners_cost = look.owners_cost.unwrap_or_default();
        let cost = threads::cpu_time().saturating_sub(begun + owners_cost);
        self.pace.looked(at, scope, &self.traffic, cost, look.owners_cost);
        if counts {
            self.pace.counted(at);
        }
        Msg::News(Box::new(News {
            filter: self.number,
            at,
            clock,
            part,
            total: self.total(),
            left_out: self.left_out(),
            look,
            rows,
            freed,
            unseen: self.live.selects_all_states(),
            lost: heard.lost,
            around: self.live.around(),
            traffic: self.traffic,
            cost: cost + owners_cost,
            reads: cost,
        }))
    }

    /// The total number of sockets, regardless of the filter; `None` if the kernel does not count those that are read.
    fn total(&self) -> Option<u64> {
        if self.filter.trim().is_empty() {
            return None;
        }
        let mut figures = total::figures(&self.live.request().dumps)?;
        if self.remains {
            figures.push(Figure::TcpTimeWait);
        }
        let counts = summary::read_counts(&ProcRoot::default()).ok()?;
        Some(figures.into_iter().filter_map(|figure| counts.get(figure)).sum())
    }

    /// How many closed connections are not shown.
    fn left_out(&self) -> Option<u64> {
        let wants_tcp = |dump: &Dump| dump.protocol == Protocol::Tcp;
        if self.remains || !self.live.request().dumps.iter().any(wants_tcp) {
            return None;
        }
        tape::unrecorded(|| summary::read_time_wait(&ProcRoot::default()))
    }

    fn pause(&self) -> Duration {
        match self.failures {
            0 => self.pace.pause(self.interval),
            failures => (self.interval * 2u32.saturating_pow(failures)).min(RETRY_MAX),
        }
    }
}
