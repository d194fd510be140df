//! The right side of a comparison: the values that each field accepts, and the resulting predicate.

use std::sync::Arc;

use super::error::{FilterError, Span};
use super::expr::{Expr, OwnerField, Predicate, ProtocolSet};
use super::field::{Field, Kind, SOCKET_OPTION_NAMES};
use super::lexer::{Comparison, Word};
use super::nearest::nearest;
use super::number;
use super::pattern::{Glob, Pattern};
use super::ranges::Ranges;
use super::subject::Subject;
use super::unresolved::{Order, Purpose, Unresolved};
use super::vocabulary;
use crate::model::End;
use crate::model::time::period;
use crate::model::{Protocol, StateSet};

/// What a point in time looks like. A plain number is in milliseconds since 1970.
const TIME_HINT: &str = "expected a time in UTC, as in 2026-11-30 or 2026-11-30T10:15:00Z";

/// One word on the right side.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) word: Word,
    pub(super) span: Span,
}

/// A comparison that is being parsed.
pub(super) struct Reader<'a> {
    /// The whole filter, for errors.
    pub(super) text: &'a Arc<str>,
    /// The left side.
    pub(super) subject: Subject,
    /// The left side as typed, for errors.
    pub(super) name: &'a str,
}

impl Reader<'_> {
    /// Returns the predicate for `subject comparison operands`; several operands are alternatives.
    pub(super) fn read(&self, comparison: Comparison, operands: &[Operand]) -> Result<Expr, FilterError> {
        let (order, negated) = match comparison {
            Comparison::Equal | Comparison::In => (Some(Order::Equal), false),
            Comparison::Unequal | Comparison::NotIn => (Some(Order::Equal), true),
            Comparison::Less => (Some(Order::Less), false),
            Comparison::AtMost => (Some(Order::AtMost), false),
            Comparison::Greater => (Some(Order::Greater), false),
            Comparison::AtLeast => (Some(Order::AtLeast), false),
            Comparison::Like => (None, false),
            Comparison::Unlike => (None, true),
        };
        let expr = match order {
            None => each(operands, |operand| self.like(operand))?,
            Some(order) => self.compare(order, operands)?,
        };
        Ok(expr.negated_if(negated))
    }

    fn has_no_order(&self, operands: &[Operand]) -> FilterError {
        let name = self.name;
        let message = format!("'{name}' has no order: it works only with =, !=, in and like");
        self.error(span_of(operands), message, "")
    }

    fn compare(&self, order: Order, operands: &[Operand]) -> Result<Expr, FilterError> {
        match self.subject {
            Subject::Port(end) => self.ports(end, order, operands),
            Subject::Field(Field::LocalPort) => self.ports(End::Local, order, operands),
            Subject::Field(Field::PeerPort) => self.ports(End::Peer, order, operands),
            Subject::Owner(field) => self.of_owner(field, order, operands),
            Subject::Field(Field::Uid) => self.numbers(
                order,
                operands,
                |ranges| Predicate::Number(Field::Uid, ranges),
                Some(&Purpose::User),
            ),
            Subject::Field(field)
                if matches!(
                    field.info().kind,
                    Kind::Integer | Kind::Hex | Kind::Numbers | Kind::Time
                ) =>
            {
                if field == Field::Mark && order == Order::Equal {
                    return each(operands, |operand| self.mark(operand));
                }
                self.numbers(order, operands, |ranges| Predicate::Number(field, ranges), None)
            }
            _ if order != Order::Equal => Err(self.has_no_order(operands)),
            Subject::End(end) => each(operands, |operand| self.end(end, operand)),
            Subject::Field(field) => self.equal(field, operands),
        }
    }

    fn equal(&self, field: Field, operands: &[Operand]) -> Result<Expr, FilterError> {
        match field {
            Field::LocalAddress => each(operands, |operand| self.end(End::Local, operand)),
            Field::PeerAddress => each(operands, |operand| self.end(End::Peer, operand)),
            Field::State => {
                let sets = operands.iter().map(|operand| state_set(self.text, operand));
                let states = sets.collect::<Result<Vec<_>, _>>()?;
                let union = states.into_iter().fold(StateSet::NONE, StateSet::union);
                Ok(Expr::Is(Predicate::States(union)))
            }
            Field::Protocol => {
                let words = self.words(operands, &vocabulary::words(field))?;
                let set: ProtocolSet = words
                    .iter()
                    .filter_map(|word| Protocol::from_name(word))
                    .collect();
                Ok(Expr::Is(Predicate::Protocols(set)))
            }
            Field::Interface => each(operands, |operand| {
                Ok(match operand.word.text().parse() {
                    Ok(index) => Expr::Is(Predicate::Interface(index)),
                    Err(_) => self.unresolved(operand, Purpose::Interface),
                })
            }),
            Field::Cgroup => each(operands, |operand| Ok(self.unresolved(operand, Purpose::Cgroup))),
            Field::User => each(operands, |operand| Ok(self.user(operand))),
            Field::SocketOptions => {
                let words = self.words(operands, &SOCKET_OPTION_NAMES)?;
                let bits = SOCKET_OPTION_NAMES
                    .iter()
                    .enumerate()
                    .filter(|(_, name)| words.contains(name));
                Ok(Expr::Is(Predicate::Options(
                    bits.fold(0, |mask, (bit, _)| mask | 1 << bit),
                )))
            }
            Field::Owners | Field::PeerOwners => Err(self.error(
                span_of(operands),
                format!("'{}' is a list", field.name()),
                "compare one of its parts, as in pid = 812 or process = nginx",
            )),
            _ if field.info().kind == Kind::Object => {
                let message = format!("'{}' has several parts", self.name);
                let hint = "run `sockstat columns` for fields to compare";
                Err(self.error(span_of(operands), message, hint))
            }
            _ => match field.info().kind {
                Kind::Boolean => each(operands, |operand| self.truth(field, operand)),
                Kind::Word | Kind::Words => {
                    let words = self.words(operands, &vocabulary::words(field))?;
                    Ok(Expr::Is(Predicate::Word(field, words)))
                }
                _ => each(operands, |operand| {
                    Ok(Expr::Is(Predicate::Text(field, exact(field, &operand.word))))
                }),
            },
        }
    }

    fn of_owner(&self, field: OwnerField, order: Order, operands: &[Operand]) -> Result<Expr, FilterError> {
        match field {
            OwnerField::Pid | OwnerField::Tid | OwnerField::Fd | OwnerField::Uid | OwnerField::StartedAt => {
                self.numbers(
                    order,
                    operands,
                    |ranges| Predicate::OwnerNumber(field, ranges),
                    None,
                )
            }
            _ if order != Order::Equal => Err(self.has_no_order(operands)),
            OwnerField::User => each(operands, |operand| Ok(self.user(operand))),
            _ => each(operands, |operand| {
                let pattern = Pattern::Exact(operand.word.bytes().into());
                Ok(Expr::Is(Predicate::of_owner(field, pattern)))
            }),
        }
    }

    /// A glob, or a regular expression between slashes, over the text of a field.
    fn like(&self, operand: &Operand) -> Result<Expr, FilterError> {
        let pattern = pattern(self.text, operand)?;
        Ok(Expr::Is(match self.subject {
            Subject::Owner(field) => Predicate::of_owner(field, pattern),
            Subject::Field(field @ (Field::Owners | Field::PeerOwners)) => {
                let message = format!("'{}' is a list", field.name());
                return Err(self.error(
                    operand.span.clone(),
                    message,
                    "compare one of its parts, as in process like 'ngin*'",
                ));
            }
            Subject::Field(field) => Predicate::Text(field, pattern),
            Subject::Port(End::Local) => Predicate::Text(Field::LocalPort, pattern),
            Subject::Port(End::Peer) => Predicate::Text(Field::PeerPort, pattern),
            Subject::End(end) => {
                let (address, path) = end.fields();
                let address = Expr::Is(Predicate::Text(address, pattern.clone()));
                return Ok(Expr::or([address, Expr::Is(Predicate::Text(path, pattern))]));
            }
        }))
    }

    /// Numbers and ranges, combined into one predicate; with a `purpose`, a word may name a number.
    fn numbers(
        &self,
        order: Order,
        operands: &[Operand],
        predicate: impl Fn(Ranges) -> Predicate,
        purpose: Option<&Purpose>,
    ) -> Result<Expr, FilterError> {
        let mut ranges = Vec::new();
        let mut others = Vec::new();
        for operand in operands {
            let text = operand.word.text();
            let is_name = !text.starts_with(|c: char| c.is_ascii_digit());
            match purpose {
                Some(purpose) if is_name && order == Order::Equal => {
                    others.push(self.unresolved(operand, purpose.clone()));
                }
                _ => ranges.extend(self.number(order, &text, operand)?),
            }
        }
        if !ranges.is_empty() || others.is_empty() {
            others.push(Expr::Is(predicate(Ranges::new(ranges))));
        }
        Ok(Expr::or(others))
    }

    fn number(&self, order: Order, text: &str, operand: &Operand) -> Result<Vec<(u64, u64)>, FilterError> {
        if self.is_time()
            && let Some(named) = period(text)
        {
            return Ok(order.range_of(named).as_slice().to_vec());
        }
        let read = |text: &str| match self.subject {
            Subject::Field(field) if field.info().kind == Kind::Hex => {
                number::hexadecimal(text).ok_or_else(|| "expected a hexadecimal number".to_owned())
            }
            _ if self.is_time() => number::plain(text).ok_or_else(|| TIME_HINT.to_owned()),
            Subject::Field(field) => number::with_unit(text, field.info().unit),
            _ => number::with_unit(text, ""),
        };
        let fail = |hint: String| self.error(operand.span.clone(), self.no_value(text), hint);
        if let (Order::Equal, Some((low, high))) = (order, text.split_once('-'))
            && !low.is_empty()
        {
            let (low, high) = (read(low).map_err(fail)?, read(high).map_err(fail)?);
            if low > high {
                return Err(fail("the range is empty: its start is above its end".to_owned()));
            }
            return Ok(vec![(low, high)]);
        }
        Ok(order.range(read(text).map_err(fail)?).as_slice().to_vec())
    }

    fn is_time(&self) -> bool {
        match self.subject {
            Subject::Field(field) => field.info().kind == Kind::Time,
            subject => subject == Subject::Owner(OwnerField::StartedAt),
        }
    }

    /// `V` or `V/MASK`.
    fn mark(&self, operand: &Operand) -> Result<Expr, FilterError> {
        let text = operand.word.text();
        let (value, mask) = text.split_once('/').unwrap_or((&text, "0xffffffff"));
        let number = |text| number::plain(text).and_then(|number| u32::try_from(number).ok());
        match (number(value), number(mask)) {
            (Some(value), Some(mask)) => Ok(Expr::Is(Predicate::Mark { value, mask })),
            _ => Err(self.error(
                operand.span.clone(),
                self.no_value(&text),
                "expected a mark, as in 0x10 or 0x10/0xff",
            )),
        }
    }

    fn user(&self, operand: &Operand) -> Expr {
        let owner = self.subject == Subject::Owner(OwnerField::User);
        match (operand.word.text().parse::<u32>(), owner) {
            (Ok(uid), false) => Expr::Is(Predicate::Number(Field::Uid, Ranges::one(uid.into()))),
            (Ok(uid), true) => Expr::Is(Predicate::OwnerNumber(OwnerField::Uid, Ranges::one(uid.into()))),
            (Err(_), false) => self.unresolved(operand, Purpose::User),
            (Err(_), true) => self.unresolved(operand, Purpose::OwnerUser),
        }
    }

    fn truth(&self, field: Field, operand: &Operand) -> Result<Expr, FilterError> {
        let text = operand.word.text();
        match text.as_str() {
            "true" | "yes" | "1" => Ok(Expr::Is(Predicate::Truth(field, true))),
            "false" | "no" | "0" => Ok(Expr::Is(Predicate::Truth(field, false))),
            _ => Err(self.error(
                operand.span.clone(),
                self.no_value(&text),
                "expected true or false",
            )),
        }
    }

    /// Keywords from a fixed list, in any case.
    fn words(&self, operands: &[Operand], known: &[&'static str]) -> Result<Vec<&'static str>, FilterError> {
        let find = |operand: &Operand| {
            let text = operand.word.text().to_ascii_lowercase();
            let found = known.iter().find(|word| **word == text);
            found.copied().ok_or_else(|| {
                let hint = match nearest(&text, known.iter().copied()) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("expected one of {}", known.join(", ")),
                };
                self.error(operand.span.clone(), self.no_value(&text), hint)
            })
        };
        operands.iter().map(find).collect()
    }

    fn unresolved(&self, operand: &Operand, purpose: Purpose) -> Expr {
        self.unresolved_name(operand.word.text(), operand, purpose)
    }

    pub(super) fn unresolved_name(&self, name: String, operand: &Operand, purpose: Purpose) -> Expr {
        unresolved(self.text, name, operand, purpose)
    }

    pub(super) fn no_value(&self, text: &str) -> String {
        format!("invalid value '{text}' for '{}'", self.name)
    }

    pub(super) fn error(
        &self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> FilterError {
        FilterError::new(self.text, span, message, hint)
    }
}

fn span_of(operands: &[Operand]) -> Span {
    operands.first().map_or(0..0, |operand| operand.span.clone())
}

/// Several operands are alternatives.
fn each(
    operands: &[Operand],
    read: impl Fn(&Operand) -> Result<Expr, FilterError>,
) -> Result<Expr, FilterError> {
    let parts = operands.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Expr::or(parts))
}

/// A name to look up.
pub(super) fn unresolved(text: &Arc<str>, name: String, operand: &Operand, purpose: Purpose) -> Expr {
    Expr::Is(Predicate::Unresolved(Box::new(Unresolved {
        name,
        purpose,
        text: Arc::clone(text),
        span: operand.span.clone(),
    })))
}

/// Returns the states that a word names.
pub(super) fn state_set(text: &str, operand: &Operand) -> Result<StateSet, FilterError> {
    let word = operand.word.text();
    StateSet::from_word(&word).ok_or_else(|| {
        let hint = match nearest(&word.to_ascii_lowercase(), vocabulary::state_words()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "expected a state, as in listen, established, time-wait, connected, all".to_owned(),
        };
        FilterError::new(
            text,
            operand.span.clone(),
            format!("unknown state '{word}'"),
            hint,
        )
    })
}

/// Returns the text of a field that is to be equal to a word.
pub(super) fn exact(field: Field, word: &Word) -> Pattern {
    match word.exact_unix_name() {
        Some(name) if matches!(field, Field::Path | Field::PeerPath) => Pattern::UnixName(name.into()),
        _ => Pattern::Exact(word.bytes().into()),
    }
}

/// Returns a glob, or a regular expression if the word has the form `/…/` or `/…/i`.
pub(super) fn pattern(text: &str, operand: &Operand) -> Result<Pattern, FilterError> {
    match operand.word.as_regex() {
        None => Ok(Pattern::Glob(Glob::new(operand.word.raw.as_bytes()))),
        Some((source, any_case)) => {
            let source = source.replace("\\/", "/");
            Pattern::regex(&source, any_case).map_err(|error| {
                let message = format!("invalid regular expression: {error}");
                FilterError::new(text, operand.span.clone(), message, "")
            })
        }
    }
}
