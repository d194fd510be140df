//! The processes above a process.

/// A process above another one. Its texts are its own words: escape them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub pid: u32,
    /// The kernel's name for its main thread (`/proc/PID/comm`); empty if not readable.
    pub comm: Vec<u8>,
    /// Its arguments; empty if not readable.
    pub arguments: Vec<Vec<u8>>,
}
