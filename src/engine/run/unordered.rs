//! Rows in any order: owners are searched for first, and each row is passed on as it is read.
//!
//! Only the cookie of a row is kept. Sockets without a holder wait, up to a limited number, until the reason is known.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::{Run, cmdlines_late};
use crate::engine::join::Others;
use crate::engine::outlet::Outlet;
use crate::engine::owners::{Scan, scan};
use crate::engine::prefilter::may_match;
use crate::engine::resolve::{listeners, resolve_owners, unseen};
use crate::engine::{Captured, Request, Sink, namespaces};
use crate::model::request::Facts;
use crate::model::{Context, HolderTable, Owners, Socket, Stash};
use crate::query::Expr;
use crate::source::names::Learner;
use crate::source::proc::holders::Walk;
use crate::source::proc::{ProcRoot, facts};
use crate::source::tape;

/// How many sockets without a holder may wait. Each time this limit is reached, finding the reasons can take a walk and
/// a dump.
const WAITING_MAX: usize = 32 * 1024;
/// How many sockets that waited are passed on at a time.
const BATCH: usize = 256;

impl Run<'_> {
    /// Returns whether rows may come in any order and none depends on others.
    pub(in crate::engine) fn is_unordered(&self) -> bool {
        let request = &self.request;
        request.unordered
            && request.owners
            && !request.descriptor_only
            && !request.socket_contexts
            && request.facts != Facts::Contexts
            && !self.related.is_asked()
            && !self.learner.wants_all_at_once()
    }

    /// Passes rows on as they are read.
    ///
    /// # Errors
    /// If /proc cannot be listed.
    pub(in crate::engine) fn owners_first<S: Sink>(
        mut self,
        outlet: Outlet<'_, S>,
    ) -> io::Result<(S, Captured)> {
        let Scan { mut walk, how } = scan(&self.request, &self.root, None)?;
        self.owners_by = how;
        let holders = HolderTable::new(std::mem::take(&mut walk.holders));
        let listeners = listeners(&self.root, &self.request.views);
        let owners = Owners::new(holders, BTreeMap::new(), listeners);
        let mut passing = Passing {
            owners: owners.with_unseen(unseen(&self.root, &walk)),
            context: self.context(),
            request: &self.request,
            prefilter: self.prefilter.as_ref(),
            root: &self.root,
            learner: &mut self.learner,
            walk,
            outlet,
            waiting: Stash::default(),
            pids_asked: BTreeSet::new(),
            cmdlines_within: facts::CMDLINES_WITHIN,
            cmdlines_late: 0,
        };
        let (mut gaps, _held) = namespaces::read_and_hold(
            &self.request.views,
            &self.root,
            &self.request.dumps,
            &mut |sockets| passing.take(sockets),
        );
        // A sink that has enough accepts no more.
        let _ = passing.pass_waiting();
        gaps.extend(cmdlines_late(passing.cmdlines_late));
        let Passing {
            owners,
            context,
            outlet,
            ..
        } = passing;
        self.gaps.append(&mut gaps);
        Ok(self.captured(owners, context, outlet))
    }
}

/// The state of passing rows on.
struct Passing<'a, 'f, S> {
    request: &'a Request,
    prefilter: Option<&'a Expr>,
    root: &'a ProcRoot,
    learner: &'a mut Learner,
    outlet: Outlet<'f, S>,
    owners: Owners,
    context: Context,
    /// The search for owners, without the holders.
    walk: Walk,
    /// Sockets that have no holder, in the order in which they were read.
    waiting: Stash,
    /// Processes whose facts were requested.
    pids_asked: BTreeSet<u32>,
    /// The time left for command lines.
    cmdlines_within: Duration,
    cmdlines_late: u32,
}

impl<S: Sink> Passing<'_, '_, S> {
    /// Passes on the sockets whose owners are known, or that are known to have none; the others wait.
    fn take(&mut self, sockets: &mut [Socket]) -> ControlFlow<()> {
        self.learner.learn(sockets);
        let mut known = 0;
        for index in 0..sockets.len() {
            let Some(socket) = sockets.get(index) else { break };
            if !self.may_be_wanted(socket) {
                continue;
            }
            let waits = socket
                .inode
                .is_some_and(|inode| self.owners.holders().of(inode.get()).is_empty());
            if waits && !socket.is_of_kernel() {
                self.waiting.push(socket);
            } else {
                sockets.swap(known, index);
                known += 1;
            }
        }
        self.pass(sockets.get_mut(..known).unwrap_or_default())?;
        if self.waiting.len() >= WAITING_MAX {
            self.pass_waiting()?;
        }
        ControlFlow::Continue(())
    }

    fn may_be_wanted(&mut self, socket: &Socket) -> bool {
        let (nobody, names) = (Owners::not_asked(), &mut self.learner.names);
        may_match(self.prefilter, socket, &nobody, &mut self.context, names)
    }

    fn pass(&mut self, sockets: &mut [Socket]) -> ControlFlow<()> {
        self.read_processes(sockets);
        std::mem::swap(&mut self.context.names, &mut self.learner.names);
        let flow = self.outlet.hand(sockets, &self.owners, &self.context);
        std::mem::swap(&mut self.context.names, &mut self.learner.names);
        flow
    }

    /// Finds out why the sockets that wait have no holder, and passes them on.
    fn pass_waiting(&mut self) -> ControlFlow<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return ControlFlow::Continue(());
        }
        let others = Others {
            queued: true,
            ..Others::default()
        };
        let holders = std::mem::take(&mut self.owners).into_holders();
        self.owners = tape::outside_netns(|| {
            resolve_owners(
                self.root,
                &self.request.views,
                &self.request.dumps,
                &waiting,
                &others,
                holders,
                &self.walk,
            )
        });
        let mut slots = vec![Socket::BLANK; BATCH];
        let mut reader = waiting.reader();
        loop {
            let filled = slots
                .iter_mut()
                .map_while(|slot| reader.next_into(slot).then_some(()))
                .count();
            if filled == 0 {
                return ControlFlow::Continue(());
            }
            self.pass(slots.get_mut(..filled).unwrap_or_default())?;
        }
    }

    /// Reads the facts about the owners of these sockets, once for each process.
    fn read_processes(&mut self, sockets: &[Socket]) {
        let mut new = BTreeSet::new();
        for socket in sockets {
            let holders = self.owners.of(socket).holders.iter();
            let pids = holders.map(|holder| holder.pid);
            new.extend(pids.filter(|pid| !self.pids_asked.contains(pid)));
        }
        if new.is_empty() {
            return;
        }
        let pids: Vec<u32> = new.iter().copied().collect();
        self.pids_asked.append(&mut new);
        tape::outside_netns(|| {
            let within = &mut self.cmdlines_within;
            let (mut processes, late) = facts::read_within(self.root, &pids, self.request.facts, within);
            self.cmdlines_late += late;
            self.learner.name_containers(&mut processes);
            let uids = processes.values().filter_map(|process| process.uid);
            self.learner.learn_users(uids.collect());
            self.context.processes.append(&mut processes);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples::{ESTABLISHED, Proc, TcpSocket, filter, listener, rows, tcp};
    use crate::model::{OwnerStatus, State};

    fn connection(inode: u32) -> TcpSocket {
        TcpSocket {
            state: ESTABLISHED,
            inode,
            ..listener(81)
        }
    }

    fn all(machine: &Proc) -> Request {
        Request {
            unordered: true,
            ..machine.request(tcp(&[State::Listen, State::Established]))
        }
    }

    #[test]
    fn rows_equal_those_of_an_ordered_run_and_sockets_without_a_holder_come_last() {
        let machine = Proc::new("unordered")
            .tcp(&[listener(80), listener(84), connection(81), connection(0)])
            .process(7, "seven", &[80, 81, 999])
            .process(8, "eight", &[81]);
        let request = all(&machine);
        assert!(Run::new(&request).is_unordered());
        let (found, captured) = rows(&request, usize::MAX);
        let in_order = Request {
            unordered: false,
            ..request
        };
        let (mut expected, of_all) = rows(&in_order, usize::MAX);
        assert_eq!(found.ports(), [80, 81, 81, 84]);
        assert_eq!(expected.ports(), [80, 84, 81, 81]);
        let mut same = found.rows.clone();
        same.sort_unstable();
        expected.rows.sort_unstable();
        assert_eq!(same, expected.rows);
        assert_eq!(captured.by_status, of_all.by_status);
        assert_eq!(captured.owners_by, of_all.owners_by);
        let names: Vec<_> = captured.context.processes.keys().collect();
        assert_eq!(names, [&7, &8]);
    }

    #[test]
    fn filters_and_early_ends_work_as_in_an_ordered_run() {
        let sockets: Vec<TcpSocket> = (1..2000).map(listener).collect();
        let inodes: Vec<u32> = (1..1000).collect();
        let machine = Proc::new("unordered-few")
            .tcp(&sockets)
            .process(7, "seven", &inodes);
        let (found, _) = rows(&all(&machine), 1);
        assert!((1..1000).contains(&found.rows.len()), "{}", found.rows.len());
        for words in ["pid = 7", "sport lt 10", "sport ge 1995 and not pid = 7"] {
            let request = Request {
                filter: filter(words),
                ..all(&machine)
            };
            let in_order = Request {
                unordered: false,
                ..request.clone()
            };
            let ((found, captured), (expected, of_all)) =
                (rows(&request, usize::MAX), rows(&in_order, usize::MAX));
            assert_eq!(found.ports(), expected.ports(), "{words}");
            assert_eq!(captured.by_status, of_all.by_status, "{words}");
            assert_eq!(captured.undecided, of_all.undecided, "{words}");
        }
    }

    #[test]
    fn more_sockets_without_a_holder_than_may_wait_are_passed_on_meanwhile() {
        let count = u32::try_from(WAITING_MAX).unwrap() + 100;
        let sockets: Vec<TcpSocket> = (1..=count).map(connection).collect();
        let machine = Proc::new("unordered-many")
            .tcp(&sockets)
            .process(7, "seven", &[1]);
        let (found, captured) = rows(&all(&machine), usize::MAX);
        assert_eq!(found.rows.len(), sockets.len());
        assert_eq!(captured.count(OwnerStatus::Known), 1);
    }
}
