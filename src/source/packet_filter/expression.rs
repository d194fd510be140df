//! Decodes the expressions of a rule. A malformed or unknown one becomes [`Expression::Other`], at which predictions
//! give up.

use super::attributes::{Attributes, attribute, name, number};
use crate::model::packet_filter::{Data, Expression, Extension, Load, ObjectOf, Register, Verdict};

/// `NFTA_LIST_ELEM`.
const LIST_ELEMENT: u16 = 1;
/// The number of the verdict register, of the four of 16 bytes, and of the first of 4 bytes (`enum nft_registers`).
const VERDICT: u32 = 0;
const LONG_REGISTERS: std::ops::RangeInclusive<u32> = 1..=4;
const SHORT_REGISTERS: std::ops::RangeInclusive<u32> = 8..=23;

/// Decodes a list of expressions (`NFTA_RULE_EXPRESSIONS`).
pub fn decode_list(list: &[u8]) -> Vec<Expression> {
    let mut decoded = Vec::new();
    for (kind, element) in Attributes(list) {
        if kind == LIST_ELEMENT {
            decode(element, &mut decoded);
        }
    }
    decoded
}

/// Returns whether an expression attached to a set element affects whether it matches, as all but counters do.
pub(super) fn is_limiting(expression: &[u8]) -> bool {
    !matches!(
        attribute(expression, 1).map(name).as_deref(),
        Some(b"counter" | b"last")
    )
}

/// The arguments of an expression.
struct Arguments<'a>(&'a [u8]);

impl Arguments<'_> {
    fn number(&self, kind: u16) -> Option<u32> {
        attribute(self.0, kind).map(number)
    }

    fn byte(&self, kind: u16) -> Option<u8> {
        u8::try_from(self.number(kind)?).ok()
    }

    /// The offset of a register that holds bytes.
    fn register(&self, kind: u16) -> Option<u8> {
        register(self.number(kind)?)?
    }

    fn value(&self, kind: u16) -> Option<Box<[u8]>> {
        match data(attribute(self.0, kind)?)? {
            Data::Value(bytes) => Some(bytes),
            Data::Verdict(_) => None,
        }
    }

    /// Two registers, of which the second defaults to the first.
    fn pair(&self, first: u16, last: u16) -> Option<(u8, u8)> {
        let first = self.register(first)?;
        Some((first, self.register(last).unwrap_or(first)))
    }

    fn extension(&self) -> Option<Extension> {
        Some(Extension {
            name: name(attribute(self.0, 1)?),
            revision: self.byte(2)?,
            info: attribute(self.0, 3)?.into(),
        })
    }
}

/// The offset of a register, `Some(None)` for the verdict; `None` for a number that is not a register.
fn register(number: u32) -> Option<Register> {
    let offset = match number {
        VERDICT => return Some(None),
        long if LONG_REGISTERS.contains(&long) => (long - LONG_REGISTERS.start()) * 16,
        short if SHORT_REGISTERS.contains(&short) => (short - SHORT_REGISTERS.start()) * 4,
        _ => return None,
    };
    u8::try_from(offset).ok().map(Some)
}

/// Decodes a constant (`NFTA_DATA_*`).
pub(super) fn data(nest: &[u8]) -> Option<Data> {
    let (kind, value) = Attributes(nest).next()?;
    match kind {
        1 => Some(Data::Value(value.into())),
        2 => verdict(value).map(Data::Verdict),
        _ => None,
    }
}

/// Decodes a verdict (`NFTA_VERDICT_*`): its code is negative if only nf_tables has it.
fn verdict(nest: &[u8]) -> Option<Verdict> {
    let code = number(attribute(nest, 1)?).cast_signed();
    let chain = || attribute(nest, 2).map(name);
    Some(match code {
        0 => Verdict::Drop,
        1 => Verdict::Accept,
        -1 => Verdict::Continue,
        -2 => Verdict::Break,
        -3 => Verdict::Jump(chain()?),
        -4 => Verdict::Goto(chain()?),
        -5 => Verdict::Return,
        // The upper half is the number of the queue.
        queue if queue & 0xff == 3 => Verdict::Queue,
        other => Verdict::Other(other),
    })
}

/// Decodes one expression and appends what it does.
fn decode(expression: &[u8], decoded: &mut Vec<Expression>) {
    let kind = attribute(expression, 1).map(name).unwrap_or_default();
    let arguments = Arguments(attribute(expression, 2).unwrap_or_default());
    let before = decoded.len();
    if known(&kind, &arguments, decoded).is_none() {
        decoded.truncate(before);
        decoded.push(Expression::Other(kind));
    }
}

/// `None` if it is unknown or malformed.
fn known(kind: &[u8], of: &Arguments<'_>, decoded: &mut Vec<Expression>) -> Option<()> {
    let one = match kind {
        b"immediate" => Expression::Immediate {
            to: register(of.number(1)?)?,
            data: data(attribute(of.0, 2)?)?,
        },
        b"cmp" => Expression::Compare {
            from: of.register(1)?,
            operation: of.number(2)?,
            data: of.value(3)?,
        },
        b"range" => Expression::Range {
            from: of.register(1)?,
            negated: of.number(2)? != 0,
            low: of.value(3)?,
            high: of.value(4)?,
        },
        b"bitwise" if of.number(6).unwrap_or(0) == 0 => Expression::Bitwise {
            from: of.register(1)?,
            to: of.register(2)?,
            mask: of.value(4)?,
            xor: of.value(5)?,
        },
        b"bitwise" => of.unknown(2, "the result of a shift", of.byte(3)?)?,
        b"byteorder" => Expression::ByteOrder {
            from: of.register(1)?,
            to: of.register(2)?,
            bytes: of.byte(4)?,
            size: of.byte(5)?,
        },
        b"payload" if attribute(of.0, 5).is_some() => Expression::Write {
            base: of.number(2)?,
            offset: of.number(3)?,
            bytes: of.number(4)?,
        },
        b"payload" => of.load(
            1,
            Load::Payload {
                base: of.number(2)?,
                offset: of.number(3)?,
                bytes: of.byte(4)?,
            },
        )?,
        b"meta" => match of.register(3) {
            Some(from) => Expression::SetMeta {
                key: of.number(2)?,
                from,
            },
            None => of.load(1, Load::Meta(of.number(2)?))?,
        },
        b"ct" => match of.register(4) {
            Some(from) => Expression::SetConnection {
                key: of.number(2)?,
                from,
            },
            None => of.load(
                1,
                Load::Connection {
                    key: of.number(2)?,
                    direction: attribute(of.0, 3).and_then(|value| value.first().copied()),
                },
            )?,
        },
        b"fib" => of.load(
            1,
            Load::Fib {
                result: of.number(2)?,
                flags: of.number(3)?,
            },
        )?,
        b"lookup" => Expression::Lookup {
            set: name(attribute(of.0, 1)?),
            from: of.register(2)?,
            to: match of.number(3) {
                Some(number) => Some(register(number)?),
                None => None,
            },
            inverted: of.number(5).unwrap_or(0) & 1 != 0,
        },
        b"nat" => Expression::Nat {
            is_source: of.number(1)? == 0,
            family: of.number(2)?,
            address: of.pair(3, 4),
            port: of.pair(5, 6),
            flags: of.number(7).unwrap_or(0),
        },
        b"masq" => Expression::Masquerade,
        b"redir" => Expression::Redirect { port: of.pair(1, 2) },
        b"reject" => Expression::Reject {
            kind: of.number(1)?,
            code: attribute(of.0, 2)
                .and_then(|value| value.first().copied())
                .unwrap_or(0),
        },
        _ => return less_usual(kind, of, decoded),
    };
    decoded.push(one);
    Some(())
}

/// Expressions without registers, and those whose outcome depends on more than the packet.
fn less_usual(kind: &[u8], of: &Arguments<'_>, decoded: &mut Vec<Expression>) -> Option<()> {
    let one = match kind {
        b"notrack" => Expression::NoTrack,
        b"counter" | b"log" | b"last" | b"dup" | b"flow_offload" => Expression::NoEffect,
        b"match" => Expression::Match(of.extension()?),
        b"target" => Expression::Target(of.extension()?),
        b"limit" => Expression::Undecidable("a rate limit"),
        b"quota" => Expression::Undecidable("a quota"),
        b"connlimit" => Expression::Undecidable("the number of connections"),
        b"numgen" => of.unknown(1, "a number that changes with each packet", 4)?,
        b"hash" => of.unknown(2, "a hash", 4)?,
        b"rt" => of.unknown(1, "a property of the route", 16)?,
        b"osf" => {
            decoded.push(Expression::Undecidable("the client's operating system"));
            of.unknown(1, "the client's operating system", 16)?
        }
        b"socket" => {
            decoded.push(Expression::Undecidable("the socket that receives the packet"));
            of.unknown(2, "the socket that receives the packet", 8)?
        }
        // Changes a TCP option, such as the maximum segment size.
        b"exthdr" if attribute(of.0, 7).is_some() => Expression::NoEffect,
        b"exthdr" if of.number(5).unwrap_or(0) & 1 != 0 => of.unknown(1, "an option of the packet", 1)?,
        b"exthdr" => {
            decoded.push(Expression::Undecidable("an option of the packet"));
            of.unknown(1, "an option of the packet", of.byte(4)?)?
        }
        b"objref" => match (of.number(1), attribute(of.0, 2)) {
            (Some(kind), Some(object)) => Expression::Object {
                of: ObjectOf::Fixed {
                    kind,
                    name: name(object),
                },
            },
            _ => Expression::Object {
                of: ObjectOf::Key {
                    from: of.register(3)?,
                    set: name(attribute(of.0, 4)?),
                },
            },
        },
        b"dynset" => {
            let single = attribute(of.0, 7);
            let list = Attributes(attribute(of.0, 10).unwrap_or_default());
            let mut all = single.into_iter().chain(list.map(|(_, value)| value));
            Expression::Update {
                set: name(attribute(of.0, 1)?),
                is_limited: of.number(9).unwrap_or(0) & 1 != 0 || all.any(is_limiting),
            }
        }
        _ => return None,
    };
    decoded.push(one);
    Some(())
}

impl Arguments<'_> {
    fn load(&self, kind: u16, what: Load) -> Option<Expression> {
        let to = self.register(kind)?;
        Some(Expression::Load { to, what })
    }

    fn unknown(&self, kind: u16, what: &'static str, bytes: u8) -> Option<Expression> {
        self.load(kind, Load::Unknown { what, bytes })
    }
}
