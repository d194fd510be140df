//! The rows of a view, and their order.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::data::Data;
use super::items::Items;
use super::kind::waits;
use super::level::{Level, Sort, View, Within};
use super::ports::{Port, ports};
use super::programs::{self, Group};
use crate::model::{Key, Protocol, Socket};
use crate::query::{Expr, Match};
use crate::render::owner;

/// The sort key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Number(u64),
    Text(String),
    Place(Protocol, bool, u16, Option<IpAddr>),
}

/// The rows of a level.
pub(super) fn items(data: &Data, level: &Level, preview: Option<&Expr>) -> Items {
    match level.view {
        View::Ports => Items::Ports(sorted_ports(data, level, preview)),
        View::Connections => Items::Sockets(sockets(data, level, preview)),
        View::Programs => Items::Groups(groups(data, level)),
        View::Events => Items::Events(
            data.events
                .iter()
                .filter(|line| wants(data, level, preview, &line.event.socket))
                .map(|line| line.number)
                .collect(),
        ),
    }
}

fn sorted_ports(data: &Data, level: &Level, preview: Option<&Expr>) -> Vec<Port> {
    let mut all = ports(data);
    if preview.is_some() {
        let used = ports_of_matches(data, level, preview);
        let has_match: Vec<bool> = all.iter().map(|row| row.has_one_of(&used, &all, data)).collect();
        let mut has_match = has_match.into_iter();
        all.retain(|_| has_match.next().unwrap_or_default());
    }
    let number = |port: &Port| match level.sort {
        Sort::Count => Some(port.connections as u64),
        Sort::In => Some(whole(port.rate.unwrap_or_default().0)),
        Sort::Out => Some(whole(port.rate.unwrap_or_default().1)),
        Sort::RecvQ => Some(port.accept.map_or(0, |(waiting, _)| waiting.into())),
        _ => None,
    };
    all.sort_by_key(number);
    // Equal rows stay sorted by number.
    if level.sort.is_descending() {
        all.reverse();
        all.sort_by_key(|port| std::cmp::Reverse(number(port)));
    }
    if level.is_turned {
        all.reverse();
    }
    all
}

/// The ports of the sockets that match the filter that is being typed; 0 for those without a port.
fn ports_of_matches(data: &Data, level: &Level, preview: Option<&Expr>) -> BTreeSet<(Protocol, u16)> {
    let mut used = BTreeSet::new();
    let mut add = |socket: &Socket| {
        if wants(data, level, preview, socket) {
            let port = socket.inet().map_or(0, |pair| pair.local_port);
            used.insert((socket.protocol, port));
        }
    };
    data.followed.known().each(&mut add);
    data.gone.iter().for_each(|(socket, _)| add(socket));
    used
}

fn groups(data: &Data, level: &Level) -> Vec<Group> {
    let mut all = programs::programs(data, level.by);
    match level.sort {
        Sort::In => all.sort_by_key(|group| std::cmp::Reverse(whole(group.rate.0))),
        Sort::Out => all.sort_by_key(|group| std::cmp::Reverse(whole(group.rate.1))),
        Sort::Program => all.sort_by(|a, b| a.name.cmp(&b.name)),
        _ => {}
    }
    if level.is_turned {
        all.reverse();
    }
    all
}

fn sockets(data: &Data, level: &Level, preview: Option<&Expr>) -> Vec<Key> {
    let mut ranked: Vec<(Rank, Key)> = Vec::new();
    let mut add = |socket: &Socket| {
        if let Some(key) = socket.identity()
            && wants(data, level, preview, socket)
        {
            ranked.push((rank(data, level.sort, key, socket), key));
        }
    };
    data.followed.known().each(&mut add);
    for (socket, _) in &data.gone {
        add(socket);
    }
    if level.sort.is_descending() == level.is_turned {
        ranked.sort_unstable();
    } else {
        ranked.sort_unstable_by(|(a, a_key), (b, b_key)| b.cmp(a).then(a_key.cmp(b_key)));
    }
    ranked.into_iter().map(|(_, key)| key).collect()
}

fn rank(data: &Data, sort: Sort, key: Key, socket: &Socket) -> Rank {
    let mean = || data.counted.rates(key).map_or((0.0, 0.0), |rates| rates.mean);
    match sort {
        Sort::In => Rank::Number(whole(mean().0)),
        Sort::Out => Rank::Number(whole(mean().1)),
        Sort::Rtt => Rank::Number(
            data.counted
                .figures(key)
                .map_or(0, |figures| figures.rtt_us.into()),
        ),
        Sort::RecvQ => Rank::Number(socket.rqueue.unwrap_or(0).into()),
        Sort::SendQ => Rank::Number(socket.send_q().unwrap_or(0).into()),
        Sort::State => Rank::Text(socket.state.ss_name().to_owned()),
        Sort::Program => Rank::Text(owner::text(&data.row(socket))),
        Sort::Peer => {
            let pair = socket.inet();
            let (address, port) = pair.map_or((None, 0), |pair| (Some(pair.peer_address), pair.peer_port));
            Rank::Place(socket.protocol, false, port, address)
        }
        Sort::Usual | Sort::Count => {
            let pair = socket.inet();
            let (address, port) = pair.map_or((None, 0), |pair| (Some(pair.local_address), pair.local_port));
            Rank::Place(socket.protocol, !socket.is_listener(), port, address)
        }
    }
}

/// Whether a socket belongs to the level, and matches the filter that is being typed.
pub(super) fn wants(data: &Data, level: &Level, preview: Option<&Expr>, socket: &Socket) -> bool {
    let is_within = match &level.within {
        Within::All => true,
        Within::Port(protocol, port) => {
            socket.protocol == *protocol && socket.inet().is_some_and(|pair| pair.local_port == *port)
        }
        Within::Ports(protocol, ports) => {
            let port = socket.inet().map(|pair| pair.local_port);
            socket.protocol == *protocol
                && (!waits(socket) || port.is_none())
                && port.is_none_or(|port| ports.contains(port))
        }
        Within::Group(by, name) => programs::name(&data.row(socket), *by) == *name,
    };
    is_within && preview.is_none_or(|filter| filter.matches(&data.row(socket)) != Match::No)
}

/// A rate as an integer, which can be sorted.
fn whole(rate: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are not negative, and this saturates"
    )]
    let whole = rate as u64;
    whole
}
