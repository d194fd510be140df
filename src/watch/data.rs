//! What is known about the sockets, from the last look and from earlier ones.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::kind::waits;
use super::line::Line;
use super::moment::{KEPT_FOR, Moment};
use super::msg::{News, Part};
use super::rates::Counted;
use crate::engine::follow::{Event, Followed, Happened};
use crate::engine::live::{Accepting, Around, Figures, Scope, Traffic};
use crate::model::{Gap, Key, Row, Socket};

/// How long a new row is marked.
pub const NEW_FOR: Duration = Duration::from_secs(3);
/// How long the row of a closed socket keeps its place.
pub const GONE_FOR: Duration = Duration::from_secs(5);
/// The maximum memory for the looks of the last minutes and their events.
pub(super) const KEPT_BYTES: usize = 64 << 20;
/// How far back problems are reported.
pub(super) const RECENT: Duration = Duration::from_secs(60);
/// How many points of a curve are kept, one per look.
pub(super) const POINTS_MAX: usize = 120;

/// A point of the curves of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Bytes per second, received and sent.
    pub rate: (f64, f64),
    /// The round-trip time, in microseconds.
    pub rtt_us: u32,
    /// Segments retransmitted since the previous point.
    pub retransmits: u32,
    /// Queued bytes: unread and unacknowledged.
    pub queues: (u32, u32),
}

/// What a socket dropped lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dropped {
    /// The socket.
    pub key: Key,
    /// Its port; 0 for none.
    pub port: u16,
    /// How many packets.
    pub packets: u64,
    /// In what time.
    pub span: Duration,
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// The filter that selected the sockets.
    pub filter: String,
    /// The sockets.
    pub followed: Followed,
    /// The counters of connections, and their rates.
    pub counted: Counted,
    /// Owners and names.
    pub around: Arc<Around>,
    /// Connections on the screen, with all details.
    pub details: BTreeMap<Key, Socket>,
    /// Rates since this time are fresh: of connections that were read at the last look or the one before.
    pub(super) fresh_from: Duration,
    /// The number of segments of the machine when the counters of all connections were read.
    pub(super) segments_counted: Option<u64>,
    /// Ports with listeners that the filter leaves out.
    pub accepting: Accepting,
    /// Whether the listeners that the filter leaves out could not be read.
    pub lacks_listeners: bool,
    /// Ports with connections that a listener accepted which has closed since.
    pub(super) closed: Accepting,
    /// Whether some of these may have no connections left.
    pub(super) closed_is_stale: bool,
    /// The ports that the kernel chooses for connections that are opened from here; `None` if unknown.
    pub chosen: Option<RangeInclusive<u16>>,
    /// How many closed connections (TIME-WAIT) are not shown.
    pub left_out: Option<u64>,
    /// The curves of the connections on the screen.
    pub curves: BTreeMap<Key, VecDeque<Point>>,
    /// Sockets that are gone, and since when; without those that no look ever showed.
    pub gone: Vec<(Socket, Duration)>,
    /// When each new socket was first seen.
    pub born: BTreeMap<Key, Duration>,
    /// When the state of a socket last changed.
    pub changed: BTreeMap<Key, Duration>,
    /// The events, latest last.
    pub events: VecDeque<Line>,
    pub(super) event_count: u64,
    /// The sockets that drop packets now.
    pub(super) losing: Vec<Dropped>,
    /// The looks of the last minutes, latest last.
    pub moments: VecDeque<Moment>,
    /// Whether all looks are kept, however old.
    pub keeps_all: bool,
    /// The memory that looks and events take.
    pub(super) kept_bytes: usize,
    /// Counters of the machine at the last look.
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
    /// The same without the search for owners.
    pub reads: Duration,
    /// How often messages of the kernel were lost.
    pub lost: u64,
}

impl Data {
    /// Adds what a look found.
    pub fn take(&mut self, news: News, remains: bool) {
        let News { at, part, look, .. } = news;
        let mut freed = news.freed;
        if !news.unseen {
            let known = self.followed.known();
            let is_known = |socket: &Socket| socket.identity().is_some_and(|key| known.contains(key));
            freed.retain(is_known);
        }
        let before = self.looked.unwrap_or_default();
        let first = matches!(part, Part::First | Part::Start);
        if first {
            let mut followed = Followed::shown(remains);
            followed.begin(look.sockets);
            self.followed = followed;
            self.total = None;
            self.counted = Counted::default();
            self.segments_counted = None;
            self.gone.clear();
            self.born.clear();
            self.changed.clear();
            // Events seen with another filter cannot be undone.
            self.events.clear();
            self.moments.clear();
            self.kept_bytes = 0;
            self.moved = (0, 0);
        } else {
            self.settle(at);
            let events = match part {
                Part::Waiting => self.followed.part(look.sockets, freed, |(protocol, _), state| {
                    Scope::Waiting.covers(protocol, state)
                }),
                Part::All | Part::First | Part::Start => self.followed.look(look.sockets, freed),
            };
            let by_filter = |event: &Event| {
                let key = event.socket.identity();
                key.is_some_and(|key| match event.happened {
                    Happened::Closed => look.left.contains(&key),
                    Happened::Opened => look.returned.contains(&key),
                    Happened::Changed(_) | Happened::ClosedUnseen => false,
                })
            };
            self.note(events, at, news.clock, by_filter);
        }
        if matches!(part, Part::First | Part::All) {
            self.looked_at_all = Some(at);
            self.cost = news.cost;
            self.reads = news.reads;
            self.undecided = look.undecided;
            self.gaps = look.gaps;
            self.lacks_listeners = look.lacks_listeners;
            self.take_accepting(look.accepting);
            self.chosen = look.chosen;
        }
        let details = &self.details;
        let is_read = |key: Key| details.contains_key(&key);
        let segments = Some(news.traffic.segments).filter(|segments| *segments > 0);
        if let Some(figures) = look.figures {
            self.counted.all(figures, at, is_read);
            self.segments_counted = segments;
        } else if segments.is_some() && segments == self.segments_counted {
            self.counted.same(at, is_read);
        }
        self.fresh_from = match &news.rows {
            Some(_) => before,
            None => before.min(self.counted.at()),
        };
        self.rows(news.rows.unwrap_or_default(), at);
        self.left_out = news.left_out;
        self.around = news.around;
        self.lost += u64::from(news.lost);
        self.total = news.total.or(self.total);
        self.traffic = news.traffic;
        self.minute.push_back((at, news.traffic));
        while let Some((then, _)) = self.minute.front()
            && at.saturating_sub(*then) > RECENT
        {
            self.minute.pop_front();
        }
        self.looked = Some(at);
        self.clock = Some(news.clock);
        let known = self.followed.known();
        let moment = Moment::new(at, news.clock, self.moved, known, self.moments.back());
        self.kept_bytes += moment.bytes;
        self.moments.push_back(moment);
        self.find_losing();
        if !self.keeps_all {
            self.forget(at, KEPT_BYTES);
        }
    }

    /// Drops the oldest looks, and the events up to them: looks that are older than the user can go back, and those
    /// beyond the memory limit. Going back to a look undoes the events since then.
    pub(super) fn forget(&mut self, at: Duration, bytes_max: usize) {
        while self.moments.len() > 1
            && let Some(first) = self.moments.front()
            && (at.saturating_sub(first.at) > KEPT_FOR || self.kept_bytes > bytes_max)
            && let Some(first) = self.moments.pop_front()
        {
            self.kept_bytes = self.kept_bytes.saturating_sub(first.bytes);
            while self.events.front().is_some_and(|line| line.at <= first.at) {
                let line = self.events.pop_front();
                self.kept_bytes = self
                    .kept_bytes
                    .saturating_sub(line.map_or(0, |line| line.bytes()));
            }
        }
    }

    /// Takes connections that were read one by one.
    fn rows(&mut self, rows: Vec<Socket>, at: Duration) {
        let mut details = BTreeMap::new();
        for socket in rows {
            let Some(key) = socket.identity() else { continue };
            if !self.followed.known().contains(key) {
                continue;
            }
            let before = self.counted.figures(key);
            if let Some(figures) = Figures::of(&socket) {
                let retransmits = before.map_or(figures.retransmits, |before| before.retransmits);
                self.counted.one(key, figures, at);
                let rates = self.counted.rates(key).copied().unwrap_or_default();
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

    /// Records events, and marks their rows.
    fn note(
        &mut self,
        events: Vec<Event>,
        at: Duration,
        clock: SystemTime,
        by_filter: impl Fn(&Event) -> bool,
    ) {
        self.moved = (0, 0);
        for event in events {
            let Some(key) = event.socket.identity() else {
                continue;
            };
            let by_filter = by_filter(&event);
            match event.happened {
                _ if by_filter => {}
                Happened::Opened => {
                    self.moved.0 += 1;
                    self.born.insert(key, at);
                }
                Happened::Changed(_) => {
                    self.changed.insert(key, at);
                }
                Happened::Closed => {
                    self.moved.1 += 1;
                    self.note_closed(&event.socket);
                    self.gone.push((event.socket.clone(), at));
                }
                Happened::ClosedUnseen => {
                    self.moved.0 += 1;
                    self.moved.1 += 1;
                }
            }
            self.event_count += 1;
            let line = Line {
                number: self.event_count,
                at,
                clock,
                event,
                by_filter,
            };
            self.kept_bytes += line.bytes();
            self.events.push_back(line);
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

    /// Returns a socket: with all details if it is on the screen, in its last state if it is gone.
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

    /// Bytes per second that a TCP connection received and sent, between the last two looks; `None` if it was not read
    /// at the last look or the one before.
    pub fn rate(&self, key: Key) -> Option<(f64, f64)> {
        self.counted.since(key, self.fresh_from)
    }

    /// Returns an event by its number.
    pub fn event(&self, number: u64) -> Option<&Line> {
        let first = self.events.front()?.number;
        self.events.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Whether a socket that waits for connections or datagrams opened or closed at the last look.
    pub(super) fn has_moved_ports(&self) -> bool {
        let latest = self.events.iter().rev();
        let mut latest = latest.take_while(|line| Some(line.at) == self.looked);
        latest.any(|line| waits(&line.event.socket))
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

    /// The time in which the counters of [`Self::last_minute`] grew: less than a minute just after the start.
    pub(super) fn minute_span(&self) -> Duration {
        let ends = self.minute.front().zip(self.minute.back());
        ends.map_or(Duration::ZERO, |((first, _), (last, _))| {
            last.saturating_sub(*first)
        })
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::engine::live::Look;
    use crate::model::{State, Store};
    use crate::query::samples::tcp;

    fn news(seconds: u64, part: Part) -> News {
        let socket = Socket {
            cookie: NonZeroU64::new(seconds + 1),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::Established)
        };
        News {
            filter: 0,
            at: Duration::from_secs(seconds),
            clock: UNIX_EPOCH + Duration::from_secs(seconds),
            part,
            look: Look {
                sockets: Store::of([&socket]),
                ..Look::default()
            },
            rows: Some(Vec::new()),
            freed: Vec::new(),
            unseen: true,
            lost: false,
            around: Arc::default(),
            traffic: Traffic::default(),
            total: None,
            left_out: None,
            cost: Duration::ZERO,
            reads: Duration::ZERO,
        }
    }

    #[test]
    fn looks_are_kept_for_ten_minutes_or_as_long_as_there_is_room() {
        let mut data = Data::default();
        data.take(news(0, Part::First), false);
        for seconds in 1..=700 {
            data.take(news(seconds, Part::All), false);
        }
        assert_eq!(data.moments.len(), 601);
        let kept = |data: &Data| {
            let moments: usize = data.moments.iter().map(|moment| moment.bytes).sum();
            moments + data.events.iter().map(Line::bytes).sum::<usize>()
        };
        assert_eq!(data.kept_bytes, kept(&data));
        data.forget(Duration::from_secs(700), data.kept_bytes / 2);
        assert_eq!(data.kept_bytes, kept(&data));
        assert!((290..310).contains(&data.moments.len()), "{}", data.moments.len());
        // The first look that is left shows what existed then.
        let first = data.rewound(0).unwrap();
        let cookies: Vec<u64> = first
            .followed
            .known()
            .keys()
            .map(|(key, _)| key.1.get())
            .collect();
        let seconds = first.looked.unwrap().as_secs();
        assert_eq!(cookies, [seconds + 1]);
    }
}
