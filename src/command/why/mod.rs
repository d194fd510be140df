//! `why`: whether bind and listen would work, and if not, why, and what to do.

mod name;
mod piped;
mod port;

pub(super) use name::sockets_of;

use super::caller::Caller;
use super::{losses, out};
use crate::cli::WhyArgs;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::place::Place;
use crate::diagnose::typed_place::{NameAlone, parse_all};
use crate::exit::Exit;
use crate::model::Gap;
use crate::model::ownership::Unseen;
use crate::model::request::OwnersBy;
use crate::plan::Common;
use crate::render::escape;
use crate::source::{credentials, hosts, tape};

/// How the answer is given.
#[derive(Clone, Copy)]
struct How {
    /// Whether to print JSON.
    json: bool,
    /// Whether to omit warnings about missing data.
    quiet: bool,
    /// How owners are found.
    owners_by: OwnersBy,
    /// The user who binds.
    uid: u32,
}

impl How {
    /// The warnings about owners that cannot be seen. The human-readable text itself says which are hidden.
    fn lines(self, unseen: &[Gap]) -> String {
        let lines = unseen
            .iter()
            .filter(|gap| self.json || gap.code != "owners-hidden");
        losses::lines(lines)
    }
}

/// Answers for each place. The exit status is 0 if every attempt would work, 1 if one would fail, and 3 if none fails
/// but one is undecidable.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &WhyArgs, global: Common, caller: &Caller) -> anyhow::Result<Exit> {
    let uid = match uid(args.uid.as_deref()) {
        Ok(uid) => uid,
        Err(reason) => return out::usage(reason),
    };
    let how = How {
        json: args.json || global.json,
        quiet: global.quiet,
        owners_by: global.owners_by,
        uid,
    };
    let places = match parse_all(&args.places, NameAlone::Service, &hosts::port_of) {
        Ok(places) => places,
        Err(reason) => return out::usage(reason),
    };
    if places.len() > 1 && places.iter().any(|typed| typed.place == Place::Stdin) {
        return out::usage("'-' must be the only place: it reads the address from standard input");
    }
    let mut worst = Exit::Done;
    for (index, typed) in places.into_iter().enumerate() {
        if index > 0 && !how.json {
            out::print(b"\n")?;
        }
        let exit = match typed.place {
            Place::Port(place) => port::answer(args, how, caller, &typed.text, place),
            Place::Unix(name) => name::answer(args, how, caller, name),
            Place::Stdin => piped::answer(args, how, caller),
        }?;
        worst = worse(worst, exit);
        if worst == Exit::Usage {
            break;
        }
    }
    Ok(worst)
}

/// Returns the answer for one port as text, without a trial bind.
///
/// # Errors
/// An invalid place.
#[cfg(feature = "watch")]
pub(super) fn text_of(typed: &str, global: Common, caller: &Caller) -> Result<String, String> {
    let how = How {
        json: false,
        quiet: true,
        owners_by: global.owners_by,
        uid: uid(None)?,
    };
    let args = WhyArgs {
        no_probe: true,
        ..WhyArgs::default()
    };
    let places = parse_all(&[typed.to_owned()], NameAlone::Service, &hosts::port_of)?;
    match places.into_iter().next().map(|one| one.place) {
        Some(Place::Port(place)) => port::text(&args, how, &caller.asking(&["why", typed]), typed, place),
        _ => Err(format!("'{typed}' is not a port")),
    }
}

/// Returns the worse of two: failed is worse than undecidable.
fn worse(a: Exit, b: Exit) -> Exit {
    let weight = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Incomplete => 1,
        Exit::Failed => 2,
        Exit::Usage => 3,
    };
    std::cmp::max_by_key(a, b, weight)
}

/// The user who binds: the one given by `--uid`, else the one who ran sudo, else the caller.
fn uid(typed: Option<&str>) -> Result<u32, String> {
    let Some(typed) = typed else {
        return Ok(credentials::sudo_uid().unwrap_or_else(tape::euid));
    };
    match typed.parse() {
        Ok(uid) => Ok(uid),
        Err(_) => hosts::user_id_of(typed).map_err(|reason| {
            format!(
                "invalid value '{}' for '--uid': {reason}",
                escape::text(typed.as_bytes())
            )
        }),
    }
}

/// The gaps for hidden and partly hidden owners.
fn unseen<'a>(holders: impl IntoIterator<Item = &'a Holders>, caller: &Caller) -> Vec<Gap> {
    let mut found = Unseen::default();
    let statuses = holders.into_iter().map(|one| {
        if one.unseen.is_any() {
            found = one.unseen;
        }
        one.status
    });
    let statuses: Vec<_> = statuses.collect();
    losses::of_sockets(statuses, found, caller)
}
