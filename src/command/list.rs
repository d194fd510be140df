//! The listing: parse the filter, plan, capture, show, and tell what is missing.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::caller::Caller;
use super::out::{self, Blocks};
use super::sinks::{GroupSink, LineSink, PidSink, Snapshot, row};
use super::{explain, losses};
use crate::cli::{Cli, ListArgs};
use crate::engine::Request;
use crate::engine::{Captured, stream};
use crate::exit::Exit;
use crate::model::gap::is_complete;
use crate::model::request;
use crate::model::summary::Summary;
use crate::model::{Gap, Socket};
use crate::plan::output::Grouping;
use crate::plan::{ListPlan, Output};
use crate::query::{self, FilterWords, Mode, field_names, nearest};
use crate::render::groups::{GroupForm, Groups};
use crate::render::table::{self, TableView};
use crate::render::text::push_number;
use crate::render::totals::Totals;
use crate::render::{escape, json};
use crate::source::{callers_files, disk, tape};
use crate::source::{lookup, proc::ProcRoot};

/// Runs a listing.
///
/// # Errors
/// What made it impossible. A wrong filter is not among them: it is told here, and ends with [`Exit::Usage`].
pub fn run(args: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    run_beside(args, caller, None)
}

/// The same, with a summary in the JSON document.
pub(super) fn run_beside(
    args: &ListArgs,
    caller: &Caller,
    summary: Option<&Summary>,
) -> anyhow::Result<Exit> {
    let words = filter_words(args)?;
    let filter = match filter(args, &words, Mode::List) {
        Ok(filter) => filter,
        Err(error) => {
            out::complain(&format!("{}\n", error.render()));
            return Ok(Exit::Usage);
        }
    };
    let mut plan = match ListPlan::new(args, filter, &caller.place) {
        Ok(plan) => plan,
        Err(error) => {
            out::complain(&error.to_string());
            return Ok(Exit::Usage);
        }
    };
    plan.capture.views = caller.views.clone();
    if let Some(root) = plan
        .capture
        .proc_root
        .as_deref()
        .filter(|root| !disk::stat(root).is_ok_and(|stat| stat.is_dir()))
    {
        let root = escape::text(root.as_os_str().as_encoded_bytes());
        out::complain(&format!(
            "error: --proc-root {root} is not a directory\nhint: give a directory with the contents of /proc\n"
        ));
        return Ok(Exit::Usage);
    }
    if let Some(file) = &args.diag {
        return super::raw_dump::run(&plan.capture, file);
    }
    let (rows, gaps) = show(&plan, caller, summary)?;
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
        if rows == 0 {
            out::complain(&hint(&plan.bare_words));
        }
    }
    let complete = is_complete(&gaps);
    Ok(match (plan.exit_status, rows, complete) {
        (false, ..) | (true, 1.., _) => Exit::Done,
        (true, 0, true) => Exit::Failed,
        (true, 0, false) => Exit::Incomplete,
    })
}

/// The words of the filter: those of the command line, and then those of the file.
pub(super) fn filter_words(args: &ListArgs) -> anyhow::Result<FilterWords> {
    let mut words = FilterWords::typed(args.filter.clone());
    if let Some(path) = &args.filter_file {
        let name = escape::text(path.as_os_str().as_encoded_bytes());
        let text = read_filter(path).with_context(|| format!("cannot read the filter of -F {name}"))?;
        words.add_file(name, &text);
    }
    Ok(words)
}

/// A filter file, or standard input for `-`; a byte more than a filter can be long, so that the parser sees it.
fn read_filter(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = query::MAX_LENGTH as u64 * 2;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)?;
    } else {
        callers_files::open(path)?.take(limit).read_to_string(&mut text)?;
    }
    Ok(text)
}

/// The filter, with its names looked up.
pub(super) fn filter(
    args: &ListArgs,
    words: &FilterWords,
    mode: Mode,
) -> Result<query::Parsed, query::FilterError> {
    resolved(args, words, mode).map_err(|error| words.without_file_contents(error))
}

fn resolved(args: &ListArgs, words: &[String], mode: Mode) -> Result<query::Parsed, query::FilterError> {
    let mut parsed = query::parse(words, mode)?;
    let root = args
        .proc_root
        .clone()
        .map_or_else(ProcRoot::default, ProcRoot::given);
    if let Some(expr) = parsed.expr.take() {
        let wanted = expr.names();
        let expr = if wanted.is_empty() {
            expr
        } else {
            let mut found = lookup::find(wanted, &root);
            // Each namespace has numbers of its own.
            found.interfaces_by_name = request::netns::are_several(&args.netns);
            expr.resolve(&found)?
        };
        parsed.expr = Some(expr);
    }
    Ok(parsed)
}

/// Captures and prints; returns how many rows there were and what is missing.
fn show(plan: &ListPlan, caller: &Caller, summary: Option<&Summary>) -> anyhow::Result<(u64, Vec<Gap>)> {
    let request = &plan.capture;
    if plan.explain {
        let (snapshot, captured) = stream(request, Snapshot::new(&[], None, false))?;
        let rows = snapshot.sockets.len() as u64;
        let gaps = all_gaps(&captured, caller);
        out::print(explain::text(plan, &captured, rows, &gaps).as_bytes())?;
        return Ok((rows, Vec::new()));
    }
    match &plan.output {
        Output::Lines(lines) if plan.sort.is_some() => {
            let (snapshot, captured) = in_order(plan, request)?;
            let mut sink = LineSink::new(lines.clone(), false, plan.limit);
            for socket in &snapshot.sockets {
                if sink
                    .push(&row(socket, &captured.owners, &captured.context))
                    .is_break()
                {
                    break;
                }
            }
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
            print_json(&snapshot.sockets, &captured, fields, &gaps, summary)?;
            Ok((snapshot.sockets.len() as u64, gaps))
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
fn in_order(plan: &ListPlan, request: &Request) -> anyhow::Result<(Snapshot, Captured)> {
    let snapshot = Snapshot::new(
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
    if grouping.form == GroupForm::Json {
        let mut document = Vec::new();
        envelope(&host(), captured, gaps).push_start(&mut document);
        json::Envelope::push_end_with_groups(&mut document, &text);
        text = document;
    }
    out::print(&text)?;
    Ok(rows)
}

pub(super) fn host() -> String {
    tape::fact("host", || {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    })
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
    for socket in &snapshot.sockets {
        totals.add(socket);
    }
    let rows = snapshot
        .sockets
        .iter()
        .map(|socket| row(socket, &captured.owners, &captured.context));
    let mut text = table::render(rows, view);
    text.push_str(&totals.line());
    text.push('\n');
    out::print(text.as_bytes())?;
    Ok((snapshot.sockets.len() as u64, all_gaps(&captured, caller)))
}

fn print_json(
    sockets: &[Socket],
    captured: &Captured,
    fields: &[query::field::Field],
    gaps: &[Gap],
    summary: Option<&Summary>,
) -> anyhow::Result<()> {
    let mut blocks = Blocks::default();
    envelope(&host(), captured, gaps).push_start(&mut blocks.pending);
    for (index, socket) in sockets.iter().enumerate() {
        blocks
            .pending
            .extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        json::push_row(
            &mut blocks.pending,
            &row(socket, &captured.owners, &captured.context),
            fields,
        );
        if blocks.flush_if_full().is_break() {
            break;
        }
    }
    json::Envelope::push_end(&mut blocks.pending, summary);
    blocks.finish()
}

fn all_gaps(captured: &Captured, caller: &Caller) -> Vec<Gap> {
    let mut gaps = captured.gaps.clone();
    losses::add_remedies(&mut gaps, caller);
    gaps.extend(losses::of_owners(captured, caller));
    gaps
}

/// A bare word that found nothing may be a misspelt subcommand or field.
fn hint(bare_words: &[String]) -> String {
    let cli = Cli::command();
    let mut known: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    for field in field_names() {
        known.push(field);
    }
    for word in bare_words {
        if let Some(near) = nearest::nearest(word, known.iter().copied()) {
            let word = escape::text(word.as_bytes());
            return format!("hint: no program '{word}' holds a socket; did you mean '{near}'?\n");
        }
    }
    String::new()
}
