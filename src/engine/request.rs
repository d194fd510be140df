//! The request of a run: tables, owners, names.

use std::path::PathBuf;

use crate::model::reachable::Reachability;
use crate::model::request::{Dump, Facts, NamesWanted, OwnersBy, PeerKinds};
use crate::model::{Printed, Protocol, State, StateSet};
use crate::query::Expr;
use crate::source::netns::Views;

/// What a run reads from the machine. The default reads nothing.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is looked for on its own")]
pub struct Request {
    /// The tables to read, in this order.
    pub dumps: Vec<Dump>,
    /// Whether to search descriptors for sockets that are missing from every dump. The dumps must then cover all
    /// sockets.
    pub descriptor_only: bool,
    /// Which rows are wanted.
    pub filter: Option<Expr>,
    /// Whether to find owners.
    pub owners: bool,
    /// How to find them.
    pub owners_by: OwnersBy,
    /// Which rows' other ends to find.
    pub peers: PeerKinds,
    /// Whether to count half-open connections per listener.
    pub half_open: bool,
    /// Which listeners clients on other machines can reach, determined beforehand.
    pub reachability: Reachability,
    /// Further tables to read for other ends and half-open connections only.
    pub others: Vec<Dump>,
    /// How much to read about each owner.
    pub facts: Facts,
    /// Which arguments of programs are printed.
    pub arguments: Printed,
    /// Whether to read the security contexts of sockets.
    pub socket_contexts: bool,
    /// Which names to look up, in addition to those of interfaces.
    pub names: NamesWanted,
    /// Whether rows may come in any order, so that memory use does not grow with their number.
    pub unordered: bool,
    /// The network namespaces to read; if empty, only the caller's.
    pub views: Views,
    /// A root other than /proc (`--proc-root`); netlink is not used then.
    pub proc_root: Option<PathBuf>,
}

impl Request {
    /// Returns whether every table is small on any machine, so that owners can be searched for afterwards, and only
    /// those of the rows found.
    pub fn is_small(&self) -> bool {
        self.dumps.iter().all(Dump::is_small)
    }

    /// Returns whether only unconnected sockets are wanted.
    pub fn is_listeners_only(&self) -> bool {
        let unconnected = StateSet::of_all(&[State::Listen, State::Unconnected, State::Bound]);
        let all = |dump: &Dump| {
            let datagram_with_a_peer = dump.protocol == Protocol::Unix;
            !datagram_with_a_peer && dump.states.without(unconnected).is_empty()
        };
        !self.dumps.is_empty() && self.dumps.iter().all(all)
    }
}
