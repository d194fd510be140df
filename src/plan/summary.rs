//! `-s`: the counts, and the listing below them if one was selected.

use super::output::form;
use super::select::{Selection, Words, selects_tables};
use super::{ListPlan, Place};
use crate::cli::{ListArgs, UsageError};
use crate::engine::Request;
use crate::model::request::Wanted;
use crate::query::Parsed;
use crate::render::form::Form;

/// A request for a summary.
#[derive(Clone, Debug)]
pub struct SummaryPlan {
    /// The format of the counts.
    pub form: Form,
    /// Every socket of every table, to count.
    pub count: Request,
    /// The listing that follows.
    pub list: Option<ListPlan>,
    /// `--quiet`.
    pub quiet: bool,
}

impl SummaryPlan {
    /// The plan for these options, with the filter already parsed.
    ///
    /// # Errors
    /// As for [`ListPlan::new`], and for formats that have only rows.
    pub fn new(args: &ListArgs, parsed: Parsed, place: &Place) -> Result<Self, UsageError> {
        check(args)?;
        let lists = selects_tables(args)? || !args.filter.is_empty() || args.filter_file.is_some();
        let list = if lists {
            Some(ListPlan::new(args, parsed, place)?)
        } else {
            None
        };
        Ok(Self {
            form: form(args, place),
            count: Request {
                proc_root: args.proc_root.clone(),
                ..every_socket()?
            },
            list,
            quiet: args.quiet,
        })
    }
}

/// Rejects formats that have only rows.
fn check(args: &ListArgs) -> Result<(), UsageError> {
    let rows_only = [
        (args.jsonl, "--jsonl"),
        (args.csv, "--csv"),
        (args.pids, "--pids"),
        (!args.by.is_empty(), "--by"),
    ];
    match rows_only.iter().find(|(used, _)| *used) {
        None => Ok(()),
        Some((_, option)) => Err(
            UsageError::new(format!("-s and {option} cannot be used together"))
                .with_hint("--json has the summary; --by protocol,state counts rows"),
        ),
    }
}

fn every_socket() -> Result<Request, UsageError> {
    let everything = ListArgs {
        all: true,
        ..ListArgs::default()
    };
    let mut dumps = Selection::of(&everything, Words::default())?.dumps();
    for dump in &mut dumps {
        dump.wanted = Wanted::Row;
        dump.named = false;
    }
    Ok(Request {
        dumps,
        ..Request::default()
    })
}
