//! Filter errors: what is wrong, where, and what was expected.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// A range of the filter's text, in bytes.
pub type Span = Range<usize>;

/// How many columns of a long filter are shown on either side of the error.
const CONTEXT_COLUMNS: usize = 60;

/// A filter that cannot be parsed, or that names something that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// All filter words, joined by blanks.
    pub text: String,
    /// The invalid part of `text`; empty, at the end, if something is missing.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead; may be empty.
    pub hint: String,
}

impl FilterError {
    /// Creates an error at `span` of `text`. A span outside the text is moved to its end.
    pub fn new(text: &str, span: Span, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end).max(start);
        Self {
            text: text.to_owned(),
            span: start..end,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Returns three lines for the terminal: the message, the filter, and a marker under the invalid part with the
    /// hint. Control characters are removed; a long filter is shown only around the error.
    pub fn render(&self) -> String {
        if self.text.trim().is_empty() {
            let text = format!("error: {}\nhint: {}", clean(&self.message), clean(&self.hint));
            return text.trim_end().to_owned();
        }
        let (before, cut) = last_columns(self.text.get(..self.span.start).unwrap_or(&self.text));
        let marked = clean(self.text.get(self.span.clone()).unwrap_or_default());
        let (marked, mark_width, mark_cut) = first_columns(&marked);
        let (after, _, after_cut) = first_columns(&clean(self.text.get(self.span.end..).unwrap_or_default()));
        let tail = if mark_cut { String::new() } else { after };
        let (open, close) = (
            if cut { "…" } else { "" },
            if mark_cut || after_cut { "…" } else { "" },
        );
        let indent = " ".repeat(2 + usize::from(cut) + width(&before));
        let mark = "^".repeat(mark_width.max(1));
        let text = format!(
            "error: {}\n  {open}{before}{marked}{tail}{close}\n{indent}{mark} {}",
            clean(&self.message),
            clean(&self.hint)
        );
        text.trim_end().to_owned()
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.message))
    }
}

impl std::error::Error for FilterError {}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Replaces control characters with blanks, and characters that change the direction of text with a replacement
/// character.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn first_columns(text: &str) -> (String, usize, bool) {
    let mut columns = 0;
    for (index, c) in text.char_indices() {
        let next = columns + c.width().unwrap_or(0);
        if next > CONTEXT_COLUMNS {
            return (text[..index].to_owned(), columns, true);
        }
        columns = next;
    }
    (text.to_owned(), columns, false)
}

fn last_columns(text: &str) -> (String, bool) {
    let mut columns = 0;
    for (index, c) in text.char_indices().rev() {
        columns += c.width().unwrap_or(0);
        if columns > CONTEXT_COLUMNS {
            return (clean(&text[index + c.len_utf8()..]), true);
        }
    }
    (clean(text), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_below_the_error_and_followed_by_the_hint() {
        let error = FilterError::new(
            "state = listen and recvq > 0",
            19..24,
            "unknown field 'recvq'",
            "did you mean 'recv_q'?",
        );
        assert_eq!(
            error.render(),
            "error: unknown field 'recvq'\n  state = listen and recvq > 0\n                     ^^^^^ did you mean 'recv_q'?"
        );
        assert_eq!(error.to_string(), "unknown field 'recvq'");
    }

    #[test]
    fn wide_characters_and_a_missing_end_do_not_displace_the_marker() {
        let error = FilterError::new("日本 =", 8..8, "missing value", "");
        assert_eq!(error.render(), "error: missing value\n  日本 =\n        ^");
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal_and_long_filters_are_cut() {
        let text = format!("{} \x1b[31mx {}", "a ".repeat(500), "b ".repeat(500));
        let error = FilterError::new(&text, 1001..1007, "bad \x1b[0m", "");
        let shown = error.render();
        assert!(!shown.contains('\x1b'), "{shown}");
        assert!(shown.lines().all(|line| width(line) < 140), "{shown}");
    }

    #[test]
    fn a_span_inside_a_character_or_outside_the_text_is_moved() {
        let error = FilterError::new("é", 1..99, "x", "");
        assert_eq!(error.span, 0..2);
    }
}
