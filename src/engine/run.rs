//! The state of one run, and its steps.

mod unordered;

use std::borrow::Cow;
use std::io;
use std::ops::ControlFlow;
use std::time::SystemTime;

use super::descriptor_only::{self, Dumped};
use super::join::{Related, needs_owner};
use super::outlet::Outlet;
use super::owners::{self, How, Scan};
use super::prefilter::may_match;
use super::resolve::resolve_owners;
use super::{Captured, Request, Sink, namespaces};
use crate::model::machine::{Machine, Origin};
use crate::model::request::{Facts, NamesWanted};
use crate::model::{Backend, Context, Gap, HolderTable, Names, Owners, Socket, Stash};
use crate::query::Expr;
use crate::source::machine;
use crate::source::names::{Learner, Numbers};
use crate::source::netlink::channel::Channel;
use crate::source::proc::{ProcRoot, contexts, facts};
use crate::source::tape;

/// The state of one run.
pub(super) struct Run<'a> {
    pub(super) request: Cow<'a, Request>,
    /// The part of the filter that needs no owners.
    prefilter: Option<Expr>,
    pub(super) root: ProcRoot,
    pub(super) learner: Learner,
    pub(super) related: Related,
    gaps: Vec<Gap>,
    /// The inodes that the dumps listed, if sockets missing from every dump are wanted too.
    dumped: Dumped,
    pub(super) owners_by: How,
    origin: Origin,
    /// Our own netlink sockets, kept open until their owner has been found.
    held: Vec<Channel>,
}

impl<'a> Run<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        let mut gaps = request.views.gaps.clone();
        let request = owners::unless_recorded(request, &mut gaps);
        let root = ProcRoot::of(request.proc_root.clone());
        Self {
            prefilter: request.filter.as_ref().and_then(Expr::without_owners),
            learner: Learner::new(request.names, root.clone()),
            related: Related::of(request.peers, request.half_open),
            origin: origin_of(request.names, &root),
            root,
            gaps,
            dumped: Dumped::default(),
            request,
            owners_by: How::NotLooked,
            held: Vec::new(),
        }
    }

    pub(super) fn waits(&self) -> bool {
        self.request.owners || self.related.is_asked() || self.learner.wants_all_at_once()
    }

    pub(super) fn context(&mut self) -> Context {
        Context {
            namespaces: self
                .request
                .views
                .namespaces(&self.root, self.request.names.namespaces),
            origin: self.origin.clone(),
            reachability: self.request.reachability.clone(),
            as_root: tape::euid() == 0,
            arguments: self.request.arguments,
            ..Context::default()
        }
    }

    /// Passes rows on as they are read, for runs that have nothing to wait for.
    pub(super) fn straight<S: Sink>(mut self, mut outlet: Outlet<S>) -> (S, Captured) {
        let owners = Owners::not_asked();
        let mut context = self.context();
        let (request, learner) = (&self.request, &mut self.learner);
        let mut gaps = namespaces::read(&request.views, &self.root, &request.dumps, &mut |sockets| {
            learner.learn(sockets);
            std::mem::swap(&mut context.names, &mut learner.names);
            let flow = outlet.hand(sockets, &owners, &context);
            std::mem::swap(&mut context.names, &mut learner.names);
            flow
        });
        self.gaps.append(&mut gaps);
        self.captured(owners, context, outlet)
    }

    /// Packs the rows that may match, and after each batch calls `then` with the stash and the names known so far.
    /// `then` may end the capture.
    pub(super) fn fill(
        &mut self,
        stash: &mut Stash,
        then: &mut (dyn FnMut(&Stash, &mut Names) -> ControlFlow<()> + Send),
    ) {
        let mut context = self.context();
        let nobody = Owners::not_asked();
        let (request, learner, prefilter) = (&self.request, &mut self.learner, self.prefilter.as_ref());
        let (related, dumped) = (&mut self.related, &mut self.dumped);
        let (mut gaps, held) =
            namespaces::read_and_hold(&request.views, &self.root, &request.dumps, &mut |sockets| {
                learner.learn(sockets);
                if request.descriptor_only {
                    dumped.add(sockets);
                }
                for socket in &*sockets {
                    related.add(socket);
                    if may_match(prefilter, socket, &nobody, &mut context, &mut learner.names) {
                        stash.push(socket);
                    }
                }
                then(stash, &mut learner.names)
            });
        self.held = held;
        dumped.add_losses(&gaps);
        self.gaps.append(&mut gaps);
        if !request.others.is_empty() {
            // The gaps of these tables were already reported above.
            namespaces::read(&request.views, &self.root, &request.others, &mut |sockets| {
                for socket in &*sockets {
                    related.add(socket);
                }
                ControlFlow::Continue(())
            });
        }
        related.finish();
    }

    /// Appends the sockets that are missing from every dump.
    pub(super) fn add_descriptor_only(&mut self, stash: &mut Stash, holders: &HolderTable) {
        if self.request.descriptor_only {
            let dumped = std::mem::take(&mut self.dumped);
            let (found, late) = descriptor_only::find(&self.request, &self.root, dumped, holders);
            self.gaps.extend(descriptors_late(late, "protocol"));
            for socket in found {
                stash.push(&socket);
            }
        }
    }

    /// Finds the owners of a few rows, if they are wanted.
    ///
    /// # Errors
    /// If /proc cannot be listed.
    pub(super) fn owners_of(&mut self, stash: &Stash) -> io::Result<Owners> {
        if !self.request.owners {
            return Ok(Owners::not_asked());
        }
        let others = self.related.others(stash);
        let (owners, how) = owners::owners_of(&self.request, &self.root, stash, &others)?;
        self.owners_by = how;
        Ok(owners)
    }

    /// Returns the owners of the rows in the stash, after the scan.
    pub(super) fn resolve_owners(&mut self, stash: &Stash, holders: HolderTable, scan: Scan) -> Owners {
        self.owners_by = scan.how;
        let dumps = [&self.request.dumps[..], &self.request.others].concat();
        let others = self.related.others(stash);
        resolve_owners(
            &self.root,
            &self.request.views,
            &dumps,
            stash,
            &others,
            holders,
            &scan.walk,
        )
    }

    /// Passes on the remaining rows, now that the owners are known.
    pub(super) fn hand_out<S: Sink>(
        mut self,
        stash: &Stash,
        owners: Owners,
        mut outlet: Outlet<S>,
    ) -> (S, Captured) {
        let mut context = self.context();
        self.related.complete(&mut context, &owners, stash);
        self.read_processes(stash, &owners, &mut context);
        if self.learner.wants_all_at_once() {
            let mut numbers = Numbers::default();
            let mut slot = Socket::BLANK;
            let mut reader = stash.reader();
            while reader.next_into(&mut slot) {
                numbers.add(&slot);
            }
            self.learner.look_up(numbers);
        }
        let uids = context.processes.values().filter_map(|process| process.uid);
        self.learner.learn_users(uids.collect());
        context.names = std::mem::take(&mut self.learner.names);
        outlet.pour(stash, &owners, &context);
        self.learner.names = std::mem::take(&mut context.names);
        self.captured(owners, context, outlet)
    }

    /// Reads facts about every process that holds a socket of the stash.
    fn read_processes(&mut self, stash: &Stash, owners: &Owners, context: &mut Context) {
        let mut pids: Vec<u32> = Vec::new();
        let mut queued = false;
        for head in stash.heads() {
            match head.inode {
                Some(inode) => {
                    for holder in owners.holders().of(inode.get()) {
                        if pids.last() != Some(&holder.pid) {
                            pids.push(holder.pid);
                        }
                    }
                }
                None => queued |= needs_owner(None, head.state, Backend::SockDiag),
            }
        }
        if queued {
            pids.extend(owners.listener_holders().map(|holder| holder.pid));
        }
        pids.extend(context.peers.pids.iter().copied());
        pids.sort_unstable();
        pids.dedup();
        let (processes, late) = facts::read(&self.root, &pids, self.request.facts);
        if self.request.socket_contexts {
            let inodes = stash.heads().filter_map(|head| head.inode);
            let holders = inodes.map(|inode| owners.holders().of(inode.get()));
            let answers = contexts::of_sockets(&self.root, holders);
            context.socket_contexts = answers.found;
            self.gaps.extend(descriptors_late(answers.late, "context"));
        }
        if self.request.facts == Facts::Contexts {
            let asked = self.request.socket_contexts;
            self.gaps.extend(contexts::missing(
                &processes,
                asked.then_some(&context.socket_contexts),
            ));
        }
        context.processes = processes;
        self.learner.name_containers(&mut context.processes);
        self.gaps.extend(cmdlines_late(late));
    }

    pub(super) fn captured<S: Sink>(
        mut self,
        owners: Owners,
        mut context: Context,
        outlet: Outlet<S>,
    ) -> (S, Captured) {
        context.names = self.learner.names;
        self.gaps.append(&mut self.learner.gaps);
        let (sink, counts) = outlet.into_parts();
        let captured = Captured {
            owners,
            context,
            gaps: self.gaps,
            by_status: counts.by_status,
            undecided: counts.undecided,
            owners_by: self.owners_by,
            taken_at: self.origin.taken_at.unwrap_or(SystemTime::UNIX_EPOCH),
        };
        (sink, captured)
    }
}

fn origin_of(names: NamesWanted, root: &ProcRoot) -> Origin {
    let machine = if names.machine {
        machine::read(root)
    } else {
        Machine::default()
    };
    Origin {
        machine,
        taken_at: Some(tape::now()),
    }
}

/// The gap for processes whose command lines did not arrive in time.
fn cmdlines_late(late: u32) -> Option<Gap> {
    let message = format!("the command lines of {late} processes could not be read in time");
    (late > 0).then(|| Gap::loss("cmdline-late", message).with_count(late.into()))
}

/// The gap for sockets whose descriptors did not answer in time.
fn descriptors_late(late: usize, asked: &str) -> Option<Gap> {
    let sockets = if late == 1 { "socket" } else { "sockets" };
    let message = format!("the {asked} of {late} {sockets} could not be read in time");
    (late > 0).then(|| Gap::loss("descriptors-late", message).with_count(late as u64))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Proc, filter, listener, tcp};
    use super::*;
    use crate::model::State;
    use crate::model::request::{NamesWanted, PeerKinds};

    fn filled(request: &Request, flow: ControlFlow<()>) -> (Stash, u32) {
        let mut stash = Stash::default();
        let mut batches = 0;
        Run::new(request).fill(&mut stash, &mut |_, _| {
            batches += 1;
            flow
        });
        (stash, batches)
    }

    #[test]
    fn rows_wait_only_for_what_was_requested() {
        let waits = |request: Request| Run::new(&request).waits();
        assert!(!waits(Request::default()));
        assert!(waits(Request {
            owners: true,
            ..Request::default()
        }));
        assert!(waits(Request {
            half_open: true,
            ..Request::default()
        }));
        assert!(waits(Request {
            peers: PeerKinds {
                inet: true,
                ..PeerKinds::default()
            },
            ..Request::default()
        }));
        assert!(waits(Request {
            names: NamesWanted {
                hosts: true,
                ..NamesWanted::default()
            },
            ..Request::default()
        }));
    }

    #[test]
    fn rows_that_cannot_match_whatever_their_owners_are_not_kept() {
        let proc = Proc::new("prefilter").tcp(&[listener(80), listener(81)]);
        let kept = |words: &str| {
            let request = Request {
                filter: filter(words),
                ..proc.request(tcp(&[State::Listen]))
            };
            filled(&request, ControlFlow::Continue(())).0.len()
        };
        assert_eq!(kept("sport = 80 and pid = 7"), 1);
        assert_eq!(kept("sport = 80 or pid = 7"), 2);
        assert_eq!(kept("not pid = 7"), 2);
        assert_eq!(kept("sport = 9"), 0);
    }

    #[test]
    fn a_run_that_is_ended_early_reads_no_further_table() {
        let proc = Proc::new("enough-tables").tcp(&[listener(80)]);
        let mut request = proc.request(tcp(&[State::Listen]));
        request.dumps.push(tcp(&[State::Listen]));
        let batches = |flow| filled(&request, flow).1;
        assert_eq!(batches(ControlFlow::Continue(())), 2);
        assert_eq!(batches(ControlFlow::Break(())), 1);
    }

    #[test]
    fn late_descriptors_are_a_loss_with_their_number() {
        assert_eq!(descriptors_late(0, "context"), None);
        let gap_of = |late| descriptors_late(late, "context").map(|gap| (gap.message, gap.count));
        let one = "the context of 1 socket could not be read in time";
        assert_eq!(gap_of(1), Some((one.to_owned(), Some(1))));
        let two = "the context of 2 sockets could not be read in time";
        assert_eq!(gap_of(2), Some((two.to_owned(), Some(2))));
    }
}
