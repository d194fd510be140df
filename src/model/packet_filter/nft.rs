//! Tables of nf_tables with their chains, rules, sets and objects (linux 6.18 include/uapi/linux/netfilter/nf_tables.h).

use super::Name;
use super::expression::{Data, Expression};

/// The packets that a table handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// ARP.
    Arp,
    /// Everything that passes through one device.
    Netdev,
    /// Everything that a bridge forwards.
    Bridge,
}

impl Family {
    /// The keyword of nft.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Arp => "arp",
            Self::Netdev => "netdev",
            Self::Bridge => "bridge",
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its family.
    pub family: Family,
    /// Its name.
    pub name: Name,
    /// Whether its chains are switched off.
    pub dormant: bool,
    /// Its chains, in the order of their creation.
    pub chains: Vec<Chain>,
    /// Its sets and maps.
    pub sets: Vec<Set>,
    /// Its named objects.
    pub objects: Vec<Object>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: Name,
    /// Where the kernel calls it; `None` for a chain that only rules jump to.
    pub hook: Option<Hook>,
    /// Whether its policy is drop.
    pub drops: bool,
    /// Its type.
    pub kind: Kind,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// The type of a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `filter`.
    Filter,
    /// `nat`: called for the first packet of a connection.
    Nat,
    /// `route`: packets that it changes are routed again.
    Route,
    /// A type that this version does not know.
    Other,
}

/// Where the kernel calls a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The number of the hook, which depends on the family.
    pub number: u32,
    /// Chains are called in ascending order.
    pub priority: i32,
    /// The devices of a chain that handles only certain devices. A name that ends in `*` is a prefix.
    pub devices: Vec<Name>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number in the table.
    pub handle: u64,
    /// Its comment.
    pub comment: Option<Name>,
    /// Its expressions, in order.
    pub expressions: Vec<Expression>,
}

/// A set or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: Name,
    /// `NFT_SET_*` flags.
    pub flags: u32,
    /// The length of a key in bytes.
    pub key_bytes: usize,
    /// The lengths of the fields of a concatenated key, without padding; empty for a plain key.
    pub fields: Vec<usize>,
    /// Its elements, in the kernel's order.
    pub elements: Vec<Element>,
    /// Whether `elements` has all of them.
    pub complete: bool,
}

impl Set {
    /// `NFT_SET_ANONYMOUS`: written in the rule that uses it.
    pub const ANONYMOUS: u32 = 0x1;
    /// `NFT_SET_INTERVAL`: an element is the start or end of an interval.
    pub const INTERVAL: u32 = 0x4;
    /// `NFT_SET_MAP`: an element has a value.
    pub const MAP: u32 = 0x8;
    /// `NFT_SET_OBJECT`: an element names an object.
    pub const OBJECT: u32 = 0x40;
    /// `NFT_SET_CONCAT`: the key has several fields.
    pub const CONCAT: u32 = 0x80;

    /// Returns whether all of these flags are set.
    pub const fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }
}

/// An element of a set or map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its key, or the start of an interval; empty for the catch-all element.
    pub key: Box<[u8]>,
    /// The last key of an interval.
    pub key_end: Option<Box<[u8]>>,
    /// Whether it only ends the interval before it.
    pub is_end: bool,
    /// Whether it stands for every other key.
    pub is_catch_all: bool,
    /// The value that a map gives.
    pub data: Option<Data>,
    /// The object that it names.
    pub object: Option<Name>,
    /// Whether a limit or quota decides if it matches.
    pub is_limited: bool,
}

/// A named object of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: Name,
    /// `NFT_OBJECT_*`.
    pub kind: u32,
}
