//! The cost of a field: what must be requested from the kernel or looked up to know its value.

use crate::model::details::kind;
use crate::model::request::Parts;

/// A set of things to request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost(u64);

/// A part of the kernel's replies; these are in the lower half.
const fn part(part: Parts) -> Cost {
    Cost(part.bits() as u64)
}

const fn attribute(kind: u16) -> Cost {
    part(Parts::attribute(kind))
}

const fn other(bit: u32) -> Cost {
    Cost(1 << (u32::BITS + bit))
}

impl Cost {
    /// Present in every record of a dump.
    pub const NOTHING: Self = Self(0);
    /// The memory counters.
    pub const MEMORY: Self = part(Parts::MEMORY);
    /// What TCP, MPTCP, SCTP or DCCP reports about a connection and its upper-layer protocol.
    pub const INFO: Self = attribute(kind::INFO);
    /// The name of the congestion control algorithm.
    pub const CONGESTION: Self = attribute(kind::CONG);
    /// The state of the congestion control algorithm.
    pub const MEASURES: Self = attribute(kind::VEGASINFO);
    /// Type of service.
    pub const TOS: Self = attribute(kind::TOS);
    /// Traffic class; the net_cls class id, or the priority, comes with it.
    pub const CLASS: Self = attribute(kind::TCLASS);
    /// All attributes of a record, requested or not.
    pub const ATTRIBUTES: Self = other(0);
    /// The drop counter, which is one of the memory counters.
    pub const DROPS: Self = part(Parts::DROPS);
    /// Socket filter programs of packet sockets.
    pub const FILTERS: Self = part(Parts::FILTERS);
    /// Rings, fanout groups, frame memory and counters of packet and XDP sockets.
    pub const RINGS: Self = part(Parts::RINGS);
    /// The owners of the sockets.
    pub const OWNERS: Self = other(1);
    /// More about owning processes than the kernel's short name.
    pub const PROCESSES: Self = other(2);
    /// Security contexts of processes.
    pub const CONTEXTS: Self = other(3);
    /// Security contexts of sockets.
    pub const SOCKET_CONTEXTS: Self = other(4);
    /// Login names.
    pub const USERS: Self = other(5);
    /// Paths of cgroups.
    pub const CGROUPS: Self = other(6);
    /// Names of network namespaces.
    pub const NAMESPACES: Self = other(7);
    /// The sockets at the other ends.
    pub const PEERS: Self = other(8);
    /// The owners of the other ends.
    pub const PEER_OWNERS: Self = other(9);
    /// Half-open connections.
    pub const HALF_OPEN: Self = other(10);
    /// What identifies the machine.
    pub const MACHINE: Self = other(11);
    /// Whether clients on other machines reach listeners.
    pub const REACHABLE: Self = other(12);

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

    /// Returns what dumps must report for it.
    pub fn parts(self) -> Parts {
        Parts::from_bits(u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or_default())
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
    fn costs_are_combined_and_determine_what_dumps_must_report() {
        let both: Cost = [Cost::INFO, Cost::OWNERS].into_iter().collect();
        assert!(both.has(Cost::INFO) && both.has(Cost::OWNERS) && !both.has(Cost::MEMORY));
        assert_eq!(both.parts(), Parts::attribute(kind::INFO));
        assert_eq!(Cost::OWNERS.parts(), Parts::NONE);
        assert_eq!(Cost::NOTHING.and_if(false, Cost::INFO), Cost::NOTHING);
        assert!(Cost::MEMORY.has(Cost::MEMORY.and(Cost::OWNERS)));
    }
}
