//! `mksock`: creates exactly the requested sockets, and prints what they are.
//!
//! The live tests use its output as ground truth: everything printed comes from `getsockname`,
//! `getpeername`, `fstat` and `SO_COOKIE` on the sockets themselves, never from the code under test.
//! It does not guess: a socket that did not reach its state (as the kernel's own tables show it) is an error, and one
//! that this kernel or this user cannot have is a `skip` line with the reason.
//!
//! ```text
//! mksock [--netns new|keep] KIND[:KEY=VALUE[,KEY=VALUE]...]...
//! mksock --list
//! ```
//!
//! Output, after all sockets exist: one line `{"pid":…,"netns":…}`, one JSON line per socket end (see `end.rs`), or
//! `{"spec":…,"skip":…}` for a kind that is unavailable here, and `ready`. Then it waits until its standard input
//! ends; its children end with it.
//!
//! Exit status: 0 success, 1 a socket could not be created, 2 usage, 77 no network namespace available (with one line
//! `skip: …` on standard error).

mod datagram;
mod end;
mod fork;
mod holders;
mod inet;
mod kinds;
mod link;
mod made;
mod netns;
mod spec;
mod state;
mod sys;
mod tcp;
mod teardown;
mod tuned;
mod unix;
mod vxlan;
mod wait;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::made::{Made, Skip};
use crate::spec::Spec;

/// What the command line requests.
enum Request {
    List,
    Make { private_netns: bool, specs: Vec<Spec> },
}

fn main() -> ExitCode {
    let request = match words().and_then(parse) {
        Ok(request) => request,
        Err(error) => return fail(&error, 2),
    };
    let done = match request {
        Request::List => kinds::print_list(&mut io::stdout().lock()),
        Request::Make { private_netns, specs } => serve(private_netns, &specs),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Skip>() {
            Some(Skip(reason)) => {
                eprintln!("skip: {reason}");
                ExitCode::from(77)
            }
            None => fail(&error, 1),
        },
    }
}

fn fail(error: &anyhow::Error, status: u8) -> ExitCode {
    eprintln!("mksock: {error:#}");
    ExitCode::from(status)
}

/// The command line. It is text, because names that are not UTF-8 are written with `\xHH`.
fn words() -> Result<Vec<String>> {
    let text = |word: OsString| {
        word.into_string()
            .map_err(|word| anyhow!("{} is not UTF-8", word.display()))
    };
    std::env::args_os().skip(1).map(text).collect()
}

fn parse(words: Vec<String>) -> Result<Request> {
    let mut words = words.into_iter();
    let mut private_netns = true;
    let mut specs = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" | "--help" | "-h" => return Ok(Request::List),
            "--netns" => match words.next().as_deref() {
                Some("new") => private_netns = true,
                Some("keep") => private_netns = false,
                _ => bail!("--netns takes `new` or `keep`"),
            },
            option if option.starts_with('-') => bail!("no option {option}: see mksock --list"),
            text => specs.push(Spec::parse(text)?),
        }
    }
    if specs.is_empty() {
        return Err(anyhow!(
            "nothing to make: name at least one kind (mksock --list shows them)"
        ));
    }
    Ok(Request::Make { private_netns, specs })
}

fn serve(private_netns: bool, specs: &[Spec]) -> Result<()> {
    if private_netns {
        netns::enter_new()?;
    }
    let mut all = Vec::with_capacity(specs.len());
    for spec in specs {
        let mut made = Made::new(spec.text.clone(), private_netns);
        match (spec.kind.make)(spec, &mut made).and_then(|()| wait::until_listed(&made.ends)) {
            Ok(()) => {}
            Err(error) => match error.downcast_ref::<Skip>() {
                Some(skip) => made = Made::skipped(spec.text.clone(), skip),
                None => return Err(error.context(format!("making {}", spec.text))),
            },
        }
        all.push(made);
    }
    // A later socket may have disturbed an earlier one: `ready` vouches for all of them.
    for made in &all {
        wait::until_listed(&made.ends).with_context(|| format!("keeping {}", made.spec))?;
    }
    announce(&all).context("writing to standard output")?;
    io::copy(&mut io::stdin().lock(), &mut io::sink()).context("waiting on standard input")?;
    Ok(())
}

fn announce(all: &[Made]) -> io::Result<()> {
    let netns = std::fs::metadata("/proc/thread-self/ns/net")?.ino();
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"pid\":{},\"netns\":{netns}}}", std::process::id())?;
    for line in all.iter().flat_map(Made::lines) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "ready")?;
    out.flush()
}
