//! The value of a field in one row.

use std::net::IpAddr;

use super::info::FieldInfo;
use super::list::List;
use super::place::Form;
use super::structs::Struct;
use crate::model::time::Moment;
use crate::model::{Name, Row};

/// A field's value in one row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Unknown, not applicable, or not requested.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number in the field's unit.
    Integer(u64),
    /// A keyword.
    Word(&'static str),
    /// Text from outside; not escaped.
    Text(&'a [u8]),
    /// The name of a unix socket, with its leading NUL if it is abstract; not escaped.
    UnixName(&'a [u8]),
    /// An IP address.
    Address(IpAddr),
    /// A network: its first address and its prefix length.
    Subnet(IpAddr, u8),
    /// A point in time.
    Time(Moment),
    /// A number shown in hexadecimal.
    Hex(u64),
    /// Option bits; see [`socket_option_words`](super::socket_option_words).
    SocketOptions(u16),
    /// A list of numbers.
    Numbers(&'a [u32]),
    /// A list of texts, none of them taken from outside.
    Texts(List<'a>),
    /// All owners in the row; for `peer_owners`, those of the other end.
    Owners(Row<'a>),
    /// Parts of a kernel structure.
    Struct(Struct<'a>),
}

pub(super) fn integer<'a, T: Into<u64>>(number: Option<T>) -> Value<'a> {
    number.map_or(Value::Null, |number| Value::Integer(number.into()))
}

pub(super) fn hex<'a>(number: Option<u64>) -> Value<'a> {
    number.map_or(Value::Null, Value::Hex)
}

pub(super) fn word<'a>(word: impl Into<Option<&'static str>>) -> Value<'a> {
    word.into().map_or(Value::Null, Value::Word)
}

pub(super) fn time<'a>(time: Option<Moment>) -> Value<'a> {
    time.map_or(Value::Null, Value::Time)
}

pub(super) fn bytes(bytes: Option<&[u8]>) -> Value<'_> {
    bytes.map_or(Value::Null, Value::Text)
}

pub(super) fn text(name: Option<&Name>) -> Value<'_> {
    bytes(name.map(Name::as_bytes))
}

pub(super) fn texts(list: Option<List<'_>>) -> Value<'_> {
    list.map_or(Value::Null, Value::Texts)
}

pub(super) fn object(structure: Option<Struct<'_>>) -> Value<'_> {
    structure.map_or(Value::Null, Value::Struct)
}

/// Returns the value of a part of a structure; null for a number without a known keyword.
#[inline]
pub fn part_value(part: &FieldInfo, structure: &Struct<'_>) -> Value<'static> {
    let Some(place) = &part.part else {
        return Value::Null;
    };
    let Some(number) = structure.number(place) else {
        return Value::Null;
    };
    match place.form {
        Form::Number => Value::Integer(number),
        Form::Hex => Value::Hex(number),
        Form::Flag => Value::Bool(number != 0),
        Form::Word(words) => {
            let known = words.iter().find(|(own, _)| *own == number);
            known.map_or(Value::Null, |(_, word)| Value::Word(word))
        }
    }
}
