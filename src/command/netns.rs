//! `-N`: the run in another network namespace, or a listing, events or a snapshot over several.
//!
//! In one, everything that the run reads, sysctls and interface names included, is that of the namespace.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::cli::{Cli, UsageError};
use crate::model::request::netns::{are_several, words};
use crate::render::{escape, shell};
use crate::source::netns::{Namespace, Views, find, path_of};

/// Enters the namespace that `-N` names; or, where there are several or it may not be entered, finds what the
/// listing has to read. To be called before any thread is started.
///
/// # Errors
/// A namespace that does not exist; more than one, or one that may not be entered, for a command that takes only one.
pub fn enter(cli: &Cli) -> Result<Views, UsageError> {
    let given = cli.netns();
    let Some(word) = words(&given).next() else {
        return Ok(Views::default());
    };
    if are_several(&given) {
        return if cli.takes_namespaces() {
            views(&given)
        } else {
            Err(UsageError::new("-N takes a single network namespace here")
                .with_hint("the listing, events and snapshot take several, and `all`"))
        };
    }
    let path = path_of(word);
    match Namespace::open(&path).and_then(|namespace| namespace.enter()) {
        Ok(()) => Ok(Views::default()),
        Err(error) if cli.takes_tables_of_processes() && error.kind() == ErrorKind::PermissionDenied => {
            views(&given)
        }
        Err(error) => Err(refused(&path, &error)),
    }
}

/// The single namespace that `-N` names, for commands to paste: the word as it was typed, and its file.
pub fn in_commands(cli: &Cli) -> Option<(String, String)> {
    let given = cli.netns();
    let word = words(&given).next().filter(|_| !are_several(&given))?;
    let path = path_of(word);
    Some((
        shell::word(word.as_bytes())?,
        shell::word(path.as_os_str().as_encoded_bytes())?,
    ))
}

fn views(given: &[String]) -> Result<Views, UsageError> {
    find(given).map_err(|reason| UsageError::new(escape::text(reason.as_bytes())))
}

fn refused(path: &Path, error: &io::Error) -> UsageError {
    let path = escape::text(path.as_os_str().as_encoded_bytes());
    let refused = UsageError::new(format!("cannot enter the network namespace {path}: {error}"));
    if error.kind() == ErrorKind::PermissionDenied {
        refused.with_hint("entering it needs CAP_SYS_ADMIN: run sockstat as root")
    } else {
        refused
    }
}
