//! The cost of a field: what must be requested from the kernel or looked up to know its value.

use crate::model::details::kind;

/// A set of things to request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost(u64);

/// The lower half holds `INET_DIAG_*` extension bits.
const EXTENSION_BITS: u32 = u32::BITS;

/// Attributes that the kernel sends only if their bit is set in the request (linux 6.18 net/ipv4/inet_diag.c), and
/// that are kept in the details of a socket.
const fn extension(kind: u16) -> Cost {
    Cost(1 << (kind - 1))
}

const fn other(bit: u32) -> Cost {
    Cost(1 << (EXTENSION_BITS + bit))
}

impl Cost {
    /// Present in every record of a dump.
    pub const NOTHING: Self = Self(0);
    /// The memory counters.
    pub const MEMORY: Self = extension(kind::SKMEMINFO);
    /// What TCP, MPTCP or SCTP reports about a connection and its upper-layer protocol.
    pub const INFO: Self = extension(kind::INFO);
    /// The name of the congestion control algorithm.
    pub const CONGESTION: Self = extension(kind::CONG);
    /// The state of the congestion control algorithm.
    pub const MEASURES: Self = extension(kind::VEGASINFO);
    /// Type of service.
    pub const TOS: Self = extension(kind::TOS);
    /// Traffic class; the net_cls class id, or the priority, comes with it.
    pub const CLASS: Self = extension(kind::TCLASS);
    /// All attributes of a record, requested or not.
    pub const ATTRIBUTES: Self = other(0);
    /// The drop counter, which is one of the memory counters.
    pub const DROPS: Self = other(1);
    /// Socket filter programs of packet sockets.
    pub const FILTERS: Self = other(2);
    /// Rings, fanout groups, frame memory and counters of packet and XDP sockets.
    pub const RINGS: Self = other(3);
    /// The owners of the sockets.
    pub const OWNERS: Self = other(4);
    /// More about owning processes than the kernel's short name.
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
    /// The owners of the other ends.
    pub const PEER_OWNERS: Self = other(12);
    /// Half-open connections.
    pub const HALF_OPEN: Self = other(13);
    /// What identifies the machine.
    pub const MACHINE: Self = other(14);

    /// The union.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// The union with `more` if `condition` holds.
    #[must_use]
    pub const fn and_if(self, condition: bool, more: Self) -> Self {
        if condition { self.and(more) } else { self }
    }

    /// Returns whether the set contains any of `wanted`.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Returns the `INET_DIAG_*` extension bits of a request that fills the details of a socket.
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
