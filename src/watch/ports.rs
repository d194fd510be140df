//! The ports view: one row for each port in use, with its connections.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Data;
use super::kind::{Kind, Ports, waits};
use crate::model::{Holder, Key, Process, Protocol, Scope, Socket, State, Store};
use crate::query::field::recv_q_percent;

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its number; 0 for several ports.
    pub port: u16,
    /// How its sockets come to share it.
    pub kind: Kind,
    /// The scopes of the sockets that wait on it.
    pub scopes: Vec<Scope>,
    /// The number of connections on it.
    pub connections: usize,
    /// Bytes per second, received and sent, over all connections; `None` if the kernel keeps no such counters.
    pub rate: Option<(f64, f64)>,
    /// The accept queue of the listener that is nearest to its limit: waiting, limit.
    pub accept: Option<(u32, u32)>,
    /// The fill level of the fullest receive buffer, in percent.
    pub queue_percent: Option<u64>,
    /// Packets dropped at its sockets.
    pub drops: u64,
    /// The programs that hold what was opened from here, or that wait on it; a master with its workers is one.
    pub programs: BTreeSet<u32>,
    /// The holders of the sockets that wait on it, those of the first socket first.
    pub holders: Vec<Holder>,
    /// The sockets that wait on it; none for what was opened from here, and if the filter leaves them out.
    pub waiting: Vec<Key>,
    /// The first socket that waits on it, or else the first connection.
    pub first: Key,
}

impl Port {
    fn new(protocol: Protocol, port: u16, kind: Kind, first: Key) -> Self {
        Self {
            protocol,
            port,
            kind,
            scopes: Vec::new(),
            connections: 0,
            rate: (protocol == Protocol::Tcp).then_some((0.0, 0.0)),
            accept: None,
            queue_percent: None,
            drops: 0,
            programs: BTreeSet::new(),
            holders: Vec::new(),
            waiting: Vec::new(),
            first,
        }
    }

    /// Whether its accept queue is full: the next connections are lost.
    pub fn is_full(&self) -> bool {
        self.accept.is_some_and(|(waiting, limit)| waiting > limit)
    }

    /// Whether one of these ports belongs to it, among all rows.
    pub(super) fn has_one_of(&self, ports: &BTreeSet<(Protocol, u16)>, rows: &[Self], data: &Data) -> bool {
        if !self.kind.is_of_many_ports() {
            return ports.contains(&(self.protocol, self.port));
        }
        let own = of_many(rows, self.protocol, self.kind, data);
        ports
            .iter()
            .any(|(protocol, port)| *protocol == self.protocol && own.contains(*port))
    }

    /// Updates the queues and drops from its sockets.
    pub(super) fn refresh(&mut self, known: &Store, slot: &mut Socket) {
        self.accept = None;
        self.queue_percent = None;
        self.drops = 0;
        for key in std::mem::take(&mut self.waiting) {
            if known.read(key, slot) {
                self.add_waiting(key, slot);
            }
        }
    }

    /// Adds the holders of a socket that waits on it: another program, unless a parent or child of one waits there already.
    fn add_holders(&mut self, holders: &[Holder], processes: &BTreeMap<u32, Process>) {
        let parent = |pid: u32| processes.get(&pid).and_then(|process| process.parent);
        let is_one = |a: u32, b: u32| a == b || parent(a) == Some(b) || parent(b) == Some(a);
        // Process 1 starts everything and may hold sockets for others: that does not make them one program.
        let is_known = |holder: &Holder| {
            let mut others = self.holders.iter().filter(|other| other.pid != 1);
            others.any(|other| is_one(holder.pid, other.pid))
        };
        if !holders.iter().filter(|holder| holder.pid != 1).any(is_known) {
            self.programs.extend(holders.first().map(|holder| holder.pid));
        }
        for holder in holders {
            if !self.holders.iter().any(|other| other.pid == holder.pid) {
                self.holders.push(*holder);
            }
        }
    }

    fn add_waiting(&mut self, key: Key, socket: &Socket) {
        self.waiting.push(key);
        if let Some(scope) = socket.scope()
            && !self.scopes.contains(&scope)
        {
            self.scopes.push(scope);
            self.scopes.sort_unstable();
        }
        if let Some(queue) = socket.accept_q().zip(socket.backlog()) {
            let left = |(waiting, limit): (u32, u32)| i64::from(limit) - i64::from(waiting);
            if self.accept.is_none_or(|accept| left(queue) < left(accept)) {
                self.accept = Some(queue);
            }
        }
        self.queue_percent = self.queue_percent.max(recv_q_percent(socket));
        self.drops += socket.drops.unwrap_or(0);
    }
}

/// The ports of a row that stands for many, next to these rows.
pub(super) fn of_many(rows: &[Port], protocol: Protocol, kind: Kind, data: &Data) -> Ports {
    let own = rows
        .iter()
        .filter(|row| row.protocol == protocol && !row.kind.is_of_many_ports());
    let mut except: Vec<u16> = own.map(|row| row.port).collect();
    except.sort_unstable();
    let is_split = protocol.is_tcp() && !data.lacks_listeners;
    let chosen = data.chosen.clone().filter(|_| is_split);
    Ports {
        except,
        chosen: chosen.map(|chosen| (chosen, kind == Kind::Opened)),
    }
}

/// The rows, sorted by port; those of many ports come last.
pub(super) fn ports(data: &Data) -> Vec<Port> {
    let known = data.followed.known();
    let mut ports: BTreeMap<(u16, Protocol), Port> = BTreeMap::new();
    let mut add = |socket: &Socket, is_gone: bool| {
        let place = socket.identity().zip(socket.inet());
        if let Some((key, pair)) = place.filter(|(_, pair)| waits(socket) && pair.local_port != 0) {
            let port = ports
                .entry((pair.local_port, socket.protocol))
                .or_insert_with(|| Port::new(socket.protocol, pair.local_port, Kind::Waiting, key));
            if !is_gone {
                port.add_waiting(key, socket);
                let holders = data.around.owners.of(socket).holders;
                port.add_holders(holders, &data.around.context.processes);
            }
        }
    };
    // Waiting sockets come first (they are few), so that every port is known before connections are counted.
    let mut slot = Socket::BLANK;
    for (key, state) in known.keys() {
        if matches!(state, State::Listen | State::Bound | State::Unconnected) && known.read(key, &mut slot) {
            add(&slot, false);
        }
    }
    for (socket, _) in &data.gone {
        add(socket, true);
    }
    let mut others: BTreeMap<(Protocol, Kind), Port> = BTreeMap::new();
    known.each(|socket| {
        let Some(key) = socket.identity() else { return };
        let pair = socket.inet();
        if pair.is_some() && waits(socket) {
            return;
        }
        // Sockets without ports share one row per protocol.
        let local_port = pair.map_or(0, |pair| pair.local_port);
        let place = (local_port, key.0);
        let port = match ports.get_mut(&place) {
            Some(port) => port,
            None => {
                let kind = data.kind_of(key.0, local_port);
                let new = |port| Port::new(key.0, port, kind, key);
                if kind.is_of_many_ports() {
                    let port = others.entry((key.0, kind)).or_insert_with(|| new(0));
                    let holders = data.around.owners.of(socket).holders;
                    port.programs.extend(holders.first().map(|holder| holder.pid));
                    port
                } else {
                    ports.entry(place).or_insert_with(|| new(local_port))
                }
            }
        };
        if matches!(port.kind, Kind::LeftOut | Kind::Closed) {
            let holders = data.around.owners.of(socket).holders;
            port.add_holders(holders, &data.around.context.processes);
        }
        port.connections += 1;
        if let (Some(sum), Some(rates)) = (&mut port.rate, data.counted.rates(key)) {
            sum.0 += rates.mean.0;
            sum.1 += rates.mean.1;
        }
    });
    ports.into_values().chain(others.into_values()).collect()
}
