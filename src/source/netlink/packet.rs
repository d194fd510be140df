//! Decodes `struct packet_diag_msg` and its attributes (linux 6.18 include/uapi/linux/packet_diag.h).

use std::num::NonZeroU32;

use super::words::{begin, read_memory, word};
use crate::model::details;
use crate::model::details::kind;
use crate::model::other_ends::PacketEnd;
use crate::model::request::{Parts, Wanted};
use crate::model::{Endpoints, Family, Protocol, Socket, State};
use crate::source::uapi::AF_PACKET;
use crate::source::uapi::packet::{self, FANOUT, FILTER, INFO, MEMINFO, RX_RING, TX_RING, UID};

const HEADER_BYTES: usize = 16;

/// `pdiag_show` bits for a listing: interface and user, memory (whose first number is the queue).
pub const SHOW_BASIC: u32 = packet::SHOW_INFO | packet::SHOW_MEMINFO;
/// `pdiag_show` bits for more.
pub(super) const SHOW: &[(Parts, u32)] = &[
    (Parts::FILTERS, packet::SHOW_FILTER),
    (Parts::RINGS, packet::SHOW_RING_CFG | packet::SHOW_FANOUT),
];

/// Decodes one reply into `slot`; returns false if it is malformed. The state is always unconnected, because there is
/// no other.
pub fn decode(payload: &[u8], wanted: Wanted, slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, socket_type, low, high, ..] = *header;
    if family != AF_PACKET {
        return false;
    }
    let mut end = PacketEnd {
        ethertype: u16::from_ne_bytes([low, high]),
        interface: None,
    };
    begin(
        slot,
        (Protocol::Packet, Family::Packet),
        socket_type,
        State::Unconnected,
        header,
        4,
    );
    for (kind, value) in details::attributes(attributes) {
        match kind {
            INFO => {
                end.interface = word(value, 0).and_then(NonZeroU32::new);
                slot.details.push(kind::PACKET_INFO, value);
            }
            RX_RING => slot.details.push(kind::PACKET_RX_RING, value),
            TX_RING => slot.details.push(kind::PACKET_TX_RING, value),
            FANOUT => slot.details.push(kind::PACKET_FANOUT, value),
            // Empty without CAP_NET_ADMIN.
            FILTER if !value.is_empty() => slot.details.push(kind::PACKET_FILTER, value),
            UID => slot.uid = word(value, 0),
            MEMINFO => read_memory(slot, wanted, value),
            _ => {}
        }
    }
    slot.endpoints = Endpoints::Packet(end);
    true
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::super::words::tests::{message, words};
    use super::*;
    use crate::model::SocketType;

    fn header(kind: u8, ethertype: u16) -> Vec<u8> {
        [
            &[AF_PACKET, kind][..],
            &ethertype.to_ne_bytes(),
            &words(&[77, 5, 6]),
        ]
        .concat()
    }

    #[test]
    fn protocol_interface_and_queue_are_read() {
        let bytes = message(
            header(2, 0x806),
            &[
                (INFO, &words(&[3, 0, 0, 0, 0, 1])),
                (UID, &words(&[1000])),
                (MEMINFO, &words(&[1280, 212_992, 9, 9, 9, 9, 9, 9, 4])),
            ],
        );
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, Wanted::Details, &mut socket));
        let interface = NonZeroU32::new(3);
        let ethertype = 0x806;
        assert_eq!(
            socket.endpoints,
            Endpoints::Packet(PacketEnd { ethertype, interface })
        );
        assert_eq!((socket.kind, socket.uid), (Some(SocketType::Dgram), Some(1000)));
        assert_eq!(
            (socket.recv_q(), socket.send_q(), socket.drops),
            (Some(1280), None, Some(4))
        );
        assert_eq!(socket.cookie, NonZeroU64::new(6 << 32 | 5));
    }

    #[test]
    fn truncated_replies_lose_only_the_missing_attributes() {
        let whole = message(
            header(3, 3),
            &[(MEMINFO, &words(&[1; 9])), (INFO, &words(&[1; 6]))],
        );
        let mut socket = Socket::BLANK;
        for length in 0..whole.len() {
            assert_eq!(
                decode(&whole[..length], Wanted::Details, &mut socket),
                length >= HEADER_BYTES,
                "{length}"
            );
        }
        assert!(
            !decode(&[2; HEADER_BYTES], Wanted::Details, &mut socket),
            "another family"
        );
    }
}
