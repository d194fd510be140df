//! Tables of iptables-legacy (linux 6.18 include/uapi/linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h).

use super::{Extension, Name};

/// A table of iptables-legacy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyTable {
    /// Whether it is a table of ip6tables.
    pub v6: bool,
    /// Its name.
    pub name: Name,
    /// The bits of the hooks that it has.
    pub hooks: u32,
    /// Where each hook's chain begins, as an offset.
    pub begins: [u32; 5],
    /// The rule of each hook's policy, as an offset.
    pub policies: [u32; 5],
    /// Its rules, in order, each with its offset.
    pub entries: Vec<LegacyEntry>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyEntry {
    /// Its offset in the table, which jumps refer to.
    pub offset: u32,
    /// The offset of the next one.
    pub next: u32,
    /// Source and destination address and mask: 4 bytes each, or 16.
    pub addresses: [Box<[u8]>; 4],
    /// Incoming and outgoing interface with their masks, 16 bytes each, if any is named.
    pub interfaces: Option<Box<[[u8; 16]; 4]>>,
    /// The protocol; 0 for any.
    pub protocol: u16,
    /// `IPT_F_*`, in the numbers of IPv4: 1 fragments, 2 goto.
    pub flags: u8,
    /// `IPT_INV_*`.
    pub inverted: u8,
    /// Its matches.
    pub matches: Vec<Extension>,
    /// What it does.
    pub target: LegacyTarget,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegacyTarget {
    /// A verdict: negative, or the offset of a rule.
    Standard(i32),
    /// The start of a user-defined chain, with its name.
    Begin(Name),
    /// An extension.
    Extension(Extension),
}
