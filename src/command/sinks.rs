//! Sinks: rows are printed at once, or collected as a snapshot, as groups, or as a set of process ids.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::out::Blocks;
use crate::engine::Sink;
use crate::model::{Context, Owners, Row};
use crate::model::{Socket, State};
use crate::query::sort::{self, SortKey};
use crate::render::groups::Groups;
use crate::render::lines::Lines;

/// Prints rows as they arrive.
pub(super) struct LineSink {
    lines: Lines,
    hide_time_wait: bool,
    limit: u64,
    pub(super) blocks: Blocks,
    pub(super) rows: u64,
}

impl LineSink {
    pub(super) fn new(lines: Lines, hide_time_wait: bool, limit: Option<usize>) -> Self {
        let mut blocks = Blocks::default();
        lines.push_header(&mut blocks.pending);
        Self {
            lines,
            hide_time_wait,
            limit: limit.map_or(u64::MAX, |limit| limit as u64),
            blocks,
            rows: 0,
        }
    }

    /// Prints one row. Returns `Break` if no more are wanted.
    pub(super) fn push(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        if self.rows >= self.limit {
            return ControlFlow::Break(());
        }
        self.rows += 1;
        self.lines.push_row(&mut self.blocks.pending, row);
        self.blocks.flush_if_full()
    }
}

impl Sink for LineSink {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            if self.hide_time_wait && socket.state == State::TimeWait {
                continue;
            }
            self.push(&row(socket, owners, context))?;
        }
        // Stop now: the next row may take long to arrive.
        if self.rows >= self.limit {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Collects rows that are sorted later; with a limit, little more than that many.
pub(super) struct Snapshot {
    pub(super) sockets: Vec<Socket>,
    order: Vec<SortKey>,
    limit: usize,
    hide_time_wait: bool,
    pub(super) hidden: u64,
    /// Rows that were handed over and not hidden, those beyond the limit included.
    pub(super) seen: u64,
}

impl Snapshot {
    pub(super) fn new(order: &[SortKey], limit: Option<usize>, hide_time_wait: bool) -> Self {
        Self {
            sockets: Vec::new(),
            order: order.to_vec(),
            limit: limit.unwrap_or(usize::MAX),
            hide_time_wait,
            hidden: 0,
            seen: 0,
        }
    }

    /// Sorts the rows.
    pub(super) fn sort(&mut self, owners: &Owners, context: &Context) {
        let order = &self.order;
        if order.is_empty() {
            self.sockets.sort_by(sort::by_default);
        } else {
            self.sockets.sort_by(|a, b| compare(order, a, b, owners, context));
        }
        self.sockets.truncate(self.limit);
    }

    /// Drops rows that cannot be among the first any more.
    fn prune(&mut self, owners: &Owners, context: &Context) {
        let (order, limit) = (&self.order, self.limit);
        if limit == 0 {
            self.sockets.clear();
        } else if self.sockets.len() > limit {
            self.sockets
                .select_nth_unstable_by(limit - 1, |a, b| compare(order, a, b, owners, context));
            self.sockets.truncate(limit);
        }
    }
}

fn compare(order: &[SortKey], a: &Socket, b: &Socket, owners: &Owners, context: &Context) -> Ordering {
    sort::by_keys(order, &row(a, owners, context), &row(b, owners, context))
}

impl Sink for Snapshot {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets {
            if self.hide_time_wait && socket.state == State::TimeWait {
                self.hidden += 1;
            } else {
                self.seen += 1;
                self.sockets.push(std::mem::replace(socket, Socket::BLANK));
            }
        }
        // Not at every row: pruning costs as much as reading the rows that arrived since.
        if self.sockets.len() / 2 > self.limit {
            self.prune(owners, context);
        }
        ControlFlow::Continue(())
    }
}

/// Counts rows.
pub(super) struct GroupSink {
    pub(super) groups: Groups,
    pub(super) hide_time_wait: bool,
}

impl Sink for GroupSink {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, context: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            if !self.hide_time_wait || socket.state != State::TimeWait {
                self.groups.add(&row(socket, owners, context));
            }
        }
        ControlFlow::Continue(())
    }
}

/// Collects the processes that hold rows.
#[derive(Default)]
pub(super) struct PidSink {
    pub(super) pids: BTreeSet<u32>,
}

impl Sink for PidSink {
    fn take(&mut self, sockets: &mut [Socket], owners: &Owners, _: &Context) -> ControlFlow<()> {
        for socket in sockets.iter() {
            let holders = owners.of(socket).holders.iter();
            self.pids.extend(holders.map(|holder| holder.pid));
        }
        ControlFlow::Continue(())
    }
}

/// A socket with what is known around it.
pub(super) fn row<'a>(socket: &'a Socket, owners: &'a Owners, context: &'a Context) -> Row<'a> {
    Row {
        socket,
        ownership: owners.of(socket),
        context,
    }
}
