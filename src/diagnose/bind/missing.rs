//! Unknown facts that decide whether bind works.

/// A fact about an existing socket that decides but could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Whether it has `SO_REUSEADDR`.
    ReuseAddr,
    /// Whether it has `SO_REUSEPORT`.
    ReusePort,
    /// Either of the two.
    ReuseFlags,
    /// Whether it has `IPV6_V6ONLY`.
    V6only,
    /// Who owns it.
    Uid,
    /// What this kernel does, if its version does not determine it.
    Kernel,
    /// Whether it exists at all: its table was not read, or a recording lacks it.
    Socket,
}

impl Missing {
    /// The option's or fact's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReuseAddr => "SO_REUSEADDR",
            Self::ReusePort => "SO_REUSEPORT",
            Self::ReuseFlags => "SO_REUSEADDR and SO_REUSEPORT",
            Self::V6only => "IPV6_V6ONLY",
            Self::Uid => "owner uid",
            Self::Kernel => "kernel's rule",
            Self::Socket => "sockets on that port",
        }
    }
}
