//! What a rule does with a packet.

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Continue with the next expression or match.
    Next,
    /// Continue with the next rule.
    Break,
    /// Accept: the packet passes this chain and those that called it.
    Accept,
    /// Drop the packet.
    Drop,
    /// Drop the packet and notify the sender.
    Reject(Refusal),
    /// Return to the calling chain.
    Return,
    /// Jump to a chain, given by its index, and come back.
    Jump(usize),
    /// Go to a chain, without coming back.
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
