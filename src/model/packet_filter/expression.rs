//! The expressions of an nf_tables rule (linux 6.18 include/uapi/linux/netfilter/nf_tables.h).

use super::Name;

/// The offset of a register in the 64 bytes of the machine; `None` for the verdict.
pub type Register = Option<u8>;

/// A constant, or the value of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Bytes, in the order in which they are compared.
    Value(Box<[u8]>),
    /// What happens to the packet.
    Verdict(Verdict),
}

/// What happens to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes this chain.
    Accept,
    /// It is dropped.
    Drop,
    /// Continue with the next expression.
    Continue,
    /// Continue with the next rule.
    Break,
    /// Return to the calling chain.
    Return,
    /// Jump to a chain, and come back.
    Jump(Name),
    /// Go to a chain, without coming back.
    Goto(Name),
    /// It is passed to a program, which decides.
    Queue,
    /// A number that is unknown to this version.
    Other(i32),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields have the names of the kernel's attributes")]
pub enum Expression {
    /// Loads a constant.
    Immediate { to: Register, data: Data },
    /// Continues if the comparison of the bytes holds (`NFT_CMP_*`).
    Compare {
        from: u8,
        operation: u32,
        data: Box<[u8]>,
    },
    /// Continues if the bytes lie between two values, inclusive.
    Range {
        from: u8,
        negated: bool,
        low: Box<[u8]>,
        high: Box<[u8]>,
    },
    /// `(value & mask) ^ xor`.
    Bitwise {
        from: u8,
        to: u8,
        mask: Box<[u8]>,
        xor: Box<[u8]>,
    },
    /// Swaps the bytes of each word of `size` bytes if the machine's order is not the network's.
    ByteOrder { from: u8, to: u8, bytes: u8, size: u8 },
    /// Loads something about the packet.
    Load { to: u8, what: Load },
    /// Changes the packet's mark, or something else that does not matter here.
    SetMeta { key: u32, from: u8 },
    /// Changes the connection's mark, zone or labels.
    SetConnection { key: u32, from: u8 },
    /// Writes into the packet.
    Write { base: u32, offset: u32, bytes: u32 },
    /// Looks up a key; for a map, loads its value.
    Lookup {
        set: Name,
        from: u8,
        to: Option<Register>,
        inverted: bool,
    },
    /// Uses a fixed object, or the one that a key maps to.
    Object { of: ObjectOf },
    /// Adds the packet's key to a set, or removes it.
    Update { set: Name, is_limited: bool },
    /// Rewrites the source or destination address and port, of a family (2 or 10).
    Nat {
        is_source: bool,
        family: u32,
        address: Option<(u8, u8)>,
        port: Option<(u8, u8)>,
        flags: u32,
    },
    /// Rewrites the source address to that of the outgoing interface.
    Masquerade,
    /// Rewrites the destination address to this machine's.
    Redirect { port: Option<(u8, u8)> },
    /// Answers instead of the listener: type (`NFT_REJECT_*`) and ICMP code.
    Reject { kind: u32, code: u8 },
    /// The connection is not tracked.
    NoTrack,
    /// Counts, logs or annotates.
    NoEffect,
    /// A match that depends on more than the packet, with its description.
    Undecidable(&'static str),
    /// A match of x_tables.
    Match(Extension),
    /// A target of x_tables.
    Target(Extension),
    /// An expression that is unknown to this version, or whose effect cannot be predicted.
    Other(Name),
}

/// What an expression loads into registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "fields have the names of the kernel's attributes")]
pub enum Load {
    /// Bytes of a header: 0 link, 1 network, 2 transport, 3 inner.
    Payload { base: u32, offset: u32, bytes: u8 },
    /// `NFT_META_*`.
    Meta(u32),
    /// `NFT_CT_*`, in a direction (0 original, 1 reply) if one is named.
    Connection { key: u32, direction: Option<u8> },
    /// A lookup in the routing table: result (`NFT_FIB_RESULT_*`) and flags.
    Fib { result: u32, flags: u32 },
    /// Something that cannot be predicted: its description, and its length.
    Unknown { what: &'static str, bytes: u8 },
}

/// How an object is named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields have the names of the kernel's attributes")]
pub enum ObjectOf {
    /// By its name.
    Fixed { kind: u32, name: Name },
    /// By a key in a set.
    Key { set: Name, from: u8 },
}

/// A match or target of x_tables, in the kernel's binary form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: Name,
    /// The revision of its layout.
    pub revision: u8,
    /// Its options.
    pub info: Box<[u8]>,
}
