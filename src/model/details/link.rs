//! What the kernel tells of packet and XDP sockets beyond their row (linux 6.18 include/uapi/linux/packet_diag.h,
//! xdp_diag.h): rings that are shared with the program, fan-out groups, memory and counters.

use super::layout::{Form, Part, Struct};
use super::{Details, kind};

const fn part(
    name: &'static str,
    key: &'static str,
    unit: &'static str,
    offset: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, key, unit, offset, width, meaning).key(key)
}

const fn number(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "", offset, 4, meaning)
}

const fn bytes(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "bytes", offset, 4, meaning)
}

const fn flag(name: &'static str, key: &'static str, bit: u32, meaning: &'static str) -> Part {
    number(name, key, 20, meaning).bits(bit, 1).form(Form::Flag)
}

const fn packets(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "packets", offset, 8, meaning)
}

/// `struct packet_diag_info`, without the interface, which a row has.
#[rustfmt::skip]
pub const PACKET: [Part; 8] = [
    number("packet_version", "version", 4, "layout of its rings: 0 for TPACKET_V1, 2 for TPACKET_V3"),
    bytes("packet_copy_thresh", "copy_thresh", 12, "length from which packets are copied although there is a ring"),
    number("packet_tstamp", "tstamp", 16, "PACKET_TIMESTAMP: where times are taken"),
    flag("packet_running", "running", 0, "it takes packets"),
    flag("packet_auxdata", "auxdata", 1, "PACKET_AUXDATA: lengths and VLAN come with each packet"),
    flag("packet_origdev", "origdev", 2, "PACKET_ORIGDEV: the first interface is told, not the bonded one"),
    flag("packet_vnethdr", "vnethdr", 3, "PACKET_VNET_HDR: packets have a header of virtio"),
    flag("packet_loss", "loss", 4, "PACKET_LOSS: faulty packets of the send ring are skipped"),
];

/// `struct packet_diag_ring` of what is received.
#[rustfmt::skip]
pub const RX_RING: [Part; 6] = [
    bytes("rx_ring_block_size", "block_size", 0, "receive ring: length of a block"),
    number("rx_ring_block_nr", "block_nr", 4, "receive ring: blocks"),
    bytes("rx_ring_frame_size", "frame_size", 8, "receive ring: length of a frame"),
    number("rx_ring_frame_nr", "frame_nr", 12, "receive ring: frames"),
    part("rx_ring_retire_ms", "retire_ms", "ms", 16, 4, "receive ring: time after which a block is handed over although it is not full"),
    number("rx_ring_features", "features", 24, "receive ring: bits of TPACKET_V3").form(Form::Hex),
];

/// The same of what is sent.
#[rustfmt::skip]
pub const TX_RING: [Part; 6] = [
    bytes("tx_ring_block_size", "block_size", 0, "send ring: length of a block"),
    number("tx_ring_block_nr", "block_nr", 4, "send ring: blocks"),
    bytes("tx_ring_frame_size", "frame_size", 8, "send ring: length of a frame"),
    number("tx_ring_frame_nr", "frame_nr", 12, "send ring: frames"),
    part("tx_ring_retire_ms", "retire_ms", "ms", 16, 4, "send ring: time after which a block is handed over"),
    number("tx_ring_features", "features", 24, "send ring: bits of TPACKET_V3").form(Form::Hex),
];

/// Words for how a group of sockets shares the packets (linux 6.18 include/uapi/linux/if_packet.h), those of ss as far
/// as it has one.
pub const FANOUTS: &[(u64, &str)] = &[
    (0, "hash"),
    (1, "lb"),
    (2, "cpu"),
    (3, "roll"),
    (4, "random"),
    (5, "qm"),
    (6, "cbpf"),
    (7, "ebpf"),
];

/// The group of sockets that share packets.
#[rustfmt::skip]
pub const FANOUT: [Part; 2] = [
    number("fanout_id", "id", 0, "number of the group of sockets that share packets").bits(0, 16),
    number("fanout_type", "type", 0, "how the group shares them").bits(16, 16).form(Form::Word(FANOUTS)),
];

const fn entries(name: &'static str, key: &'static str, kind: u16, meaning: &'static str) -> Part {
    number(name, key, kind as usize, meaning)
}

/// Rings of an XDP socket, in an attribute each.
#[rustfmt::skip]
pub const XDP_RINGS: [Part; 4] = [
    entries("xdp_rx_entries", "rx_entries", kind::XDP_RX_RING, "entries of the receive ring"),
    entries("xdp_tx_entries", "tx_entries", kind::XDP_TX_RING, "entries of the send ring"),
    entries("xdp_fill_entries", "fill_entries", kind::XDP_FILL_RING, "entries of the ring of frames to fill"),
    entries("xdp_completion_entries", "completion_entries", kind::XDP_COMPLETION_RING, "entries of the ring of frames that were sent"),
];

/// `struct xdp_diag_umem`: the memory of the frames.
#[rustfmt::skip]
pub const XDP_UMEM: [Part; 9] = [
    part("umem_size", "size", "bytes", 0, 8, "frame memory: length"),
    number("umem_id", "id", 8, "frame memory: its number; sockets can share one"),
    number("umem_num_pages", "num_pages", 12, "frame memory: pages"),
    bytes("umem_chunk_size", "chunk_size", 16, "frame memory: length of a frame"),
    bytes("umem_headroom", "headroom", 20, "frame memory: room before each packet"),
    number("umem_ifindex", "ifindex", 24, "frame memory: interface by index"),
    number("umem_queue_id", "queue_id", 28, "frame memory: queue of that interface"),
    number("umem_zero_copy", "zero_copy", 32, "frame memory: the device writes into it").bits(0, 1).form(Form::Flag),
    number("umem_refs", "refs", 36, "frame memory: sockets that use it"),
];

/// `struct xdp_diag_stats`.
#[rustfmt::skip]
pub const XDP_STATS: [Part; 6] = [
    packets("xdp_rx_dropped", "rx_dropped", 0, "received and dropped"),
    packets("xdp_rx_invalid", "rx_invalid", 8, "received into a frame that was not valid"),
    packets("xdp_rx_full", "rx_full", 16, "dropped because the receive ring was full"),
    part("xdp_fill_ring_empty", "fill_ring_empty", "", 24, 8, "times that there was no frame to fill"),
    packets("xdp_tx_invalid", "tx_invalid", 32, "not sent because the frame was not valid"),
    part("xdp_tx_ring_empty", "tx_ring_empty", "", 40, 8, "times that there was nothing to send"),
];

impl Details {
    /// Version and flags of a packet socket.
    pub fn packet(&self) -> Option<Struct<'_>> {
        self.structure(kind::PACKET_INFO, &PACKET)
    }

    /// Its receive ring, if it has one.
    pub fn rx_ring(&self) -> Option<Struct<'_>> {
        self.structure(kind::PACKET_RX_RING, &RX_RING)
    }

    /// Its send ring, if it has one.
    pub fn tx_ring(&self) -> Option<Struct<'_>> {
        self.structure(kind::PACKET_TX_RING, &TX_RING)
    }

    /// Its fan-out group, if it is in one.
    pub fn fanout(&self) -> Option<Struct<'_>> {
        self.structure(kind::PACKET_FANOUT, &FANOUT)
    }

    /// The rings of an XDP socket.
    pub fn xdp_rings(&self) -> Option<Struct<'_>> {
        let rings = Struct::nested(&XDP_RINGS, self.as_bytes());
        let any = XDP_RINGS.iter().any(|part| rings.value(part).is_some());
        any.then_some(rings)
    }

    /// Its frame memory.
    pub fn xdp_umem(&self) -> Option<Struct<'_>> {
        self.structure(kind::XDP_UMEM, &XDP_UMEM)
    }

    /// Its counters.
    pub fn xdp_stats(&self) -> Option<Struct<'_>> {
        self.structure(kind::XDP_STATS, &XDP_STATS)
    }

    fn structure(&self, kind: u16, parts: &'static [Part]) -> Option<Struct<'_>> {
        self.get(kind).map(|bytes| Struct::new(parts, bytes))
    }
}
