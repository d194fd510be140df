//! What a run wants: the tables, the owners, the names.

use std::path::PathBuf;

use crate::model::request::{Dump, Facts, NamesWanted, OwnersBy, PeerKinds};
use crate::model::{Protocol, State, StateSet};
use crate::query::Expr;
use crate::source::netns::Views;

/// What is wanted of the machine. The default wants nothing.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is looked for on its own")]
pub struct Request {
    /// The tables to read, in this order.
    pub dumps: Vec<Dump>,
    /// Names of tables that were asked for and that no dump reads.
    pub absent: Vec<&'static str>,
    /// Whether sockets that are missing from every dump are looked for among the descriptors. The dumps are of all
    /// sockets then.
    pub descriptor_only: bool,
    /// Which rows are wanted.
    pub filter: Option<Expr>,
    /// Whether owners are looked for.
    pub owners: bool,
    /// How they are looked for.
    pub owners_by: OwnersBy,
    /// Whose other ends are looked for.
    pub peers: PeerKinds,
    /// Whether half-open connections are counted by listener.
    pub half_open: bool,
    /// Tables that are read for other ends and half-open connections alone, where those above leave some out.
    pub others: Vec<Dump>,
    /// How much of each owner is read.
    pub facts: Facts,
    /// Whether the security contexts of sockets are read.
    pub socket_contexts: bool,
    /// Which names are looked up, in addition to those of interfaces.
    pub names: NamesWanted,
    /// The network namespaces that are read, found beforehand; only the caller's if there are none.
    pub views: Views,
    /// Another root than /proc (`--proc-root`); nothing is asked by netlink then.
    pub proc_root: Option<PathBuf>,
}

impl Request {
    /// Whether every table is small whatever the machine does, so that owners can be looked for afterwards,
    /// and only for what was found.
    pub fn is_small(&self) -> bool {
        self.dumps.iter().all(Dump::is_small)
    }

    /// Whether only sockets that are not connected are wanted.
    pub fn is_listeners_only(&self) -> bool {
        let unconnected = StateSet::of_all(&[State::Listen, State::Unconnected, State::Bound]);
        let all = |dump: &Dump| {
            let datagram_with_a_peer = dump.protocol == Protocol::Unix;
            !datagram_with_a_peer && dump.states.without(unconnected).is_empty()
        };
        !self.dumps.is_empty() && self.dumps.iter().all(all)
    }
}
