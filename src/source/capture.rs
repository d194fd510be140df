//! The capture: from a plan to rows, with everything known that the plan asked for.
//!
//! Rows that need nothing more go to the sink as they are read. Rows that wait (for owners, or for names that
//! are slow to look up one by one) are packed into a [`Stash`] meanwhile. A dump does its work inside our own
//! system calls, so it runs on a blocking thread, and beside it, on another, the walk over /proc when the dump
//! is a big one; `await` joins them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use tokio::task::spawn_blocking;

use super::names::{Learner, Numbers};
use super::namespaces;
use super::owners::{How, Scan, scan};
use super::proc::holders::Walk;
use super::proc::{ProcRoot, facts};
use super::settle::settle;
use super::tables::Tables;
use crate::join::{Context, Ends, HalfOpen, Others, Owners, Peers, Row, needs_owner};
use crate::model::{Backend, Gap, OwnerStatus, Socket, Stash};
use crate::plan::CapturePlan;
use crate::query::{Expr, Match};

/// Sockets handed to a sink together when they come out of a stash.
const BATCH: usize = 256;

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
    let run = Run::new(plan);
    if !run.waits() {
        return Ok(spawn_blocking(move || run.straight(sink)).await?);
    }
    let root = run.root.clone();
    if !run.plan.owners {
        let (run, stash) = spawn_blocking(move || run.stash()).await?;
        return Ok(spawn_blocking(move || run.hand_out(&stash, Owners::not_asked(), sink)).await?);
    }
    let (mut run, stash, scanned) = if run.plan.is_small() {
        // Few rows: look only for their holders, and not at all if none has one.
        spawn_blocking(move || {
            let (run, stash) = run.stash();
            let scanned = scan_for(&run, &stash);
            (run, stash, scanned)
        })
        .await?
    } else {
        let plan = Arc::clone(&run.plan);
        let scanning = spawn_blocking(move || scan(&plan, &root, None));
        let (run, stash) = spawn_blocking(move || run.stash()).await?;
        (run, stash, scanning.await?)
    };
    let scanned =
        scanned.with_context(|| format!("cannot list the processes in {}", run.root.path().display()))?;
    Ok(spawn_blocking(move || {
        run.owners_by = scanned.how;
        let dumps = [&run.plan.dumps[..], &run.plan.others].concat();
        let owners = settle(
            &run.root,
            &dumps,
            &stash,
            &Others::of(&run.ends, &stash),
            scanned.walk,
        );
        run.hand_out(&stash, owners, sink)
    })
    .await?)
}

fn scan_for(run: &Run, stash: &Stash) -> std::io::Result<Scan> {
    let mut wanted: Vec<u32> = stash
        .heads()
        .filter_map(|head| head.inode)
        .map(std::num::NonZeroU32::get)
        .collect();
    wanted.extend(Others::of(&run.ends, stash).inodes);
    wanted.sort_unstable();
    if wanted.is_empty() {
        return Ok(Scan {
            walk: Walk::default(),
            how: How::NotLooked,
        });
    }
    scan(&run.plan, &run.root, Some(&wanted))
}

/// The state of one capture.
struct Run {
    plan: Arc<CapturePlan>,
    /// The part of the filter that looks at sockets alone.
    prefilter: Option<Expr>,
    root: ProcRoot,
    learner: Learner,
    ends: Ends,
    half_open: HalfOpen,
    gaps: Vec<Gap>,
    owners_by: How,
    taken_at: SystemTime,
}

impl Run {
    fn new(plan: Arc<CapturePlan>) -> Self {
        let root = plan
            .proc_root
            .clone()
            .map_or_else(ProcRoot::default, ProcRoot::given);
        Self {
            prefilter: plan.filter.as_ref().and_then(Expr::without_owners),
            learner: Learner::new(plan.names, root.clone()),
            ends: Ends::of(plan.peers),
            half_open: HalfOpen::new(plan.half_open),
            root,
            plan,
            gaps: Vec::new(),
            owners_by: How::NotLooked,
            taken_at: SystemTime::now(),
        }
    }

    fn waits(&self) -> bool {
        self.plan.owners
            || self.ends.is_asked()
            || self.half_open.is_asked()
            || self.learner.wants_all_at_once()
    }

    fn context(&mut self) -> Context {
        Context {
            netns: namespaces::own_netns(&self.root),
            as_root: rustix::process::geteuid().is_root(),
            ..Context::default()
        }
    }

    /// Nothing to wait for: rows go out as they are read.
    fn straight<S: Sink>(mut self, mut sink: S) -> (S, Captured) {
        let owners = Owners::not_asked();
        let mut context = self.context();
        let mut handed = Handed::default();
        let mut tables = Tables::open(&self.root);
        let (plan, learner) = (&self.plan, &mut self.learner);
        tables.read(&plan.dumps, &mut |sockets| {
            for socket in &*sockets {
                learner.learn(socket);
            }
            std::mem::swap(&mut context.names, &mut learner.names);
            let flow = handed.hand(sockets, plan.filter.as_ref(), &owners, &context, &mut sink);
            std::mem::swap(&mut context.names, &mut learner.names);
            flow
        });
        self.gaps.append(&mut tables.gaps);
        context.names = std::mem::take(&mut self.learner.names);
        (sink, self.captured(owners, context, &handed))
    }

    /// Packs the rows that may be wanted.
    fn stash(mut self) -> (Self, Stash) {
        let mut stash = Stash::default();
        let mut context = self.context();
        let nobody = Owners::not_asked();
        let mut tables = Tables::open(&self.root);
        let (plan, learner, prefilter) = (&self.plan, &mut self.learner, self.prefilter.as_ref());
        let (ends, half_open) = (&mut self.ends, &mut self.half_open);
        tables.read(&plan.dumps, &mut |sockets| {
            for socket in &*sockets {
                learner.learn(socket);
                ends.add(socket);
                half_open.add(socket);
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
            ControlFlow::Continue(())
        });
        self.gaps.append(&mut tables.gaps);
        if !plan.others.is_empty() {
            // What is missing of these tables was missing above already.
            Tables::open(&self.root).read(&plan.others, &mut |sockets| {
                for socket in &*sockets {
                    ends.add(socket);
                    half_open.add(socket);
                }
                ControlFlow::Continue(())
            });
        }
        ends.finish();
        half_open.finish();
        (self, stash)
    }

    /// Unpacks the rows, now that their owners are known.
    fn hand_out<S: Sink>(mut self, stash: &Stash, owners: Owners, mut sink: S) -> (S, Captured) {
        let mut context = self.context();
        context.peers = Peers::new(std::mem::take(&mut self.ends), &owners, stash);
        context.half_open = std::mem::take(&mut self.half_open);
        self.read_processes(stash, &owners, &mut context);
        if self.learner.wants_all_at_once() {
            let mut numbers = Numbers::default();
            let mut slot = Socket::BLANK;
            let mut reader = stash.reader();
            while reader.next_into(&mut slot) {
                numbers.add(&slot, self.plan.names.hosts);
            }
            numbers
                .uids
                .extend(context.processes.values().filter_map(|process| process.uid));
            self.learner.look_up(numbers);
        }
        context.names = std::mem::take(&mut self.learner.names);
        let mut handed = Handed::default();
        let mut batch = vec![Socket::BLANK; BATCH.min(stash.len())];
        let mut reader = stash.reader();
        loop {
            let mut filled = 0;
            while let Some(slot) = batch.get_mut(filled) {
                if !reader.next_into(slot) {
                    break;
                }
                filled += 1;
            }
            let Some(sockets) = batch.get_mut(..filled).filter(|sockets| !sockets.is_empty()) else {
                break;
            };
            if handed
                .hand(sockets, self.plan.filter.as_ref(), &owners, &context, &mut sink)
                .is_break()
            {
                break;
            }
        }
        (sink, self.captured(owners, context, &handed))
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
        pids.extend(context.peers.pids(stash));
        pids.sort_unstable();
        pids.dedup();
        let (processes, late) = facts::read(&self.root, &pids, self.plan.facts);
        context.processes = processes;
        if late > 0 {
            let message = format!("the command lines of {late} processes could not be read in time");
            self.gaps
                .push(Gap::loss("cmdline-late", message).with_count(late.into()));
        }
    }

    fn captured(mut self, owners: Owners, context: Context, handed: &Handed) -> Captured {
        self.gaps.append(&mut self.learner.gaps);
        Captured {
            owners,
            context,
            gaps: self.gaps,
            by_status: handed.by_status,
            undecided: handed.undecided,
            owners_by: self.owners_by,
            taken_at: self.taken_at,
        }
    }
}

/// Counts of what went to the sink.
#[derive(Default)]
struct Handed {
    by_status: [u64; OwnerStatus::ALL.len()],
    undecided: u64,
}

impl Handed {
    /// Moves the wanted sockets to the front, in their order, and hands them to the sink.
    fn hand<S: Sink>(
        &mut self,
        sockets: &mut [Socket],
        filter: Option<&Expr>,
        owners: &Owners,
        context: &Context,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let mut kept = 0;
        for index in 0..sockets.len() {
            let Some(socket) = sockets.get(index) else { break };
            let ownership = owners.of(socket);
            if let Some(filter) = filter {
                match filter.matches(&Row {
                    socket,
                    ownership,
                    context,
                }) {
                    Match::Yes => {}
                    Match::No => continue,
                    Match::OwnersUnknown => {
                        self.undecided += 1;
                        continue;
                    }
                }
            }
            self.by_status[ownership.status as usize] += 1;
            if kept != index {
                sockets.swap(kept, index);
            }
            kept += 1;
        }
        match sockets.get_mut(..kept) {
            Some(wanted) if kept > 0 => sink.take(wanted, owners, context),
            _ => ControlFlow::Continue(()),
        }
    }
}
