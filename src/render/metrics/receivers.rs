//! UDP sockets that receive on a fixed port, outside the range that the kernel chooses from.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::page::{Kind, Page};
use super::words::{OTHER, OTHER_PROGRAMS};
use crate::model::{Endpoints, Protocol, Row, State};

/// How many get series of their own, those that dropped most first. With 200 listeners and 20 programs, a machine then
/// has fewer than 2,000 series.
const MOST: usize = 60;

/// Queued bytes, and dropped packets.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    queued: u64,
    dropped: u64,
}

#[derive(Debug)]
pub(super) struct Receivers {
    ports: RangeInclusive<u16>,
    all: BTreeMap<(IpAddr, u16, String), Counts>,
}

impl Receivers {
    pub(super) fn new(ports: RangeInclusive<u16>) -> Self {
        Self {
            ports,
            all: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, row: &Row<'_>, program: &str) {
        let socket = row.socket;
        let Endpoints::Inet(pair) = &socket.endpoints else {
            return;
        };
        let receives = socket.protocol == Protocol::Udp && socket.state == State::Unconnected;
        if !receives || pair.local_port == 0 || self.ports.contains(&pair.local_port) {
            return;
        }
        let key = (pair.local_address, pair.local_port, program.to_owned());
        let counts = self.all.entry(key).or_default();
        counts.queued += u64::from(socket.recv_q().unwrap_or_default());
        counts.dropped += socket.drops.unwrap_or_default();
    }

    pub(super) fn write(self, page: &mut Page) {
        let mut all: Vec<_> = self.all.into_iter().collect();
        all.sort_by_key(|(_, counts)| std::cmp::Reverse((counts.dropped, counts.queued)));
        let rest = all.split_off(MOST.min(all.len()));
        let mut shown: Vec<([String; 3], Counts)> = all
            .into_iter()
            .map(|((address, port, program), counts)| {
                ([address.to_string(), port.to_string(), program], counts)
            })
            .collect();
        if !rest.is_empty() {
            let sum = rest.iter().fold(Counts::default(), |sum, (_, counts)| Counts {
                queued: sum.queued + counts.queued,
                dropped: sum.dropped + counts.dropped,
            });
            shown.push((["", OTHER, OTHER_PROGRAMS].map(str::to_owned), sum));
        }
        let mut write = |name, kind, help, value: fn(&Counts) -> u64| {
            page.family(name, kind, help);
            for ([address, port, process], counts) in &shown {
                let labels = [("address", &**address), ("port", port), ("process", process)];
                page.sample(&labels, value(counts));
            }
        };
        write(
            "udp_listener_queued_bytes",
            Kind::Gauge,
            "Bytes that a UDP socket received and nobody has read yet",
            |counts| counts.queued,
        );
        write(
            "udp_listener_dropped_total",
            Kind::Counter,
            "Packets dropped at a UDP socket since it was created",
            |counts| counts.dropped,
        );
    }
}
