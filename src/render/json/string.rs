//! JSON strings and keys.

use crate::render::escape;

pub(crate) fn push_key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a keyword, which needs no escaping.
pub(super) fn push_word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

pub(crate) fn push_optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => push_string(out, bytes),
        None => out.extend_from_slice(b"null"),
    }
}

pub(crate) fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    push_quoted(out, |out| escape::push(out, bytes));
}

/// Quotes what `write` appends. `write` appends no control characters, so only quotes and backslashes have to be
/// escaped.
pub(super) fn push_quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    let start = out.len();
    write(out);
    let written = out.get(start..).unwrap_or_default();
    if memchr::memchr2(b'"', b'\\', written).is_some() {
        let plain = written.to_vec();
        out.truncate(start);
        for byte in plain {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_make_a_valid_string(bytes: Vec<u8>) {
            let mut out = Vec::new();
            push_string(&mut out, &bytes);
            let read: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, escape::text(&bytes));
        }
    }
}
