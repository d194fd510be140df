//! The part of a filter that the kernel can check while it dumps IP sockets.
//!
//! These are the tests of INET_DIAG_REQ_BYTECODE (linux 6.18 net/ipv4/inet_diag.c), as a tree.
//! `source::netlink::bytecode` encodes them.

use std::fmt;
use std::num::NonZeroU64;

use crate::model::{End, Prefix};

/// A condition that the kernel can check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// True or false for every socket.
    Constant(bool),
    /// All of them.
    And(Vec<Condition>),
    /// At least one of them.
    Or(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// One test.
    Ask(Question),
}

/// One test by the kernel. Ports are in host byte order, a missing port is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The port is at least this.
    PortAtLeast(End, u16),
    /// The port is at most this.
    PortAtMost(End, u16),
    /// The port is this.
    PortIs(End, u16),
    /// The address is inside, and the port is this if one is given.
    Address(End, Prefix, Option<u16>),
    /// Bound to the interface with this index; 0 for none. Since linux 4.8.
    Interface(u32),
    /// `mark & mask == value`; needs `CAP_NET_ADMIN`. Since linux 4.9.
    Mark {
        /// The value after masking.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// The v2 cgroup has this id. Since linux 5.8.
    Cgroup(NonZeroU64),
    /// The port was not chosen by `bind`.
    Autobound,
}

impl Condition {
    /// All of them, simplified.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Constant(true) => {}
                Self::Constant(false) => return part,
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Self::Constant(true),
            1 => kept.remove(0),
            _ => Self::And(kept),
        }
    }

    /// At least one of them, simplified.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Constant(false) => {}
                Self::Constant(true) => return part,
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Self::Constant(false),
            1 => kept.remove(0),
            _ => Self::Or(kept),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Constant(truth) => Self::Constant(!truth),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Returns a condition that holds wherever this one does and uses only `supported` tests.
    #[must_use]
    pub fn weakened(&self, supported: &impl Fn(&Question) -> bool) -> Self {
        self.approximated(true, supported)
    }

    fn approximated(&self, over: bool, supported: &impl Fn(&Question) -> bool) -> Self {
        match self {
            Self::Constant(_) => self.clone(),
            Self::And(parts) => Self::and(parts.iter().map(|part| part.approximated(over, supported))),
            Self::Or(parts) => Self::or(parts.iter().map(|part| part.approximated(over, supported))),
            Self::Not(inner) => inner.approximated(!over, supported).negated(),
            Self::Ask(question) if supported(question) => self.clone(),
            Self::Ask(_) => Self::Constant(over),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    part => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Constant(true) => f.write_str("everything"),
            Self::Constant(false) => f.write_str("nothing"),
            Self::And(parts) => joined(f, parts, "and"),
            Self::Or(parts) => joined(f, parts, "or"),
            Self::Not(inner) => match &**inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                inner => write!(f, "not {inner}"),
            },
            Self::Ask(question) => write!(f, "{question}"),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |end: &End| match end {
            End::Local => "sport",
            End::Peer => "dport",
        };
        let address = |end: &End| match end {
            End::Local => "src",
            End::Peer => "dst",
        };
        match self {
            Self::PortAtLeast(end, number) => write!(f, "{} >= {number}", port(end)),
            Self::PortAtMost(end, number) => write!(f, "{} <= {number}", port(end)),
            Self::PortIs(end, number) => write!(f, "{} = {number}", port(end)),
            Self::Address(end, prefix, None) => write!(f, "{} {prefix}", address(end)),
            Self::Address(end, prefix, Some(number)) => write!(f, "{} {prefix}:{number}", address(end)),
            Self::Interface(index) => write!(f, "dev {index}"),
            Self::Mark { value, mask } => write!(f, "fwmark {value:#x}/{mask:#x}"),
            Self::Cgroup(id) => write!(f, "cgroup id {id}"),
            Self::Autobound => f.write_str("autobound"),
        }
    }
}
