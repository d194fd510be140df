//! Text for people, in sentences and labelled rows. On a terminal, lines break between words; elsewhere every
//! sentence, row and command stays on one line.

use std::fmt::Write as _;

use super::escape;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Maximum number of terminal lines for a row, because command lines can be long.
const ROW_LINES: usize = 4;
/// A longer command gets a line of its own, with its sentence below.
const COMMAND: usize = 30;
/// Minimum room for a sentence next to a command.
const SENTENCE: usize = 20;

/// A text under construction.
#[derive(Clone, Debug)]
pub struct Page {
    text: String,
    width: Option<usize>,
    /// The width of labels.
    labels: usize,
}

impl Page {
    /// An empty page. `width` is that of the terminal, if there is one; `labels` is the width of labels.
    pub fn new(width: Option<usize>, labels: usize) -> Self {
        Self {
            text: String::new(),
            width: width.map(|width| width.max(2 * (labels + 2))),
            labels,
        }
    }

    /// Adds an empty line, unless there is one already or the page is empty.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds sentences from the left edge.
    pub fn prose(&mut self, sentences: &str) {
        for line in sentences.lines() {
            self.wrapped("", line, 0, usize::MAX);
        }
    }

    /// Adds a sentence of a list.
    pub fn item(&mut self, sentence: &str) {
        self.hanging("  ", sentence, 4);
    }

    /// Adds a text after its head; continuation lines are indented by `indent`.
    pub fn hanging(&mut self, head: &str, text: &str, indent: usize) {
        self.wrapped(head, text, indent, usize::MAX);
    }

    /// Adds a line unchanged, including its blanks.
    pub fn as_is(&mut self, line: &str) {
        self.text.push_str(line);
        self.end_line();
    }

    /// Adds a label and its text.
    pub fn row(&mut self, label: &str, value: &str) {
        let head = self.head(label);
        self.wrapped(&head, value, head.width(), ROW_LINES);
    }

    /// Adds a label, a command to copy, which is never wrapped, and what it does.
    pub fn command(&mut self, label: &str, command: &str, sentence: &str) {
        let head = self.head(label);
        let narrow = self
            .width
            .is_some_and(|width| width < head.width() + COMMAND + SENTENCE);
        if narrow || command.width() + 2 > COMMAND {
            let _ = writeln!(self.text, "{head}{command}");
            let below = " ".repeat(head.width() + 2);
            self.wrapped(&below, sentence, below.len(), ROW_LINES);
        } else {
            let pad = COMMAND - command.width();
            let head = format!("{head}{command}{:pad$}", "");
            self.wrapped(&head, sentence, head.width(), ROW_LINES);
        }
    }

    fn head(&self, label: &str) -> String {
        format!("  {label:<0$}", self.labels)
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// Writes `head` and then the words of `text`; continuation lines are indented by `indent`.
    fn wrapped(&mut self, head: &str, text: &str, indent: usize, lines: usize) {
        let text = &*escape::sentence(text);
        let Some(width) = self.width else {
            self.text.push_str(head);
            self.text.push_str(text);
            self.end_line();
            return;
        };
        self.text.push_str(head);
        let (mut column, mut line) = (head.width(), 1);
        let mut begins = true;
        for word in text.split(' ') {
            let needed = word.width() + usize::from(!begins);
            if !begins && column + needed > width {
                if line == lines {
                    self.text.push_str(" …");
                    break;
                }
                self.end_line();
                self.text.push_str(&" ".repeat(indent));
                (column, line, begins) = (indent, line + 1, true);
            }
            if !begins {
                self.text.push(' ');
                column += 1;
            }
            let more_lines = (lines - line).saturating_mul(width);
            let room = width.saturating_sub(column).saturating_add(more_lines);
            let shown = fitting(word, room);
            self.text.push_str(shown);
            if shown.len() < word.len() {
                self.text.push('…');
                break;
            }
            column += word.width();
            begins = false;
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }
}

/// The part of a word that fits.
fn fitting(word: &str, room: usize) -> &str {
    let mut used = 0;
    let end = word.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > room
    });
    end.and_then(|(at, _)| word.get(..at)).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_between_words_on_a_terminal_and_nowhere_else() {
        let write = |width| {
            let mut page = Page::new(width, 10);
            page.prose("one two three four five six seven");
            page.gap();
            page.gap();
            page.row("command", "node server.js --port 3000");
            page.command("to fix", "sockstat kill :3000", "TERM to node 1, then checks");
            page.finish()
        };
        assert!(
            write(Some(24)).ends_with("  to fix    sockstat kill :3000\n              TERM to\n              node 1,\n              then\n              checks\n"),
            "{}",
            write(Some(24))
        );
        assert!(
            write(Some(24)).starts_with(
                "one two three four five\nsix seven\n\n  command   node\n            server.js\n"
            )
        );
        assert_eq!(
            write(None),
            "one two three four five six seven\n\n  command   node server.js --port 3000\n  to fix    \
             sockstat kill :3000           TERM to node 1, then checks\n"
        );
    }

    #[test]
    fn a_command_to_copy_is_never_wrapped_and_a_row_is_limited() {
        let mut page = Page::new(Some(40), 10);
        let command = "sysctl -w net.ipv4.ip_local_reserved_ports=3000,4000-5000";
        page.command("or", command, "keeps the port");
        page.row("command", &"word ".repeat(1000));
        page.row("command", &"x".repeat(1000));
        let text = page.finish();
        assert!(
            text.contains(&format!("{command}\n              keeps the port\n")),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2 + 4 + 1, "{text}");
        assert!(text.width() < 600);
    }

    #[test]
    fn a_line_is_filled_to_the_last_column() {
        let write = |width, text: &str| {
            let mut page = Page::new(Some(width), 1);
            page.prose(text);
            page.finish()
        };
        assert_eq!(write(11, "one two four"), "one two\nfour\n");
        assert_eq!(write(12, "one two four"), "one two four\n");
        assert_eq!(write(12, "one\ntwo "), "one\ntwo\n", "no blanks at the end");
        // Each character takes two columns.
        assert_eq!(
            write(6, "\u{6f22}\u{5b57} \u{6f22}"),
            "\u{6f22}\u{5b57}\n\u{6f22}\n"
        );
    }

    #[test]
    fn a_gap_is_one_empty_line_between_two_parts() {
        let mut page = Page::new(None, 1);
        page.gap();
        page.prose("one");
        page.gap();
        page.gap();
        page.prose("two");
        assert_eq!(page.finish(), "one\n\ntwo\n");
    }

    #[test]
    fn a_truncated_row_ends_with_an_ellipsis() {
        let mut page = Page::new(Some(12), 2);
        page.row("a", "b c d e f g h i j k l m n o p q r s t");
        let text = page.finish();
        assert_eq!(
            text,
            "  a b c d e\n    f g h i\n    j k l m\n    n o p q \u{2026}\n"
        );
        assert_eq!(fitting("abc", 3), "abc");
        assert_eq!(fitting("abc", 2), "ab");
        assert_eq!(fitting("\u{6f22}\u{5b57}", 3), "\u{6f22}");
    }

    #[test]
    fn a_sentence_follows_its_command_on_the_same_line_if_both_fit() {
        let write = |width, command: &str| {
            let mut page = Page::new(width, 2);
            page.command("to", command, "does it");
            page.finish()
        };
        let beside = format!("  to{}{}does it\n", "x".repeat(28), " ".repeat(2));
        assert_eq!(write(None, &"x".repeat(28)), beside);
        assert_eq!(write(Some(54), &"x".repeat(28)), beside);
        let below = |command: &str| format!("  to{command}\n      does it\n");
        assert_eq!(write(Some(53), &"x".repeat(28)), below(&"x".repeat(28)));
        assert_eq!(write(None, &"x".repeat(29)), below(&"x".repeat(29)));
    }
}
