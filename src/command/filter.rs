//! Reads the filter: the words of the command line and of `-F`, with their names looked up.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use crate::plan::FilterInput;
use crate::query::{self, FilterError, FilterWords, Parsed};
use crate::render::escape;
use crate::source::proc::ProcRoot;
use crate::source::{callers_files, lookup};

/// Reads and parses a filter. The inner error is an error in the filter.
///
/// # Errors
/// If the file of `-F` cannot be read.
pub(super) fn read(input: &FilterInput) -> anyhow::Result<Result<Parsed, FilterError>> {
    let mut words = FilterWords::typed(input.words.clone());
    if let Some(path) = &input.file {
        let name = escape::text(path.as_os_str().as_encoded_bytes());
        let text = read_file(path).with_context(|| format!("cannot read the filter file {name}"))?;
        if path == Path::new("-") {
            words.add_input(&text);
        } else {
            words.add_file(name, &text);
        }
    }
    Ok(resolved(input, &words).map_err(|error| words.without_file_contents(error)))
}

/// A filter file, or standard input for `-`; up to one byte more than the longest valid filter, so that the parser notices.
fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = query::MAX_LENGTH as u64 * 2;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)?;
    } else {
        callers_files::open(path)?.take(limit).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn resolved(input: &FilterInput, words: &[String]) -> Result<Parsed, FilterError> {
    let mut parsed = query::parse(words, input.mode)?;
    if let Some(expr) = parsed.expr.take() {
        let wanted = expr.names();
        let expr = if wanted.is_empty() {
            expr
        } else {
            let mut found = lookup::find(wanted, &ProcRoot::of(input.proc_root.clone()));
            // Each namespace has interface numbers of its own.
            found.interfaces_by_name = input.interfaces_by_name;
            expr.resolve(&found)?
        };
        parsed.expr = Some(expr);
    }
    Ok(parsed)
}
