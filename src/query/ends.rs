//! The right side of a comparison with an end of a socket: ports, addresses, unix names.

use std::sync::Arc;

use super::address::{self, Host, HostPort, Port};
use super::error::FilterError;
use super::expr::{EndIs, Expr, Predicate, Reading};
use super::field::Field;
use super::operand::{Operand, Reader, unresolved};
use super::pattern::{Glob, Pattern};
use super::ranges::Ranges;
use super::subject::Subject;
use super::unresolved::{Order, Purpose};
use crate::model::End;

impl Reader<'_> {
    /// Ports of one end, combined into one predicate.
    pub(super) fn ports(&self, end: End, order: Order, operands: &[Operand]) -> Result<Expr, FilterError> {
        let reading = self.subject.reading();
        let mut ranges = Vec::new();
        let mut others = Vec::new();
        for operand in operands {
            let text = operand.word.text();
            let text = text.strip_prefix(':').unwrap_or(&text);
            let fail = |hint: String| self.error(operand.span.clone(), self.no_value(text), hint);
            match address::port(text).map_err(fail)? {
                Port::Any => ranges.push((0, 65535)),
                Port::Name(name) => {
                    let purpose = Purpose::Service { end, order, reading };
                    others.push(self.unresolved_name(name, operand, purpose));
                }
                Port::Ranges(found) if order == Order::Equal => ranges.extend(found.as_slice()),
                Port::Ranges(found) => match found.single() {
                    Some(number) => {
                        let all = order.range(number);
                        ranges.extend(all.as_slice().iter().map(|(low, high)| (*low, *high.min(&65535))));
                    }
                    None => return Err(fail("a range works only with =, != and in".to_owned())),
                },
            }
        }
        if !ranges.is_empty() || others.is_empty() {
            others.push(EndIs::of(end, None, Some(Ranges::new(ranges)), reading));
        }
        Ok(Expr::or(others))
    }

    /// Parses an operand of `src`, `dst` or an address field.
    pub(super) fn end(&self, end: End, operand: &Operand) -> Result<Expr, FilterError> {
        let typed = operand.word.text();
        let (family, text) = family_prefix(&typed);
        let restriction = match family {
            None => Expr::Constant(true),
            Some(family @ ("inet" | "inet6" | "unix")) => {
                Expr::Is(Predicate::Word(Field::Family, vec![family]))
            }
            Some(family) => return self.other_end(end, family, text, operand),
        };
        let (_, path) = end.fields();
        let is_path = matches!(self.subject, Subject::End(_)) && text.starts_with(['/', '@']);
        if family == Some("unix") || is_path {
            // As typed: a glob has backslashes of its own.
            let (_, typed) = family_prefix(&operand.word.raw);
            let glob = Pattern::Glob(Glob::new(typed.as_bytes()));
            return Ok(Expr::and([restriction, Expr::Is(Predicate::Text(path, glob))]));
        }
        let parsed = address::host_port(text)
            .map_err(|hint| self.error(operand.span.clone(), self.no_value(text), hint))?;
        let end = end_test(self.text, end, self.subject.reading(), parsed, operand);
        Ok(Expr::and([restriction, end]))
    }
}

/// Builds the predicate for an address, a port, an interface, or a combination of them, on one end.
pub(super) fn end_test(
    text: &Arc<str>,
    end: End,
    reading: Reading,
    parsed: HostPort,
    operand: &Operand,
) -> Expr {
    let (ports, service) = match parsed.port {
        None | Some(Port::Any) => (None, Expr::Constant(true)),
        Some(Port::Ranges(ranges)) => (Some(ranges), Expr::Constant(true)),
        Some(Port::Name(name)) => {
            let order = Order::Equal;
            (
                None,
                unresolved(text, name, operand, Purpose::Service { end, order, reading }),
            )
        }
    };
    let interface = match parsed.interface {
        None => Expr::Constant(true),
        Some(name) => unresolved(text, name, operand, Purpose::Interface),
    };
    let address = match parsed.host {
        Host::Name(name) => unresolved(text, name, operand, Purpose::Host { end, ports, reading }),
        Host::Prefix(prefix) => EndIs::of(end, Some(prefix), ports, reading),
        // `src *` and `src :*` match every IP socket.
        Host::Any => EndIs::of(end, None, ports, reading),
    };
    Expr::and([address, service, interface])
}

/// Strips a leading `inet:`, `inet6:`, `unix:` or similar.
fn family_prefix(text: &str) -> (Option<&'static str>, &str) {
    for family in ["inet", "inet6", "unix", "link", "netlink", "vsock", "tipc"] {
        if let Some(rest) = text.strip_prefix(family).and_then(|rest| rest.strip_prefix(':')) {
            return (Some(family), rest);
        }
    }
    (None, text)
}
