//! The listing: parse the filter, plan, capture, show, and tell what is missing.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Context as _;

use super::caller::Caller;
use super::out::{self, Blocks};
use super::{explain, losses};
use crate::cli::ListArgs;
use crate::exit::Exit;
use crate::join::{Context, Owners, Row};
use crate::model::{Gap, Socket, State};
use crate::plan::{CapturePlan, ListPlan, Output};
use crate::query::{self, Mode, field_names, nearest, sort};
use crate::render::lines::Lines;
use crate::render::table::{self, TableView};
use crate::render::totals::Totals;
use crate::render::{escape, json};
use crate::source::capture::{Captured, Sink, capture};
use crate::source::{lookup, proc::ProcRoot};

/// Runs a listing.
///
/// # Errors
/// What made it impossible. A wrong filter is not among them: it is told here, and ends with [`Exit::Usage`].
pub fn run(args: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let filter = match filter(args) {
        Ok(filter) => filter,
        Err(error) => {
            out::complain(&format!("{}\n", error.render()));
            return Ok(Exit::Usage);
        }
    };
    let plan = match ListPlan::new(args, filter, &caller.place) {
        Ok(plan) => plan,
        Err(error) => {
            out::complain(&error.to_string());
            return Ok(Exit::Usage);
        }
    };
    if let Some(root) = plan.capture.proc_root.as_deref().filter(|root| !root.is_dir()) {
        let root = escape::text(root.as_os_str().as_encoded_bytes());
        out::complain(&format!(
            "error: --proc-root {root} is no directory\nhint: it takes the place of /proc\n"
        ));
        return Ok(Exit::Usage);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("cannot start")?;
    let shown = runtime.block_on(show(&plan, caller));
    // Threads that wait for a dead name server or a locked process must not keep us.
    runtime.shutdown_background();
    let (rows, gaps) = shown?;
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
        if rows == 0 {
            out::complain(&hint(&plan.bare_words));
        }
    }
    let complete = gaps.iter().all(|gap| gap.level != crate::model::GapLevel::Loss);
    Ok(match (plan.exit_status, rows, complete) {
        (false, ..) | (true, 1.., _) => Exit::Done,
        (true, 0, true) => Exit::Failed,
        (true, 0, false) => Exit::Incomplete,
    })
}

/// The filter, with its names looked up.
fn filter(args: &ListArgs) -> Result<query::Parsed, query::FilterError> {
    let mut parsed = query::parse(&args.filter, Mode::List)?;
    let root = args
        .proc_root
        .clone()
        .map_or_else(ProcRoot::default, ProcRoot::given);
    if let Some(expr) = parsed.expr.take() {
        let wanted = expr.names();
        let expr = if wanted.is_empty() {
            expr
        } else {
            expr.resolve(&lookup::find(wanted, &root))?
        };
        parsed.expr = Some(expr);
    }
    Ok(parsed)
}

/// Captures and prints; returns how many rows there were and what is missing.
async fn show(plan: &ListPlan, caller: &Caller) -> anyhow::Result<(u64, Vec<Gap>)> {
    let capture_plan = Arc::new(plan.capture.clone());
    if plan.explain {
        let (snapshot, captured) = capture(capture_plan, Snapshot::new(false)).await?;
        let rows = snapshot.sockets.len() as u64;
        let gaps = all_gaps(plan, &captured, caller);
        out::print(explain::text(plan, &captured, rows, &gaps).as_bytes())?;
        return Ok((rows, Vec::new()));
    }
    match &plan.output {
        Output::Lines(lines) => {
            let sink = LineSink::new(lines.clone(), plan.hide_time_wait);
            let (sink, captured) = capture(capture_plan, sink).await?;
            sink.blocks.finish()?;
            Ok((sink.rows, all_gaps(plan, &captured, caller)))
        }
        Output::Table(view) => show_table(plan, capture_plan, view, caller).await,
        Output::Json(fields) => {
            let (mut snapshot, captured) = capture(capture_plan, Snapshot::new(plan.hide_time_wait)).await?;
            snapshot.sockets.sort_by(sort::by_default);
            let gaps = all_gaps(plan, &captured, caller);
            print_json(&snapshot.sockets, &captured, fields, &gaps)?;
            Ok((snapshot.sockets.len() as u64, gaps))
        }
    }
}

async fn show_table(
    plan: &ListPlan,
    capture_plan: Arc<CapturePlan>,
    view: &TableView,
    caller: &Caller,
) -> anyhow::Result<(u64, Vec<Gap>)> {
    let (mut snapshot, captured) = capture(capture_plan, Snapshot::new(plan.hide_time_wait)).await?;
    snapshot.sockets.sort_by(sort::by_default);
    let mut totals = Totals::default();
    totals.time_wait_hidden = snapshot.hidden;
    for socket in &snapshot.sockets {
        totals.add(socket);
    }
    let rows = snapshot.sockets.iter().map(|socket| row(socket, &captured));
    let mut text = table::render(rows, view);
    text.push_str(&totals.line());
    text.push('\n');
    out::print(text.as_bytes())?;
    Ok((snapshot.sockets.len() as u64, all_gaps(plan, &captured, caller)))
}

fn row<'a>(socket: &'a Socket, captured: &'a Captured) -> Row<'a> {
    Row {
        socket,
        ownership: captured.owners.of(socket),
        context: &captured.context,
    }
}

fn print_json(
    sockets: &[Socket],
    captured: &Captured,
    fields: &[query::field::Field],
    gaps: &[Gap],
) -> anyhow::Result<()> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let envelope = json::Envelope {
        version: env!("CARGO_PKG_VERSION"),
        host: &host,
        taken_at: captured.taken_at,
        complete: gaps.iter().all(|gap| gap.level != crate::model::GapLevel::Loss),
        gaps,
    };
    let mut blocks = Blocks::default();
    envelope.push_start(&mut blocks.pending);
    for (index, socket) in sockets.iter().enumerate() {
        blocks
            .pending
            .extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        json::push_row(&mut blocks.pending, &row(socket, captured), fields);
        if blocks.flush_if_full().is_break() {
            break;
        }
    }
    json::Envelope::push_end(&mut blocks.pending);
    blocks.finish()
}

fn all_gaps(plan: &ListPlan, captured: &Captured, caller: &Caller) -> Vec<Gap> {
    let mut gaps = captured.gaps.clone();
    if plan.everything {
        gaps.push(Gap::loss(
            "families-missing",
            "packet, netlink, vsock, xdp and sctp sockets are not in this version",
        ));
    }
    gaps.extend(losses::of_owners(captured, caller));
    gaps
}

/// A bare word that found nothing may be a misspelt subcommand or field.
fn hint(bare_words: &[String]) -> String {
    let commands = ["completions", "man"];
    for word in bare_words {
        if let Some(near) = nearest::nearest(word, commands.into_iter().chain(field_names())) {
            let word = escape::text(word.as_bytes());
            return format!("hint: no program '{word}' holds a socket; did you mean '{near}'?\n");
        }
    }
    String::new()
}

/// Prints rows as they come.
struct LineSink {
    lines: Lines,
    hide_time_wait: bool,
    blocks: Blocks,
    rows: u64,
}

impl LineSink {
    fn new(lines: Lines, hide_time_wait: bool) -> Self {
        let mut blocks = Blocks::default();
        lines.push_header(&mut blocks.pending);
        Self {
            lines,
            hide_time_wait,
            blocks,
            rows: 0,
        }
    }
}

impl Sink for LineSink {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            if self.hide_time_wait && socket.state == State::TimeWait {
                continue;
            }
            self.rows += 1;
            self.lines.push_row(
                &mut self.blocks.pending,
                &Row {
                    socket,
                    ownership: owners.of(socket),
                    context,
                },
            );
            if self.blocks.flush_if_full().is_break() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// Keeps all rows, for what needs them all.
struct Snapshot {
    sockets: Vec<Socket>,
    hide_time_wait: bool,
    hidden: u64,
}

impl Snapshot {
    fn new(hide_time_wait: bool) -> Self {
        Self {
            sockets: Vec::new(),
            hide_time_wait,
            hidden: 0,
        }
    }
}

impl Sink for Snapshot {
    fn take(&mut self, sockets: &mut [Socket], _: &Owners, _: &Context) -> ControlFlow<()> {
        for socket in sockets {
            if self.hide_time_wait && socket.state == State::TimeWait {
                self.hidden += 1;
            } else {
                self.sockets.push(std::mem::replace(socket, Socket::BLANK));
            }
        }
        ControlFlow::Continue(())
    }
}
