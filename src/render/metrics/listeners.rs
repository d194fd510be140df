//! Listeners: their queues, drops, connections and owners.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::page::{Kind, Page};
use super::words::{OTHER, OTHER_PROGRAMS};
use crate::model::{Endpoints, Protocol, Row, Scope, State};
use crate::query::field::{Field, Value};
use crate::render::escape;

/// The label `port` of all listeners whose port the kernel chose.
const EPHEMERAL: &str = "ephemeral";

/// What identifies a listener.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    protocol: Protocol,
    /// `None` for listeners whose port the kernel chose.
    place: Option<(IpAddr, u16)>,
    program: String,
}

/// The counts of the sockets with one key.
#[derive(Clone, Debug, Default)]
struct Counts {
    sockets: u64,
    waiting: u64,
    limit: u64,
    /// The fullest queue: its length and its limit.
    fullest: (u64, u64),
    half_open: u64,
    dropped: u64,
    connections: u64,
    info: Info,
}

/// Facts about the socket with the widest scope.
#[derive(Clone, Debug, Default)]
struct Info {
    scope: Option<Scope>,
    user: String,
    unit: String,
    container: String,
}

#[derive(Debug)]
pub(super) struct Listeners {
    ports: RangeInclusive<u16>,
    all: BTreeMap<Key, Counts>,
    /// Connected TCP sockets by local address and port.
    connected: BTreeMap<(Protocol, IpAddr, u16), u64>,
}

impl Listeners {
    pub(super) fn new(ports: RangeInclusive<u16>) -> Self {
        Self {
            ports,
            all: BTreeMap::new(),
            connected: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, row: &Row<'_>, program: &str) {
        let socket = row.socket;
        let Endpoints::Inet(pair) = &socket.endpoints else {
            return;
        };
        let (address, port) = (pair.local_address, pair.local_port);
        let chosen = self.ports.contains(&port);
        if !socket.is_listener() {
            let connected = matches!(
                socket.state,
                State::Established
                    | State::CloseWait
                    | State::FinWait1
                    | State::FinWait2
                    | State::LastAck
                    | State::Closing
            );
            if connected && socket.protocol != Protocol::Udp && !chosen {
                let place = (socket.protocol, address.to_canonical(), port);
                *self.connected.entry(place).or_default() += 1;
            }
            return;
        }
        let key = Key {
            protocol: socket.protocol,
            place: (!chosen).then_some((address, port)),
            program: program.to_owned(),
        };
        let counts = self.all.entry(key).or_default();
        let number = |queue: Option<u32>| u64::from(queue.unwrap_or_default());
        let (waiting, limit) = (number(socket.accept_q()), number(socket.backlog()));
        counts.sockets += 1;
        counts.waiting += waiting;
        counts.limit += limit;
        // The kernel drops connections once the queue holds more than its limit (sk_acceptq_is_full).
        counts.fullest = fuller(counts.fullest, (waiting, limit + 1));
        counts.half_open += u64::from(row.context.half_open.of(socket).unwrap_or_default());
        counts.dropped += socket.drops.unwrap_or_default();
        if counts.sockets == 1 || socket.scope() > counts.info.scope {
            counts.info = Info::of(row);
        }
    }

    /// Adds connections to their listener: the one on their address, else the one on every address.
    fn join(&mut self) {
        for ((protocol, address, port), connections) in std::mem::take(&mut self.connected) {
            let rank = |key: &Key| {
                let (at, of_port) = key.place?;
                let same = key.protocol == protocol && of_port == port;
                let rank = match at.to_canonical() {
                    at if at == address => 0,
                    at if at.is_unspecified() && at.is_ipv4() == address.is_ipv4() => 1,
                    at if at.is_unspecified() && at.is_ipv6() => 2,
                    _ => return None,
                };
                same.then_some(rank)
            };
            let found = self
                .all
                .iter_mut()
                .filter_map(|(key, counts)| Some((rank(key)?, counts)))
                .min_by_key(|(rank, _)| *rank);
            if let Some((_, counts)) = found {
                counts.connections += connections;
            }
        }
    }

    pub(super) fn write(mut self, page: &mut Page, most: usize) {
        self.join();
        let mut all: Vec<(Key, Counts)> = self.all.into_iter().collect();
        // Equally full ones are sorted by the connections that they dropped or serve.
        all.sort_by(|(_, a), (_, b)| {
            let by_fullness = compare(b.fullest, a.fullest);
            by_fullness.then_with(|| {
                let weight = |counts: &Counts| Reverse((counts.dropped, counts.connections));
                weight(a).cmp(&weight(b))
            })
        });
        let rest = all.split_off(most.min(all.len()));
        let mut shown: Vec<([String; 4], Counts)> = all
            .into_iter()
            .map(|(key, counts)| (labels(&key), counts))
            .collect();
        let mut others: BTreeMap<Protocol, Counts> = BTreeMap::new();
        for (key, counts) in rest {
            others.entry(key.protocol).or_default().merge(&counts);
        }
        let is_other = shown.len();
        shown.extend(others.into_iter().map(|(protocol, counts)| {
            let labels = [protocol.name(), "", OTHER, OTHER_PROGRAMS].map(str::to_owned);
            (labels, counts)
        }));
        page.family(
            "listener_info",
            Kind::Gauge,
            "Listeners and their owners, always 1. The scope is where they can be reached from",
        );
        for ([protocol, address, port, process], counts) in shown.iter().take(is_other) {
            let info = &counts.info;
            let labels = [
                ("protocol", &**protocol),
                ("address", address),
                ("port", port),
                ("process", process),
                ("scope", info.scope.map_or("", Scope::name)),
                ("user", &info.user),
                ("unit", &info.unit),
                ("container", &info.container),
            ];
            page.sample(&labels, 1);
        }
        for (name, kind, help, value) in FAMILIES {
            page.family(name, *kind, help);
            for ([protocol, address, port, process], counts) in &shown {
                let labels = [
                    ("protocol", &**protocol),
                    ("address", address),
                    ("port", port),
                    ("process", process),
                ];
                page.sample_text(&labels, &value(counts));
            }
        }
        page.family(
            "listener_connections",
            Kind::Gauge,
            "Connections that were accepted at a port, in any state but time_wait",
        );
        let mut by_port: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for ([_, _, port, process], counts) in &shown {
            if port != EPHEMERAL {
                *by_port.entry((port, process)).or_default() += counts.connections;
            }
        }
        for ((port, process), connections) in by_port {
            page.sample(&[("port", port), ("process", process)], connections);
        }
    }
}

/// Name, type and help text of a family, and its value.
type Listed = (&'static str, Kind, &'static str, fn(&Counts) -> String);

const FAMILIES: &[Listed] = &[
    (
        "listener_sockets",
        Kind::Gauge,
        "Sockets that listen there: several with SO_REUSEPORT",
        |counts| counts.sockets.to_string(),
    ),
    (
        "listener_accept_queue",
        Kind::Gauge,
        "Connections that wait to be accepted",
        |counts| counts.waiting.to_string(),
    ),
    (
        "listener_accept_queue_limit",
        Kind::Gauge,
        "Limits of the accept queues, summed",
        |counts| counts.limit.to_string(),
    ),
    (
        "listener_accept_queue_ratio",
        Kind::Gauge,
        "How full the fullest accept queue is: at 1 the kernel drops connections",
        |counts| {
            let (waiting, room) = counts.fullest;
            ratio(waiting, room)
        },
    ),
    (
        "listener_half_open",
        Kind::Gauge,
        "Connections whose handshake has begun",
        |counts| counts.half_open.to_string(),
    ),
    (
        "listener_dropped_total",
        Kind::Counter,
        "Connections dropped there since the sockets were created",
        |counts| counts.dropped.to_string(),
    ),
];

#[allow(clippy::cast_precision_loss, reason = "queues are shorter than 2^52")]
fn ratio(waiting: u64, room: u64) -> String {
    (waiting as f64 / room.max(1) as f64).to_string()
}

/// Compares two fractions.
fn compare(a: (u64, u64), b: (u64, u64)) -> std::cmp::Ordering {
    let product = |waiting: u64, room: u64| u128::from(waiting) * u128::from(room.max(1));
    product(a.0, b.1).cmp(&product(b.0, a.1))
}

fn fuller(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    if compare(a, b).is_lt() { b } else { a }
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.sockets += other.sockets;
        self.waiting += other.waiting;
        self.limit += other.limit;
        self.fullest = fuller(self.fullest, other.fullest);
        self.half_open += other.half_open;
        self.dropped += other.dropped;
        self.connections += other.connections;
    }
}

impl Info {
    fn of(row: &Row<'_>) -> Self {
        let text = |field: Field| match field.value(row) {
            Value::Text(text) => escape::text(text),
            _ => String::new(),
        };
        Self {
            scope: row.socket.scope(),
            user: text(Field::User),
            unit: text(Field::Unit),
            container: text(Field::Container),
        }
    }
}

fn labels(key: &Key) -> [String; 4] {
    let (address, port) = match key.place {
        Some((address, port)) => (address.to_string(), port.to_string()),
        None => (String::new(), EPHEMERAL.to_owned()),
    };
    [key.protocol.name().to_owned(), address, port, key.program.clone()]
}
