//! Words of a command to paste into a shell.

use super::escape;

/// Returns the text as one word for a POSIX shell, quoted if necessary.
///
/// `None` if the command would not do what it appears to do: if it has control characters, characters that hide or
/// reorder text, or bytes that are not UTF-8.
pub fn word(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    if text.chars().any(escape::is_unsafe) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    // zsh expands a word that begins with `=`.
    let plain = !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain);
    Some(if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    })
}

/// The same for a name that follows options: also `None` if it would be parsed as an option.
pub fn name(text: &[u8]) -> Option<String> {
    word(text).filter(|_| !text.starts_with(b"-"))
}

/// Returns the first word of a command made of [`word`]s.
pub fn first_word(command: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    let end = command.find(|c| {
        let is_plain = !escaped;
        escaped = is_plain && !quoted && c == '\\';
        quoted ^= is_plain && c == '\'';
        is_plain && c == ' ' && !quoted
    });
    end.and_then(|end| command.get(..end)).unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_quoted_if_a_shell_would_interpret_them() {
        for (text, quoted) in [
            ("-tulpn", "-tulpn"),
            (":3000", ":3000"),
            ("recv_q > 0", "'recv_q > 0'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$(reboot).service", "'$(reboot).service'"),
            ("a;b\\x2dc", "'a;b\\x2dc'"),
            ("=ls", "'=ls'"),
            ("gro\u{df}", "'gro\u{df}'"),
        ] {
            assert_eq!(word(text.as_bytes()).as_deref(), Some(quoted), "{text}");
        }
    }

    #[test]
    fn text_with_invisible_characters_is_not_a_word() {
        for text in [
            &b"a\nreboot"[..],
            b"\x1b[2J",
            b"\xff",
            b"\x00",
            "a\u{202e}b".as_bytes(),
            "a\u{200b}b".as_bytes(),
            "\u{9b}31m".as_bytes(),
        ] {
            assert_eq!(word(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_not_an_option() {
        assert_eq!(name(b"--force"), None);
        assert_eq!(name(b"web-1").as_deref(), Some("web-1"));
    }

    #[test]
    fn the_first_word_may_be_quoted() {
        assert_eq!(first_word("/usr/bin/sockstat why 80"), "/usr/bin/sockstat");
        assert_eq!(first_word("'/a b/sock'\\''stat' why"), "'/a b/sock'\\''stat'");
        assert_eq!(first_word("sockstat"), "sockstat");
    }

    proptest! {
        #[test]
        fn sh_reads_a_word_back(text in "[ -~]{0,12}") {
            let quoted = word(text.as_bytes()).unwrap();
            let expected = text.as_str();
            // How a shell treats single quotes and a backslash.
            let mut read = String::new();
            let mut inside = false;
            let mut chars = quoted.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\'' => inside = !inside,
                    '\\' if !inside => read.extend(chars.next()),
                    c => read.push(c),
                }
            }
            prop_assert_eq!(read, expected);
        }
    }
}
