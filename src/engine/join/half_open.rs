//! Counts half-open connections per listener. Sockets are added as they are read, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::half_open::{HalfOpen, Place};
use crate::model::{Protocol, Socket, State};

/// Collects listeners and half-open connections until all have been read.
#[derive(Clone, Debug, Default)]
pub(super) struct HalfOpenCounter {
    asked: bool,
    listeners: BTreeSet<Place>,
    /// Listeners at `::` that do not accept IPv4.
    v6only: BTreeSet<Place>,
    /// Half-open connections: local and peer end.
    opening: BTreeSet<(Place, Place)>,
}

impl HalfOpenCounter {
    /// Creates a counter. Unless `asked`, it counts nothing.
    pub(super) fn new(asked: bool) -> Self {
        Self {
            asked,
            ..Self::default()
        }
    }

    /// Returns whether anything is counted.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Records a listener or a half-open connection. The same may come twice.
    pub(super) fn add(&mut self, socket: &Socket) {
        if !self.asked || socket.protocol != Protocol::Tcp {
            return;
        }
        let (Some(pair), Some(place)) = (socket.inet(), HalfOpen::place_of(socket)) else {
            return;
        };
        match socket.state {
            State::Listen => {
                self.listeners.insert(place);
                if pair.v6only == Some(true) {
                    self.v6only.insert(place);
                }
            }
            State::SynRecv => {
                let peer = (socket.netns, pair.peer_address.to_canonical(), pair.peer_port);
                self.opening.insert((place, peer));
            }
            _ => {}
        }
    }

    /// Assigns each connection to the listener that matches best: exact address before wildcard.
    pub(super) fn finish(self) -> HalfOpen {
        if !self.asked {
            return HalfOpen::default();
        }
        let mut counts = BTreeMap::new();
        for ((netns, address, port), _) in self.opening {
            let all_v4 = Some((netns, IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)).filter(|_| address.is_ipv4());
            let all_v6 = (netns, IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
            let takes = address.is_ipv6() || !self.v6only.contains(&all_v6);
            let candidates = [
                Some((netns, address, port)),
                all_v4,
                Some(all_v6).filter(|_| takes),
            ];
            let mut candidates = candidates.into_iter().flatten();
            if let Some(listener) = candidates.find(|place| self.listeners.contains(place)) {
                *counts.entry(listener).or_default() += 1;
            }
        }
        HalfOpen::new(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoints;
    use crate::query::samples::tcp;

    #[test]
    fn each_connection_counts_at_the_listener_that_fits_best() {
        let mut only_v6 = tcp("::", 81, "::", 0, State::Listen);
        if let Endpoints::Inet(pair) = &mut only_v6.endpoints {
            pair.v6only = Some(true);
        }
        let listeners = [
            tcp("::", 80, "::", 0, State::Listen),
            tcp("10.0.0.1", 80, "0.0.0.0", 0, State::Listen),
            only_v6,
            tcp("0.0.0.0", 81, "0.0.0.0", 0, State::Listen),
        ];
        let opening = [
            tcp("10.0.0.1", 80, "10.0.0.9", 1, State::SynRecv),
            tcp("::ffff:10.0.0.2", 80, "::ffff:10.0.0.9", 1, State::SynRecv),
            tcp("::1", 80, "::1", 1, State::SynRecv),
            tcp("10.0.0.2", 81, "10.0.0.9", 1, State::SynRecv),
            tcp("10.0.0.2", 82, "10.0.0.9", 1, State::SynRecv),
            tcp("10.0.0.1", 80, "10.0.0.9", 2, State::Established),
        ];
        let mut half_open = HalfOpenCounter::new(true);
        for socket in opening.iter().chain(&listeners).chain(&listeners).chain(&opening) {
            half_open.add(socket);
        }
        let half_open = half_open.finish();
        let counts: Vec<_> = listeners.iter().map(|listener| half_open.of(listener)).collect();
        assert_eq!(counts, [Some(2), Some(1), Some(0), Some(1)]);
        let elsewhere = Socket {
            netns: 1,
            ..listeners[0].clone()
        };
        assert_eq!(
            (half_open.of(&opening[0]), half_open.of(&elsewhere)),
            (None, Some(0))
        );
        assert_eq!(HalfOpen::default().of(&listeners[0]), None);
    }
}
