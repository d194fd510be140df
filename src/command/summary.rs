//! `-s`: how many sockets there are, and the kernel's totals; followed by the listing if one was selected.
//!
//! In a pipe it reads three small files, as ss does. The page for people and JSON also count every socket, in one pass
//! that keeps none of them.

use std::ops::ControlFlow;

use anyhow::Context as _;

use super::caller::Caller;
use super::{list, losses, out};
use crate::engine::{Sink, stream};
use crate::exit::Exit;
use crate::model::summary::Summary;
use crate::model::{Context, Owners};
use crate::model::{Gap, GapLevel, Socket};
use crate::plan::SummaryPlan;
use crate::render::escape;
use crate::render::form::Form;
use crate::render::json::Envelope;
use crate::render::summary::{page, plain};
use crate::source::machine;
use crate::source::proc::{ProcRoot, summary};

/// Runs the command.
///
/// # Errors
/// If the kernel's figures cannot be read, or nothing can be written.
pub(super) fn run(plan: SummaryPlan, caller: &Caller) -> anyhow::Result<Exit> {
    let root = ProcRoot::of(plan.count.proc_root.clone());
    let cannot = || {
        format!(
            "cannot read socket counts in {}",
            escape::text(root.net("sockstat").as_os_str().as_encoded_bytes())
        )
    };
    let form = plan.form;
    if !matches!(form, Form::Json | Form::Table) {
        out::print(plain(&summary::read_counts(&root).with_context(cannot)?).as_bytes())?;
        return match plan.list {
            Some(list) => list::run(list, caller),
            None => Ok(Exit::Done),
        };
    }
    let counter = Counter {
        summary: summary::read(&root).with_context(cannot)?,
    };
    let (counter, captured) = stream(&plan.count, counter)?;
    if form == Form::Json {
        if let Some(list) = plan.list {
            return list::run_beside(list, caller, Some(&counter.summary));
        }
        let mut document = Vec::new();
        list::envelope(&machine::host(), &captured, &captured.gaps).push_start(&mut document);
        Envelope::push_end(&mut document, Some(&counter.summary));
        out::print(&document)?;
    } else {
        out::print(page(&counter.summary, caller.text_width()).as_bytes())?;
    }
    if !plan.quiet {
        let is_loss = |gap: &&Gap| gap.level == GapLevel::Loss;
        let losses_only: Vec<Gap> = captured.gaps.iter().filter(is_loss).cloned().collect();
        out::complain(&losses::lines(&losses_only));
    }
    match plan.list {
        Some(list) => {
            out::print(b"\n")?;
            list::run(list, caller)
        }
        None => Ok(Exit::Done),
    }
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
