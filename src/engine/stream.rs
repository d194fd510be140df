//! Streams the rows of a request to a sink.
//!
//! Rows that need nothing more go to the sink as they are read. Rows that wait (for owners, or for names that are slow
//! to look up one by one) are packed into a [`Stash`]. Where a dump may be big, owners are searched at the same time
//! on another thread, and rows leave the stash as soon as their holders are known. Rows that may come in any order
//! do not wait, because owners are searched first.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use super::outlet::Outlet;
use super::owners::{Scan, scan};
use super::resolve::{listeners, unseen};
use super::run::Run;
use super::{Captured, Request, Sink};
use crate::model::ownership::Unseen;
use crate::model::request::Facts;
use crate::model::{HolderTable, Owners, Processes, Stash};
use crate::source::netns::Views;
use crate::source::proc::{ProcRoot, facts};
use crate::source::{tape, threads};

/// Executes the request and passes its rows to `sink`, in the kernel's order unless any order will do.
///
/// # Errors
/// If /proc cannot be listed although owners are wanted, or a thread cannot be started. Anything else that could not
/// be read is a gap.
pub fn stream<S: Sink>(request: &Request, sink: S) -> anyhow::Result<(S, Captured)> {
    let outlet = Outlet::new(sink, request.filter.as_ref());
    let mut run = Run::new(request);
    if !run.waits() {
        return Ok(run.straight(outlet));
    }
    if run.request.owners && !run.request.is_small() {
        if run.is_unordered() {
            let root = run.root.clone();
            return run.owners_first(outlet).with_context(|| cannot_list(&root));
        }
        return side_by_side(run, outlet);
    }
    let mut stash = Stash::default();
    run.fill(&mut stash, &mut |_, _| ControlFlow::Continue(()));
    let owners = run.owners_of(&stash).with_context(|| cannot_list(&run.root))?;
    Ok(run.hand_out(&stash, owners, outlet))
}

/// Searches for owners during a dump that may be big. Rows are passed on, in order, as soon as their holders are known.
fn side_by_side<S: Sink>(mut run: Run<'_>, mut outlet: Outlet<'_, S>) -> anyhow::Result<(S, Captured)> {
    // How much of the dump is read before a limit ends it depends on which thread is faster, so a recording and its
    // replay always read all of it.
    let early = run.request.facts == Facts::Comm
        && !run.related.is_asked()
        && !run.learner.wants_all_at_once()
        && !tape::is_recording()
        && !tape::is_replaying();
    let ready: Mutex<Option<Known>> = Mutex::new(None);
    let take = || ready.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (request, root) = (run.request.clone(), run.root.clone());
    let search = || -> std::io::Result<Scan> {
        let mut scan = scan(&request, &root, None)?;
        let holders = HolderTable::new(std::mem::take(&mut scan.walk.holders));
        let unseen = unseen(&root, &scan.walk);
        let known = Known::new(&root, holders, unseen, early.then_some(&request.views));
        ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(known);
        Ok(scan)
    };
    let mut stash = Stash::default();
    let mut context = run.context();
    let mut known: Option<Known> = None;
    let scan = std::thread::scope(|scope| {
        let searching = threads::spawn_scoped(scope, "owners", search);
        // If no thread can be started, the search comes first.
        let first = searching.is_none().then(search);
        run.fill(&mut stash, &mut |stash, names| {
            if !early {
                return ControlFlow::Continue(());
            }
            if known.is_none() {
                known = take();
                context.processes = known
                    .as_mut()
                    .map(|known| std::mem::take(&mut known.processes))
                    .unwrap_or_default();
            }
            let Some(known) = &known else {
                return ControlFlow::Continue(());
            };
            std::mem::swap(&mut context.names, names);
            let flow = outlet.pour_known(stash, &known.owners, &context);
            std::mem::swap(&mut context.names, names);
            flow
        });
        let scan = first.or_else(|| searching?.join().ok());
        let scan = scan.context("the search for owners failed")?;
        scan.with_context(|| cannot_list(&root))
    })?;
    let known = known.or_else(take).context("the search for owners failed")?;
    run.add_descriptor_only(&mut stash, known.owners.holders());
    if outlet.is_done(&stash) {
        run.owners_by = scan.how;
        return Ok(run.captured(known.owners, context, outlet));
    }
    let owners = run.resolve_owners(&stash, known.owners.into_holders(), scan);
    Ok(run.hand_out(&stash, owners, outlet))
}

fn cannot_list(root: &ProcRoot) -> String {
    format!("cannot list the processes in {}", root.path().display())
}

/// The result of a search for owners, for rows that need not wait for the end of the dump.
struct Known {
    owners: Owners,
    processes: Processes,
}

impl Known {
    /// With `complete`, also reads the listeners of these namespaces, to which queued connections belong, and the names
    /// of all holders.
    fn new(root: &ProcRoot, holders: HolderTable, unseen: Unseen, complete: Option<&Views>) -> Self {
        let Some(views) = complete else {
            return Self {
                owners: Owners::new(holders, BTreeMap::new(), Vec::new()),
                processes: Processes::default(),
            };
        };
        let mut pids: Vec<u32> = holders.all().iter().map(|holder| holder.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        let (processes, _) = facts::read(root, &pids, Facts::Comm);
        Self {
            owners: Owners::new(holders, BTreeMap::new(), listeners(root, views)).with_unseen(unseen),
            processes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::How;
    use super::super::samples::{ESTABLISHED, Proc, TcpSocket, filter, listener, rows, tcp};
    use super::*;
    use crate::model::request::Dump;
    use crate::model::{OwnerStatus, State};

    /// Process 7 holds 80 and 81, and a socket of another table; 8 holds 83, nobody 84.
    fn machine(name: &str) -> Proc {
        let connection = TcpSocket {
            state: ESTABLISHED,
            ..listener(81)
        };
        Proc::new(name)
            .tcp(&[listener(80), connection, listener(83), listener(84)])
            .process(7, "seven", &[80, 81, 999])
            .process(8, "eight", &[83])
    }

    /// A table that may be big.
    fn all() -> Dump {
        tcp(&[State::Listen, State::Established])
    }

    #[test]
    fn rows_keep_their_order_and_owners_whichever_way_owners_are_found() {
        let machine = machine("order");
        let known = |port, pid| (port, OwnerStatus::Known, Some(pid));
        let (found, captured) = rows(&machine.request(all()), usize::MAX);
        assert_eq!(found.rows[..3], [known(80, 7), known(81, 7), known(83, 8)]);
        assert_eq!((found.rows[3].0, found.rows[3].2), (84, None));
        assert_eq!(captured.count(OwnerStatus::Known), 3);
        assert_eq!(captured.owners_by, How::Walk("requested".to_owned()));
        let (found, captured) = rows(&machine.request(tcp(&[State::Listen])), usize::MAX);
        assert_eq!(found.rows[..2], [known(80, 7), known(83, 8)]);
        assert_eq!(captured.owners_by, How::Walk("requested".to_owned()));
    }

    #[test]
    fn only_holders_of_the_rows_are_looked_for_where_tables_are_small() {
        let machine = machine("small");
        let others = |dump| {
            let (_, captured) = rows(&machine.request(dump), usize::MAX);
            captured.owners.holders().of(999).len()
        };
        assert_eq!((others(tcp(&[State::Listen])), others(all())), (0, 1));
    }

    #[test]
    fn without_owners_no_process_is_read() {
        let machine = machine("none");
        let request = Request {
            owners: false,
            ..machine.request(all())
        };
        let (found, captured) = rows(&request, usize::MAX);
        assert_eq!(found.ports(), [80, 81, 83, 84]);
        assert_eq!(captured.owners_by, How::NotLooked);
        assert_eq!(captured.count(OwnerStatus::NotAsked), 4);
    }

    #[test]
    fn a_filter_by_owner_is_decided_when_owners_are_known() {
        let machine = machine("filter");
        let passing = |words: &str, dump| {
            let request = Request {
                filter: filter(words),
                ..machine.request(dump)
            };
            let (found, captured) = rows(&request, usize::MAX);
            (found.ports(), captured.undecided)
        };
        for dump in [all(), tcp(&[State::Listen])] {
            let (ports, _) = passing("sport > 80 and pid = 8", dump.clone());
            assert_eq!(ports, [83]);
            let (ports, _) = passing("pid = 7 and sport = 80", dump);
            assert_eq!(ports, [80]);
        }
        assert_eq!(passing("sport = 84", all()).0, [84]);
    }

    #[test]
    fn a_sink_that_returns_break_ends_the_run() {
        let sockets: Vec<TcpSocket> = (1..2000).map(listener).collect();
        let inodes: Vec<u32> = (1..2000).collect();
        let machine = Proc::new("enough").tcp(&sockets).process(7, "seven", &inodes);
        for (owners, dump) in [(true, all()), (true, tcp(&[State::Listen])), (false, all())] {
            let request = Request {
                owners,
                ..machine.request(dump)
            };
            let (found, captured) = rows(&request, 1);
            let count = found.rows.len();
            assert!((1..1000).contains(&count), "{count} rows with owners: {owners}");
            assert_eq!(captured.by_status.iter().sum::<u64>(), count as u64);
        }
    }

    #[test]
    fn a_missing_proc_is_an_error_and_an_empty_one_is_not() {
        let machine = Proc::new("empty").tcp(&[listener(80)]);
        let (found, _) = rows(&machine.request(all()), usize::MAX);
        assert_eq!(found.ports(), [80]);
        let request = Request {
            proc_root: Some("/nonexistent/proc".into()),
            ..machine.request(all())
        };
        let error = stream(&request, found).map(|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot list the processes in /nonexistent/proc"
        );
    }
}
