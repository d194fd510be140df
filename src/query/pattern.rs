//! Text patterns: exact bytes, shell globs, regular expressions.

use regex::bytes::{Regex, RegexBuilder};

/// How text is compared.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Exactly these bytes.
    Exact(Box<[u8]>),
    /// Exactly the unix socket with this name, in the kernel's form: an abstract one begins with NUL.
    UnixName(Box<[u8]>),
    /// A shell glob over the whole text, case-insensitive.
    Glob(Glob),
    /// A regular expression, found anywhere in the text. It matches bytes, not characters; `(?i)` ignores case.
    Regex(Regex),
}

/// A shell glob: `*` (also matches `/`), `?`, `[a-z]`, `[!a-z]`, `\xHH` for a byte, and a backslash before any other
/// literal character. ASCII letters match in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    source: Box<[u8]>,
    items: Box<[Item]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Byte(u8),
    Any,
    Many,
    Class { negated: bool, ranges: Box<[(u8, u8)]> },
}

impl Pattern {
    /// Compiles the regular expression of `/…/` or `/…/i`.
    ///
    /// # Errors
    /// What is wrong with it, in one line; also if it would take more than 1 MiB.
    pub fn regex(source: &str, any_case: bool) -> Result<Self, String> {
        RegexBuilder::new(source)
            .unicode(false)
            .case_insensitive(any_case)
            .size_limit(1 << 20)
            .nest_limit(100)
            .build()
            .map(Self::Regex)
            .map_err(|error| last_line(&error.to_string()))
    }

    /// Whether the text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Exact(bytes) | Self::UnixName(bytes) => **bytes == *text,
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Returns whether it contains a slash, so that it is meant for a path.
    pub fn has_slash(&self) -> bool {
        match self {
            Self::Exact(bytes) | Self::UnixName(bytes) => bytes.contains(&b'/'),
            Self::Glob(glob) => glob.source().contains(&b'/'),
            Self::Regex(regex) => regex.as_str().contains('/'),
        }
    }

    /// Returns whether the name of a unix socket matches: as in ss, with `@` for every NUL; as in JSON, with `@` only
    /// for the first; or byte for byte.
    pub fn matches_unix_name(&self, name: &[u8]) -> bool {
        if matches!(self, Self::UnixName(_)) || !name.contains(&0) {
            return self.matches(name);
        }
        let as_in_ss: Vec<u8> = name
            .iter()
            .map(|byte| if *byte == 0 { b'@' } else { *byte })
            .collect();
        let mut as_in_json = name.to_vec();
        if let Some(first @ 0) = as_in_json.first_mut() {
            *first = b'@';
        }
        [&as_in_ss, &as_in_json, name]
            .into_iter()
            .any(|shown| self.matches(shown))
    }
}

/// Returns the byte of the `\xHH` at the beginning of a text, and the rest.
pub(super) fn hex_escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'\\', b'x', high, low, rest @ ..] = text else {
        return None;
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

/// The errors of the regex crate show the pattern over several lines; the last line gives the reason.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message);
    line.trim_start_matches("error: ").to_owned()
}

impl Glob {
    /// Parses a glob. An unclosed `[` stands for itself.
    pub fn new(source: &[u8]) -> Self {
        let mut items = Vec::new();
        let mut rest = source;
        // If a `[` is unclosed, no later one is closed either.
        let mut unclosed = false;
        while let Some((first, tail)) = rest.split_first() {
            if let Some((byte, after)) = hex_escape(rest) {
                items.push(Item::Byte(byte.to_ascii_lowercase()));
                rest = after;
                continue;
            }
            rest = tail;
            items.push(match first {
                b'*' if items.last() == Some(&Item::Many) => continue,
                b'*' => Item::Many,
                b'?' => Item::Any,
                b'[' if !unclosed => match class(tail) {
                    Some((item, after)) => {
                        rest = after;
                        item
                    }
                    None => {
                        unclosed = true;
                        Item::Byte(b'[')
                    }
                },
                b'\\' => match tail.split_first() {
                    Some((escaped, after)) => {
                        rest = after;
                        Item::Byte(escaped.to_ascii_lowercase())
                    }
                    None => Item::Byte(b'\\'),
                },
                byte => Item::Byte(byte.to_ascii_lowercase()),
            });
        }
        Self {
            source: source.into(),
            items: items.into(),
        }
    }

    /// The glob as typed.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// Returns whether it contains anything but plain characters.
    pub fn has_wildcards(&self) -> bool {
        self.items.iter().any(|item| !matches!(item, Item::Byte(_)))
    }

    /// Returns whether the whole text matches. It remembers at most one position to backtrack to, so the time is
    /// bounded by the product of both lengths.
    pub fn matches(&self, text: &[u8]) -> bool {
        let (mut at, mut item) = (0, 0);
        let mut retry = None;
        loop {
            match (self.items.get(item), text.get(at)) {
                (Some(Item::Many), _) => {
                    item += 1;
                    retry = Some((item, at));
                    continue;
                }
                (None, None) => return true,
                (Some(it), Some(byte)) if it.takes(*byte) => {
                    item += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            match retry {
                Some((after, from)) if from < text.len() => {
                    retry = Some((after, from + 1));
                    item = after;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Item {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte.to_ascii_lowercase(),
            Self::Any => true,
            Self::Many => false,
            Self::Class { negated, ranges } => {
                let within = |byte: u8| ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte));
                *negated != (within(byte.to_ascii_lowercase()) || within(byte.to_ascii_uppercase()))
            }
        }
    }
}

/// Parses what follows a `[`; returns the class and the rest.
fn class(source: &[u8]) -> Option<(Item, &[u8])> {
    let (negated, mut rest) = match source.split_first() {
        Some((b'!' | b'^', tail)) => (true, tail),
        _ => (false, source),
    };
    let mut ranges = Vec::new();
    loop {
        let (first, tail) = rest.split_first()?;
        match (first, tail) {
            (b']', _) if !ranges.is_empty() => {
                let ranges = ranges.into();
                return Some((Item::Class { negated, ranges }, tail));
            }
            (low, [b'-', high, after @ ..]) if *high != b']' => {
                ranges.push((*low, *high));
                rest = after;
            }
            (byte, _) => {
                ranges.push((*byte, *byte));
                rest = tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(source: &str, text: &str) -> bool {
        Glob::new(source.as_bytes()).matches(text.as_bytes())
    }

    #[test]
    fn unclosed_brackets_are_scanned_only_once() {
        let many = "[".repeat(1 << 20);
        for source in [
            many.clone(),
            format!("{many}]"),
            format!("[]{many}"),
            format!("{many}a-"),
        ] {
            assert_eq!(
                glob(&source, "["),
                source.ends_with(']'),
                "{} bytes",
                source.len()
            );
        }
        assert!(glob("[][", "[]["));
    }

    #[test]
    fn globs_match_the_whole_text_in_any_case() {
        for (source, text, expected) in [
            ("nginx", "NGINX", true),
            ("nginx", "nginx2", false),
            ("ngin*", "nginx", true),
            ("*", "", true),
            ("?", "", false),
            ("/run/*.sock", "/run/a/b.sock", true),
            ("a*b*c", "aXXbYYbZc", true),
            ("a*b*c", "aXXbYYbZ", false),
            ("[a-c]?[!x]", "B1y", true),
            ("[a-c]?[!x]", "B1X", false),
            ("[]]", "]", true),
            ("[abc", "[ABC", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("\\x41\\x1b*", "a\x1b[2J", true),
            ("\\xg", "xG", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(source, text), expected, "{source} on {text}");
        }
    }

    #[test]
    fn a_regex_is_found_anywhere_and_errors_are_one_line() {
        let regex = Pattern::regex("^py.*3$", true).unwrap();
        assert!(regex.matches(b"PYTHON3"));
        assert!(!regex.matches(b"python2"));
        assert!(Pattern::regex("a.b", false).unwrap().matches(b"xa\xffbx"));
        assert_eq!(Pattern::regex("(", false).unwrap_err(), "unclosed group");
        assert!(Pattern::regex("(a{1000}){1000}", false).is_err());
    }

    #[test]
    fn an_abstract_name_is_compared_as_it_is_shown() {
        let pattern = Pattern::Exact(b"@a@b".as_slice().into());
        assert!(pattern.matches_unix_name(b"\0a\0b"));
        assert!(!pattern.matches_unix_name(b"a"));
        let glob = Pattern::Glob(Glob::new(b"@a\\x00*"));
        assert!(glob.matches_unix_name(b"\0a\0b"));
        assert!(!glob.matches_unix_name(b"\0ab"));
        let exact = Pattern::UnixName(b"\0a\0b".as_slice().into());
        assert!(exact.matches_unix_name(b"\0a\0b"));
        assert!(!exact.matches_unix_name(b"\0a@b"));
        let path = Pattern::UnixName(b"@a@b".as_slice().into());
        assert!(path.matches_unix_name(b"@a@b"));
        assert!(!path.matches_unix_name(b"\0a\0b"), "a path may begin with @, too");
        let regex = Pattern::regex(r"^@a\x00b$", false).unwrap();
        assert!(regex.matches_unix_name(b"\0a\0b"));
        assert!(!regex.matches_unix_name(b"\0a@b"));
    }

    proptest! {
        #[test]
        fn a_glob_without_wildcards_is_equality(text in "[a-zA-Z0-9/@. -]{0,12}", other in "[a-b]{0,3}") {
            let glob = Glob::new(text.as_bytes());
            prop_assert!(glob.matches(text.as_bytes()));
            prop_assert_eq!(glob.matches(other.as_bytes()), text.eq_ignore_ascii_case(&other));
        }

        #[test]
        fn any_bytes_are_a_glob(source: Vec<u8>, text: Vec<u8>) {
            Glob::new(&source).matches(&text);
        }
    }
}
