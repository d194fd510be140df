//! What a rule does with a packet.

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The next expression or match.
    Next,
    /// The next rule.
    Break,
    /// The packet passes this chain and those that called it.
    Accept,
    /// It is dropped.
    Drop,
    /// It is dropped, and the sender is notified.
    Reject(Refusal),
    /// Back to the calling chain.
    Return,
    /// A chain, by its index, that returns.
    Jump(usize),
    /// One that does not.
    Goto(usize),
}

/// How the sender is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By a TCP reset.
    Reset,
    /// By an ICMP error "unreachable" with this code.
    Unreachable(u8),
}
