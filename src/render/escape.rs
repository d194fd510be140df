//! Escapes text from processes and sockets, which may be hostile. The escaping is reversible.
//!
//! A backslash is doubled. Control characters (C0, C1, DEL), characters that reorder or hide text, and bytes that are
//! not UTF-8 become `\xHH`, one for each byte. Everything else is unchanged.

use std::borrow::Cow;

/// Appends `bytes`, escaped.
pub fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    push_also(out, bytes, |_| false);
}

/// Appends `bytes`, escaped. Also escapes the characters that `also` selects, because they have a meaning in the output
/// (a blank between columns, a quote around a name).
pub fn push_also(out: &mut Vec<u8>, bytes: &[u8], also: impl Fn(char) -> bool) {
    // Nearly all names need no escaping.
    if bytes
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\' && !also(char::from(*byte)))
    {
        out.extend_from_slice(bytes);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            if character == '\\' {
                out.extend_from_slice(b"\\\\");
            } else if is_unsafe(character) || also(character) {
                push_hex(out, encoded);
            } else {
                out.extend_from_slice(encoded);
            }
        }
        push_hex(out, chunk.invalid());
    }
}

/// Returns the same as a string.
pub fn text(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    push(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}

/// Escapes whatever is unsafe in our own sentences around names that are already escaped. Everything else is unchanged,
/// including line breaks and backslashes.
pub fn sentences(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| c != '\n' && is_unsafe(c);
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let mut buffer = [0; 4];
        let encoded = c.encode_utf8(&mut buffer).as_bytes();
        if is_unsafe(c) {
            push_hex(&mut out, encoded);
        } else {
            out.extend_from_slice(encoded);
        }
    }
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// The same for one line: line breaks are escaped too.
pub fn sentence(text: &str) -> String {
    sentences(text).replace('\n', "\\x0a")
}

/// Returns the printable form of a unix socket's name: `@` for the leading NUL of an abstract one. A path that really
/// starts with `@` is written with `\x40`.
pub fn push_unix_name(out: &mut Vec<u8>, name: &[u8], also: impl Fn(char) -> bool) {
    match name.split_first() {
        Some((0, rest)) => {
            out.push(b'@');
            push_also(out, rest, also);
        }
        Some((b'@', rest)) => {
            push_hex(out, b"@");
            push_also(out, rest, also);
        }
        _ => push_also(out, name, also),
    }
}

/// Reads back the name of a unix socket that [`push_unix_name`] has written. Escapes that it never writes stay as they
/// are, since paths contain such escapes too (systemd's have `\x2d`).
pub fn unix_name_of(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    if let Some(tail) = text.strip_prefix('@') {
        out.push(0);
        rest = tail;
    } else if let Some(tail) = text.strip_prefix("\\x40") {
        out.push(b'@');
        rest = tail;
    }
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let digits = escaped
            .get(2..4)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, length) = match byte {
            Some(byte) if escaped.starts_with("\\x") && !(b' '..0x7f).contains(&byte) => (byte, 4),
            _ if escaped.starts_with("\\\\") => (b'\\', 2),
            _ => (b'\\', 1),
        };
        out.push(byte);
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Control characters, and those that change the direction of text or are invisible (Unicode 16, the deceptive ones of
/// general category Cf).
pub(super) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[
            b'\\',
            b'x',
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_can_be_read_back_and_are_harmless(bytes: Vec<u8>) {
            let escaped = text(&bytes);
            prop_assert!(!escaped.chars().any(char::is_control));
            let mut name = Vec::new();
            push_unix_name(&mut name, &bytes, |_| false);
            prop_assert_eq!(unix_name_of(std::str::from_utf8(&name).unwrap()), bytes);
        }
    }

    #[test]
    fn hostile_names_are_escaped() {
        assert_eq!(text(b"\x1b[2Jevil"), "\\x1b[2Jevil");
        assert_eq!(text(b"a\nb\\c"), "a\\x0ab\\\\c");
        assert_eq!(text(b"\xff\xfe"), "\\xff\\xfe");
        assert_eq!(text("gro\u{df}".as_bytes()), "gro\u{df}");
        assert_eq!(text("a\u{202e}b".as_bytes()), "a\\xe2\\x80\\xaeb");
        assert_eq!(text("\u{9b}31m".as_bytes()), "\\xc2\\x9b31m");
    }

    #[test]
    fn a_sentence_keeps_its_backslashes() {
        let text = "nginx\\x0a 7\nholds it";
        assert!(matches!(sentences(text), Cow::Borrowed(same) if same == text));
        assert_eq!(sentence("a\x1b\u{202e}\\\nb"), "a\\x1b\\xe2\\x80\\xae\\\\x0ab");
    }

    #[test]
    fn a_name_is_read_back_and_foreign_escapes_are_kept() {
        for (text, name) in [
            (r"@a\x00b", &b"\0a\0b"[..]),
            (r"\x40a", b"@a"),
            (r"/run/a\x2db", b"/run/a\\x2db"),
            (r"/a\\x00", b"/a\\x00"),
            (r"/a\xe2\x80\xae\", b"/a\xe2\x80\xae\\"),
            (r"/a\x+1\x", b"/a\\x+1\\x"),
        ] {
            assert_eq!(unix_name_of(text), name, "{text}");
        }
    }

    #[test]
    fn a_blank_in_a_column_and_an_abstract_name() {
        let mut out = Vec::new();
        push_unix_name(&mut out, b"\0a b\0", |c| c == ' ');
        assert_eq!(out, b"@a\\x20b\\x00");
        out.clear();
        push_unix_name(&mut out, b"@relative", |_| false);
        assert_eq!(out, b"\\x40relative");
    }
}
