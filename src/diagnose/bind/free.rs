//! Ports that can be bound now.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::diagnose::diagnose;
use super::existing::Existing;
use super::verdict::Outcome;
use crate::model::Protocol;
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;

/// Which ports are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The addresses that a port must be free on.
    pub addresses: Vec<IpAddr>,
    /// The range; `None` for the ports that need no capability and that the kernel neither assigns to clients nor
    /// reserves.
    pub range: Option<RangeInclusive<u16>>,
    /// Whether the server has `CAP_NET_BIND_SERVICE`.
    pub net_bind_service: bool,
    /// The seed of a random order, so that two simultaneous searches find different ports. `None` for ascending order.
    pub random: Option<u64>,
}

impl Wanted {
    /// The ports that are tried.
    pub fn ports(&self, system: &SystemFacts) -> RangeInclusive<u16> {
        let usual = || system.unprivileged_port_start.max(1)..=u16::MAX;
        self.range.clone().unwrap_or_else(usual)
    }

    /// The reason if ports of the range are missing because the privilege for low ports is missing.
    pub fn lacks_privilege(&self, system: &SystemFacts) -> Option<String> {
        let first = system.unprivileged_port_start;
        let has_low = *self.ports(system).start() < first;
        (has_low && !self.net_bind_service).then(|| format!("ports below {first} need CAP_NET_BIND_SERVICE"))
    }
}

/// Returns a permutation of `0..count` for this seed: a full-period linear congruential generator over the next power
/// of two, skipping numbers from `count` up.
fn shuffled(count: u32, seed: u64) -> impl Iterator<Item = u32> {
    let size = u64::from(count).next_power_of_two();
    // By the Hull-Dobell theorem the period is full: the increment is odd, and the factor is one more than a multiple
    // of 4.
    let (increment, factor) = ((seed >> 16) | 1, (seed >> 32 << 3) | 5);
    let next = move |at: &u64| Some(at.wrapping_mul(factor).wrapping_add(increment) % size);
    std::iter::successors(Some(seed % size), next)
        .take(usize::try_from(size).unwrap_or(usize::MAX))
        .filter_map(|at| u32::try_from(at).ok())
        .filter(move |at| *at < count)
}

/// The ports on which a server without socket options can be bound to every wanted address, in the wanted order.
pub fn free_ports(
    wanted: &Wanted,
    existing: Vec<Existing>,
    system: &SystemFacts,
) -> impl Iterator<Item = u16> {
    let mut on_port: BTreeMap<u16, Vec<Existing>> = BTreeMap::new();
    for one in existing {
        let port = one.socket.inet().map_or(0, |pair| pair.local_port);
        on_port.entry(port).or_default().push(one);
    }
    let is_free = move |port: u16| {
        let existing = on_port.get(&port).map_or(&[][..], Vec::as_slice);
        wanted.addresses.iter().all(|address| {
            let attempt = BindAttempt {
                net_bind_service: wanted.net_bind_service,
                v6only: system.bindv6only,
                ..BindAttempt::new(wanted.protocol, *address, port)
            };
            diagnose(existing, &attempt, system, None).bind == Outcome::Ok
        })
    };
    let kept_back = |port: u16| system.local_port_range.contains(&port) || system.is_reserved(port);
    let ports = wanted.ports(system);
    let (first, count) = (*ports.start(), u32::try_from(ports.len()).unwrap_or(0));
    let order: Box<dyn Iterator<Item = u32>> = match wanted.random {
        Some(seed) => Box::new(shuffled(count, seed)),
        None => Box::new(0..count),
    };
    order
        .filter_map(move |at| first.checked_add(u16::try_from(at).ok()?))
        .filter(move |port| wanted.range.is_some() || !kept_back(*port))
        .filter(move |port| is_free(*port))
}

/// The ports above that of an attempt which are tried as alternatives.
pub fn near(attempt: &BindAttempt) -> Option<RangeInclusive<u16>> {
    const NEAR: u16 = 20;
    let from = attempt.port.checked_add(1)?;
    Some(from..=from.saturating_add(NEAR))
}

/// Whether the attempt would work on another port.
pub fn works_on(port: u16, attempt: &BindAttempt, existing: &[Existing], system: &SystemFacts) -> bool {
    let there = BindAttempt {
        port,
        ..attempt.clone()
    };
    diagnose(existing, &there, system, None).bind == Outcome::Ok
}

/// Parses `8000-8100`, or one port.
///
/// # Errors
/// A one-line message.
pub fn parse_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let port = |word: &str| -> Result<u16, String> {
        match word.parse() {
            Ok(0) | Err(_) if word == text => Err(format!("invalid port '{word}': expected 1 to 65535")),
            Ok(0) | Err(_) => Err(format!("invalid port '{word}' in '{text}': expected 1 to 65535")),
            Ok(port) => Ok(port),
        }
    };
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (port(from)?, port(to)?);
    if from > to {
        return Err(format!("invalid range '{text}': its start is above its end"));
    }
    Ok(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::samples::{socket, system};
    use crate::model::State;

    fn wanted(range: Option<RangeInclusive<u16>>) -> Wanted {
        Wanted {
            protocol: Protocol::Tcp,
            addresses: vec!["0.0.0.0".parse().unwrap(), "::".parse().unwrap()],
            range,
            net_bind_service: false,
            random: None,
        }
    }

    #[test]
    fn a_port_must_be_free_on_every_address() {
        let existing = || {
            vec![
                socket(State::Listen, "127.0.0.1", 8000),
                socket(State::Listen, "::1", 8002),
            ]
        };
        let range = wanted(Some(8000..=8004));
        let found: Vec<_> = free_ports(&range, existing(), &system()).collect();
        assert_eq!(found, [8001, 8003, 8004]);
        let only_v4 = Wanted {
            addresses: vec!["0.0.0.0".parse().unwrap()],
            ..range
        };
        let found: Vec<_> = free_ports(&only_v4, existing(), &system()).collect();
        assert_eq!(found, [8001, 8002, 8003, 8004]);
    }

    #[test]
    fn without_a_range_ports_that_the_kernel_uses_are_left_out() {
        let system = SystemFacts {
            reserved_ports: vec![1025..=1026],
            ..system()
        };
        let any = wanted(None);
        let found: Vec<_> = free_ports(&any, Vec::new(), &system).take(3).collect();
        assert_eq!(found, [1024, 1027, 1028]);
        assert_eq!(free_ports(&any, Vec::new(), &system).last(), Some(65_535));
        assert!(!free_ports(&any, Vec::new(), &system).any(|port| port == 40_000));
        let low = wanted(Some(80..=80));
        assert_eq!(free_ports(&low, Vec::new(), &system).count(), 0);
    }

    #[test]
    fn a_random_order_has_every_port_once() {
        let found = |seed| -> Vec<u16> {
            let wanted = Wanted {
                random: Some(seed),
                ..wanted(Some(8000..=8099))
            };
            free_ports(&wanted, vec![socket(State::Listen, "::", 8007)], &system()).collect()
        };
        let starts: std::collections::BTreeSet<u16> = (0..50)
            .map(|at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .map(|seed| {
                let mut ports = found(seed);
                let first = ports[0];
                ports.sort_unstable();
                let all: Vec<u16> = (8000..=8099).filter(|port| *port != 8007).collect();
                assert_eq!(ports, all, "{seed}");
                first
            })
            .collect();
        assert!(starts.len() > 20, "{starts:?}");
        let one = Wanted {
            random: Some(7),
            ..wanted(Some(9..=9))
        };
        assert_eq!(
            free_ports(
                &Wanted {
                    net_bind_service: true,
                    ..one
                },
                Vec::new(),
                &system()
            )
            .count(),
            1
        );
    }

    #[test]
    fn low_ports_are_missing_without_the_privilege() {
        let of = |range| wanted(Some(range)).lacks_privilege(&system());
        assert_eq!(
            of(80..=90).as_deref(),
            Some("ports below 1024 need CAP_NET_BIND_SERVICE")
        );
        assert_eq!(of(1024..=1030), None);
        let root = Wanted {
            net_bind_service: true,
            ..wanted(Some(80..=90))
        };
        assert_eq!(root.lacks_privilege(&system()), None);
    }

    #[test]
    fn nearby_ports_end_at_the_highest_port() {
        let attempt = |port| BindAttempt::new(Protocol::Tcp, "::".parse().unwrap(), port);
        assert_eq!(near(&attempt(3000)), Some(3001..=3021));
        assert_eq!(near(&attempt(65_530)), Some(65_531..=65_535));
        assert_eq!(near(&attempt(65_535)), None);
        let existing = [socket(State::Listen, "::", 3001)];
        assert!(!works_on(3001, &attempt(3000), &existing, &system()));
        assert!(works_on(3002, &attempt(3000), &existing, &system()));
    }

    #[test]
    fn valid_and_invalid_ranges() {
        assert_eq!(parse_range("80"), Ok(80..=80));
        assert_eq!(parse_range("8000-8100"), Ok(8000..=8100));
        for (text, part) in [
            ("90-80", "above its end"),
            ("0-5", "invalid port"),
            ("a", "invalid port"),
            ("1-70000", "invalid port"),
        ] {
            assert!(parse_range(text).unwrap_err().contains(part), "{text}");
        }
    }
}
