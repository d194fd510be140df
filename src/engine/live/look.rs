//! What one look found.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Accepting, Figures, Scope};
use crate::engine::{Request, namespaces};
use crate::model::{Gap, Key, Protocol, Socket, Store};
use crate::source::proc::ProcRoot;
use crate::source::system;

/// One look.
#[derive(Debug, Default)]
pub struct Look {
    /// The sockets; without details for those of which there may be many.
    pub sockets: Store,
    /// While a recording is made, all sockets, whatever was selected.
    pub recorded: Option<Store>,
    /// The counters of TCP connections, by cookie; `None` if they were not read.
    pub figures: Option<Vec<(NonZeroU64, Figures)>>,
    /// How many were left out because they have no cookie.
    pub nameless: u64,
    /// How many were left out because the filter needs an owner that is unknown.
    pub undecided: u64,
    /// Ports with listeners, even if the filter leaves these out; empty without a filter, or if the scope is not all.
    pub accepting: Accepting,
    /// Whether the listeners that the filter leaves out could not be read.
    pub lacks_listeners: bool,
    /// The ports that the kernel chooses for connections that are opened from here; `None` if unknown.
    pub chosen: Option<RangeInclusive<u16>>,
    /// Sockets that still exist but no longer match the filter.
    pub left: BTreeSet<Key>,
    /// Sockets that match the filter again.
    pub returned: BTreeSet<Key>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// The processor time that the search for owners took; `None` if none was needed.
    pub owners_cost: Option<Duration>,
}

impl Look {
    /// Keeps the counters of a connection, if they were read.
    pub(super) fn note_figures(&mut self, socket: &Socket) {
        if let (Some(all), Some(cookie)) = (&mut self.figures, socket.cookie) {
            all.extend(Figures::of(socket).map(|figures| (cookie, figures)));
        }
    }

    /// Sorts the counters: here rather than where they are drawn, because a key must not wait for it.
    pub(super) fn sort_figures(&mut self) {
        if let Some(figures) = &mut self.figures {
            figures.sort_unstable_by_key(|(cookie, _)| *cookie);
        }
    }

    /// Drops the counters of connections that are not among the sockets.
    pub(super) fn forget_other_figures(&mut self) {
        if let Some(figures) = &mut self.figures {
            let sockets = &self.sockets;
            figures.retain(|(cookie, _)| sockets.contains((Protocol::Tcp, *cookie)));
            figures.shrink_to_fit();
        }
    }

    /// Adds a socket.
    pub(super) fn add(&mut self, socket: &mut Socket) {
        forget_details(socket);
        self.nameless += u64::from(!self.sockets.insert(socket));
    }
}

/// The ports that the kernel chooses for connections that are opened from here.
pub(super) fn chosen_ports(request: &Request, root: &ProcRoot) -> Option<RangeInclusive<u16>> {
    if request.views.views.is_empty() {
        return system::local_port_range(root);
    }
    let mut chosen = None;
    namespaces::inside(&request.views, 0, || chosen = system::local_port_range(root));
    chosen
}

/// Drops the details of a socket, unless it is one of few.
pub(super) fn forget_details(socket: &mut Socket) {
    if !Scope::Waiting.covers(socket.protocol, socket.state) {
        socket.details.clear();
    }
}
