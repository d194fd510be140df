//! The packet filter of a network namespace, as the kernel holds it: nf_tables and the tables of iptables-legacy.

pub mod expression;
pub mod legacy;
pub mod nft;

pub use expression::{Data, Expression, Extension, Load, ObjectOf, Register, Verdict};
pub use legacy::{LegacyEntry, LegacyTable, LegacyTarget};
pub use nft::{Chain, Element, Family, Hook, Kind, Object, Rule, Set, Table};

/// A name of a table, chain, set or interface, in the kernel's bytes. It must be escaped before it is shown.
pub type Name = Box<[u8]>;

/// Every rule of a network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketFilter {
    /// The tables of nf_tables, in the order of their creation.
    pub tables: Vec<Table>,
    /// The tables of iptables-legacy and ip6tables-legacy.
    pub legacy: Vec<LegacyTable>,
}

/// The result of reading the packet filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everything.
    Examined(PacketFilter),
    /// Nothing that can be relied on.
    NotExamined(Unread),
}

/// Why the packet filter was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The kernel shows it only to `CAP_NET_ADMIN`.
    NeedsNetAdmin,
    /// It changed during each of several attempts to read it.
    Changing,
    /// There are more rules than sockstat reads.
    TooLarge,
    /// The kernel refused for another reason, or its reply was truncated: errno, 0 if none.
    Failed(i32),
    /// The recording lacks it.
    NotRecorded,
}

impl PacketFilter {
    /// Returns whether there is no rule, policy or hook that could change anything.
    pub fn is_empty(&self) -> bool {
        self.legacy.is_empty() && self.tables.iter().all(|table| table.chains.is_empty())
    }
}
