//! Formats a filter as text, to explain what is checked where.
//!
//! The output is itself a valid filter, with aliases and bare words expanded to comparisons.

use std::fmt::{self, Display, Formatter};

use super::expr::{EndIs, Predicate, Reading};
use super::field::{Field, Kind, socket_option_words};
use super::pattern::Pattern;
use super::ranges::Ranges;
use super::unresolved::{Order, Purpose, Unresolved};
use crate::model::End;
use crate::model::{Protocol, State, StateSet};

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::End(test) => end(f, test),
            Self::States(states) => words(f, "state", state_words(*states)),
            Self::Protocols(protocols) => words(f, "protocol", protocols.iter().map(Protocol::name)),
            Self::Number(field, ranges) => {
                let hex = field.info().kind == Kind::Hex;
                numbers(f, field.name(), ranges, hex)
            }
            Self::Mark { value, mask } => write!(f, "mark = {value:#x}/{mask:#x}"),
            Self::Interface(index) => write!(f, "interface = {index}"),
            Self::Cgroup(id) => write!(f, "cgroup = id {id}"),
            Self::File(file) => write!(f, "path = file {}", file.inode),
            Self::Word(field, list) => words(f, field.name(), list.iter().copied()),
            Self::Options(mask) => words(f, Field::SocketOptions.name(), socket_option_words(*mask)),
            Self::Truth(field, truth) => write!(f, "{} = {truth}", field.name()),
            Self::Text(field, pattern) => write!(f, "{} {pattern}", field.name()),
            Self::OwnerNumber(field, ranges) => numbers(f, field.name(), ranges, false),
            Self::OwnerText(field, pattern) => write!(f, "{} {pattern}", field.name()),
            Self::Program(pattern) => write!(f, "process {pattern}"),
            Self::Has(field) => write!(f, "has({})", field.name()),
            Self::OwnerHas(field) => write!(f, "has({})", field.name()),
            Self::Autobound(_) => f.write_str("autobound"),
            Self::Unresolved(unresolved) => name(f, unresolved),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(bytes) => write!(f, "= '{}'", bytes.escape_ascii()),
            Self::UnixName(name) => match name.split_first() {
                Some((0, rest)) => write!(f, "= '@{}'", rest.escape_ascii()),
                Some((b'@', rest)) => write!(f, "= '\\x40{}'", rest.escape_ascii()),
                _ => write!(f, "= '{}'", name.escape_ascii()),
            },
            Self::Glob(glob) => write!(f, "like '{}'", glob.source().escape_ascii()),
            Self::Regex(regex) => write!(f, "like /{}/", regex.as_str().escape_default()),
        }
    }
}

fn end(f: &mut Formatter<'_>, test: &EndIs) -> fmt::Result {
    let (address, port) = match (test.reading, test.end) {
        (Reading::Numbers, End::Local) => ("src", "sport"),
        (Reading::Numbers, End::Peer) => ("dst", "dport"),
        (Reading::Fields, end) => (end.address_field().name(), end.port_field().name()),
    };
    match (&test.address, &test.ports) {
        (None, None) if test.reading == Reading::Numbers => write!(f, "{address} *"),
        (None, None) => write!(f, "has({address})"),
        (Some(prefix), None) => write!(f, "{address} = {prefix}"),
        (None, Some(ports)) => port_numbers(f, port, ports),
        (Some(prefix), Some(ports)) => {
            if let Some(number) = ports.single() {
                return write!(f, "{address} = {prefix}:{number}");
            }
            write!(f, "({address} = {prefix} and ")?;
            port_numbers(f, port, ports)?;
            f.write_str(")")
        }
    }
}

fn state_words(states: StateSet) -> impl Iterator<Item = &'static str> {
    State::ALL
        .into_iter()
        .filter(move |state| states.contains(*state))
        .map(State::name)
}

fn words(f: &mut Formatter<'_>, field: &str, list: impl Iterator<Item = &'static str>) -> fmt::Result {
    let list: Vec<_> = list.collect();
    match &*list {
        [one] => write!(f, "{field} = {one}"),
        several => write!(f, "{field} in ({})", several.join(", ")),
    }
}

/// The largest port, equivalent to no upper limit.
const LAST_PORT: u64 = 65535;

fn numbers(f: &mut Formatter<'_>, field: &str, ranges: &Ranges, hex: bool) -> fmt::Result {
    let number = |number: u64| {
        if hex {
            format!("{number:x}")
        } else {
            number.to_string()
        }
    };
    match ranges.as_slice() {
        [(low, high)] if low == high => write!(f, "{field} = {}", number(*low)),
        [(low, u64::MAX)] => write!(f, "{field} >= {}", number(*low)),
        [(0, high)] => write!(f, "{field} <= {}", number(*high)),
        several => {
            let range = |(low, high): &(u64, u64)| {
                if low == high {
                    number(*low)
                } else {
                    format!("{}-{}", number(*low), number(*high))
                }
            };
            let list: Vec<_> = several.iter().map(range).collect();
            write!(f, "{field} in ({})", list.join(", "))
        }
    }
}

fn port_numbers(f: &mut Formatter<'_>, field: &str, ports: &Ranges) -> fmt::Result {
    match ports.as_slice() {
        [(low, LAST_PORT)] if (1..LAST_PORT).contains(low) => write!(f, "{field} >= {low}"),
        _ => numbers(f, field, ports, false),
    }
}

fn name(f: &mut Formatter<'_>, unresolved: &Unresolved) -> fmt::Result {
    let field = match &unresolved.purpose {
        Purpose::Host { end, .. } => end.address_field().name(),
        Purpose::Service { end, .. } => end.port_field().name(),
        Purpose::User => "user",
        Purpose::OwnerUser => "owners.user",
        Purpose::Interface => "interface",
        Purpose::Cgroup => "cgroup",
        Purpose::File => "path",
    };
    let sign = match &unresolved.purpose {
        Purpose::Service { order, .. } => match order {
            Order::Equal => "=",
            Order::Less => "<",
            Order::AtMost => "<=",
            Order::Greater => ">",
            Order::AtLeast => ">=",
        },
        _ => "=",
    };
    write!(f, "{field} {sign} {}", unresolved.name.escape_debug())?;
    if let Purpose::Host {
        end,
        ports: Some(ports),
        ..
    } = &unresolved.purpose
    {
        f.write_str(" and ")?;
        port_numbers(f, end.port_field().name(), ports)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, parse, samples};
    use proptest::prelude::*;

    fn shown(filter: &str) -> String {
        parse(&[filter.to_owned()], Mode::List)
            .unwrap()
            .expr
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_filter_is_formatted_in_its_own_language() {
        for (filter, expected) in [
            ("sport 22 dst 10/8", "sport = 22 and dst = 10.0.0.0/8"),
            ("3000", "local_port = 3000 or peer_port = 3000"),
            ("recv_q ge 0", "recv_q >= 0"),
            (
                "recv_q gt 64k or nginx",
                "recv_q >= 65537 or process like 'nginx'",
            ),
            (
                "not (80/tcp udp)",
                "not (protocol = tcp and (local_port = 80 or peer_port = 80) and protocol = udp)",
            ),
            ("dport in (80, 8000-8100)", "dport in (80, 8000-8100)"),
            (
                "process like /^a b/ path = '/x\\x1b'",
                r"process like /^a b/ and path = '/x\x1b'",
            ),
            (r"path = '@a\x00b'", r"path = '@a\x00b'"),
            (r"path = '\x40a'", r"path = '\x40a'"),
            (
                "uid = mark and dst web:80",
                "user = mark and peer_address = web and peer_port = 80",
            ),
        ] {
            assert_eq!(shown(filter), expected, "{filter}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_filter_is_parsed_as_the_same(filter in samples::filter(), socket in samples::inet_socket()) {
            let read = |text: &str| parse(&[text.to_owned()], Mode::List).ok()?.expr?.resolve(&samples::names()).ok();
            let Some(expr) = read(&filter) else { return Ok(()) };
            let text = expr.to_string();
            // Cgroup ids and constants have no syntax of their own.
            if ["cgroup", "everything", "nothing"].iter().any(|word| text.contains(word)) {
                return Ok(());
            }
            let again = read(&format!("({text}) or inode = 99")).unwrap();
            let verdicts = samples::with_row(&socket, |row| (expr.matches(row), again.matches(row)));
            prop_assert_eq!(verdicts.0, verdicts.1, "{}", text);
        }
    }
}
