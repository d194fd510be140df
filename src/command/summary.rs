//! `-s`: how many sockets there are, and what the kernel says of them as a whole; the listing behind it if one was
//! selected.
//!
//! In a pipe it reads what ss reads, three small files. The page for people and JSON count every socket as well, in
//! one pass that keeps none of them.

use std::ops::ControlFlow;

use anyhow::Context as _;

use super::caller::Caller;
use super::{list, losses, out};
use crate::cli::{ListArgs, UsageError};
use crate::engine::Request;
use crate::engine::{Captured, Sink, stream};
use crate::exit::Exit;
use crate::model::request::Wanted;
use crate::model::summary::Summary;
use crate::model::{Context, Owners};
use crate::model::{Gap, GapLevel, Socket};
use crate::plan::select::{Selection, selects_tables};
use crate::render::json::Envelope;
use crate::render::summary::{page, plain};
use crate::source::proc::{ProcRoot, summary};

/// Runs it.
///
/// # Errors
/// If the kernel's figures cannot be read, or nothing can be written.
pub(super) fn run(args: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let lists = match check(args).and_then(|()| selects_tables(args)) {
        Ok(selects) => selects || !args.filter.is_empty() || args.filter_file.is_some(),
        Err(error) => {
            out::complain(&error.to_string());
            return Ok(Exit::Usage);
        }
    };
    let root = args
        .proc_root
        .clone()
        .map_or_else(ProcRoot::default, ProcRoot::given);
    let cannot = || format!("cannot read socket counts in {}", root.net("sockstat").display());
    let for_people = args.table || (caller.place.is_terminal && !args.plain);
    if !args.json && !for_people {
        out::print(plain(&summary::read_counts(&root).with_context(cannot)?).as_bytes())?;
        return if lists {
            list::run(args, caller)
        } else {
            Ok(Exit::Done)
        };
    }
    let (counter, captured) = count(args, summary::read(&root).with_context(cannot)?)?;
    let losses_only: Vec<Gap> = captured
        .gaps
        .iter()
        .filter(|gap| gap.level == GapLevel::Loss)
        .cloned()
        .collect();
    if args.json && lists {
        return list::run_beside(args, caller, Some(&counter.summary));
    }
    if args.json {
        let mut document = Vec::new();
        list::envelope(&list::host(), &captured, &captured.gaps).push_start(&mut document);
        Envelope::push_end(&mut document, Some(&counter.summary));
        out::print(&document)?;
    } else {
        out::print(page(&counter.summary).as_bytes())?;
    }
    if !args.quiet {
        out::complain(&losses::lines(&losses_only));
    }
    if lists {
        out::print(b"\n")?;
        return list::run(args, caller);
    }
    Ok(Exit::Done)
}

/// A summary is no row.
fn check(args: &ListArgs) -> Result<(), UsageError> {
    let rows_only = [
        (args.jsonl, "--jsonl"),
        (args.csv, "--csv"),
        (args.pids, "--pids"),
        (!args.by.is_empty(), "--by"),
    ];
    match rows_only.iter().find(|(used, _)| *used) {
        None => Ok(()),
        Some((_, option)) => Err(UsageError::new(format!("-s and {option} exclude each other"))
            .with_hint("--json has the summary; --by protocol,state counts rows")),
    }
}

/// Counts every socket of every table.
fn count(args: &ListArgs, summary: Summary) -> anyhow::Result<(Counter, Captured)> {
    let everything = ListArgs {
        all: true,
        ..ListArgs::default()
    };
    // These options are always right.
    let selection = Selection::of(&everything, None, None);
    let mut dumps = selection.map(|selection| selection.dumps()).unwrap_or_default();
    for dump in &mut dumps {
        dump.wanted = Wanted::Row;
        dump.named = false;
    }
    let request = Request {
        dumps,
        proc_root: args.proc_root.clone(),
        ..Request::default()
    };
    stream(&request, Counter { summary })
}

/// Counts sockets as they are read.
struct Counter {
    summary: Summary,
}

impl Sink for Counter {
    fn take(&mut self, sockets: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            self.summary.add(socket);
        }
        ControlFlow::Continue(())
    }
}
