//! Rows as lines, written as they come: JSON Lines, CSV (RFC 4180), columns of fields, and those of ss.
//!
//! Nothing here holds more than the row at hand; the caller decides when the buffer is written.

use super::escape;
use super::json;
use super::plain::Plain;
use super::text::{push_address, push_hex, push_list, push_number};
use crate::model::Row;
use crate::query::field::{Field, Value, part_value, socket_option_words};

/// The form of the lines, and what each holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The columns of ss.
    Ss(Plain),
    /// An object with these keys on each line.
    Json(Vec<Field>),
    /// Comma-separated values, lines ended by CR LF.
    Csv(Columns),
    /// Values separated by single blanks.
    Blanks(Columns),
}

/// Columns that are fields of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// In this order.
    pub fields: Vec<Field>,
    /// Whether the first line names them.
    pub header: bool,
}

impl Lines {
    /// Appends what stands above the rows.
    pub fn push_header(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ss(plain) => plain.push_header(out),
            Self::Json(_) => {}
            Self::Csv(columns) => columns.push_header(out, b',', b"\r\n"),
            Self::Blanks(columns) => columns.push_header(out, b' ', b"\n"),
        }
    }

    /// Appends one row with the end of its line.
    pub fn push_row(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        match self {
            Self::Ss(plain) => plain.push_row(out, row),
            Self::Json(fields) => {
                json::push_row(out, row, fields);
                out.push(b'\n');
            }
            Self::Csv(columns) => {
                for (index, field) in columns.fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    push_csv(out, &field.value(row));
                }
                out.extend_from_slice(b"\r\n");
            }
            Self::Blanks(columns) => {
                for (index, field) in columns.fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    push_word(out, &field.value(row));
                }
                out.push(b'\n');
            }
        }
    }
}

impl Columns {
    fn push_header(&self, out: &mut Vec<u8>, separator: u8, end: &[u8]) {
        if !self.header {
            return;
        }
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(separator);
            }
            out.extend_from_slice(field.name().as_bytes());
        }
        out.extend_from_slice(end);
    }
}

/// A value as a cell of CSV: nothing for null, `""` for empty text, and lists as their JSON text.
pub fn push_csv(out: &mut Vec<u8>, value: &Value<'_>) {
    let start = out.len();
    match value {
        Value::Null => return,
        Value::Text(text) => escape::push(out, text),
        Value::UnixName(name) => escape::push_unix_name(out, name, |_| false),
        Value::SocketOptions(_)
        | Value::Numbers(_)
        | Value::Texts(_)
        | Value::Owners(_)
        | Value::Struct(_) => {
            json::push_value(out, value);
        }
        _ => return push_scalar(out, value),
    }
    quote_csv(out, start);
}

/// Quotes what was written since `start`, if it holds a separator or a quote, or is empty.
fn quote_csv(out: &mut Vec<u8>, start: usize) {
    let written = out.get(start..).unwrap_or_default();
    if !written.is_empty() && memchr::memchr2(b',', b'"', written).is_none() {
        return;
    }
    let plain = written.to_vec();
    out.truncate(start);
    out.push(b'"');
    for byte in plain {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// A value as one word: `?` for null, `""` for empty text, lists joined by commas, owners as `pid/fd`, parts as `name=value`.
///
/// Blanks, quotes, question marks and commas of a text are written `\xHH`, so that nothing reads as something else.
pub fn push_word(out: &mut Vec<u8>, value: &Value<'_>) {
    let start = out.len();
    let special = |c: char| c.is_whitespace() || matches!(c, '"' | '?' | ',');
    match value {
        Value::Null => out.push(b'?'),
        Value::Text(text) => escape::push_also(out, text, special),
        Value::UnixName(name) => escape::push_unix_name(out, name, special),
        Value::SocketOptions(bits) => {
            for (index, word) in socket_option_words(*bits).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(word.as_bytes());
            }
        }
        Value::Numbers(numbers) => push_list(out, numbers),
        Value::Texts(list) => {
            for (index, text) in list.texts().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                escape::push_also(out, text.as_bytes(), special);
            }
        }
        Value::Owners(row) => {
            for (index, holder) in row.ownership.holders.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_number(out, holder.pid);
                out.push(b'/');
                push_number(out, holder.fd);
            }
        }
        Value::Struct(structure) => {
            let known = structure
                .parts()
                .iter()
                .filter_map(|part| Some((part.key, part_value(&part.part?, structure))));
            for (name, value) in known.filter(|(_, value)| !matches!(value, Value::Null)) {
                if out.len() > start {
                    out.push(b',');
                }
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                push_scalar(out, &value);
            }
        }
        _ => push_scalar(out, value),
    }
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
}

/// A value that is the same in every form, without quotes.
pub(super) fn push_scalar(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => push_number(out, *number),
        Value::Word(word) => out.extend_from_slice(word.as_bytes()),
        Value::Address(address) => push_address(out, *address),
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
        push_csv(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn word(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        push_word(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_what_it_must_and_null_is_not_the_empty_text() {
        assert_eq!(csv(&Value::Null), "");
        assert_eq!(csv(&Value::Text(b"")), "\"\"");
        assert_eq!(csv(&Value::Text(b"a\"b,c\r\n")), "\"a\"\"b,c\\x0d\\x0a\"");
        assert_eq!(csv(&Value::UnixName(b"\0x y")), "@x y");
        assert_eq!(
            csv(&Value::SocketOptions(0b101)),
            "\"[\"\"recverr\"\",\"\"freebind\"\"]\""
        );
        assert_eq!(csv(&Value::Hex(255)), "ff");
        assert_eq!(csv(&Value::Bool(false)), "false");
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
}
