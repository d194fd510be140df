//! Bare words: the meaning of `3000`, `nginx`, `10/8`, `/run/x.sock` or `listen`.
//!
//! The order is part of the language: ports, addresses, unix names, states and protocols, and only then program names.

use std::sync::Arc;

use super::address::{self, Host, Port};
use super::ends;
use super::error::FilterError;
use super::expr::{EndIs, Expr, Predicate, ProtocolSet, Reading};
use super::mode::Mode;
use super::operand::{Operand, exact, unresolved};
use super::pattern::{Glob, Pattern};
use super::unresolved::Purpose;
use crate::model::End;
use crate::model::{Protocol, StateSet};

/// The kind of a bare word. Adjacent words of one kind are alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordKind {
    Port,
    Address,
    Unix,
    State,
    Protocol,
    Program,
}

/// Returns the kind and the meaning of a bare word. A quoted one is always a program name.
pub(super) fn bare_word(
    text: &Arc<str>,
    operand: &Operand,
    mode: Mode,
) -> Result<(WordKind, Expr), FilterError> {
    let word = operand.word.text();
    if operand.word.quoted {
        return Ok((WordKind::Program, program(operand)));
    }
    if let Some(expr) = port_word(text, operand, &word, mode)? {
        return Ok((WordKind::Port, expr));
    }
    if let Some(expr) = address_word(text, operand, &word, mode)? {
        return Ok((WordKind::Address, expr));
    }
    if word.starts_with(['/', '@']) {
        return Ok((WordKind::Unix, unix_name(text, operand, mode)));
    }
    if let Some(states) = StateSet::from_word(&word) {
        return Ok((WordKind::State, Expr::Is(Predicate::States(states))));
    }
    if let Some(protocol) = Protocol::from_name(&word.to_ascii_lowercase()) {
        let set = ProtocolSet::from_iter([protocol]);
        return Ok((WordKind::Protocol, Expr::Is(Predicate::Protocols(set))));
    }
    Ok((WordKind::Program, program(operand)))
}

/// The same for both ends, or for the local end only if the word selects what to kill.
fn sides(mode: Mode, build: impl Fn(End) -> Expr) -> Expr {
    match mode {
        Mode::List => Expr::or([build(End::Local), build(End::Peer)]),
        Mode::Kill => build(End::Local),
    }
}

/// Protocols that a word may name before its port, as in lsof: `tcp:80`.
const BEFORE_PORTS: [Protocol; 7] = [
    Protocol::Tcp,
    Protocol::Udp,
    Protocol::Udplite,
    Protocol::Mptcp,
    Protocol::Sctp,
    Protocol::Dccp,
    Protocol::Smc,
];

/// Splits `tcp:80` into the protocol and `:80`.
fn protocol_before(word: &str) -> Option<(&str, &str)> {
    let (name, port) = word.split_at(word.find(':')?);
    let is_one = |protocol: &Protocol| protocol.name().eq_ignore_ascii_case(name);
    BEFORE_PORTS.iter().any(is_one).then_some((name, port))
}

/// `80`, `8000-8100`, `:80`, `:http`, `80/tcp`, `tcp:80`, `*:80`.
fn port_word(
    text: &Arc<str>,
    operand: &Operand,
    word: &str,
    mode: Mode,
) -> Result<Option<Expr>, FilterError> {
    let (before, word) = match protocol_before(word) {
        Some((protocol, port)) => (Some(protocol), port),
        None => (None, word),
    };
    let after_colon = word.strip_prefix(':').or_else(|| word.strip_prefix("*:"));
    let (port_text, protocol) = match after_colon.unwrap_or(word).split_once('/') {
        Some((port, protocol)) if before.is_none() => (port, Some(protocol)),
        _ => (after_colon.unwrap_or(word), before),
    };
    let is_range = !port_text.is_empty()
        && port_text.starts_with(|c: char| c.is_ascii_digit())
        && port_text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    // `10/8` is a prefix, not a port with a protocol, and `::1` is an address.
    let is_prefix = protocol.is_some_and(|it| !it.starts_with(|c: char| c.is_ascii_alphabetic()));
    let is_service = after_colon.is_some_and(|rest| !rest.starts_with(':') && !rest.contains(':'));
    if is_prefix || !(is_range || is_service) {
        return Ok(None);
    }
    let fail = |message: String, hint: &str| FilterError::new(text, operand.span.clone(), message, hint);
    let restriction = match protocol.map(|name| (name, Protocol::from_name(&name.to_ascii_lowercase()))) {
        None => Expr::Constant(true),
        Some((_, Some(protocol))) => Expr::Is(Predicate::Protocols(ProtocolSet::from_iter([protocol]))),
        Some((name, None)) => {
            return Err(fail(
                format!("unknown protocol '{name}'"),
                "as in 53/udp or 80/tcp",
            ));
        }
    };
    let port = address::port(port_text).map_err(|hint| fail(format!("invalid port '{word}'"), &hint))?;
    let host = Host::Any;
    let expr = sides(mode, |end| {
        let (host, interface, port) = (host.clone(), None, Some(port.clone()));
        let parsed = address::HostPort {
            host,
            interface,
            port,
        };
        ends::end_test(text, end, Reading::Fields, parsed, operand)
    });
    if matches!(port, Port::Any) {
        return Err(fail(
            format!("'{word}' means every port"),
            "omit it, or give a number",
        ));
    }
    Ok(Some(Expr::and([restriction, expr])))
}

/// An address, a prefix, or ADDR:PORT and NAME:PORT with a numeric port.
fn address_word(
    text: &Arc<str>,
    operand: &Operand,
    word: &str,
    mode: Mode,
) -> Result<Option<Expr>, FilterError> {
    // A word of digits and dots, or one in brackets, is meant as an address.
    let numeric = word.contains('.')
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b':' | b'-'));
    let meant = word.starts_with('[') && word.contains("]:")
        || numeric
        || word.starts_with(|c: char| c.is_ascii_digit())
            && word
                .split_once('/')
                .is_some_and(|(_, length)| length.starts_with(|c: char| c.is_ascii_digit()));
    let parsed = match address::host_port(word) {
        Ok(parsed) => parsed,
        Err(hint) if meant => {
            let message = format!("invalid address '{word}'");
            return Err(FilterError::new(text, operand.span.clone(), message, hint));
        }
        Err(_) => return Ok(None),
    };
    let is_address = match (&parsed.host, &parsed.port) {
        (Host::Prefix(_), _) | (Host::Name(_), Some(Port::Ranges(_))) => true,
        (Host::Name(_) | Host::Any, _) => false,
    };
    if !is_address {
        return Ok(None);
    }
    Ok(Some(sides(mode, |end| {
        ends::end_test(text, end, Reading::Fields, parsed.clone(), operand)
    })))
}

/// A name of unix sockets. A path also selects sockets bound to the file that exists there now, because the file may
/// have had another name when the socket was bound.
fn unix_name(text: &Arc<str>, operand: &Operand, mode: Mode) -> Expr {
    let glob = Glob::new(operand.word.raw.as_bytes());
    let typed = operand.word.bytes();
    let name = std::str::from_utf8(&typed)
        .ok()
        .filter(|name| name.starts_with('/') && !glob.has_wildcards());
    let file = name.map(|name| unresolved(text, name.to_owned(), operand, Purpose::File));
    let names = sides(mode, |end| {
        let (_, field) = end.fields();
        let pattern = if glob.has_wildcards() {
            Pattern::Glob(glob.clone())
        } else {
            exact(field, &operand.word)
        };
        Expr::Is(Predicate::Text(field, pattern))
    });
    Expr::or([names].into_iter().chain(file))
}

fn program(operand: &Operand) -> Expr {
    Expr::Is(Predicate::Program(Pattern::Glob(Glob::new(
        operand.word.raw.as_bytes(),
    ))))
}

/// The disjunction, with the ports of one end combined into one set, so that a list of thousands stays cheap.
pub(super) fn alternatives(exprs: Vec<Expr>) -> Expr {
    let mut merged: Vec<EndIs> = Vec::new();
    let mut ranges: Vec<Vec<(u64, u64)>> = Vec::new();
    let mut others = Vec::new();
    for part in flat(exprs) {
        match part {
            Expr::Is(Predicate::End(EndIs {
                end,
                address: None,
                ports: Some(ports),
                reading,
            })) => {
                let at = merged
                    .iter()
                    .position(|it| it.end == end && it.reading == reading);
                let at = at.unwrap_or_else(|| {
                    merged.push(EndIs {
                        end,
                        address: None,
                        ports: None,
                        reading,
                    });
                    ranges.push(Vec::new());
                    merged.len() - 1
                });
                if let Some(list) = ranges.get_mut(at) {
                    list.extend(ports.as_slice());
                }
            }
            other => others.push(other),
        }
    }
    let ends = merged.into_iter().zip(ranges).map(|(end, ranges)| {
        let ports = Some(super::ranges::Ranges::new(ranges));
        Expr::Is(Predicate::End(EndIs { ports, ..end }))
    });
    Expr::or(ends.chain(others))
}

fn flat(parts: Vec<Expr>) -> impl Iterator<Item = Expr> {
    parts.into_iter().flat_map(|part| match part {
        Expr::Or(inner) => inner,
        part => vec![part],
    })
}
