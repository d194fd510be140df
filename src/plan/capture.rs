//! What is captured: the tables, the owners, the names.

use std::path::PathBuf;

use super::Dump;
use crate::join::Kinds;
use crate::model::{Protocol, State, StateSet};
use crate::query::Expr;
use crate::source::netns::Views;

/// Everything that the capture has to know.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is looked for on its own")]
pub struct CapturePlan {
    /// The tables to read, in this order.
    pub dumps: Vec<Dump>,
    /// Names of tables that were asked for and that no dump reads.
    pub absent: Vec<&'static str>,
    /// Whether sockets that no dump tells of are looked for among the descriptors. The dumps are of all sockets then.
    pub undumped: bool,
    /// Which rows are wanted.
    pub filter: Option<Expr>,
    /// Whether owners are looked for.
    pub owners: bool,
    /// How they are looked for.
    pub owners_by: OwnersBy,
    /// Whose other ends are looked for.
    pub peers: Kinds,
    /// Whether half-open connections are counted by listener.
    pub half_open: bool,
    /// Tables that are read for other ends and half-open connections alone, where those above leave some out.
    pub others: Vec<Dump>,
    /// How much of each owner is read.
    pub facts: Facts,
    /// Whether the security contexts of sockets are read.
    pub socket_contexts: bool,
    /// Which names are looked up beside those of interfaces.
    pub names: NamesWanted,
    /// The network namespaces that are read, found beforehand; only the caller's if there are none.
    pub views: Views,
    /// Another root than /proc (`--proc-root`); nothing is asked by netlink then.
    pub proc_root: Option<PathBuf>,
}

/// How owners are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OwnersBy {
    /// By the kernel's BPF iterator where that is permitted and worth it, else by /proc
    #[default]
    Auto,
    /// By the BPF iterator; by /proc if the kernel refuses it
    Bpf,
    /// By walking over /proc
    Proc,
}

/// How much is wanted to be known of each process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facts {
    /// The kernel's short name.
    #[default]
    Comm,
    /// Everything in [`crate::model::Process`] but its security context.
    Full,
    /// Everything.
    Contexts,
}

impl Facts {
    /// As much as is needed where security contexts are, and where more is than a short name.
    pub fn of(contexts: bool, more: bool) -> Self {
        match (contexts, more) {
            (true, _) => Self::Contexts,
            (false, true) => Self::Full,
            (false, false) => Self::Comm,
        }
    }
}

/// Which names are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is looked up on its own")]
pub struct NamesWanted {
    /// Login names.
    pub users: bool,
    /// Paths of cgroups.
    pub cgroups: bool,
    /// The name of the caller's own network namespace.
    pub namespaces: bool,
    /// Host and service names (`-r`).
    pub hosts: bool,
}

impl CapturePlan {
    /// Whether every table is small whatever the machine does, so that owners can be looked for afterwards,
    /// and only for what was found.
    pub fn is_small(&self) -> bool {
        self.dumps.iter().all(Dump::is_small)
    }

    /// Whether only sockets that are not connected are wanted.
    pub fn is_listeners_only(&self) -> bool {
        let unconnected = StateSet::of_all(&[State::Listen, State::Unconnected, State::Bound]);
        self.dumps.iter().all(|dump| {
            let datagram_with_a_peer = dump.protocol == Protocol::Unix;
            !datagram_with_a_peer && dump.states.without(unconnected).is_empty()
        })
    }
}
