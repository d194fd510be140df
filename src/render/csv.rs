//! Writes values as CSV cells (RFC 4180).

use super::escape;
use super::json;
use super::word::push_scalar;
use crate::query::field::Value;

/// Appends a value as a CSV cell: nothing for null, `""` for empty text, and lists as JSON text.
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

/// Quotes what was written since `start` if it contains a separator or a quote, or is empty.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        push_csv(&mut out, value);
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
}
