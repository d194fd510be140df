//! `-N`: runs in another network namespace, or lists, follows or snapshots several.
//!
//! In a single namespace, everything that the run reads comes from it, including sysctls and interface names.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::cli::{Cli, UsageError};
use crate::model::request::netns::{are_several, words};
use crate::render::{escape, shell};
use crate::source::netns::{Namespace, Views, find, path_of};

/// Enters the namespace that `-N` names. If there are several, or it may not be entered, returns what the listing has
/// to read instead. Must be called before any thread is started.
///
/// # Errors
/// If a namespace does not exist, or, for a command that takes only one, if several are named or it may not be entered.
pub fn enter(cli: &Cli) -> Result<Views, UsageError> {
    let given = cli.netns();
    let Some(word) = words(&given).next() else {
        return Ok(Views::default());
    };
    if are_several(&given) {
        return if cli.takes_namespaces() {
            views(&given)
        } else {
            Err(UsageError::new("this command takes a single -N")
                .with_hint("only the listing, events and snapshot take several namespaces, or `all`"))
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

/// The single namespace that `-N` names, for commands to paste: as typed, and its file.
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
