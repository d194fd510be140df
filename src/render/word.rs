//! Writes values as words, for columns of fields separated by blanks.

use super::escape;
use super::text::{push_address, push_each, push_hex, push_list, push_number};
use crate::query::field::{Value, part_value, socket_option_words};

/// Appends a value for people: blanks in text are kept, everything else is escaped as usual.
pub fn push_for_people(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Text(text) => escape::push(out, text),
        Value::UnixName(name) => escape::push_unix_name(out, name, |_| false),
        value => push_word(out, value),
    }
}

/// Appends a value as one word: `?` for null, `""` for empty text, lists joined by commas, owners as `pid/fd`, parts
/// as `name=value`.
///
/// Blanks, quotes, question marks and commas in text are written `\xHH`, so that nothing is ambiguous.
pub fn push_word(out: &mut Vec<u8>, value: &Value<'_>) {
    let start = out.len();
    let special = |c: char| c.is_whitespace() || matches!(c, '"' | '?' | ',');
    match value {
        Value::Null => out.push(b'?'),
        Value::Text(text) => escape::push_also(out, text, special),
        Value::UnixName(name) => escape::push_unix_name(out, name, special),
        Value::SocketOptions(bits) => {
            push_each(out, b',', socket_option_words(*bits), |out, word| {
                out.extend_from_slice(word.as_bytes());
            });
        }
        Value::Numbers(numbers) => push_list(out, numbers),
        Value::Texts(list) => {
            push_each(out, b',', list.texts(), |out, text| {
                escape::push_also(out, text.as_bytes(), special);
            });
        }
        Value::Owners(row) => {
            push_each(out, b',', row.ownership.holders, |out, holder| {
                push_number(out, holder.pid);
                out.push(b'/');
                push_number(out, holder.fd);
            });
        }
        Value::Struct(structure) => {
            let parts = structure.parts().iter();
            let known = parts
                .map(|part| (part.key, part_value(part, structure)))
                .filter(|(_, value)| !matches!(value, Value::Null));
            push_each(out, b',', known, |out, (name, value)| {
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                push_scalar(out, &value);
            });
        }
        _ => push_scalar(out, value),
    }
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
}

/// Appends a value that has the same form in every format, without quotes.
pub(super) fn push_scalar(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => push_number(out, *number),
        Value::Word(word) => out.extend_from_slice(word.as_bytes()),
        Value::Address(address) => push_address(out, *address),
        Value::Time(moment) => out.extend_from_slice(moment.text().as_bytes()),
        Value::Hex(number) => push_hex(out, *number),
        Value::Subnet(address, prefix) => {
            push_address(out, *address);
            out.push(b'/');
            push_number(out, *prefix);
        }
        Value::Null
        | Value::Text(_)
        | Value::UnixName(_)
        | Value::SocketOptions(_)
        | Value::Numbers(_)
        | Value::Texts(_)
        | Value::Owners(_)
        | Value::Struct(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        crate::render::csv::push_csv(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn word(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        push_word(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_word_stays_one_word_and_null_cannot_be_forged() {
        assert_eq!(word(&Value::Null), "?");
        assert_eq!(word(&Value::Text(b"?")), "\\x3f");
        assert_eq!(word(&Value::Text(b"")), "\"\"");
        assert_eq!(
            word(&Value::Text("a\u{2003}b c".as_bytes())),
            "a\\xe2\\x80\\x83b\\x20c"
        );
        assert_eq!(word(&Value::SocketOptions(0b101)), "recverr,freebind");
        assert_eq!(word(&Value::SocketOptions(0)), "\"\"");
    }

    #[test]
    fn scalars_are_the_same_in_every_form() {
        for (value, text) in [
            (Value::Bool(true), "true"),
            (Value::Integer(42), "42"),
            (Value::Word("listen"), "listen"),
            (Value::Address([10, 0, 0, 1].into()), "10.0.0.1"),
            (Value::Hex(0x2a), "2a"),
            (Value::Subnet([10, 0, 0, 0].into(), 8), "10.0.0.0/8"),
        ] {
            assert_eq!((csv(&value), word(&value)), (text.to_owned(), text.to_owned()));
        }
        assert_eq!(word(&Value::Numbers(&[1, 2])), "1,2");
        assert_eq!(csv(&Value::Numbers(&[1, 2])), "\"[1,2]\"");
        assert_eq!(csv(&Value::Numbers(&[1])), "[1]");
    }
}
