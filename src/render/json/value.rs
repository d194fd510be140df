//! The value of a field.

use super::owner::push_owner;
use super::string::{push_key, push_quoted, push_string, push_word};
use crate::query::field::{Struct, Value, part_value, socket_option_words};
use crate::render::escape;
use crate::render::text::{push_address, push_each, push_list, push_number};
use crate::render::word::push_scalar;

/// Appends a value as JSON.
pub(crate) fn push_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => push_number(out, *number),
        Value::Word(word) => push_word(out, word),
        Value::Text(text) => push_string(out, text),
        Value::UnixName(name) => push_quoted(out, |out| escape::push_unix_name(out, name, |_| false)),
        Value::Address(address) => {
            out.push(b'"');
            push_address(out, *address);
            out.push(b'"');
        }
        Value::Hex(_) | Value::Subnet(..) | Value::Time(_) => {
            out.push(b'"');
            push_scalar(out, value);
            out.push(b'"');
        }
        Value::SocketOptions(bits) => {
            out.push(b'[');
            push_each(out, b',', socket_option_words(*bits), push_word);
            out.push(b']');
        }
        Value::Numbers(numbers) => {
            out.push(b'[');
            push_list(out, numbers);
            out.push(b']');
        }
        Value::Texts(list) => {
            out.push(b'[');
            push_each(out, b',', list.texts(), |out, text| {
                push_string(out, text.as_bytes());
            });
            out.push(b']');
        }
        Value::Struct(parts) => push_struct(out, parts),
        Value::Owners(row) => {
            out.push(b'[');
            push_each(out, b',', row.ownership.holders, |out, holder| {
                push_owner(out, row, holder);
            });
            out.push(b']');
        }
    }
}

/// The parts of a structure by name; null for those it lacks.
fn push_struct(out: &mut Vec<u8>, structure: &Struct<'_>) {
    for (index, part) in structure.parts().iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        push_key(out, part.key);
        // The two most common kinds of value are handled here: they make up nine tenths of a row with details.
        match part_value(part, structure) {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Integer(number) => push_number(out, number),
            value => push_value(out, &value),
        }
    }
    out.push(b'}');
}
