//! The verdict on one attempt to bind a port, as data.

use super::errors::{Errno, Refusal};
use super::existing::How;
use super::missing::Missing;
use super::role::Role;
use super::rules::Sharing;

/// What a call would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Ok,
    /// It fails.
    Fails(Errno),
    /// It depends on a fact that could not be read.
    Undecidable,
}

impl Outcome {
    /// `ok`, `undecidable` or the error's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fails(errno) => errno.name(),
            Self::Undecidable => "undecidable",
        }
    }
}

/// The verdict on one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What bind does.
    pub bind: Outcome,
    /// What listen does then; `None` if it is not reached or not part of the question.
    pub listen: Option<Outcome>,
    /// The reason.
    pub code: Code,
    /// What was found, the most important first. Sockets are given by their index in the input.
    pub findings: Vec<Finding>,
    /// For port 0: the minimum number of ports that are left to choose from.
    pub ports_left: Option<usize>,
}

impl Verdict {
    /// The verdict if sockets may be missing from the input: a failure remains one, success becomes unknown.
    #[must_use]
    pub fn with_sockets_missing(self) -> Self {
        match self.bind {
            Outcome::Ok => Self::unknown(self.listen, self.findings),
            Outcome::Fails(_) | Outcome::Undecidable => self,
        }
    }

    /// The verdict if sockets may be missing and a trial bind was made, which succeeded or met a socket that is not
    /// listed.
    #[must_use]
    pub fn with_trial(self, is_free: bool) -> Self {
        match self.bind {
            Outcome::Ok if !is_free => Self {
                bind: Outcome::Fails(Errno::Eaddrinuse),
                listen: None,
                code: Code::Taken(Role::Bound),
                ..self
            },
            _ => self,
        }
    }

    /// The verdict if nothing is known about the machine.
    #[must_use]
    pub fn with_system_missing(self) -> Self {
        match self.code {
            Code::Refused(_) => Self::unknown(self.listen, self.findings),
            _ => self.with_sockets_missing(),
        }
    }

    fn unknown(listen: Option<Outcome>, findings: Vec<Finding>) -> Self {
        Self {
            bind: Outcome::Undecidable,
            listen: listen.map(|_| Outcome::Undecidable),
            code: Code::Unreadable(Missing::Socket),
            findings,
            ports_left: None,
        }
    }
}

/// The reason for a verdict on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nothing blocks, and no other socket is on the port.
    Free,
    /// It works alongside existing sockets.
    Shared(Sharing),
    /// Another socket has the port; the role of the most important one.
    Taken(Role),
    /// `SO_REUSEPORT` is requested, but an existing socket lacks it or has another owner.
    ReuseportMismatch,
    /// UDP sockets with different options are on the port; the result depends on the order in which they were bound.
    OrderDependent,
    /// An unknown option or owner of an existing socket decides.
    Unreadable(Missing),
    /// Refused, regardless of who uses the port.
    Refused(Refusal),
    /// Port 0, but no port of the range is left.
    RangeExhausted,
}

impl Code {
    /// Every code that a verdict on a port can have, in the order of the schema.
    pub const NAMES: [&'static str; 22] = [
        Self::Free.name(),
        Self::Shared(Sharing::ReuseAddr).name(),
        Self::Shared(Sharing::ReusePort).name(),
        Role::Listener.name(),
        Role::Bound.name(),
        Role::Ephemeral.name(),
        Role::Queued.name(),
        Role::Accepted.name(),
        Role::Connected.name(),
        Role::Orphan.name(),
        Role::TimeWait.name(),
        Self::ReuseportMismatch.name(),
        Self::OrderDependent.name(),
        Self::Unreadable(Missing::ReuseFlags).name(),
        Self::Refused(Refusal::NoIpv6).name(),
        Self::Refused(Refusal::MulticastStream).name(),
        Self::Refused(Refusal::PrivilegedPort).name(),
        Self::Refused(Refusal::MappedV6only).name(),
        Self::Refused(Refusal::NoScope).name(),
        Self::Refused(Refusal::NoDevice).name(),
        Self::Refused(Refusal::NotLocal).name(),
        Self::RangeExhausted.name(),
    ];

    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Shared(Sharing::ReuseAddr) => "shared-reuseaddr",
            Self::Shared(Sharing::ReusePort) => "shared-reuseport",
            Self::Taken(role) => role.name(),
            Self::ReuseportMismatch => "reuseport-mismatch",
            Self::OrderDependent => "order-dependent",
            Self::Unreadable(_) => "unreadable",
            Self::Refused(Refusal::NoIpv6) => "no-ipv6",
            Self::Refused(Refusal::MulticastStream) => "multicast-stream",
            Self::Refused(Refusal::PrivilegedPort) => "privileged-port",
            Self::Refused(Refusal::MappedV6only) => "mapped-v6only",
            Self::Refused(Refusal::NoScope) => "no-scope",
            Self::Refused(Refusal::NoDevice) => "no-device",
            Self::Refused(Refusal::NotLocal) => "address-not-local",
            Self::RangeExhausted => "range-exhausted",
        }
    }
}

/// One finding of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means for the attempt.
    pub effect: Effect,
    /// What the socket is.
    pub role: Role,
    /// The socket, by its index in the input.
    pub socket: usize,
}

/// What a socket means for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It makes bind fail.
    Blocks {
        /// How that is known.
        how: How,
        /// For a `SO_REUSEPORT` attempt: why the two cannot share.
        mismatch: Option<Mismatch>,
    },
    /// It may make bind fail; this unknown fact decides.
    MayBlock {
        /// What is unknown.
        missing: Missing,
    },
    /// The port is shared with it.
    Shares {
        /// The option that both have.
        by: Sharing,
        /// How that is known.
        how: How,
    },
}

/// Why two sockets cannot share a port although the new one has `SO_REUSEPORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The existing socket lacks it.
    Flag,
    /// It belongs to another user.
    Uid,
}
