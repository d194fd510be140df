//! The line in which a filter is typed: editing, parsing at each key, and completion.

use crate::query::field::{Cost, Field};
use crate::query::{Expr, FilterError, Mode, field_names, nearest_field, parse, words};

/// The line.
#[derive(Clone, Debug, Default)]
pub struct FilterLine {
    /// What was typed.
    pub text: String,
    /// The byte position of the cursor.
    pub at: usize,
    /// The error in it, if any.
    pub error: Option<FilterError>,
    /// Whether it is incomplete: it ends where a value is missing, or within a known word.
    pub is_half_typed: bool,
    /// Which past filter is shown; `None` for the one being typed.
    past: Option<usize>,
    /// What was typed before a past filter was shown.
    draft: String,
}

impl FilterLine {
    /// Creates a line with this text.
    pub fn of(text: &str) -> Self {
        let mut line = Self {
            text: text.to_owned(),
            at: text.len(),
            ..Self::default()
        };
        line.check();
        line
    }

    /// Inserts text before the cursor. Control characters become blanks.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.text.insert_str(self.at, &clean);
        self.at += clean.len();
        self.check();
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        if let Some(c) = self.text[..self.at].chars().next_back() {
            self.at -= c.len_utf8();
            self.text.remove(self.at);
        }
        self.check();
    }

    /// Removes the character after the cursor.
    pub fn delete(&mut self) {
        if self.at < self.text.len() {
            self.text.remove(self.at);
        }
        self.check();
    }

    /// Removes the word before the cursor.
    pub fn delete_word(&mut self) {
        let start = word_start(self.text[..self.at].trim_end());
        self.text.replace_range(start..self.at, "");
        self.at = start;
        self.check();
    }

    /// Removes everything before the cursor.
    pub fn delete_to_start(&mut self) {
        self.text.replace_range(..self.at, "");
        self.at = 0;
        self.check();
    }

    /// Moves the cursor by one character.
    pub fn step(&mut self, forward: bool) {
        let next = self.text[self.at..].chars().next();
        let previous = self.text[..self.at].chars().next_back();
        match (forward, next, previous) {
            (true, Some(c), _) => self.at += c.len_utf8(),
            (false, _, Some(c)) => self.at -= c.len_utf8(),
            _ => {}
        }
    }

    /// Moves the cursor to the start or the end.
    pub fn jump(&mut self, to_end: bool) {
        self.at = if to_end { self.text.len() } else { 0 };
    }

    /// Shows the past filter before or after the one that is shown.
    pub fn look_back(&mut self, past: &[String], older: bool) {
        if self.past.is_none() {
            self.draft.clone_from(&self.text);
        }
        self.past = match (self.past, older) {
            (None, true) => past.len().checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) if at + 1 < past.len() => Some(at + 1),
            (_, false) => None,
        };
        let text = self.past.and_then(|at| past.get(at)).unwrap_or(&self.draft);
        self.text = text.clone();
        self.at = self.text.len();
        self.check();
    }

    /// Completes the word before the cursor: with the proposal of the error, else with a field, a value, or one of
    /// these names.
    pub fn complete(&mut self, names: &[String]) {
        if let Some(error) = &self.error
            && let Some(near) = self
                .text
                .get(error.span.clone())
                .and_then(nearest_field)
                .filter(|_| error.message.contains("field"))
        {
            let span = error.span.clone();
            self.text.replace_range(span.clone(), near);
            self.at = span.start + near.len();
            self.check();
            return;
        }
        let (start, found) = self.completions(names);
        let Some(shared) = shared_start(&found).filter(|shared| shared.len() > self.at - start) else {
            return;
        };
        self.text.replace_range(start..self.at, &shared);
        self.at = start + shared.len();
        self.check();
    }

    /// Where the word before the cursor begins, and its possible completions: fields, values, and these names.
    fn completions(&self, names: &[String]) -> (usize, Vec<String>) {
        let before = &self.text[..self.at];
        let start = word_start(before);
        let word = &before[start..];
        let mut found: Vec<String> = match field_before(&before[..start]) {
            Some(field) => words(field).into_iter().map(str::to_owned).collect(),
            None => field_names().map(str::to_owned).collect(),
        };
        found.extend(names.iter().cloned());
        found.retain(|name| name.starts_with(word) && !word.is_empty());
        found.sort();
        found.dedup();
        (start, found)
    }

    /// Determines whether the filter is half typed; `names` are those on the screen.
    pub fn expect(&mut self, names: &[String]) {
        let is_at_end = self.text[self.at..].trim().is_empty();
        let lacks = self.error.as_ref().is_some_and(|error| {
            error.span.start >= self.text.trim_end().len() || error.message.starts_with("unclosed")
        });
        let (start, found) = self.completions(names);
        let word = &self.text[start..self.at];
        let grows = !found.is_empty() && found.iter().all(|name| name != word);
        self.is_half_typed = is_at_end && (lacks || grows);
    }

    fn check(&mut self) {
        self.error = if self.text.trim().is_empty() {
            None
        } else {
            parse(std::slice::from_ref(&self.text), Mode::List).err()
        };
    }

    /// The filter as a condition on the rows on the screen; `None` if it is invalid, or needs names or details that
    /// these rows lack.
    pub fn preview(&self) -> Option<Expr> {
        if self.error.is_some() || self.text.trim().is_empty() {
            return None;
        }
        let parsed = parse(std::slice::from_ref(&self.text), Mode::List).ok()?;
        let expr = parsed.expr?;
        let costly = Cost::PEERS.and(Cost::PEER_OWNERS).and(Cost::CGROUPS);
        let has_costly = |field: &Field| {
            let cost = field.info().cost;
            cost.parts().attributes() != 0 || cost.has(costly)
        };
        let is_here = expr.names().is_empty() && !expr.fields().iter().any(has_costly);
        is_here.then_some(expr)
    }
}

fn word_start(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "()!=<>,".contains(c);
    let last = text.char_indices().rev().find(|(_, c)| ends(*c));
    last.map_or(0, |(at, c)| at + c.len_utf8())
}

/// The field whose value comes next: `state = `.
fn field_before(text: &str) -> Option<Field> {
    let text = text.trim_end().trim_end_matches(['=', '!', '<', '>']).trim_end();
    let text = ["in (", " eq", " ne", " like"]
        .iter()
        .find_map(|word| text.strip_suffix(word))
        .unwrap_or(text)
        .trim_end();
    let word = &text[word_start(text)..];
    crate::query::field_of(word)
}

/// The common prefix of all of them.
fn shared_start(all: &[String]) -> Option<String> {
    let first = all.first()?;
    let length = all.iter().fold(first.len(), |length, one| {
        let same = first.bytes().zip(one.bytes()).take_while(|(a, b)| a == b).count();
        length.min(same)
    });
    first.get(..length).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_checked_at_every_key_and_errors_have_a_position() {
        let mut line = FilterLine::of("state = established and recvq > 0");
        let error = line.error.clone().unwrap();
        assert_eq!(line.text.get(error.span), Some("recvq"));
        line.complete(&[]);
        assert_eq!(line.text, "state = established and recv_q > 0");
        assert!(line.error.is_none());
    }

    #[test]
    fn words_are_completed_from_the_registry_and_from_the_screen() {
        let completed = |text: &str| {
            let mut line = FilterLine::of(text);
            line.complete(&["nginx".to_owned(), "nginx-debug".to_owned()]);
            line.text
        };
        assert_eq!(completed("local_po"), "local_port");
        assert_eq!(completed("state = estab"), "state = established");
        assert_eq!(completed("ngi"), "nginx");
        assert_eq!(completed("zzz"), "zzz");
    }

    #[test]
    fn a_line_is_half_typed_where_a_value_is_missing_or_a_word_goes_on() {
        let half = |text: &str| {
            let mut line = FilterLine::of(text);
            line.expect(&["nginx".to_owned()]);
            line.is_half_typed
        };
        for text in ["state =", "state = ", "state = estab", "ngi", "443 and", "(443"] {
            assert!(half(text), "{text}");
        }
        for text in [
            "",
            "nginx",
            "443",
            "state = established",
            "ngim",
            "recvq > 0",
            "state = q",
        ] {
            assert!(!half(text), "{text}");
        }
        let mut line = FilterLine::of("ngi or 443");
        line.jump(false);
        line.expect(&["nginx".to_owned()]);
        assert!(!line.is_half_typed, "the cursor is elsewhere");
    }

    #[test]
    fn a_line_is_edited_at_its_cursor() {
        let mut line = FilterLine::of("port é");
        line.step(false);
        line.insert("x\n");
        assert_eq!(line.text, "port x é");
        line.backspace();
        line.delete();
        assert_eq!(line.text, "port x");
        line.delete_word();
        assert_eq!(line.text, "port ");
        line.look_back(&["a".to_owned(), "b".to_owned()], true);
        line.look_back(&["a".to_owned(), "b".to_owned()], true);
        assert_eq!(line.text, "a");
        line.look_back(&["a".to_owned(), "b".to_owned()], false);
        line.look_back(&["a".to_owned(), "b".to_owned()], false);
        assert_eq!(line.text, "port ");
        line.insert("a\u{2001}b");
        line.complete(&[]);
        line.delete_word();
        assert_eq!(line.text, "port a\u{2001}", "a blank of three bytes");
        line.delete_to_start();
        assert!(line.text.is_empty() && line.error.is_none());
    }

    #[test]
    fn only_filters_on_facts_of_the_rows_are_previewed() {
        let tried = |text| FilterLine::of(text).preview().is_some();
        assert!(tried("443") && tried("nginx") && tried("recv_q gt 0"));
        assert!(!tried("rtt_us gt 5") && !tried("user = root") && !tried("sport =") && !tried(""));
    }
}
