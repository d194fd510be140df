//! The nine counters of a socket's memory (`INET_DIAG_SKMEMINFO`, linux 6.18 net/core/sock.c).

use super::layout::{Part, Struct};
use super::{Details, kind};

const fn bytes(name: &'static str, index: usize, meaning: &'static str) -> Part {
    Part::number(name, name, "bytes", index * 4, 4, meaning)
}

/// The counters, in the order of the kernel.
pub const MEMORY: [Part; 9] = [
    bytes("rmem_alloc", 0, "memory of packets received and not yet read"),
    bytes("rcvbuf", 1, "limit of receive memory"),
    bytes("wmem_alloc", 2, "memory of packets handed to the network"),
    bytes("sndbuf", 3, "limit of send memory"),
    bytes("fwd_alloc", 4, "memory reserved and not used"),
    bytes(
        "wmem_queued",
        5,
        "memory of packets queued for sending or for retransmission",
    ),
    bytes("optmem", 6, "memory of options and filters"),
    bytes(
        "memory_backlog",
        7,
        "memory of packets that wait because the socket is in use",
    )
    .key("backlog"),
    Part::number("memory_drops", "drops", "packets", 32, 4, "the same as drops").key("drops"),
];

impl Details {
    /// The counters, if they were asked for and came.
    pub fn memory(&self) -> Option<Struct<'_>> {
        self.get(kind::SKMEMINFO).map(|bytes| Struct::new(&MEMORY, bytes))
    }
}
