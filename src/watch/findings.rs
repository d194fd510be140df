//! The worst problem on the screen, and what is missing from it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::data::{Data, RECENT};
use super::ports::Port;
use crate::model::{GapLevel, OwnerStatus, Protocol, State};
use crate::render::owner;

/// From this number on, connections that their program does not close are reported.
const FORGOTTEN: usize = 100;
/// The fill level of a receive buffer, in percent, at which packets are about to be lost.
const NEARLY_FULL: u64 = 90;

/// A port, how many packets its sockets dropped, and in what time.
type Lost = ((Protocol, u16), (u64, Duration));

/// The problems, a line for each, the worst first.
pub(super) fn findings(data: &Data, ports: &[Port]) -> Vec<String> {
    let lost = lost(data);
    let mut found = accept_queues(data, ports, &lost);
    found.extend(buffers(data, ports, &lost));
    found.extend(forgotten(data));
    found
}

/// The ports whose sockets dropped packets lately, most packets first: how many, and in what time.
fn lost(data: &Data) -> Vec<Lost> {
    let mut lost: BTreeMap<(Protocol, u16), (u64, Duration)> = BTreeMap::new();
    for dropped in data.dropped(RECENT) {
        let (packets, span) = lost.entry((dropped.key.0, dropped.port)).or_default();
        *packets += dropped.packets;
        *span = dropped.span.max(*span);
    }
    let mut lost: Vec<_> = lost.into_iter().filter(|((_, port), _)| *port != 0).collect();
    lost.sort_by_key(|(_, (packets, _))| Reverse(*packets));
    lost
}

/// Accept queues that are or were full. Each lost SYN and handshake counts, also if the same client tries again: these are
/// packets, not connections.
fn accept_queues(data: &Data, ports: &[Port], lost: &[Lost]) -> Vec<String> {
    let mut found = Vec::new();
    let of_listeners = || {
        lost.iter()
            .filter(|((protocol, _), _)| *protocol == Protocol::Tcp)
    };
    for ((protocol, number), (packets, span)) in of_listeners() {
        let port = ports
            .iter()
            .find(|port| (port.protocol, port.port) == (*protocol, *number));
        let full = port
            .and_then(full)
            .map(|full| format!("{full}, "))
            .unwrap_or_default();
        found.push(format!("{number}: {full}{}", dropped(*packets, *span)));
    }
    // The counter of the machine does not tell whose queue it was.
    let overflows = data.last_minute().listen_overflows;
    if found.is_empty() && overflows > 0 {
        let dropped = dropped(overflows, data.minute_span());
        found.push(format!("{dropped}: an accept queue was full"));
    }
    let is_idle = |port: &&Port| !of_listeners().any(|(of, _)| *of == (port.protocol, port.port));
    found.extend(
        ports
            .iter()
            .filter(is_idle)
            .filter_map(|port| Some(format!("{}: {}", port.port, full(port)?))),
    );
    found
}

/// The accept queue of a port if it is full.
fn full(port: &Port) -> Option<String> {
    let (waiting, limit) = port.accept.filter(|_| port.is_full())?;
    Some(format!("accept queue full ({waiting}/{limit})"))
}

/// Receive buffers that are nearly full, and those that overflowed.
fn buffers(data: &Data, ports: &[Port], lost: &[Lost]) -> Vec<String> {
    let mut found = Vec::new();
    let is_of_datagrams = |protocol| matches!(protocol, Protocol::Udp | Protocol::Udplite);
    for ((protocol, port), (packets, span)) in lost {
        if is_of_datagrams(*protocol) {
            let dropped = dropped(*packets, *span);
            found.push(format!("{port}/{}: {dropped}", protocol.name()));
        }
    }
    let overflows = data.last_minute().udp_drops;
    if found.is_empty() && overflows > 0 {
        let dropped = dropped(overflows, data.minute_span());
        found.push(format!("UDP: {dropped}: a receive buffer was full"));
    }
    if let Some(port) = ports
        .iter()
        .find(|port| port.queue_percent.is_some_and(|percent| percent >= NEARLY_FULL))
    {
        let percent = port.queue_percent.unwrap_or(0);
        found.push(format!(
            "{}/{}: receive buffer {percent}% full, {} packets dropped so far",
            port.port,
            port.protocol.name(),
            port.drops
        ));
    }
    found
}

/// `63 packets dropped in the last minute`; the time is shorter just after the start.
fn dropped(packets: u64, span: Duration) -> String {
    let noun = if packets == 1 { "packet" } else { "packets" };
    // Looks are seldom exactly a minute apart.
    match span.as_secs_f64().round() {
        55.0.. => format!("{packets} {noun} dropped in the last minute"),
        seconds => format!("{packets} {noun} dropped in the last {} s", seconds.max(1.0)),
    }
}

/// The program that keeps most connections in CLOSE-WAIT.
fn forgotten(data: &Data) -> Option<String> {
    let known = data.followed.known();
    let forgotten: Vec<_> = known
        .keys()
        .filter(|((protocol, _), state)| *protocol == Protocol::Tcp && *state == State::CloseWait)
        .map(|(key, _)| key)
        .collect();
    if forgotten.len() < FORGOTTEN {
        return None;
    }
    let mut by_owner: BTreeMap<String, usize> = BTreeMap::new();
    for key in forgotten {
        if let Some(mut socket) = known.get(key) {
            // Shows only the holder, not the other end.
            socket.timer = None;
            *by_owner.entry(owner::text(&data.row(&socket))).or_default() += 1;
        }
    }
    let (owner, count) = by_owner.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= FORGOTTEN)
        .then(|| format!("{owner}: {count} connections in CLOSE-WAIT: it does not close them"))
}

/// What is missing from the screen, and how to see it; `None` if nothing is missing.
pub(super) fn loss(data: &Data, sudo: Option<&str>) -> Option<String> {
    let owners = &data.around.owners;
    let mut hidden = 0;
    if owners.may_be_hidden() {
        data.followed.known().each(|socket| {
            hidden += usize::from(owners.of(socket).status == OwnerStatus::Hidden);
        });
    }
    let mut losses = Vec::new();
    if hidden > 0 {
        let remedy = match sudo {
            Some(command) => format!("{command} shows {}", if hidden == 1 { "it" } else { "them" }),
            None => "needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH".to_owned(),
        };
        let owners = if hidden == 1 { "owner" } else { "owners" };
        losses.push(format!("{hidden} {owners} hidden: {remedy}"));
    }
    if data.undecided > 0 {
        losses.push(format!(
            "{} left out: the filter needs their owner",
            data.undecided
        ));
    }
    let lost = data.gaps.iter().filter(|gap| gap.level == GapLevel::Loss);
    losses.extend(lost.map(|gap| crate::render::escape::sentence(&gap.message)));
    (!losses.is_empty()).then(|| losses.join("; "))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::super::msg::{News, Part};
    use super::super::ports::ports;
    use super::*;
    use crate::engine::live::{Look, Traffic};
    use crate::model::{Socket, Store};
    use crate::query::samples::tcp;

    /// A socket that waits: its port, what is queued of what limit, and its drops.
    fn waiting(protocol: Protocol, port: u16, queue: (u32, u32), drops: u64) -> Socket {
        let state = if protocol == Protocol::Tcp {
            State::Listen
        } else {
            State::Unconnected
        };
        Socket {
            protocol,
            rqueue: Some(queue.0),
            wqueue: Some(queue.1),
            drops: Some(drops),
            cookie: NonZeroU64::new(u64::from(port)),
            ..tcp("0.0.0.0", port, "0.0.0.0", 0, state)
        }
    }

    /// What is found after looks at these seconds, at which the machine had dropped so many packets.
    fn found(looks: &[(u64, u64, &[Socket])]) -> Vec<String> {
        let mut data = Data::default();
        for (at, (seconds, dropped, sockets)) in looks.iter().enumerate() {
            let news = News {
                filter: 0,
                at: Duration::from_secs(*seconds),
                clock: UNIX_EPOCH + Duration::from_secs(*seconds),
                part: if at == 0 { Part::First } else { Part::All },
                look: Look {
                    sockets: Store::of(*sockets),
                    ..Look::default()
                },
                rows: Some(Vec::new()),
                freed: Vec::new(),
                unseen: true,
                lost: false,
                around: Arc::default(),
                traffic: Traffic {
                    listen_overflows: *dropped,
                    udp_drops: *dropped,
                    ..Traffic::default()
                },
                total: None,
                left_out: None,
                cost: Duration::ZERO,
                reads: Duration::ZERO,
            };
            data.take(news, false);
        }
        findings(&data, &ports(&data))
    }

    #[test]
    fn drops_are_those_of_the_socket_whose_own_counter_grew() {
        let look = |listener, udp| {
            [
                waiting(Protocol::Tcp, 7002, (2, 1), 5),
                waiting(Protocol::Tcp, 8200, (0, 128), listener),
                waiting(Protocol::Udp, 514, (0, 0), 9),
                waiting(Protocol::Udp, 5514, (0, 0), udp),
            ]
        };
        // What was dropped before the start does not count.
        let (first, last) = (look(100, 20), look(163, 21));
        let expected = [
            "8200: 63 packets dropped in the last 3 s",
            "7002: accept queue full (2/1)",
            "5514/udp: 1 packet dropped in the last 3 s",
        ];
        assert_eq!(found(&[(1, 0, &first), (4, 64, &last)]), expected);
        // A minute later, nothing was dropped lately.
        let quiet = [
            (1, 0, &first[..]),
            (4, 64, &last),
            (5, 64, &last),
            (65, 64, &last),
        ];
        assert_eq!(found(&quiet), ["7002: accept queue full (2/1)"]);
    }

    #[test]
    fn no_port_is_named_if_no_socket_is_known_to_have_dropped() {
        let full = [waiting(Protocol::Tcp, 7002, (2, 1), 5)];
        let expected = [
            "7 packets dropped in the last minute: an accept queue was full",
            "7002: accept queue full (2/1)",
            "UDP: 7 packets dropped in the last minute: a receive buffer was full",
        ];
        assert_eq!(found(&[(0, 1, &full), (59, 8, &full)]), expected);
        let busy = [waiting(Protocol::Tcp, 7002, (2, 1), 8)];
        assert_eq!(
            found(&[(0, 1, &full), (2, 1, &busy)]),
            ["7002: accept queue full (2/1), 3 packets dropped in the last 2 s"]
        );
    }
}
