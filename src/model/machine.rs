//! The machine and the run that a capture comes from.

use std::time::SystemTime;

use super::Name;

/// What distinguishes captures from different machines. Clones of an image may share a machine id, but not a boot id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its host name.
    pub host: Option<Name>,
    /// Its machine id (machine-id(5)), 32 hexadecimal digits.
    pub machine_id: Option<Name>,
    /// The id of this boot: a UUID.
    pub boot_id: Option<Name>,
}

/// The run: when it began, and on which machine, if requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The machine.
    pub machine: Machine,
    /// When the run began; `None` for a context that no run made.
    pub taken_at: Option<SystemTime>,
}
