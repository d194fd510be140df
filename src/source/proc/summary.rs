//! The kernel's figures about all sockets together: /proc/net/{sockstat,sockstat6,snmp,snmp6,netstat}, and limits in
//! /proc/sys/net/ipv4 (linux 6.18 net/ipv4/proc.c, net/ipv6/proc.c, Documentation/networking/ip-sysctl.rst).
//!
//! If a file is missing, its figures are unknown: IPv6 may be off, and machine-wide limits are shown only in the
//! initial network namespace.

use std::io;

use super::ProcRoot;
use crate::model::summary::{Figure, Summary};
use crate::source::{disk, tape};

/// Where a figure is in lines of the form `LINE: KEY VALUE KEY VALUE …`.
type Place = (&'static str, &'static str, Figure);

const SOCKSTAT: &[Place] = &[
    ("sockets", "used", Figure::SocketsUsed),
    ("TCP", "inuse", Figure::TcpInUse),
    ("TCP", "orphan", Figure::TcpOrphans),
    ("TCP", "tw", Figure::TcpTimeWait),
    ("TCP", "alloc", Figure::TcpAllocated),
    ("TCP", "mem", Figure::TcpMemoryBytes),
    ("UDP", "inuse", Figure::UdpInUse),
    ("UDP", "mem", Figure::UdpMemoryBytes),
    ("UDPLITE", "inuse", Figure::UdpliteInUse),
    ("RAW", "inuse", Figure::RawInUse),
    ("FRAG", "inuse", Figure::Fragments),
    ("FRAG", "memory", Figure::FragmentMemoryBytes),
];

const SOCKSTAT6: &[Place] = &[
    ("TCP6", "inuse", Figure::Tcp6InUse),
    ("UDP6", "inuse", Figure::Udp6InUse),
    ("UDPLITE6", "inuse", Figure::Udplite6InUse),
    ("RAW6", "inuse", Figure::Raw6InUse),
    ("FRAG6", "inuse", Figure::Fragments6),
    ("FRAG6", "memory", Figure::Fragment6MemoryBytes),
];

/// For /proc/net/snmp and /proc/net/netstat, which have the keys on one line and the values on the next.
const PAIRS: &[Place] = &[
    ("Tcp", "CurrEstab", Figure::TcpEstablished),
    ("Udp", "RcvbufErrors", Figure::UdpReceiveDrops),
    ("Udp", "SndbufErrors", Figure::UdpSendDrops),
    ("TcpExt", "ListenOverflows", Figure::ListenOverflows),
    ("TcpExt", "ListenDrops", Figure::ListenDrops),
    ("TcpExt", "TCPReqQFullDoCookies", Figure::SynQueueCookies),
    ("TcpExt", "TCPReqQFullDrop", Figure::SynQueueDrops),
    ("TcpExt", "TCPBacklogDrop", Figure::BacklogDrops),
    ("TcpExt", "TCPRcvQDrop", Figure::ReceiveQueueDrops),
    ("TcpExt", "TCPAbortOnMemory", Figure::MemoryAborts),
    ("TcpExt", "TCPTimeWaitOverflow", Figure::TimeWaitOverflows),
];

const SNMP6: &[(&str, Figure)] = &[
    ("Udp6RcvbufErrors", Figure::Udp6ReceiveDrops),
    ("Udp6SndbufErrors", Figure::Udp6SendDrops),
];

/// Reads the figures that ss prints, from three files.
///
/// # Errors
/// If /proc/net/sockstat cannot be read; there is nothing to report then.
pub fn read_counts(root: &ProcRoot) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let text = disk::read_to_string(root.net("sockstat"))?;
    sockstat(&text, SOCKSTAT, &mut summary);
    sockstat(&text_of(root, "sockstat6"), SOCKSTAT6, &mut summary);
    pairs(&text_of(root, "snmp"), &mut summary);
    Ok(summary)
}

/// Reads the number of connections in TIME-WAIT; `None` if it cannot be read.
pub fn read_time_wait(root: &ProcRoot) -> Option<u64> {
    let mut summary = Summary::default();
    let text = disk::read_to_string(root.net("sockstat")).ok()?;
    sockstat(&text, SOCKSTAT, &mut summary);
    summary.get(Figure::TcpTimeWait)
}

/// Reads all figures.
///
/// # Errors
/// As [`read_counts`].
pub fn read(root: &ProcRoot) -> io::Result<Summary> {
    let mut summary = read_counts(root)?;
    pairs(&text_of(root, "netstat"), &mut summary);
    snmp6(&text_of(root, "snmp6"), &mut summary);
    let page_bytes = tape::fact("page_bytes", || rustix::param::page_size() as u64);
    for figure in [Figure::TcpMemoryBytes, Figure::UdpMemoryBytes] {
        if let Some(pages) = summary.get(figure) {
            summary.set(figure, pages.saturating_mul(page_bytes));
        }
    }
    let limits = |name: &str| -> Vec<u64> {
        let text = disk::read_to_string(root.join("sys/net/ipv4").join(name)).unwrap_or_default();
        text.split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect()
    };
    let memory = [
        (
            "tcp_mem",
            Figure::TcpMemoryPressureBytes,
            Figure::TcpMemoryMaxBytes,
        ),
        (
            "udp_mem",
            Figure::UdpMemoryPressureBytes,
            Figure::UdpMemoryMaxBytes,
        ),
    ];
    for (name, pressure, max) in memory {
        if let [_, pressure_pages, max_pages] = *limits(name) {
            summary.set(pressure, pressure_pages.saturating_mul(page_bytes));
            summary.set(max, max_pages.saturating_mul(page_bytes));
        }
    }
    for (name, figure) in [
        ("tcp_max_orphans", Figure::TcpOrphansMax),
        ("tcp_max_tw_buckets", Figure::TcpTimeWaitMax),
    ] {
        if let [limit] = *limits(name) {
            summary.set(figure, limit);
        }
    }
    Ok(summary)
}

fn text_of(root: &ProcRoot, table: &str) -> String {
    disk::read_to_string(root.net(table)).unwrap_or_default()
}

fn sockstat(text: &str, places: &[Place], summary: &mut Summary) {
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else {
            continue;
        };
        let mut words = rest.split_whitespace();
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            let place = places.iter().find(|place| (place.0, place.1) == (name, key));
            if let (Some((_, _, figure)), Ok(value)) = (place, value.parse()) {
                summary.set(*figure, value);
            }
        }
    }
}

fn pairs(text: &str, summary: &mut Summary) {
    let mut lines = text.lines();
    while let (Some(keys), Some(values)) = (lines.next(), lines.next()) {
        let (Some((name, keys)), Some((_, values))) = (keys.split_once(':'), values.split_once(':')) else {
            continue;
        };
        if !PAIRS.iter().any(|place| place.0 == name) {
            continue;
        }
        for (key, value) in keys.split_whitespace().zip(values.split_whitespace()) {
            let place = PAIRS.iter().find(|place| (place.0, place.1) == (name, key));
            if let (Some((_, _, figure)), Ok(value)) = (place, value.parse()) {
                summary.set(*figure, value);
            }
        }
    }
}

fn snmp6(text: &str, summary: &mut Summary) {
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let figure = words
            .next()
            .and_then(|key| SNMP6.iter().find(|(known, _)| *known == key));
        let value = words.next().and_then(|value| value.parse().ok());
        if let (Some((_, figure)), Some(value)) = (figure, value) {
            summary.set(*figure, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name_in_any_place() {
        let mut summary = Summary::default();
        sockstat(
            "sockets: used 25\nTCP: inuse 4 orphan 1 tw 2 alloc 5 mem 3 new 9\nUDP: mem 7\nodd\nFRAG:\n",
            SOCKSTAT,
            &mut summary,
        );
        pairs(
            "Ip: Forwarding\nIp: 1\nTcp: RtoMin CurrEstab\nTcp: 200 6\nUdp: RcvbufErrors X\nUdp: nonsense 1\n",
            &mut summary,
        );
        snmp6(
            "Udp6InDatagrams 5\nUdp6RcvbufErrors 8\nUdp6SndbufErrors\n",
            &mut summary,
        );
        let of = |figure| summary.get(figure);
        assert_eq!(of(Figure::SocketsUsed), Some(25));
        assert_eq!(of(Figure::TcpTimeWait), Some(2));
        assert_eq!(of(Figure::TcpMemoryBytes), Some(3));
        assert_eq!(
            (of(Figure::UdpMemoryBytes), of(Figure::UdpInUse)),
            (Some(7), None)
        );
        assert_eq!(of(Figure::TcpEstablished), Some(6));
        assert_eq!(of(Figure::UdpReceiveDrops), None);
        assert_eq!(
            (of(Figure::Udp6ReceiveDrops), of(Figure::Udp6SendDrops)),
            (Some(8), None)
        );
    }

    #[test]
    fn this_kernel_has_every_figure() {
        let summary = read(&ProcRoot::default()).unwrap();
        let machine = [
            Figure::TcpMemoryPressureBytes,
            Figure::TcpMemoryMaxBytes,
            Figure::UdpMemoryPressureBytes,
            Figure::UdpMemoryMaxBytes,
            Figure::TcpOrphansMax,
        ];
        for figure in Figure::ALL.iter().filter(|figure| !machine.contains(figure)) {
            let of_ipv6 = figure.name().contains('6');
            assert!(of_ipv6 || summary.get(*figure).is_some(), "{}", figure.name());
        }
    }
}
