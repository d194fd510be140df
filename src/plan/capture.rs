//! What is captured: the tables, the owners, the names.

use std::path::PathBuf;

use super::Dump;
use crate::query::Expr;

/// Everything that the capture has to know.
#[derive(Clone, Debug, Default)]
pub struct CapturePlan {
    /// The tables to read, in this order.
    pub dumps: Vec<Dump>,
    /// Which rows are wanted.
    pub filter: Option<Expr>,
    /// Whether owners are looked for.
    pub owners: bool,
    /// How much of each owner is read.
    pub facts: Facts,
    /// Which names are looked up beside those of interfaces.
    pub names: NamesWanted,
    /// Another root than /proc (`--proc-root`); nothing is asked by netlink then.
    pub proc_root: Option<PathBuf>,
}

/// How much is wanted to be known of each process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facts {
    /// The kernel's short name.
    #[default]
    Comm,
    /// Everything in [`crate::model::Process`].
    Full,
}

/// Which names are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamesWanted {
    /// Login names.
    pub users: bool,
    /// Paths of cgroups.
    pub cgroups: bool,
    /// Host and service names (`-r`).
    pub hosts: bool,
}

impl CapturePlan {
    /// Whether every table is small whatever the machine does, so that owners can be looked for afterwards,
    /// and only for what was found.
    pub fn is_small(&self) -> bool {
        self.dumps.iter().all(Dump::is_small)
    }
}
