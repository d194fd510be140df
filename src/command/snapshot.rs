//! `snapshot`: rows for a monitoring system, then a line about the run.

use super::caller::Caller;
use super::sinks::LineSink;
use super::{list, losses, out};
use crate::engine::{namespaces, stream};
use crate::exit::Exit;
use crate::plan::SnapshotPlan;
use crate::render::snapshot::{Closing, push_closing};
use crate::source::machine;
use crate::source::proc::ProcRoot;
use crate::source::system;

/// Runs the command. Exit status 0 means that the last line was written, even if the view was incomplete.
///
/// # Errors
/// If nothing can be read, or the output cannot be written.
pub(super) fn run(mut plan: SnapshotPlan, caller: &Caller) -> anyhow::Result<Exit> {
    plan.capture.views = caller.views.clone();
    let request = &plan.capture;
    if let Some(refused) = list::missing_root(request) {
        return Ok(refused);
    }
    let (sink, captured) = stream(request, LineSink::new(plan.lines, false, None))?;
    let mut gaps = list::all_gaps(&captured, caller);
    let root = ProcRoot::of(request.proc_root.clone());
    let figures = list::figures(&root, &mut gaps);
    let mut blocks = sink.blocks;
    push_closing(
        &mut blocks.pending,
        &Closing {
            origin: &captured.context.origin,
            version: env!("CARGO_PKG_VERSION"),
            kernel: &machine::kernel(),
            rows: sink.rows,
            gaps: &gaps,
            ports: system::local_port_range(&root),
            ips: &namespaces::addresses(&request.views, &root),
            figures: &figures,
        },
    );
    let exit = blocks.finish_whole()?;
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
    }
    Ok(exit)
}
