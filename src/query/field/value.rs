//! What a field can be in one row.

use std::net::IpAddr;

use super::info::FieldInfo;
use super::list::List;
use super::place::Form;
use super::structs::Struct;
use crate::model::Row;

/// A field's value in one row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Unknown, not applicable, or not asked.
    Null,
    /// True or false.
    Bool(bool),
    /// A number in the field's unit.
    Integer(u64),
    /// A word of the vocabulary.
    Word(&'static str),
    /// Text from outside; not sanitised.
    Text(&'a [u8]),
    /// The name of a unix socket, its first NUL still in place if it is abstract; not sanitised.
    UnixName(&'a [u8]),
    /// An IP address.
    Address(IpAddr),
    /// A network, by its first address and the length of its prefix.
    Subnet(IpAddr, u8),
    /// A number shown in hexadecimal.
    Hex(u64),
    /// Option bits; see [`socket_option_words`](super::socket_option_words).
    SocketOptions(u16),
    /// Several numbers.
    Numbers(&'a [u32]),
    /// Several texts; nothing in them comes from outside as text.
    Texts(List<'a>),
    /// All owners in the row, which for `peer_owners` is that of the other end.
    Owners(Row<'a>),
    /// Parts of a structure of the kernel.
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

pub(super) fn bytes(bytes: Option<&[u8]>) -> Value<'_> {
    bytes.map_or(Value::Null, Value::Text)
}

pub(super) fn text(string: Option<&String>) -> Value<'_> {
    string.map_or(Value::Null, |string| Value::Text(string.as_bytes()))
}

pub(super) fn texts(list: Option<List<'_>>) -> Value<'_> {
    list.map_or(Value::Null, Value::Texts)
}

pub(super) fn object(structure: Option<Struct<'_>>) -> Value<'_> {
    structure.map_or(Value::Null, Value::Struct)
}

/// The value of a part of a structure; null for a number that should be a word and is none known here.
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
