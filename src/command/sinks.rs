//! Sinks that print rows at once, or collect them as groups or as a set of process ids.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::out::Blocks;
use crate::engine::Sink;
use crate::model::{Context, Owners, Row};
use crate::model::{Socket, State};
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
        // Stops now, because the next row may take long to arrive.
        if self.rows >= self.limit {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Counts rows by group.
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

/// A socket with its context.
pub(super) fn row<'a>(socket: &'a Socket, owners: &'a Owners, context: &'a Context) -> Row<'a> {
    Row {
        socket,
        ownership: owners.of(socket),
        context,
    }
}
