//! `-K`, which is `kill --socket`: closes the sockets that a filter selects, and leaves their programs alone.
//!
//! It needs a filter. Without a terminal to ask on, it takes the answer as no. It does not close sockets that this
//! session may depend on unless the filter names them.

pub mod act;
pub mod protected;
pub mod text;

use super::caller::Caller;
use super::sinks::row;
use super::sorted::Sorter;
use super::{ask, losses, out};
use crate::diagnose::targets::ancestors;
use crate::engine::{Captured, stream};
use crate::exit::Exit;
use crate::model::Row;
use crate::model::{Gap, Socket};
use crate::plan::{DestroyPlan, ListPlan, Output};
use crate::render::lines::Lines;
use crate::render::plain::Plain;
use crate::source::credentials;
use crate::source::process::parents_of_all;

use text::Said;

/// Exit 0 if everything requested is closed, 1 if not or if nothing matched, 2 for a usage error.
///
/// # Errors
/// If /proc cannot be read or the output cannot be written.
pub fn run(plan: DestroyPlan, caller: &Caller) -> anyhow::Result<Exit> {
    let DestroyPlan {
        list: plan,
        states_asked,
        yes,
        dry_run,
    } = plan;
    let (sockets, captured) = look(&plan)?;
    let gaps = [captured.gaps.clone(), losses::of_owners(&captured, caller)].concat();
    if !plan.quiet {
        out::complain(&losses::lines(&gaps));
    }
    if sockets.is_empty() {
        out::complain(if states_asked {
            "nothing matches\n"
        } else {
            "no connection matches; a word such as `state listening` or `state all` selects other sockets too\n"
        });
        return Ok(Exit::Failed);
    }
    let found = Found {
        said: judge(&plan, &sockets, &captured),
        sockets,
        captured,
    };
    let Some(found) = found.close(yes, dry_run, &plan, caller) else {
        return Ok(Exit::Failed);
    };
    found.report(yes, dry_run, &plan, &gaps, caller)?;
    let all_done = found.said.iter().all(|said| match said {
        Said::WouldClose | Said::Protected(_) => true,
        Said::Tried(fate) => fate.is_done(),
    });
    let any_target = found.said.iter().any(|said| !matches!(said, Said::Protected(_)));
    Ok(if all_done && any_target {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn look(plan: &ListPlan) -> anyhow::Result<(Vec<Socket>, Captured)> {
    let sink = Sorter::new(plan.sort.as_deref().unwrap_or_default(), None, false);
    let (mut snapshot, captured) = stream(&plan.capture, sink)?;
    snapshot.sort(&captured.owners, &captured.context);
    Ok((snapshot.sockets(), captured))
}

/// Determines for each socket whether it would be closed.
fn judge(plan: &ListPlan, sockets: &[Socket], captured: &Captured) -> Vec<Said> {
    let own = std::process::id();
    let mut ours = ancestors(own, &parents_of_all());
    ours.push(own);
    let filter = plan.capture.filter.as_ref();
    sockets
        .iter()
        .map(|socket| {
            let row = row(socket, &captured.owners, &captured.context);
            protected::protected(&row, &ours, filter).map_or(Said::WouldClose, Said::Protected)
        })
        .collect()
}

/// The sockets that the filter selects, and what is said about each.
struct Found {
    sockets: Vec<Socket>,
    said: Vec<Said>,
    captured: Captured,
}

impl Found {
    fn rows(&self) -> impl Iterator<Item = (&Said, Row<'_>)> {
        let rows = self
            .sockets
            .iter()
            .map(|socket| row(socket, &self.captured.owners, &self.captured.context));
        self.said.iter().zip(rows)
    }

    /// Closes the sockets that are not protected, after asking if necessary. `None` if the answer is no.
    fn close(mut self, yes: bool, dry_run: bool, plan: &ListPlan, caller: &Caller) -> Option<Self> {
        let targets: Vec<usize> = (0..self.said.len())
            .filter(|at| self.said.get(*at) == Some(&Said::WouldClose))
            .collect();
        if dry_run {
            if !credentials::may_close_sockets() {
                for said in self.said.iter_mut().filter(|said| **said == Said::WouldClose) {
                    *said = Said::Tried(act::Fate::NotPermitted);
                }
            }
            return Some(self);
        }
        if !yes {
            let shown = match &plan.output {
                Output::Lines(lines) => text::rows(self.rows(), lines),
                Output::Table(view) => text::table(self.rows(), view).into_bytes(),
                // The question must show what it is about.
                _ => text::rows(self.rows(), &Lines::Ss(preview())),
            };
            out::preview(&shown);
            out::complain(&text::complaints(self.rows(), sudo(caller), false));
            if targets.is_empty() {
                return None;
            }
            let plural = if targets.len() == 1 { "" } else { "s" };
            if !credentials::may_close_sockets() {
                let more = caller.sudo().map_or_else(String::new, |sudo| format!(": {sudo}"));
                let count = targets.len();
                out::complain(&format!(
                    "closing {count} socket{plural} needs CAP_NET_ADMIN{more}\n"
                ));
                return None;
            }
            if !ask::confirmed(&format!("Close {} socket{plural}?", targets.len())) {
                return None;
            }
        }
        let sockets: Vec<&Socket> = targets.iter().filter_map(|at| self.sockets.get(*at)).collect();
        let fates = act::close(&sockets, &plan.capture.dumps);
        for (at, fate) in targets.into_iter().zip(fates) {
            if let Some(said) = self.said.get_mut(at) {
                *said = Said::Tried(fate);
            }
        }
        Some(self)
    }

    fn report(
        &self,
        yes: bool,
        dry_run: bool,
        plan: &ListPlan,
        gaps: &[Gap],
        caller: &Caller,
    ) -> anyhow::Result<()> {
        match &plan.output {
            Output::Json(fields) => out::print(&text::document(self.rows(), fields, gaps, dry_run))?,
            Output::Lines(lines) => out::print(&text::rows(self.rows(), lines))?,
            Output::Table(view) => out::print(text::table(self.rows(), view).as_bytes())?,
            // Options that select other forms are excluded by -K.
            Output::Groups(_) | Output::Pids => Exit::Done,
        };
        let said_before = |said: &Said| !yes && !dry_run && matches!(said, Said::Protected(_));
        let news = self.rows().filter(|(said, _)| !said_before(said));
        out::complain(&text::complaints(news, sudo(caller), dry_run));
        Ok(())
    }
}

/// The columns shown with the question when the output is JSON or CSV.
fn preview() -> Plain {
    Plain {
        header: true,
        netid: true,
        state: true,
        queues: true,
        processes: true,
        ..Plain::default()
    }
}

/// The command to run with more privileges, if the caller lacks CAP_NET_ADMIN.
fn sudo(caller: &Caller) -> Option<&str> {
    (!caller.is_root).then_some(caller.command.as_str())
}
