//! What the kernel reports about a socket beyond its row: memory, TCP state, congestion control and so on.
//!
//! The attributes are kept as the kernel sent them, one after the other in a buffer that decoders reuse, and are
//! parsed only on demand. Nothing is kept unless the plan requested it. Structures may be shorter or longer than those
//! known here: a missing part is unknown, an extra part is ignored.

pub mod sctp;
pub mod ulp;

/// Attribute types, by their numbers in an IP dump (linux 6.18 include/uapi/linux/inet_diag.h). Decoders of other
/// families use the same numbers for the same facts.
pub mod kind {
    use netlink_packet_sock_diag::constants;

    /// Four memory counters, from kernels before 3.5.
    pub const MEMINFO: u16 = constants::INET_DIAG_MEMINFO;
    /// `struct tcp_info`, `mptcp_info` or `sctp_info`.
    pub const INFO: u16 = constants::INET_DIAG_INFO;
    /// `struct tcpvegas_info`, also from other congestion control algorithms that measure round trips.
    pub const VEGASINFO: u16 = constants::INET_DIAG_VEGASINFO;
    /// Name of the congestion control algorithm.
    pub const CONG: u16 = constants::INET_DIAG_CONG;
    /// `IP_TOS`.
    pub const TOS: u16 = constants::INET_DIAG_TOS;
    /// `IPV6_TCLASS`.
    pub const TCLASS: u16 = constants::INET_DIAG_TCLASS;
    /// Nine memory counters.
    pub const SKMEMINFO: u16 = constants::INET_DIAG_SKMEMINFO;
    /// `struct tcp_dctcp_info`.
    pub const DCTCPINFO: u16 = constants::INET_DIAG_DCTCPINFO;
    /// Local addresses of an SCTP socket.
    pub const LOCALS: u16 = constants::INET_DIAG_LOCALS;
    /// Peer addresses of an SCTP association.
    pub const PEERS: u16 = constants::INET_DIAG_PEERS;
    /// `struct tcp_bbr_info`.
    pub const BBRINFO: u16 = constants::INET_DIAG_BBRINFO;
    /// The net_cls class id, or else `SO_PRIORITY`.
    pub const CLASS_ID: u16 = constants::INET_DIAG_CLASS_ID;
    /// The upper-layer protocol, nested; the crate lacks this number.
    pub const ULP_INFO: u16 = 19;
    /// `struct packet_diag_info` of a packet socket; a number of our own, above those of IP dumps.
    pub const PACKET_INFO: u16 = 64;
    /// The classic BPF program of a packet socket: a sequence of `struct sock_filter`.
    pub const PACKET_FILTER: u16 = 65;
    /// `struct packet_diag_ring` of a packet socket's receive ring.
    pub const PACKET_RX_RING: u16 = 67;
    /// The same for its transmit ring.
    pub const PACKET_TX_RING: u16 = 68;
    /// Id and type of a packet socket's fanout group.
    pub const PACKET_FANOUT: u16 = 69;
    /// Number of entries in an XDP socket's receive ring.
    pub const XDP_RX_RING: u16 = 70;
    /// Number of entries in its transmit ring.
    pub const XDP_TX_RING: u16 = 71;
    /// `struct xdp_diag_umem`.
    pub const XDP_UMEM: u16 = 72;
    /// Number of entries in its fill ring.
    pub const XDP_FILL_RING: u16 = 73;
    /// Number of entries in its completion ring.
    pub const XDP_COMPLETION_RING: u16 = 74;
    /// `struct xdp_diag_stats`.
    pub const XDP_STATS: u16 = 75;
    /// The group of a TIPC socket, as nested attributes.
    pub const TIPC_GROUP: u16 = 76;
    /// State and mode of an SMC socket, two bytes of padding, and `struct smc_diag_fallback`.
    pub const SMC: u16 = 77;
    /// `struct smc_diag_conninfo`.
    pub const SMC_CONNECTION: u16 = 78;
    /// `struct smc_diag_lgrinfo`.
    pub const SMC_LINK: u16 = 79;
    /// `struct smcd_diag_dmbinfo`.
    pub const SMC_DMB: u16 = 80;
    /// One byte: the state of an SCTP association; only associations have it.
    pub const SCTP_ASSOCIATION: u16 = 66;
}

/// Which attributes are kept. Excluded are those that a row has fields for, and TCP-MD5 keys, which are secrets.
const KEPT: u32 = bit(kind::MEMINFO)
    | bit(kind::INFO)
    | bit(kind::VEGASINFO)
    | bit(kind::CONG)
    | bit(kind::TOS)
    | bit(kind::TCLASS)
    | bit(kind::SKMEMINFO)
    | bit(kind::DCTCPINFO)
    | bit(kind::LOCALS)
    | bit(kind::PEERS)
    | bit(kind::BBRINFO)
    | bit(kind::CLASS_ID)
    | bit(kind::ULP_INFO);

const fn bit(kind: u16) -> u32 {
    1 << kind
}

/// Attributes of one socket. Empty, without an allocation, if the plan requested none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    bytes: Vec<u8>,
}

impl Details {
    /// No attributes.
    pub const NONE: Self = Self { bytes: Vec::new() };

    /// Returns whether there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes the attributes and keeps the capacity.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Returns whether attributes of this type, in an IP dump, are kept here.
    pub const fn keeps(kind: u16) -> bool {
        kind < 32 && KEPT & bit(kind) != 0
    }

    /// Appends an attribute as netlink lays it out: length, type, value, and padding to four bytes.
    pub fn push(&mut self, kind: u16, value: &[u8]) {
        let Ok(length) = u16::try_from(value.len() + 4) else {
            return;
        };
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
    }

    /// Returns the value of the first attribute of a type.
    pub fn get(&self, kind: u16) -> Option<&[u8]> {
        self.iter()
            .find(|(found, _)| *found == kind)
            .map(|(_, value)| value)
    }

    /// Returns the number in an attribute of one or four bytes.
    pub fn number(&self, kind: u16) -> Option<u32> {
        match *self.get(kind)? {
            [number] => Some(number.into()),
            [a, b, c, d, ..] => Some(u32::from_ne_bytes([a, b, c, d])),
            _ => None,
        }
    }

    /// Returns the name of the congestion control algorithm, without its final NUL.
    pub fn congestion(&self) -> Option<&[u8]> {
        self.get(kind::CONG)
            .map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    /// Returns all attributes, in the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        attributes(&self.bytes)
    }

    /// The bytes, for packing.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Replaces the content with bytes from [`Self::as_bytes`].
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }
}

/// Iterates over types and values of consecutive netlink attributes, up to the first malformed one.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&[length_low, length_high, kind_low, kind_high], _) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([length_low, length_high]));
        // The two highest bits are flags (linux 6.18 include/uapi/linux/netlink.h).
        let kind = u16::from_ne_bytes([kind_low, kind_high]) & 0x3fff;
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_kind_and_memory_is_reused() {
        let mut details = Details::default();
        assert!(details.is_empty() && details.get(kind::TOS).is_none());
        details.push(kind::CONG, b"cubic\0");
        details.push(kind::TOS, &[0x10]);
        assert_eq!(details.get(kind::CONG), Some(&b"cubic\0"[..]));
        assert_eq!(details.get(kind::TOS), Some(&[0x10][..]));
        assert_eq!(details.as_bytes().len() % 4, 0);
        let mut copy = Details::default();
        copy.set_bytes(details.as_bytes());
        assert_eq!(copy, details);
        let room = copy.bytes.capacity();
        copy.clear();
        copy.push(kind::TOS, &[1]);
        assert_eq!(copy.bytes.capacity(), room);
    }

    #[test]
    fn a_malformed_attribute_only_ends_the_list() {
        let mut details = Details::default();
        details.push(kind::TOS, &[1]);
        details.push(kind::CONG, b"reno");
        for length in 0..details.bytes.len() {
            let bytes = &details.bytes[..length];
            assert!(attributes(bytes).count() < 2, "{length}");
        }
        assert_eq!(attributes(&[3, 0, 1, 0, 9, 9, 9, 9]).count(), 0);
        details.push(kind::INFO, &vec![0; 70_000]);
        assert_eq!(
            details.get(kind::INFO),
            None,
            "longer than a netlink attribute can be"
        );
    }

    #[test]
    fn keys_are_not_kept() {
        assert!(!Details::keeps(18) && !Details::keeps(15) && !Details::keeps(99));
        assert!(Details::keeps(kind::INFO) && Details::keeps(kind::ULP_INFO));
    }
}
