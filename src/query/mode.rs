//! What the bare words of a filter refer to.

/// What bare words refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A port, address or unix name on either end.
    List,
    /// The local end only: a process that connects to a port does not hold it.
    Kill,
}
