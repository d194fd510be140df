//! The part of a filter that the kernel can check while it dumps IP sockets.
//!
//! These are the tests of INET_DIAG_REQ_BYTECODE (linux 6.18 net/ipv4/inet_diag.c), as a tree.
//! `source::netlink::bytecode` encodes them.

use std::fmt;
use std::num::NonZeroU64;

use crate::model::tree::{Test, Tree};
use crate::model::{End, Prefix};

/// A condition that the kernel can check.
pub type Condition = Tree<Question>;

/// One test by the kernel. Ports are in host byte order; a missing port is 0.
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

impl Test for Question {
    const FLATTENS: bool = false;
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
