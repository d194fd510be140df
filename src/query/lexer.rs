//! Splits the text of a filter into tokens.
//!
//! Blanks around operators and parentheses are optional. A word ends at a blank, a comma, a parenthesis or an operator.
//! To include such a character, quote the whole word (`'…'` or `"…"`) or put a backslash before the character. After
//! `like`, `~` and `!~`, a word of the form `/…/` or `/…/i` ends at its second slash.

use super::error::{FilterError, Span};
use super::pattern::hex_escape;

/// A token and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Comma,
    And,
    Or,
    Not,
    /// A comparison operator.
    Compare(Comparison),
    Word(Word),
    End,
}

/// A word as typed, with its backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) raw: String,
    pub(super) quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Like,
    Unlike,
    In,
    NotIn,
}

impl Comparison {
    /// Returns the comparison operator that a word stands for.
    pub(super) fn from_word(word: &Word) -> Option<Self> {
        if word.quoted {
            return None;
        }
        Some(match word.raw.as_str() {
            "eq" => Self::Equal,
            "ne" | "neq" => Self::Unequal,
            "lt" => Self::Less,
            "le" | "leq" => Self::AtMost,
            "gt" => Self::Greater,
            "ge" | "geq" => Self::AtLeast,
            "like" => Self::Like,
            "in" => Self::In,
            _ => return None,
        })
    }
}

impl Word {
    /// Returns the word without its backslashes; `\xHH` becomes that byte.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            let (byte, after) = match (hex_escape(rest), first, tail) {
                (Some(escaped), ..) => escaped,
                (None, b'\\', [next, after @ ..]) => (*next, after),
                (None, byte, _) => (*byte, tail),
            };
            out.push(byte);
            rest = after;
        }
        out
    }

    /// Returns the name of a unix socket in the kernel's form if the word contains `\xHH`. It is then written as in
    /// JSON, where `@` stands for the leading NUL of an abstract name and `\x40` for the character `@`.
    pub(super) fn exact_unix_name(&self) -> Option<Vec<u8>> {
        let has_escape = (0..self.raw.len()).any(|at| {
            self.raw
                .as_bytes()
                .get(at..)
                .is_some_and(|text| hex_escape(text).is_some())
        });
        let mut name = self.bytes();
        if let (true, Some(first)) = (self.raw.starts_with('@'), name.first_mut()) {
            *first = 0;
        }
        has_escape.then_some(name)
    }

    /// Returns the word without its backslashes, as text.
    pub(super) fn text(&self) -> String {
        if self.raw.contains('\\') {
            String::from_utf8_lossy(&self.bytes()).into_owned()
        } else {
            self.raw.clone()
        }
    }

    /// Returns the pattern and its flags if the word has the form `/…/` or `/…/i`.
    pub(super) fn as_regex(&self) -> Option<(&str, bool)> {
        let length = regex_length(&self.raw)?;
        let any_case = self.raw.ends_with('i');
        let inner = self.raw.get(1..length - 1 - usize::from(any_case))?;
        (length == self.raw.len()).then_some((inner, any_case))
    }
}

/// Returns the length of the `/…/` or `/…/i` at the beginning of `text`. The word must end at the next unescaped slash;
/// otherwise it is a path.
fn regex_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('/')?;
    let mut escaped = false;
    let close = inner.bytes().position(|byte| {
        let closes = byte == b'/' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    if close == 0 {
        return None;
    }
    let after = inner.get(close + 1..)?;
    let flag = usize::from(after.starts_with('i'));
    let next = after.get(flag..)?.bytes().next();
    next.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b')' | b',' | b'&' | b'|'))
        .then_some(close + 2 + flag)
}

/// Splits the text; the last token is always [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = match symbol(rest) {
            Some(found) => found,
            None => word(text, at, rest, expects_pattern(&tokens))?,
        };
        tokens.push(Token {
            kind,
            span: at..at + length,
        });
        at += length;
    }
    tokens.push(Token {
        kind: TokenKind::End,
        span: text.len()..text.len(),
    });
    Ok(tokens)
}

fn expects_pattern(tokens: &[Token]) -> bool {
    match tokens.last().map(|token| &token.kind) {
        Some(TokenKind::Compare(Comparison::Like | Comparison::Unlike)) => true,
        Some(TokenKind::Word(word)) => Comparison::from_word(word) == Some(Comparison::Like),
        _ => false,
    }
}

fn symbol(rest: &str) -> Option<(TokenKind, usize)> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, Like, Unequal, Unlike};
    let mut bytes = rest.bytes();
    let first = bytes.next()?;
    let second = bytes.next();
    let compare = |comparison, length| Some((TokenKind::Compare(comparison), length));
    match (first, second) {
        (b'(', _) => Some((TokenKind::Open, 1)),
        (b')', _) => Some((TokenKind::Close, 1)),
        (b',', _) => Some((TokenKind::Comma, 1)),
        (b'&', Some(b'&')) => Some((TokenKind::And, 2)),
        (b'&', _) => Some((TokenKind::And, 1)),
        (b'|', Some(b'|')) => Some((TokenKind::Or, 2)),
        (b'|', _) => Some((TokenKind::Or, 1)),
        (b'=', Some(b'=')) => compare(Equal, 2),
        (b'=', _) => compare(Equal, 1),
        (b'!', Some(b'=')) => compare(Unequal, 2),
        (b'!', Some(b'~')) => compare(Unlike, 2),
        (b'!', _) => Some((TokenKind::Not, 1)),
        (b'<', Some(b'=')) => compare(AtMost, 2),
        (b'<', _) => compare(Less, 1),
        (b'>', Some(b'=')) => compare(AtLeast, 2),
        (b'>', _) => compare(Greater, 1),
        (b'~', _) => compare(Like, 1),
        _ => None,
    }
}

fn word(text: &str, at: usize, rest: &str, pattern: bool) -> Result<(TokenKind, usize), FilterError> {
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = rest.get(1..).unwrap_or_default();
        let Some(length) = unescaped(inner, |c| c == quote) else {
            let hint = format!("missing closing {quote}");
            return Err(FilterError::new(text, at..text.len(), "unclosed quote", hint));
        };
        let raw = inner.get(..length).unwrap_or_default().to_owned();
        return Ok((TokenKind::Word(Word { raw, quoted: true }), length + 2));
    }
    let plain = || unescaped(rest, ends_word).unwrap_or(rest.len());
    let length = if pattern { regex_length(rest) } else { None }.unwrap_or_else(plain);
    let raw = rest.get(..length).unwrap_or_default().to_owned();
    let kind = match raw.as_str() {
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "not" => TokenKind::Not,
        _ => TokenKind::Word(Word { raw, quoted: false }),
    };
    Ok((kind, length))
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | ',' | '&' | '|' | '=' | '!' | '<' | '>' | '~')
}

/// Returns the position of the first unescaped character that satisfies `ends`.
fn unescaped(text: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if ends(c) {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let tokens = tokens(text).unwrap();
        let words: Vec<String> = tokens
            .iter()
            .map(|token| match &token.kind {
                TokenKind::Word(word) if word.quoted => format!("'{}'", word.raw),
                TokenKind::Word(word) => word.raw.clone(),
                TokenKind::Compare(comparison) => format!("{comparison:?}"),
                other => format!("{other:?}"),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn blanks_are_optional_and_spans_are_bytes() {
        assert_eq!(shown("(dport=22)"), "Open dport Equal 22 Close End");
        assert_eq!(shown("!src x&&y"), "Not src x And y End");
        assert_eq!(shown("a!=b|c!~d"), "a Unequal b Or c Unlike d End");
        let tokens = tokens("é >= 5").unwrap();
        assert_eq!(tokens[1].span, 3..5);
    }

    #[test]
    fn quotes_and_backslashes_take_operators_into_a_word() {
        assert_eq!(shown("process='a = (b)'"), "process Equal 'a = (b)' End");
        assert_eq!(shown(r"a\ b\=c"), r"a\ b\=c End");
        assert!(tokens("x = 'open").is_err());
        let word = Word {
            raw: r"\x41\\\=\xzz".to_owned(),
            quoted: false,
        };
        assert_eq!(word.text(), r"A\=xzz");
    }

    #[test]
    fn a_regex_ends_at_its_second_slash_and_a_path_is_not_a_regex() {
        assert_eq!(
            shown("process ~ /a (b|c)/ and x"),
            "process Like /a (b|c)/ And x End"
        );
        assert_eq!(shown("path like /run/* and x"), "path like /run/* And x End");
        assert_eq!(
            shown("path like /tmp or path like /x/i"),
            "path like /tmp Or path like /x/i End"
        );
        assert_eq!(shown("/a (b)"), "/a Open b Close End");
        let regex = |raw: &str| {
            let word = Word {
                raw: raw.to_owned(),
                quoted: true,
            };
            word.as_regex().map(|(a, b)| (a.to_owned(), b))
        };
        assert_eq!(regex("/a/i"), Some(("a".to_owned(), true)));
        assert_eq!(regex("/i/"), Some(("i".to_owned(), false)));
        assert_eq!(regex("/a/b"), None);
        assert_eq!(regex("//"), None);
    }
}
