//! Hands rows to a sink: those that pass the filter, counted by what is known of their owners.

use std::ops::ControlFlow;

use super::Sink;
use crate::model::{Context, Owners, Row};
use crate::model::{OwnerStatus, Position, Socket, Stash};
use crate::query::{Expr, Match};

/// Sockets handed to a sink together when they come out of a stash.
const BATCH: usize = 256;

/// A sink, and how far it has come.
pub(super) struct Outlet<'a, S> {
    sink: S,
    filter: Option<&'a Expr>,
    counts: Counts,
    batch: Vec<Socket>,
    /// What was handed out of the stash.
    position: Position,
    /// The sink wants no more.
    over: bool,
}

/// Counts of the rows that were considered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Rows handed out, by [`OwnerStatus`] in the order of [`OwnerStatus::ALL`].
    pub(super) by_status: [u64; OwnerStatus::ALL.len()],
    /// Rows that the filter could not judge because their owner is not known.
    pub(super) undecided: u64,
}

impl<'a, S: Sink> Outlet<'a, S> {
    pub(super) fn new(sink: S, filter: Option<&'a Expr>) -> Self {
        Self {
            sink,
            filter,
            counts: Counts::default(),
            batch: Vec::new(),
            position: Position::default(),
            over: false,
        }
    }

    /// The sink again, and what was counted.
    pub(super) fn into_parts(self) -> (S, Counts) {
        (self.sink, self.counts)
    }

    /// Whether every row of the stash has been handed out, or no more are wanted.
    pub(super) fn is_done(&self, stash: &Stash) -> bool {
        self.over || self.position == stash.end()
    }

    /// Hands out the rest of a stash.
    pub(super) fn pour(&mut self, stash: &Stash, owners: &Owners, context: &Context) {
        while !self.is_done(stash) {
            let _ = self.pour_some(stash, owners, context, |_| true);
        }
    }

    /// Hands out the next rows of a stash as long as their holders are known, or known to be none, twice as many
    /// as usually come in at a time. `Break` when the sink wants no more.
    pub(super) fn pour_known(
        &mut self,
        stash: &Stash,
        owners: &Owners,
        context: &Context,
    ) -> ControlFlow<()> {
        let is_known = |inode: u32| !owners.holders().of(inode).is_empty();
        self.pour_some(stash, owners, context, is_known)?;
        self.pour_some(stash, owners, context, is_known)
    }

    /// Hands out a batch, up to the first row whose inode does not pass.
    fn pour_some(
        &mut self,
        stash: &Stash,
        owners: &Owners,
        context: &Context,
        passes: impl Fn(u32) -> bool,
    ) -> ControlFlow<()> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.resize(BATCH.min(stash.len()), Socket::BLANK);
        let mut reader = stash.reader_from(self.position);
        let mut filled = 0;
        for slot in &mut batch {
            let inode = reader.next_inode();
            if inode.is_some_and(|inode| !passes(inode.get())) || !reader.next_into(slot) {
                break;
            }
            filled += 1;
        }
        self.position = reader.position();
        let flow = self.hand(batch.get_mut(..filled).unwrap_or_default(), owners, context);
        self.batch = batch;
        flow
    }

    /// Moves the wanted sockets to the front, in their order, and hands them to the sink.
    pub(super) fn hand(
        &mut self,
        sockets: &mut [Socket],
        owners: &Owners,
        context: &Context,
    ) -> ControlFlow<()> {
        let mut kept = 0;
        for index in 0..sockets.len() {
            let Some(socket) = sockets.get(index) else { break };
            let ownership = owners.of(socket);
            if let Some(filter) = self.filter {
                match filter.matches(&Row {
                    socket,
                    ownership,
                    context,
                }) {
                    Match::Yes => {}
                    Match::No => continue,
                    Match::OwnersUnknown => {
                        self.counts.undecided += 1;
                        continue;
                    }
                }
            }
            self.counts.by_status[ownership.status as usize] += 1;
            if kept != index {
                sockets.swap(kept, index);
            }
            kept += 1;
        }
        let flow = match sockets.get_mut(..kept) {
            Some(wanted) if kept > 0 => self.sink.take(wanted, owners, context),
            _ => ControlFlow::Continue(()),
        };
        self.over |= flow.is_break();
        flow
    }
}
