//! `-N`: the whole run in another network namespace.
//!
//! Everything the run looks at, sysctls and names of interfaces too, is then that of the namespace. It refuses more
//! than one, because then there is no such whole.

use crate::cli::UsageError;
use crate::render::escape;
use crate::source::netns::{Namespace, path_of, words};

/// Goes into the namespace that `-N` names, if it was given. To be called before any thread is started.
///
/// # Errors
/// More than one, one that is not there, or one that may not be entered.
pub fn enter(given: &[String]) -> Result<(), UsageError> {
    let mut words = words(given);
    let Some(word) = words.next() else {
        return Ok(());
    };
    if words.next().is_some() || word == "all" {
        return Err(UsageError::new("-N takes one network namespace here")
            .with_hint("the listing takes several, and `all`"));
    }
    let path = path_of(word);
    Namespace::open(&path)
        .and_then(|namespace| namespace.enter())
        .map_err(|error| {
            let path = escape::text(path.as_os_str().as_encoded_bytes());
            UsageError::new(format!("cannot enter the network namespace {path}: {error}"))
        })
}
