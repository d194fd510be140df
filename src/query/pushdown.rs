//! Splits a filter into what the kernel can check during a dump and the rest.
//!
//! Everything pushed down is a necessary condition: a row that [`Expr::matches`] accepts is never lost. The rest is
//! checked here on every row that arrives, so a kernel that checks less than requested does no harm. The one exception
//! is `autobound`: only the kernel knows whether `bind` chose the port.

use super::expr::{EndIs, Expr, Predicate, ProtocolSet, Reading};
use super::field::Field;
use super::ranges::Ranges;
use super::unresolved::Purpose;
use crate::model::End;
use crate::model::Prefix;
use crate::model::request::{self, Condition, Question};
use crate::model::{Family, Protocol, StateSet};

/// What one dump covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dump {
    /// The protocol requested.
    pub protocol: Protocol,
    /// The family requested; `None` for a request that returns several.
    pub family: Option<Family>,
}

/// A filter, split for one dump.
#[derive(Clone, Debug)]
pub struct Pushdown {
    /// The states that can match; if empty, the dump can be skipped.
    pub states: StateSet,
    /// The only local port that can match, for the request header. A dump of bound TCP sockets ignores it.
    pub sport: Option<u16>,
    /// The only peer port that can match.
    pub dport: Option<u16>,
    /// What the kernel can check about IP sockets.
    pub condition: Option<Condition>,
    /// What must be checked here; `None` for nothing. Usually the whole filter, without what the choice of the dump
    /// already decides.
    pub residual: Option<Expr>,
}

/// The kernel checks a longer port list in coarser ranges: its bytecode audit takes time quadratic in the length of
/// the program.
const MAX_PORT_RANGES: usize = 64;

/// Splits a filter for a dump. Names must be resolved.
pub fn pushdown(expr: &Expr, dump: Dump) -> Pushdown {
    let expr = specialised(expr, dump);
    let never = matches!(expr, Expr::Constant(false));
    // The kernel numbers SCTP states differently and compares other addresses than it reports; of SMC it compares nothing.
    let honest =
        dump.protocol.is_inet() && !matches!(dump.protocol, Protocol::Sctp | Protocol::Icmp | Protocol::Smc);
    let condition = honest
        .then(|| condition(&expr, true))
        .filter(|it| *it != Condition::Constant(true));
    let states = match (never, dump.protocol) {
        (true, _) => StateSet::NONE,
        (false, Protocol::Sctp) => StateSet::ALL,
        (false, _) => states(&expr),
    };
    Pushdown {
        states,
        sport: honest.then(|| only_port(&expr, End::Local)).flatten(),
        dport: honest.then(|| only_port(&expr, End::Peer)).flatten(),
        condition,
        residual: Some(expr).filter(|expr| !matches!(expr, Expr::Constant(true))),
    }
}

/// Narrows a dump to what can pass the filter; `None` if nothing can.
pub fn narrowed(mut dump: request::Dump, filter: &Expr) -> Option<request::Dump> {
    let family = match (dump.v4, dump.v6) {
        (true, false) => Some(Family::Inet),
        (false, true) => Some(Family::Inet6),
        _ => None,
    };
    let protocol = dump.protocol;
    let pushed = pushdown(filter, Dump { protocol, family });
    dump.states = dump.states.intersection(pushed.states);
    dump.local_port = pushed.sport;
    dump.peer_port = pushed.dport;
    dump.condition = pushed.condition;
    (!dump.states.is_empty()).then_some(dump)
}

/// Returns the states that a matching row can have.
pub fn states(expr: &Expr) -> StateSet {
    possible_states(expr, true)
}

/// Returns the states in which the filter can be true (`truth`) or false.
fn possible_states(expr: &Expr, truth: bool) -> StateSet {
    let all = |parts: &[Expr]| {
        parts.iter().fold(StateSet::ALL, |set, part| {
            set.intersection(possible_states(part, truth))
        })
    };
    let any = |parts: &[Expr]| {
        parts.iter().fold(StateSet::NONE, |set, part| {
            set.union(possible_states(part, truth))
        })
    };
    match expr {
        Expr::Constant(constant) if *constant == truth => StateSet::ALL,
        Expr::Constant(_) => StateSet::NONE,
        Expr::And(parts) if truth => all(parts),
        Expr::Or(parts) if !truth => all(parts),
        Expr::And(parts) | Expr::Or(parts) => any(parts),
        Expr::Not(inner) => possible_states(inner, !truth),
        Expr::Is(Predicate::States(states)) if truth => *states,
        Expr::Is(Predicate::States(states)) => StateSet::ALL.without(*states),
        Expr::Is(_) => StateSet::ALL,
    }
}

/// Returns the protocols that a matching row can have.
pub fn protocols(expr: &Expr) -> ProtocolSet {
    let possible = |protocol: &Protocol| {
        let dump = Dump {
            protocol: *protocol,
            family: None,
        };
        !matches!(specialised(expr, dump), Expr::Constant(false))
    };
    Protocol::ALL.into_iter().filter(possible).collect()
}

/// Simplifies the filter by what the choice of the dump decides.
fn specialised(expr: &Expr, dump: Dump) -> Expr {
    expr.map(true, &mut |predicate, _| match decided(predicate, dump) {
        Some(truth) => Expr::Constant(truth),
        None => Expr::Is(predicate.clone()),
    })
}

fn decided(predicate: &Predicate, dump: Dump) -> Option<bool> {
    let is_inet = dump.protocol.is_inet();
    match predicate {
        Predicate::Protocols(set) => Some(set.contains(dump.protocol)),
        Predicate::Word(Field::Family, words) => {
            if let Some(family) = dump.family {
                return Some(words.contains(&family.name()));
            }
            if let Some(family) = dump.protocol.family() {
                return Some(words.contains(&family.name()));
            }
            let possible = words.iter().any(|word| matches!(*word, "inet" | "inet6"));
            if possible { None } else { Some(false) }
        }
        Predicate::Interface(_) if !has_interface(dump.protocol) => Some(false),
        Predicate::File(_) if dump.protocol != Protocol::Unix => Some(false),
        Predicate::Unresolved(unresolved)
            if matches!(unresolved.purpose, Purpose::File) && dump.protocol != Protocol::Unix =>
        {
            Some(false)
        }
        Predicate::End(EndIs {
            address: None,
            ports: Some(_),
            ..
        }) if dump.protocol == Protocol::Vsock => None,
        Predicate::End(_) if !is_inet => Some(false),
        Predicate::End(EndIs {
            address: Some(Prefix::V6(..)),
            ..
        }) if dump.family == Some(Family::Inet) => Some(false),
        Predicate::End(EndIs {
            ports: Some(_),
            reading: Reading::Fields,
            ..
        }) if dump.protocol == Protocol::Raw => Some(false),
        Predicate::End(EndIs {
            address: None,
            ports: None,
            reading: Reading::Numbers,
            ..
        }) => Some(true),
        Predicate::Text(field, _)
        | Predicate::Has(field)
        | Predicate::Number(field, _)
        | Predicate::Word(field, _) => match field {
            Field::Path | Field::PeerPath if dump.protocol != Protocol::Unix => Some(false),
            Field::LocalPort | Field::PeerPort if dump.protocol == Protocol::Vsock => None,
            Field::LocalAddress | Field::PeerAddress | Field::LocalPort | Field::PeerPort if !is_inet => {
                Some(false)
            }
            Field::Interface if !has_interface(dump.protocol) => Some(false),
            field if field.only_of().is_some_and(|only| only != dump.protocol) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether a socket of the protocol can be bound to an interface.
fn has_interface(protocol: Protocol) -> bool {
    protocol.is_inet() || matches!(protocol, Protocol::Packet | Protocol::Xdp)
}

/// Returns the port of that end in every matching row, if there is exactly one and it is not 0.
fn only_port(expr: &Expr, wanted: End) -> Option<u16> {
    match expr {
        Expr::Is(Predicate::End(EndIs {
            end,
            ports: Some(ports),
            ..
        })) if *end == wanted => ports
            .single()
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| *port != 0),
        Expr::And(parts) => parts.iter().find_map(|part| only_port(part, wanted)),
        Expr::Or(parts) => {
            let first = only_port(parts.first()?, wanted);
            parts
                .iter()
                .all(|part| only_port(part, wanted) == first)
                .then_some(first)?
        }
        _ => None,
    }
}

/// Returns what the kernel can check of the filter: a condition that holds wherever the filter does (`over`), or that
/// fails wherever the filter fails.
fn condition(expr: &Expr, over: bool) -> Condition {
    expr.map(over, &mut |predicate, over| {
        question(predicate, over).unwrap_or(Condition::Constant(over))
    })
}

fn question(predicate: &Predicate, over: bool) -> Option<Condition> {
    match predicate {
        Predicate::End(test) if over || is_exact(test) => end_condition(test, over),
        Predicate::Interface(index) => Some(Condition::Is(Question::Interface(*index))),
        // The kernel masks only the socket's mark: a value outside the mask never matches.
        Predicate::Mark { value, mask } if value & mask != *value => Some(Condition::Constant(false)),
        Predicate::Mark { value, mask } => Some(Condition::Is(Question::Mark {
            value: *value,
            mask: *mask,
        })),
        Predicate::Cgroup(id) => Some(Condition::Is(Question::Cgroup(*id))),
        Predicate::Autobound(Some((low, high))) => Some(Condition::and([
            Condition::Is(Question::Autobound),
            port_range(End::Local, (*low).into(), (*high).into()),
        ])),
        _ => None,
    }
}

/// Returns whether the kernel's numbers are as precise as the fields: a missing port is its 0, a missing peer its
/// wildcard.
fn is_exact(test: &EndIs) -> bool {
    test.reading == Reading::Numbers
        || test.ports.as_ref().is_some_and(|ports| !ports.contains(0))
        || (test.ports.is_none()
            && (test.end == End::Local || test.address.is_some_and(|prefix| !prefix.contains_unspecified())))
}

fn end_condition(test: &EndIs, over: bool) -> Option<Condition> {
    let ports = test.ports.as_ref();
    let single = ports
        .and_then(Ranges::single)
        .and_then(|port| u16::try_from(port).ok());
    if let (Some(prefix), Some(port)) = (test.address, single) {
        return Some(Condition::Is(Question::Address(test.end, prefix, Some(port))));
    }
    let address = match test.address {
        Some(prefix) => Condition::Is(Question::Address(test.end, prefix, None)),
        None => Condition::Constant(true),
    };
    let ports = match ports {
        None => Condition::Constant(true),
        Some(ports) if ports.as_slice().len() > MAX_PORT_RANGES && !over => return None,
        Some(ports) => {
            let coarse = ports.coarser(MAX_PORT_RANGES);
            let ranges = coarse.as_slice().iter();
            Condition::or(ranges.map(|(low, high)| port_range(test.end, *low, *high)))
        }
    };
    Some(Condition::and([address, ports]))
}

/// A range of ports; numbers beyond 65535 match nothing.
fn port_range(end: End, low: u64, high: u64) -> Condition {
    let Ok(low) = u16::try_from(low) else {
        return Condition::Constant(false);
    };
    let high = u16::try_from(high).unwrap_or(u16::MAX);
    if low == high {
        return Condition::Is(Question::PortIs(end, low));
    }
    let from = (low > 0).then_some(Condition::Is(Question::PortAtLeast(end, low)));
    let to = (high < u16::MAX).then_some(Condition::Is(Question::PortAtMost(end, high)));
    Condition::and(from.into_iter().chain(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Mode, parse};

    #[test]
    fn one_port_in_every_matching_row_narrows_the_dump() {
        let ports = |filter: &str| {
            let expr = parse(&[filter.to_owned()], Mode::List).unwrap().expr.unwrap();
            let tcp = Dump {
                protocol: Protocol::Tcp,
                family: None,
            };
            let pushed = pushdown(&expr, tcp);
            (pushed.sport, pushed.dport)
        };
        assert_eq!(ports("sport = 22"), (Some(22), None));
        assert_eq!(
            ports("pid = 7 and sport = 22 and dport = 80"),
            (Some(22), Some(80))
        );
        assert_eq!(
            ports("sport = 22 and pid = 7 or sport = 22 and pid = 8"),
            (Some(22), None)
        );
        assert_eq!(ports("sport = 22 or sport = 23"), (None, None));
        assert_eq!(ports("sport = 22 or pid = 7"), (None, None));
        assert_eq!(ports("sport != 22"), (None, None));
    }

    #[test]
    fn a_dump_whose_sockets_have_no_interface_is_not_made_for_one() {
        let is_made = |protocol| {
            let expr = parse(&["interface = 2".to_owned()], Mode::List)
                .unwrap()
                .expr
                .unwrap();
            narrowed(request::Dump::new(protocol, StateSet::ALL), &expr).is_some()
        };
        for protocol in [Protocol::Tcp, Protocol::Packet, Protocol::Xdp] {
            assert!(is_made(protocol), "{protocol:?}");
        }
        for protocol in [Protocol::Unix, Protocol::Netlink] {
            assert!(!is_made(protocol), "{protocol:?}");
        }
    }
}
