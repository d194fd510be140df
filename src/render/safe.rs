//! Output that is safe for a terminal.

use std::borrow::Cow;

use super::escape;

/// Bytes that are harmless on a terminal: UTF-8 without control characters other than line breaks, tabs and colours,
/// and without characters that hide or reorder text.
///
/// Writers escape every name where they print it ([`escape`]), so there should be nothing left to replace here. This is
/// the last line of defence: this type cannot be built from unchecked bytes, and only this type is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safe<'a>(Cow<'a, [u8]>);

impl<'a> Safe<'a> {
    /// Makes sentences safe: everything unsafe in them becomes `\xHH`.
    pub fn sentences(text: &'a str) -> Self {
        Self(match escape::sentences(text) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// Makes a document of any format safe: everything unsafe in it becomes U+FFFD, which is valid in all formats. The
    /// document must end with a complete character.
    pub fn document(bytes: &'a [u8]) -> Self {
        Self(if may_be_unsafe(bytes) {
            replace(bytes)
        } else {
            Cow::Borrowed(bytes)
        })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether it contains anything but printable ASCII, line breaks and tabs. Every row passes through here, so the check
/// has no early exit within a block and works on single bytes: the compiler turns it into a few instructions per 16
/// bytes.
fn may_be_unsafe(bytes: &[u8]) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let blocks = bytes.as_chunks::<64>();
    let has_other = |block: &[u8]| {
        block
            .iter()
            .fold(0, |found, byte| found | u8::from(!is_plain(*byte)))
            != 0
    };
    blocks.0.iter().any(|block| has_other(block)) || has_other(blocks.1)
}

/// Replaces everything unsafe.
fn replace(bytes: &[u8]) -> Cow<'static, [u8]> {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            let length = match c {
                '\x1b' => colour(rest),
                '\n' | '\t' => Some(1),
                // The line ending of CSV.
                '\r' if rest.starts_with("\r\n") => Some(2),
                c if escape::is_unsafe(c) => None,
                c => Some(c.len_utf8()),
            };
            match length {
                Some(length) => out.push_str(rest.get(..length).unwrap_or_default()),
                None => out.push(char::REPLACEMENT_CHARACTER),
            }
            rest = rest.get(length.unwrap_or(c.len_utf8())..).unwrap_or_default();
        }
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(out.into_bytes())
}

/// Returns the length of the colour sequence (`ESC [ 1 ; 31 m`) at the start of a text; `None` if it starts with
/// anything else.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters.get(end..)?.starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(bytes: &[u8]) -> String {
        String::from_utf8(Safe::document(bytes).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn tables_documents_and_sentences_pass_unchanged() {
        for text in [
            "Netid State\ntcp   LISTEN\n",
            "\t timer:(on,1s)\n",
            "protocol,state\r\ntcp,listen\r\n",
            "\x1b[1;31mLISTEN\x1b[0m \x1b[m caf\u{e9} \u{2026}\n",
            "{\"name\":\"a\\\\x1b\"}\n",
        ] {
            assert_eq!(document(text.as_bytes()), text);
        }
        assert_eq!(Safe::sentences("a\\b\n").as_bytes(), b"a\\b\n");
    }

    #[test]
    fn unsafe_text_is_replaced() {
        assert_eq!(
            document(b"a\x1b[2Jb\x07\r\xff\x7f"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(document("a\u{202e}b\u{9b}".as_bytes()), "a\u{fffd}b\u{fffd}");
        assert_eq!(document(b"\x1b["), "\u{fffd}[");
        assert_eq!(Safe::sentences("a\x1b[31mb\tc").as_bytes(), b"a\\x1b[31mb\\x09c");
    }

    #[test]
    fn unsafe_bytes_are_found_at_every_position() {
        for byte in 0..=u8::MAX {
            for at in [0, 63, 64, 70] {
                let mut bytes = [b'a'; 71];
                bytes[at] = byte;
                let plain = matches!(byte, b' '..=b'~' | b'\n' | b'\t');
                assert_eq!(may_be_unsafe(&bytes), !plain, "{byte:#x} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_comes_out_of_any_bytes(bytes: Vec<u8>, text: String) {
            let may = |c: char| !escape::is_unsafe(c) || matches!(c, '\n' | '\r' | '\t' | '\x1b');
            prop_assert!(document(&bytes).chars().all(may));
            prop_assert!(document(text.as_bytes()).chars().all(may));
            let sentences = Safe::sentences(&text);
            let sentences = std::str::from_utf8(sentences.as_bytes()).unwrap();
            prop_assert!(sentences.chars().all(|c| c == '\n' || !escape::is_unsafe(c)));
        }
    }
}
