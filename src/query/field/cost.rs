//! What a field costs: what must be asked of the kernel or looked up before its value is known.

use crate::model::details::kind;

/// A set of things to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost(u64);

/// The lower half is `INET_DIAG_*` extension bits.
const EXTENSION_BITS: u32 = u32::BITS;

/// Attributes that the kernel sends only if their bit is set in the request (linux 6.18 net/ipv4/inet_diag.c), and that
/// go into the details of a socket.
const fn extension(kind: u16) -> Cost {
    Cost(1 << (kind - 1))
}

const fn other(bit: u32) -> Cost {
    Cost(1 << (EXTENSION_BITS + bit))
}

impl Cost {
    /// Known from every record of a dump.
    pub const NOTHING: Self = Self(0);
    /// The counters of memory.
    pub const MEMORY: Self = extension(kind::SKMEMINFO);
    /// What TCP, MPTCP or SCTP knows of a connection, and what runs on top of it.
    pub const INFO: Self = extension(kind::INFO);
    /// The name of the congestion control.
    pub const CONGESTION: Self = extension(kind::CONG);
    /// What the congestion control measures.
    pub const MEASURES: Self = extension(kind::VEGASINFO);
    /// Type of service.
    pub const TOS: Self = extension(kind::TOS);
    /// Traffic class; the class of net_cls, or the priority, comes with it.
    pub const CLASS: Self = extension(kind::TCLASS);
    /// All attributes of a record, asked for or not.
    pub const ATTRIBUTES: Self = other(0);
    /// The counter of drops, which is among those of memory.
    pub const DROPS: Self = other(1);
    /// Filter programs of packet sockets.
    pub const FILTERS: Self = other(2);
    /// Rings, fan-out groups, frame memory and counters of packet and XDP sockets.
    pub const RINGS: Self = other(3);
    /// Who holds the sockets.
    pub const OWNERS: Self = other(4);
    /// More of their processes than the kernel's short name.
    pub const PROCESSES: Self = other(5);
    /// Security contexts of processes.
    pub const CONTEXTS: Self = other(6);
    /// Security contexts of sockets.
    pub const SOCKET_CONTEXTS: Self = other(7);
    /// Login names.
    pub const USERS: Self = other(8);
    /// Paths of cgroups.
    pub const CGROUPS: Self = other(9);
    /// Names of network namespaces.
    pub const NAMESPACES: Self = other(10);
    /// The sockets at the other ends.
    pub const PEERS: Self = other(11);
    /// Who holds those.
    pub const PEER_OWNERS: Self = other(12);
    /// Half-open connections.
    pub const HALF_OPEN: Self = other(13);

    /// Both.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// The same, with `more` on a condition.
    #[must_use]
    pub const fn and_if(self, condition: bool, more: Self) -> Self {
        if condition { self.and(more) } else { self }
    }

    /// Whether any of `wanted` is in it.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// The `INET_DIAG_*` extension bits of a request, for what goes into the details of a socket.
    pub fn extensions(self) -> u32 {
        u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or_default()
    }
}

impl FromIterator<Cost> for Cost {
    fn from_iter<T: IntoIterator<Item = Self>>(costs: T) -> Self {
        costs.into_iter().fold(Self::NOTHING, Self::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_and_extensions_are_bits_of_the_request() {
        let both: Cost = [Cost::INFO, Cost::OWNERS].into_iter().collect();
        assert!(both.has(Cost::INFO) && both.has(Cost::OWNERS) && !both.has(Cost::MEMORY));
        assert_eq!(both.extensions(), 1 << (kind::INFO - 1));
        assert_eq!(Cost::OWNERS.extensions(), 0);
        assert_eq!(Cost::NOTHING.and_if(false, Cost::INFO), Cost::NOTHING);
        assert!(Cost::MEMORY.has(Cost::MEMORY.and(Cost::OWNERS)));
    }
}
