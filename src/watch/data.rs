//! What is known about the sockets: the last look, and what earlier looks add to it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::moment::{KEPT_FOR, Moment};
use super::msg::{News, Part};
use crate::engine::follow::{Event, Followed, Happened};
use crate::engine::live::{Around, Figures, Scope, Traffic};
use crate::model::{Gap, Key, Row, Socket};

/// How long a new row is marked.
pub const NEW_FOR: Duration = Duration::from_secs(3);
/// How long a row that is gone keeps its place.
pub const GONE_FOR: Duration = Duration::from_secs(5);
/// The time over which rates are averaged.
const MEAN_SECONDS: f64 = 10.0;
/// How many events are kept: some 64 MB.
const EVENTS_MAX: usize = 200_000;
/// How many points of a curve are kept, one for each look.
pub(super) const POINTS_MAX: usize = 120;

/// The counters of a connection, and how fast they grow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// The counters at the last look.
    pub figures: Figures,
    /// The time of that look.
    at: Duration,
    /// Bytes per second, received and sent, between the last two looks; `None` before the second.
    pub now: Option<(f64, f64)>,
    /// The same as a mean over some ten seconds.
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
}

/// One line of the view of events.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number since the start.
    pub number: u64,
    /// When it was noticed, since the start.
    pub at: Duration,
    /// The same by the clock.
    pub clock: SystemTime,
    /// What happened.
    pub event: Event,
}

/// A point of the curves of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Bytes per second, received and sent.
    pub rate: (f64, f64),
    /// The round-trip time, in microseconds.
    pub rtt_us: u32,
    /// Segments retransmitted since the previous point.
    pub retransmits: u32,
    /// Bytes that wait: unread and unacknowledged.
    pub queues: (u32, u32),
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// The sockets.
    pub followed: Followed,
    /// The counters of connections.
    pub rates: HashMap<Key, Rates>,
    /// Owners and names.
    pub around: Arc<Around>,
    /// Connections on the screen, with all details.
    pub details: BTreeMap<Key, Socket>,
    /// Their curves.
    pub curves: BTreeMap<Key, VecDeque<Point>>,
    /// Sockets that are gone, and since when; not those that nothing had shown before.
    pub gone: Vec<(Socket, Duration)>,
    /// When each new socket was first seen.
    pub born: BTreeMap<Key, Duration>,
    /// When the state of a socket last changed.
    pub changed: BTreeMap<Key, Duration>,
    /// The events, latest last.
    pub events: VecDeque<Line>,
    pub(super) event_count: u64,
    /// The looks of the last minutes, latest last.
    pub moments: VecDeque<Moment>,
    /// Whether all looks are kept, however old.
    pub keeps_all: bool,
    /// Counters of the machine at the last look, and how they grew in the last minute.
    pub traffic: Traffic,
    pub(super) minute: VecDeque<(Duration, Traffic)>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// Sockets that the filter could not decide.
    pub undecided: u64,
    /// The total number of sockets, regardless of the filter.
    pub total: Option<u64>,
    /// Opened and closed at the last look.
    pub moved: (usize, usize),
    /// When the last look of any kind was made, and the last at all sockets.
    pub looked: Option<Duration>,
    /// When the last look at all sockets was made.
    pub looked_at_all: Option<Duration>,
    /// The time of the last look.
    pub clock: Option<SystemTime>,
    /// The processor time that it took.
    pub cost: Duration,
    /// Whether messages of the kernel were lost.
    pub lost: u64,
}

impl Data {
    /// Adds what a look found.
    pub fn take(&mut self, news: News, remains: bool) {
        let News { at, part, look, .. } = news;
        let first = part == Part::First;
        if first {
            let mut followed = Followed::shown(remains);
            followed.begin(look.sockets);
            self.followed = followed;
            self.gone.clear();
            self.born.clear();
            self.changed.clear();
            // Events seen with another filter cannot be undone.
            self.events.clear();
            self.moments.clear();
        } else {
            self.settle(at);
            let events = match part {
                Part::Waiting => self
                    .followed
                    .part(look.sockets, news.freed, |(protocol, _), state| {
                        Scope::Waiting.covers(protocol, state)
                    }),
                Part::All | Part::First => self.followed.look(look.sockets, news.freed),
            };
            self.note(events, at, news.clock);
        }
        if part != Part::Waiting {
            self.looked_at_all = Some(at);
            self.cost = news.cost;
            self.undecided = look.undecided;
            self.gaps = look.gaps;
            let known = self.followed.known();
            self.rates.retain(|key, _| known.contains(*key));
        }
        for (key, figures) in look.figures {
            self.rate(key, figures, at);
        }
        self.rows(news.rows, at);
        self.around = news.around;
        self.lost += u64::from(news.lost);
        self.total = news.total.or(self.total);
        self.traffic = news.traffic;
        self.minute.push_back((at, news.traffic));
        while let Some((then, _)) = self.minute.front()
            && at.saturating_sub(*then) > Duration::from_secs(60)
        {
            self.minute.pop_front();
        }
        self.looked = Some(at);
        self.clock = Some(news.clock);
        let moment = Moment::new(at, news.clock, self.moved, self.followed.known());
        self.moments.push_back(moment);
        while !self.keeps_all
            && self
                .moments
                .front()
                .is_some_and(|first| at.saturating_sub(first.at) > KEPT_FOR)
        {
            self.moments.pop_front();
        }
    }

    /// Connections that were read one by one.
    fn rows(&mut self, rows: Vec<Socket>, at: Duration) {
        let mut details = BTreeMap::new();
        for socket in rows {
            let Some(key) = socket.identity() else { continue };
            if !self.followed.known().contains(key) {
                continue;
            }
            let retransmits = self.rates.get(&key).map_or(0, |rates| rates.figures.retransmits);
            if let Some(figures) = Figures::of(&socket) {
                self.rate(key, figures, at);
                let rates = self.rates.get(&key).copied().unwrap_or_default();
                let curve = self.curves.entry(key).or_default();
                curve.push_back(Point {
                    rate: rates.now.unwrap_or_default(),
                    rtt_us: figures.rtt_us,
                    retransmits: figures.retransmits.saturating_sub(retransmits),
                    queues: (socket.recv_q().unwrap_or(0), socket.send_q().unwrap_or(0)),
                });
                while curve.len() > POINTS_MAX {
                    curve.pop_front();
                }
            }
            details.insert(key, socket);
        }
        self.curves.retain(|key, _| details.contains_key(key));
        self.details = details;
    }

    fn rate(&mut self, key: Key, figures: Figures, at: Duration) {
        self.rates
            .entry(key)
            .and_modify(|rates| rates.next(figures, at))
            .or_insert_with(|| Rates::first(figures, at));
    }

    /// Marks what happened.
    fn note(&mut self, events: Vec<Event>, at: Duration, clock: SystemTime) {
        self.moved = (0, 0);
        for event in events {
            let Some(key) = event.socket.identity() else {
                continue;
            };
            match event.happened {
                Happened::Opened => {
                    self.moved.0 += 1;
                    self.born.insert(key, at);
                }
                Happened::Changed(_) => {
                    self.changed.insert(key, at);
                }
                Happened::Closed => {
                    self.moved.1 += 1;
                    self.gone.push((event.socket.clone(), at));
                }
                Happened::ClosedUnseen => {}
            }
            self.event_count += 1;
            self.events.push_back(Line {
                number: self.event_count,
                at,
                clock,
                event,
            });
        }
        let is_old = |line: &Line| !self.keeps_all && at.saturating_sub(line.at) > KEPT_FOR;
        while self.events.len() > EVENTS_MAX || self.events.front().is_some_and(is_old) {
            self.events.pop_front();
        }
    }

    /// Removes marks that have been shown long enough.
    fn settle(&mut self, at: Duration) {
        let young = |since: &Duration| at.saturating_sub(*since) < NEW_FOR;
        self.born.retain(|_, since| young(since));
        self.changed.retain(|_, since| young(since));
        self.gone
            .retain(|(_, since)| at.saturating_sub(*since) < GONE_FOR);
    }

    /// Returns a socket: with all details if it is on the screen, and as it last was if it is gone.
    pub fn socket(&self, key: Key) -> Option<Socket> {
        let gone = || {
            let of_key = |(socket, _): &&(Socket, Duration)| socket.identity() == Some(key);
            self.gone.iter().find(of_key).map(|(socket, _)| socket.clone())
        };
        let known = self.followed.known().get(key);
        match (known, self.details.get(&key)) {
            (Some(known), Some(detailed)) if detailed.state == known.state => Some(detailed.clone()),
            (Some(known), _) => Some(known),
            (None, _) => gone(),
        }
    }

    /// Returns an event by its number.
    pub fn event(&self, number: u64) -> Option<&Line> {
        let first = self.events.front()?.number;
        self.events.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Returns when a socket disappeared.
    pub fn gone_since(&self, key: Key) -> Option<Duration> {
        if self.followed.known().contains(key) {
            return None;
        }
        let of_key = |(socket, _): &&(Socket, Duration)| socket.identity() == Some(key);
        self.gone.iter().find(of_key).map(|(_, since)| *since)
    }

    /// Returns a socket as a row.
    pub fn row<'a>(&'a self, socket: &'a Socket) -> Row<'a> {
        Row {
            socket,
            ownership: self.around.owners.of(socket),
            context: &self.around.context,
        }
    }

    /// How the counters of the machine grew in the last minute.
    pub fn last_minute(&self) -> Traffic {
        let before = self.minute.front().map_or(self.traffic, |(_, traffic)| *traffic);
        let now = self.traffic;
        Traffic {
            active_opens: now.active_opens.saturating_sub(before.active_opens),
            passive_opens: now.passive_opens.saturating_sub(before.passive_opens),
            established: now.established,
            segments: now.segments.saturating_sub(before.segments),
            retransmits: now.retransmits.saturating_sub(before.retransmits),
            listen_overflows: now.listen_overflows.saturating_sub(before.listen_overflows),
            udp_drops: now.udp_drops.saturating_sub(before.udp_drops),
        }
    }
}
