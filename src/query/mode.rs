//! What the bare words of a filter are about.

/// What bare words are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A port, address or unix name may stand on either side.
    List,
    /// It is our side: who connects to a port is not who has it.
    Kill,
}
