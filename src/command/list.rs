//! The listing: capture, show, and report what is missing.

use std::ops::ControlFlow;

use super::caller::Caller;
use super::out::{self, Blocks};
use super::read::reachable;
use super::sinks::{GroupSink, LineSink, PidSink, row};
use super::sorted::Sorter;
use super::{explain, hint, losses};
use crate::engine::Request;
use crate::engine::{Captured, stream};
use crate::exit::Exit;
use crate::model::Gap;
use crate::model::gap::is_complete;
use crate::model::summary::Summary;
use crate::plan::output::Grouping;
use crate::plan::{ListPlan, Output};
use crate::query;
use crate::render::form::Form;
use crate::render::groups::Groups;
use crate::render::page::Page;
use crate::render::table::{self, TableView};
use crate::render::text::push_number;
use crate::render::totals::Totals;
use crate::render::{escape, json};
use crate::source::proc::{self, ProcRoot};
use crate::source::{disk, machine};

/// Runs a listing.
///
/// # Errors
/// What prevented it.
pub fn run(plan: ListPlan, caller: &Caller) -> anyhow::Result<Exit> {
    run_beside(plan, caller, None)
}

/// The same, with a summary in the JSON document.
pub(super) fn run_beside(
    mut plan: ListPlan,
    caller: &Caller,
    summary: Option<&Summary>,
) -> anyhow::Result<Exit> {
    plan.capture.views = caller.views.clone();
    if let Some(refused) = missing_root(&plan.capture) {
        return Ok(refused);
    }
    if let Some(file) = &plan.diag {
        return super::raw_dump::run(&plan.capture, file);
    }
    if plan.reachable {
        let (reachability, unread) = reachable::read(&plan.capture);
        plan.capture.reachability = reachability;
        plan.capture.views.gaps.extend(unread);
    }
    let (rows, gaps) = show(&plan, caller, summary)?;
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
        if rows == 0 {
            out::complain(&hint::after_nothing(&plan, &gaps, caller));
        }
    }
    let complete = is_complete(&gaps);
    Ok(match (plan.exit_status, rows, complete) {
        (false, ..) | (true, 1.., _) => Exit::Done,
        (true, 0, true) => Exit::Failed,
        (true, 0, false) => Exit::Incomplete,
    })
}

/// Reports a `--proc-root` that is not a directory.
pub(super) fn missing_root(request: &Request) -> Option<Exit> {
    let root = request
        .proc_root
        .as_deref()
        .filter(|root| !disk::stat(root).is_ok_and(|stat| stat.is_dir()))?;
    let root = escape::text(root.as_os_str().as_encoded_bytes());
    out::complain(&format!(
        "error: --proc-root {root} is not a directory\nhint: give a directory with the contents of /proc\n"
    ));
    Some(Exit::Usage)
}

/// Captures and prints; returns the number of rows, and the gaps.
fn show(plan: &ListPlan, caller: &Caller, summary: Option<&Summary>) -> anyhow::Result<(u64, Vec<Gap>)> {
    let request = &plan.capture;
    if plan.explain {
        let (snapshot, captured) = stream(request, Sorter::new(&[], None, false))?;
        let rows = snapshot.seen;
        let gaps = all_gaps(&captured, caller);
        out::print(explain::text(plan, &captured, rows, &gaps).as_bytes())?;
        return Ok((rows, Vec::new()));
    }
    match &plan.output {
        Output::Lines(lines) if plan.sort.is_some() => {
            let (snapshot, captured) = in_order(plan, request)?;
            let mut sink = LineSink::new(lines.clone(), false, plan.limit);
            let _ = snapshot.each(|socket| sink.push(&row(socket, &captured.owners, &captured.context)));
            let rows = sink.rows;
            sink.blocks.finish()?;
            Ok((rows, all_gaps(&captured, caller)))
        }
        Output::Lines(lines) => {
            let sink = LineSink::new(lines.clone(), plan.hide_time_wait, plan.limit);
            let (sink, captured) = stream(request, sink)?;
            sink.blocks.finish()?;
            Ok((sink.rows, all_gaps(&captured, caller)))
        }
        Output::Table(view) => show_table(plan, request, view, caller),
        Output::Json(fields) => {
            let (snapshot, captured) = in_order(plan, request)?;
            let gaps = all_gaps(&captured, caller);
            print_json(&snapshot, &captured, fields, &gaps, summary)?;
            Ok((snapshot.len() as u64, gaps))
        }
        Output::Groups(grouping) => {
            let sink = GroupSink {
                groups: Groups::new(grouping.keys.clone(), grouping.form),
                hide_time_wait: plan.hide_time_wait,
            };
            let (sink, captured) = stream(request, sink)?;
            let gaps = all_gaps(&captured, caller);
            let rows = print_groups(plan, grouping, &sink.groups, &captured, &gaps)?;
            Ok((rows, gaps))
        }
        Output::Pids => {
            let (sink, captured) = stream(request, PidSink::default())?;
            let mut text = Vec::new();
            for pid in &sink.pids {
                push_number(&mut text, *pid);
                text.push(b'\n');
            }
            out::print(&text)?;
            Ok((sink.pids.len() as u64, all_gaps(&captured, caller)))
        }
    }
}

/// The rows of a plan in their order.
fn in_order(plan: &ListPlan, request: &Request) -> anyhow::Result<(Sorter, Captured)> {
    let snapshot = Sorter::new(
        plan.sort.as_deref().unwrap_or_default(),
        plan.limit,
        plan.hide_time_wait,
    );
    let (mut snapshot, captured) = stream(request, snapshot)?;
    snapshot.sort(&captured.owners, &captured.context);
    Ok((snapshot, captured))
}

fn print_groups(
    plan: &ListPlan,
    grouping: &Grouping,
    groups: &Groups,
    captured: &Captured,
    gaps: &[Gap],
) -> anyhow::Result<u64> {
    let mut text = Vec::new();
    let rows = groups.push(&mut text, plan.limit, grouping.header);
    if grouping.form == Form::Json {
        let mut document = Vec::new();
        envelope(&machine::host(), captured, gaps).push_start(&mut document);
        json::Envelope::push_end_with_groups(&mut document, &text);
        text = document;
    }
    out::print(&text)?;
    Ok(rows)
}

pub(super) fn envelope<'a>(host: &'a str, captured: &Captured, gaps: &'a [Gap]) -> json::Envelope<'a> {
    json::Envelope {
        version: env!("CARGO_PKG_VERSION"),
        host,
        taken_at: captured.taken_at,
        complete: is_complete(gaps),
        gaps,
    }
}

fn show_table(
    plan: &ListPlan,
    request: &Request,
    view: &TableView,
    caller: &Caller,
) -> anyhow::Result<(u64, Vec<Gap>)> {
    let (snapshot, captured) = in_order(plan, request)?;
    let mut totals = Totals::default();
    totals.time_wait_hidden = snapshot.hidden;
    totals.of = snapshot.seen;
    let visit = |take: &mut table::Take<'_>| {
        snapshot.each(|socket| take(&row(socket, &captured.owners, &captured.context)))
    };
    let mut blocks = Blocks::default();
    table::in_parts(&visit, view, &mut |part| {
        blocks.pending.extend_from_slice(part.as_bytes());
        blocks.flush_if_full()
    });
    let _ = snapshot.each(|socket| {
        totals.add(socket);
        ControlFlow::Continue(())
    });
    let mut footer = Page::new(view.width, 0);
    footer.prose(&totals.line());
    blocks.pending.extend_from_slice(footer.finish().as_bytes());
    blocks.finish()?;
    Ok((snapshot.len() as u64, all_gaps(&captured, caller)))
}

fn print_json(
    rows: &Sorter,
    captured: &Captured,
    fields: &[query::field::Field],
    gaps: &[Gap],
    summary: Option<&Summary>,
) -> anyhow::Result<()> {
    let mut blocks = Blocks::default();
    envelope(&machine::host(), captured, gaps).push_start(&mut blocks.pending);
    let mut before = "\n";
    let _ = rows.each(|socket| {
        blocks.pending.extend_from_slice(before.as_bytes());
        before = ",\n";
        let row = row(socket, &captured.owners, &captured.context);
        json::push_row(&mut blocks.pending, &row, fields);
        blocks.flush_if_full()
    });
    json::Envelope::push_end(&mut blocks.pending, summary);
    blocks.finish()
}

/// Reads the kernel's figures; adds a gap if they cannot be read.
pub(super) fn figures(root: &ProcRoot, gaps: &mut Vec<Gap>) -> Summary {
    proc::summary::read(root).unwrap_or_else(|error| {
        let message = format!("the kernel's figures could not be read: {error}");
        gaps.push(Gap::loss("figures-unread", message));
        Summary::default()
    })
}

pub(super) fn all_gaps(captured: &Captured, caller: &Caller) -> Vec<Gap> {
    let mut gaps = captured.gaps.clone();
    losses::add_remedies(&mut gaps, caller);
    gaps.extend(losses::of_owners(captured, caller));
    gaps
}
