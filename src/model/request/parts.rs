//! What a dump reports about each socket in addition to the row.

use crate::model::details::kind;

/// A set of parts. `source::netlink::request` has the kernel's bits for them, which differ by family; a family ignores
/// the parts of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts(u32);

impl Parts {
    /// The row alone.
    pub const NONE: Self = Self(0);
    /// The memory counters (`SK_MEMINFO_*`) of IP and unix sockets; other families always report them.
    pub const MEMORY: Self = Self::attribute(kind::SKMEMINFO);
    /// The drop counter of IP sockets, which is one of the memory counters; the others are not kept.
    pub const DROPS: Self = Self(1 << 8);
    /// Names, queues and owners of unix sockets.
    pub const UNIX_NAMES: Self = Self(1 << 9);
    /// The other ends of unix sockets.
    pub const UNIX_PEERS: Self = Self(1 << 10);
    /// The files that unix sockets are bound to.
    pub const UNIX_FILES: Self = Self(1 << 11);
    /// The clients that wait at unix sockets.
    pub const UNIX_CLIENTS: Self = Self(1 << 12);
    /// Filter programs of packet sockets.
    pub const FILTERS: Self = Self(1 << 13);
    /// Rings, fan-out groups, frame memory and counters of packet and XDP sockets.
    pub const RINGS: Self = Self(1 << 14);

    /// An attribute that the kernel sends for IP sockets only if its bit is set in the request (linux 6.18
    /// net/ipv4/inet_diag.c); its number is at most 8.
    pub const fn attribute(kind: u16) -> Self {
        Self(1 << (kind - 1))
    }

    /// Returns the union.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Returns the union with `more` if `condition` holds.
    #[must_use]
    pub const fn and_if(self, condition: bool, more: Self) -> Self {
        if condition { self.and(more) } else { self }
    }

    /// Returns whether it has any of these.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Returns the attributes of IP sockets that are kept, as bits of the request.
    pub const fn attributes(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// Returns the set as bits, for [`Self::from_bits`].
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns the set with these bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}
