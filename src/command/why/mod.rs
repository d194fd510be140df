//! `why`: would bind and listen work, and if not, why and what to do.

mod name;
mod piped;
mod port;

pub(super) use name::sockets_of;

use super::caller::Caller;
use super::{losses, out};
use crate::cli::WhyArgs;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::place::{Place, parse};
use crate::exit::Exit;
use crate::model::ownership::Unseen;
use crate::model::request::OwnersBy;
use crate::model::{Gap, OwnerStatus};
use crate::plan::Common;
use crate::source::{credentials, tape};

/// How the answer is given.
#[derive(Clone, Copy)]
struct How {
    /// As a document.
    json: bool,
    /// Without warnings about missing data.
    quiet: bool,
    /// How owners are found.
    owners_by: OwnersBy,
}

/// Answers. The exit status says whether every attempt would work (0), one would fail (1), or none fails and one is
/// undecidable (3).
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &WhyArgs, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    let how = How {
        json: args.json || global.json,
        quiet: global.quiet,
        owners_by: global.owners_by,
    };
    match parse(&args.place) {
        Ok(Place::Port(place)) => port::answer(args, how, caller, place),
        Ok(Place::Unix(name)) => name::answer(args, how, caller, name),
        Ok(Place::Stdin) => piped::answer(args, how, caller),
        Err(reason) => out::usage(reason),
    }
}

/// The user who binds: `--uid`, else who called sudo, else the caller.
fn uid(args: &WhyArgs) -> u32 {
    args.uid.or_else(credentials::sudo_uid).unwrap_or_else(tape::euid)
}

/// The gaps for owners that cannot be seen.
fn unseen<'a>(holders: impl IntoIterator<Item = &'a Holders>, caller: &Caller) -> Vec<Gap> {
    let (mut hidden, mut elsewhere) = (0, 0);
    for one in holders {
        hidden += u64::from(one.status == OwnerStatus::Hidden);
        elsewhere += u64::from(one.status == OwnerStatus::Elsewhere);
    }
    losses::of_unseen(hidden, elsewhere, Unseen::default(), caller)
}
