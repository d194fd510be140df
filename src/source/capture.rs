//! The capture: from a plan to rows, with everything known that the plan asked for.
//!
//! Rows that need nothing more go to the sink as they are read. Rows that wait (for owners, or for names that
//! are slow to look up one by one) are packed into a [`Stash`] meanwhile. A dump does its work inside our own
//! system calls. Where it may be a big one, the scan for owners runs beside it on another thread, and rows leave
//! the stash as soon as that has found their holders.

mod around;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use tokio::task::spawn_blocking;

use super::names::{Learner, Numbers};
use super::netns::Views;
use super::outlet::Outlet;
use super::owners::{self, How, Scan, scan};
use super::proc::{ProcRoot, contexts, facts};
use super::settle::{listeners, settle};
use super::undumped::{self, Dumped};
use super::{tables, tape};
use crate::join::{Beside, Context, Owners, Row, needs_owner};
use crate::model::{Backend, Gap, HolderTable, Names, OwnerStatus, Processes, Socket, Stash};
use crate::plan::{CapturePlan, Facts};
use crate::query::{Expr, Match};

pub use around::around;
use around::owners_of;

/// Takes rows. It runs on a blocking thread and may do I/O of its own (writing them).
pub trait Sink: Send + 'static {
    /// Takes some sockets that passed the filter, with all that is known around them. The slice is reused: a
    /// sink that keeps sockets may move them out and leave anything in their place. `Break` ends the capture.
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()>;
}

/// What a capture came to, beside the rows.
#[derive(Debug)]
pub struct Captured {
    /// Answers for each socket that was handed out.
    pub owners: Owners,
    /// Processes and names.
    pub context: Context,
    /// What is missing or came another way.
    pub gaps: Vec<Gap>,
    /// Rows handed out, by [`OwnerStatus`] in the order of [`OwnerStatus::ALL`].
    pub by_status: [u64; OwnerStatus::ALL.len()],
    /// Rows that the filter could not judge because their owner is not known.
    pub undecided: u64,
    /// How owners were found.
    pub owners_by: How,
    /// When it was begun.
    pub taken_at: SystemTime,
}

impl Captured {
    /// Rows with this owner status.
    pub fn count(&self, status: OwnerStatus) -> u64 {
        self.by_status[status as usize]
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.gaps
            .iter()
            .all(|gap| gap.level != crate::model::GapLevel::Loss)
    }
}

/// Runs the plan and feeds its rows to `sink`, in the kernel's order.
///
/// # Errors
/// If /proc cannot be listed although owners are wanted, or a thread cannot be started. What could not be read
/// otherwise is a gap.
pub async fn capture<S: Sink>(plan: Arc<CapturePlan>, sink: S) -> anyhow::Result<(S, Captured)> {
    let outlet = Outlet::new(sink, Arc::clone(&plan));
    let mut run = Run::new(plan);
    // What comes one after the other needs no other thread.
    if !run.waits() {
        return Ok(run.straight(outlet));
    }
    if run.plan.owners && !run.plan.is_small() {
        return side_by_side(run, outlet).await;
    }
    let mut stash = Stash::default();
    run.fill(&mut stash, &mut |_, _| ControlFlow::Continue(()));
    let owners = owners_of(&mut run, &stash).with_context(|| cannot_list(&run.root))?;
    Ok(run.hand_out(&stash, owners, outlet))
}

/// The scan for owners beside a dump that may be big. Rows go out as soon as their holders are known, as long as
/// those in front of them have gone.
async fn side_by_side<S: Sink>(mut run: Run, mut outlet: Outlet<S>) -> anyhow::Result<(S, Captured)> {
    let early = run.plan.facts == Facts::Comm && !run.beside.is_asked() && !run.learner.wants_all_at_once();
    let ready = Arc::new(Mutex::new(None));
    let found = Arc::clone(&ready);
    let (plan, root) = (Arc::clone(&run.plan), run.root.clone());
    let scanning = spawn_blocking(move || -> std::io::Result<Scan> {
        let mut scan = scan(&plan, &root, None)?;
        let holders = HolderTable::new(std::mem::take(&mut scan.walk.holders));
        let known = Known::new(&root, holders, early.then_some(&plan.views));
        found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(known);
        Ok(scan)
    });
    let mut stash = Stash::default();
    let mut context = run.context();
    let take = || ready.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut known: Option<Known> = None;
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
    let scan = scanning.await?.with_context(|| cannot_list(&run.root))?;
    let known = known.or_else(take).context("the scan for owners was lost")?;
    run.add_undumped(&mut stash, known.owners.holders());
    if outlet.is_done(&stash) {
        run.owners_by = scan.how;
        return Ok(run.captured(known.owners, context, outlet));
    }
    let owners = run.settle(&stash, known.owners.into_holders(), scan);
    Ok(run.hand_out(&stash, owners, outlet))
}

fn cannot_list(root: &ProcRoot) -> String {
    format!("cannot list the processes in {}", root.path().display())
}

/// What a scan for owners found, for rows that need not wait for the end of the dump.
struct Known {
    owners: Owners,
    processes: Processes,
}

impl Known {
    /// With `complete` also the listeners of these namespaces, for which queued connections wait, and the names of
    /// all holders.
    fn new(root: &ProcRoot, holders: HolderTable, complete: Option<&Views>) -> Self {
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
            owners: Owners::new(holders, BTreeMap::new(), listeners(root, views)),
            processes,
        }
    }
}

/// The state of one capture.
struct Run {
    plan: Arc<CapturePlan>,
    /// The part of the filter that looks at sockets alone.
    prefilter: Option<Expr>,
    root: ProcRoot,
    learner: Learner,
    beside: Beside,
    gaps: Vec<Gap>,
    /// The inodes that the dumps told, if sockets that they do not tell of are wanted too.
    dumped: Dumped,
    owners_by: How,
    taken_at: SystemTime,
}

impl Run {
    fn new(mut plan: Arc<CapturePlan>) -> Self {
        let mut gaps = plan.views.gaps.clone();
        owners::unless_recorded(&mut plan, &mut gaps);
        let root = ProcRoot::of(plan.proc_root.clone());
        gaps.extend(tables::absent(&root, &plan.absent));
        Self {
            prefilter: plan.filter.as_ref().and_then(Expr::without_owners),
            learner: Learner::new(plan.names, root.clone()),
            beside: Beside::of(plan.peers, plan.half_open),
            root,
            gaps,
            dumped: Dumped::default(),
            plan,
            owners_by: How::NotLooked,
            taken_at: tape::now(),
        }
    }

    fn waits(&self) -> bool {
        self.plan.owners || self.beside.is_asked() || self.learner.wants_all_at_once()
    }

    fn context(&mut self) -> Context {
        Context {
            namespaces: self.plan.views.namespaces(&self.root, self.plan.names.namespaces),
            as_root: tape::euid() == 0,
            ..Context::default()
        }
    }

    /// Nothing to wait for: rows go out as they are read.
    fn straight<S: Sink>(mut self, mut outlet: Outlet<S>) -> (S, Captured) {
        let owners = Owners::not_asked();
        let mut context = self.context();
        let (plan, learner) = (&self.plan, &mut self.learner);
        let mut gaps = plan.views.read(&self.root, &plan.dumps, &mut |sockets| {
            learner.learn(sockets);
            std::mem::swap(&mut context.names, &mut learner.names);
            let flow = outlet.hand(sockets, &owners, &context);
            std::mem::swap(&mut context.names, &mut learner.names);
            flow
        });
        self.gaps.append(&mut gaps);
        self.captured(owners, context, outlet)
    }

    /// Packs the rows that may be wanted, and after each batch of them calls `then` with the stash and the names
    /// learnt so far; it may end the capture.
    fn fill(
        &mut self,
        stash: &mut Stash,
        then: &mut (dyn FnMut(&Stash, &mut Names) -> ControlFlow<()> + Send),
    ) {
        let mut context = self.context();
        let nobody = Owners::not_asked();
        let (plan, learner, prefilter) = (&self.plan, &mut self.learner, self.prefilter.as_ref());
        let (beside, dumped) = (&mut self.beside, &mut self.dumped);
        let mut gaps = plan.views.read(&self.root, &plan.dumps, &mut |sockets| {
            learner.learn(sockets);
            if plan.undumped {
                dumped.add(sockets);
            }
            for socket in &*sockets {
                beside.add(socket);
                if let Some(filter) = prefilter {
                    std::mem::swap(&mut context.names, &mut learner.names);
                    let row = Row {
                        socket,
                        ownership: nobody.of(socket),
                        context: &context,
                    };
                    let wanted = filter.matches(&row);
                    std::mem::swap(&mut context.names, &mut learner.names);
                    if wanted == Match::No {
                        continue;
                    }
                }
                stash.push(socket);
            }
            then(stash, &mut learner.names)
        });
        dumped.is_partial = gaps.iter().any(undumped::leaves_sockets_out);
        self.gaps.append(&mut gaps);
        if !plan.others.is_empty() {
            // What is missing of these tables was missing above already.
            plan.views.read(&self.root, &plan.others, &mut |sockets| {
                for socket in &*sockets {
                    beside.add(socket);
                }
                ControlFlow::Continue(())
            });
        }
        beside.finish();
    }

    /// Puts the sockets that no dump told of behind the others.
    fn add_undumped(&mut self, stash: &mut Stash, holders: &HolderTable) {
        if self.plan.undumped {
            let dumped = std::mem::take(&mut self.dumped);
            for socket in undumped::find(&self.plan, &self.root, dumped, holders) {
                stash.push(&socket);
            }
        }
    }

    /// Who owns the rows of the stash, now that the scan is over.
    fn settle(&mut self, stash: &Stash, holders: HolderTable, scan: Scan) -> Owners {
        self.owners_by = scan.how;
        let dumps = [&self.plan.dumps[..], &self.plan.others].concat();
        let others = self.beside.others(stash);
        settle(
            &self.root,
            &self.plan.views,
            &dumps,
            stash,
            &others,
            holders,
            &scan.walk,
        )
    }

    /// Hands out what has not gone yet, now that the owners are known.
    fn hand_out<S: Sink>(mut self, stash: &Stash, owners: Owners, mut outlet: Outlet<S>) -> (S, Captured) {
        let mut context = self.context();
        self.beside.tell(&mut context, &owners, stash);
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

    /// Facts about every process that holds a socket of the stash.
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
        pids.extend(context.peers.pids());
        pids.sort_unstable();
        pids.dedup();
        let (processes, late) = facts::read(&self.root, &pids, self.plan.facts);
        if self.plan.socket_contexts {
            let inodes = stash.heads().filter_map(|head| head.inode);
            let holders = inodes.map(|inode| owners.holders().of(inode.get()));
            context.socket_contexts = contexts::of_sockets(&self.root, holders);
        }
        if self.plan.facts == Facts::Contexts {
            let asked = self.plan.socket_contexts;
            self.gaps.extend(contexts::missing(
                &processes,
                asked.then_some(&context.socket_contexts),
            ));
        }
        context.processes = processes;
        self.learner.name_containers(&mut context.processes);
        if late > 0 {
            let message = format!("the command lines of {late} processes could not be read in time");
            self.gaps
                .push(Gap::loss("cmdline-late", message).with_count(late.into()));
        }
    }

    fn captured<S: Sink>(mut self, owners: Owners, mut context: Context, outlet: Outlet<S>) -> (S, Captured) {
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
            taken_at: self.taken_at,
        };
        (sink, captured)
    }
}
