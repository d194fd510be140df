//! The ancestors of a process.

/// An ancestor of a process. The process controls these texts, so they must be escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub pid: u32,
    /// The kernel's name for its main thread (`/proc/PID/comm`); empty if not readable.
    pub comm: Vec<u8>,
    /// Its arguments; empty if not readable.
    pub arguments: Vec<Vec<u8>>,
}
