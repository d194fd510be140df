//! The words of a filter, from the command line and from a file (`-F`). Errors do not repeat the file's contents.

use std::ops::Deref;

use super::error::FilterError;

/// Filter words, in order: those from the command line, then the lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterWords {
    words: Vec<String>,
    file: Option<FilterFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FilterFile {
    name: String,
    /// How many words the command line has before the file.
    typed: usize,
    /// The line number, from 1, of each of its words.
    lines: Vec<usize>,
}

impl FilterWords {
    /// Creates the words of a command line.
    pub fn typed(words: Vec<String>) -> Self {
        Self { words, file: None }
    }

    /// Adds the lines of standard input. They are the caller's own, so errors quote them like words of the command line.
    pub fn add_input(&mut self, text: &str) {
        self.words
            .extend(filter_lines(text).map(|(_, line)| line.to_owned()));
    }

    /// Adds the lines of a file, except blank lines and those that begin with `#`. Messages call the file `name`.
    pub fn add_file(&mut self, name: String, text: &str) {
        let mut file = FilterFile {
            name,
            typed: self.words.len(),
            lines: Vec::new(),
        };
        for (number, line) in filter_lines(text) {
            self.words.push(line.to_owned());
            file.lines.push(number);
        }
        self.file = Some(file);
    }

    /// Returns the error as shown: an error in the file gives its name and line but quotes neither filter; an error on
    /// the command line shows only the words typed there.
    #[must_use]
    pub fn without_file_contents(&self, error: FilterError) -> FilterError {
        let Some(file) = self.file.as_ref().filter(|file| !file.lines.is_empty()) else {
            return error;
        };
        let typed = self.words[..file.typed].join(" ");
        if error.span.end <= typed.len() && !typed.is_empty() {
            return FilterError::new(&typed, error.span, error.message, error.hint);
        }
        let mut end = typed.len();
        let in_file = self.words[file.typed..].iter().zip(&file.lines);
        let found = in_file
            .map(|(word, line)| {
                // The blank that joins it to the previous word.
                end += usize::from(end > 0) + word.len();
                (end, *line)
            })
            .find(|(end, _)| error.span.start < *end)
            .map(|(_, line)| line);
        let line = found.or(file.lines.last().copied()).unwrap_or_default();
        let hint = "the file is not quoted here: type that line as a filter to see its error";
        FilterError::new(
            "",
            0..0,
            format!("invalid filter in {}, line {line}", file.name),
            hint,
        )
    }
}

/// Returns the lines of a filter with their numbers, from 1, without blank ones and comments.
fn filter_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

impl Deref for FilterWords {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Mode, parse};

    fn error(typed: &[&str], file: &str) -> String {
        let mut words = FilterWords::typed(typed.iter().map(|word| (*word).to_owned()).collect());
        words.add_file("f".into(), file);
        let error = parse(&words, Mode::List).unwrap_err();
        words.without_file_contents(error).render()
    }

    #[test]
    fn a_filter_file_has_comments() {
        let mut words = FilterWords::default();
        words.add_file("f".into(), "# ports\nsport 22\n  # more\nor sport 80\n");
        assert_eq!(*words, ["sport 22", "or sport 80"]);
        assert!(parse(&words, Mode::List).is_ok());
    }

    #[test]
    fn an_error_in_the_file_has_its_line_and_no_quotation() {
        let shown = error(&[], "# none\n\nsport 22\nsecret = 7\n");
        assert!(
            shown.starts_with("error: invalid filter in f, line 4\n"),
            "{shown}"
        );
        assert!(!shown.contains("secret"), "{shown}");
        let shown = error(&["sport 22"], "# none\nor sport 80\nand secret = 7");
        assert!(shown.contains("line 3") && !shown.contains("secret"), "{shown}");
        let missing = error(&[], "\nsport 22 and");
        assert!(missing.contains("line 2"), "{missing}");
    }

    #[test]
    fn an_error_in_typed_words_shows_only_these() {
        let shown = error(&["recvq = 1"], "or secret");
        assert!(shown.contains("'recvq'") && !shown.contains("secret"), "{shown}");
    }
}
