//! `metrics`: counts what a run finds, for Prometheus.

use std::ops::ControlFlow;

use super::caller::Caller;
use super::{list, losses, out};
use crate::engine::{Sink, stream};
use crate::exit::Exit;
use crate::model::{Context, Owners, Socket};
use crate::plan::MetricsPlan;
use crate::render::metrics::{self, Run, Tally};
use crate::source::proc::ProcRoot;
use crate::source::system;

/// Runs the command. An incomplete view is marked as such in the output.
///
/// # Errors
/// If nothing can be read, or the output cannot be written; an existing file stays as it was.
pub(super) fn run(mut plan: MetricsPlan, caller: &Caller) -> anyhow::Result<Exit> {
    plan.capture.views = caller.views.clone();
    if let Some(refused) = list::missing_root(&plan.capture) {
        return Ok(refused);
    }
    let root = ProcRoot::of(plan.capture.proc_root.clone());
    let ports = system::local_port_range(&root).unwrap_or(system::LOCAL_PORTS);
    let counter = Counter {
        tally: Tally::new(plan.limits, ports),
    };
    let (mut counter, captured) = stream(&plan.capture, counter)?;
    let mut gaps = list::all_gaps(&captured, caller);
    counter.tally.figures(&list::figures(&root, &mut gaps));
    let run = Run {
        version: env!("CARGO_PKG_VERSION"),
        taken_at: captured.taken_at,
        gaps: &gaps,
    };
    let text = metrics::text(&run, counter.tally);
    match &plan.output {
        None => {
            out::print(text.as_bytes())?;
        }
        Some(path) => out::replace(path, text.as_bytes())?,
    }
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
    }
    Ok(Exit::Done)
}

/// Counts rows as they are read.
struct Counter {
    tally: Tally,
}

impl Sink for Counter {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            self.tally.add(&super::sinks::row(socket, owners, context));
        }
        ControlFlow::Continue(())
    }
}
