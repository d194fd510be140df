//! A row as an object: the hot path.

use super::value::push_value;
use crate::model::Row;
use crate::query::field::{FIELDS, Field, Value};
use crate::render::text::push_start;

/// The text for each [`Field`]: a comma, the key and null, by far the most common value; and the length of comma and
/// key.
static KEYS: [([u8; KEY_BYTES], usize); FIELDS.len()] = keys();

/// Room for the longest key and null.
const KEY_BYTES: usize = 40;
const NULL: &[u8] = b"null";

#[allow(clippy::large_stack_arrays, reason = "it is evaluated while compiling")]
const fn keys() -> [([u8; KEY_BYTES], usize); FIELDS.len()] {
    let mut keys = [([0; KEY_BYTES], 0); FIELDS.len()];
    let mut index = 0;
    while index < FIELDS.len() {
        let (text, length) = &mut keys[index];
        let quoted = push(text, 0, b",\"");
        let named = push(text, quoted, FIELDS[index].name.as_bytes());
        *length = push(text, named, b"\":");
        push(text, *length, NULL);
        index += 1;
    }
    keys
}

/// Writes `bytes` at `at`, and returns where they end.
const fn push(text: &mut [u8; KEY_BYTES], at: usize, bytes: &[u8]) -> usize {
    let mut index = 0;
    while index < bytes.len() {
        text[at + index] = bytes[index];
        index += 1;
    }
    at + bytes.len()
}

/// Appends one row as an object with exactly these fields.
pub fn push_row(out: &mut Vec<u8>, row: &Row<'_>, fields: &[Field]) {
    let start = out.len();
    for field in fields {
        let Some((key, length)) = KEYS.get(*field as usize) else {
            continue;
        };
        match field.value(row) {
            Value::Null => push_start(out, key, length + NULL.len()),
            value => {
                push_start(out, key, *length);
                push_value(out, &value);
            }
        }
    }
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_preceded_by_a_comma_and_followed_by_null() {
        let (text, length) = KEYS[Field::LocalPort as usize];
        assert_eq!(&text[..length], b",\"local_port\":");
        assert_eq!(&text[..length + NULL.len()], b",\"local_port\":null");
    }
}
