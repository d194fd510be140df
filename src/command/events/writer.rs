//! Writes events: looks up owners and names of their sockets, applies the filter, and writes the lines.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use super::text::Shown;
use crate::command::out::{self, Blocks};
use crate::command::sinks::row;
use crate::engine::Request;
use crate::engine::follow::{Event, Happened};
use crate::engine::{Captured, around, around_all};
use crate::model::{Key, OwnerStatus, Socket, StateSet, Store};
use crate::query::Match;

/// What is written, and the owners and names of the sockets that are followed.
pub(super) struct Writer {
    plan: Arc<Request>,
    shown: Shown,
    /// The requested states; `None` for every event.
    states: Option<StateSet>,
    /// How many events are still to be written.
    left: usize,
    around: BTreeMap<Key, Arc<Captured>>,
    blocks: Blocks,
    quiet: bool,
    undecided_said: bool,
}

impl Writer {
    pub(super) fn new(
        plan: Arc<Request>,
        shown: Shown,
        states: Option<StateSet>,
        limit: Option<usize>,
        quiet: bool,
    ) -> Self {
        Self {
            plan,
            shown,
            states,
            left: limit.unwrap_or(usize::MAX),
            around: BTreeMap::new(),
            blocks: Blocks::default(),
            quiet,
            undecided_said: false,
        }
    }

    /// Looks up owners and names of the sockets that exist at the beginning, and writes the heading.
    ///
    /// # Errors
    /// If owners are wanted and /proc cannot be listed.
    pub(super) fn begin(&mut self, look: &Store) -> io::Result<ControlFlow<()>> {
        let found = Arc::new(around_all(&self.plan, look)?);
        self.around
            .extend(look.keys().map(|(key, _)| (key, Arc::clone(&found))));
        self.shown.push_header(&mut self.blocks.pending);
        Ok(self.flush())
    }

    /// Reports that the kernel had no room for some messages.
    pub(super) fn lost(&mut self, at: SystemTime) {
        if !self.quiet {
            out::complain("the kernel lost some of its messages; reading the tables again\n");
        }
        self.shown.push_lost(&mut self.blocks.pending, at);
    }

    /// Writes the events that are wanted, at once. `Break` when enough were written, or nobody reads any more.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(super) fn write(&mut self, events: &[Event], at: SystemTime) -> io::Result<ControlFlow<()>> {
        let strange: Vec<&Socket> = events
            .iter()
            .map(|event| &event.socket)
            .filter(|socket| !self.is_known(socket))
            .collect();
        if !strange.is_empty() {
            self.learn(&strange)?;
        }
        for event in events {
            if self.left == 0 {
                break;
            }
            self.write_one(event, at);
        }
        let flow = self.flush();
        Ok(if self.left == 0 {
            ControlFlow::Break(())
        } else {
            flow
        })
    }

    fn write_one(&mut self, event: &Event, at: SystemTime) {
        let Some(key) = event.socket.identity() else {
            return;
        };
        let is_over = matches!(event.happened, Happened::Closed | Happened::ClosedUnseen);
        let around = if is_over {
            self.around.remove(&key)
        } else {
            self.around.get(&key).cloned()
        };
        let Some(around) = around.filter(|_| self.wants_state(event)) else {
            return;
        };
        let mut row = row(&event.socket, &around.owners, &around.context);
        if event.happened == Happened::ClosedUnseen && self.plan.owners {
            // The owner is unknown; without an inode, the socket would look like a connection in a queue.
            row.ownership.status = OwnerStatus::Unknown;
            row.ownership.holders = &[];
        }
        match self
            .plan
            .filter
            .as_ref()
            .map_or(Match::Yes, |filter| filter.matches(&row))
        {
            Match::Yes => {
                self.shown
                    .push(&mut self.blocks.pending, event.happened, at, &row);
                self.left = self.left.saturating_sub(1);
            }
            Match::OwnersUnknown if !self.undecided_said && !self.quiet => {
                self.undecided_said = true;
                out::complain("some events are left out: the filter needs owners that are unknown\n");
            }
            Match::No | Match::OwnersUnknown => {}
        }
    }

    /// Whether the event is about one of the requested states: the previous one, or the current one. The state of a socket
    /// that no look has shown is unknown.
    fn wants_state(&self, event: &Event) -> bool {
        let Some(states) = self.states else { return true };
        match event.happened {
            Happened::Opened | Happened::Closed => states.contains(event.socket.state),
            Happened::Changed(from) => states.contains(from) || states.contains(event.socket.state),
            Happened::ClosedUnseen => false,
        }
    }

    /// Whether nothing more can be learnt about the socket. One that has been accepted since then has an owner now.
    fn is_known(&self, socket: &Socket) -> bool {
        let around = socket.identity().and_then(|key| self.around.get(&key));
        around.is_some_and(|around| {
            !self.plan.owners || socket.inode.is_none() || !around.owners.of(socket).holders.is_empty()
        })
    }

    fn learn(&mut self, sockets: &[&Socket]) -> io::Result<()> {
        let found = Arc::new(around(&self.plan, sockets)?);
        let keys = sockets.iter().filter_map(|socket| socket.identity());
        self.around.extend(keys.map(|key| (key, Arc::clone(&found))));
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// If something could not be written, unless the reader went away.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        self.blocks.finish()
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.blocks.pending.is_empty() {
            ControlFlow::Continue(())
        } else {
            self.blocks.flush()
        }
    }
}
