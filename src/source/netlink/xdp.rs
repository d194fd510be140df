//! Decodes `struct xdp_diag_msg` and its attributes (linux 6.18 include/uapi/linux/xdp_diag.h).
//!
//! The kernel ends a dump at the first XDP socket that is not bound to an interface (net/xdp/xsk_diag.c); the rest
//! is missing without an error.

use std::num::NonZeroU32;

use super::words::{begin, read_memory, word};
use crate::model::details;
use crate::model::details::kind;
use crate::model::other_ends::XdpEnd;
use crate::model::request::{Parts, Wanted};
use crate::model::{Endpoints, Family, Protocol, Socket, State};
use crate::source::uapi::AF_XDP;
use crate::source::uapi::xdp::{
    COMPLETION_RING, FILL_RING, INFO, MEMINFO, RX_RING, SHOW_INFO, SHOW_MEMINFO, SHOW_RING_CFG, SHOW_STATS,
    SHOW_UMEM, STATS, TX_RING, UID, UMEM,
};

const HEADER_BYTES: usize = 16;

/// `xdiag_show` bits for a listing: interface and user, memory (whose first number is the queue).
pub const SHOW_BASIC: u32 = SHOW_INFO | SHOW_MEMINFO;
/// `xdiag_show` bits for rings, frame memory and counters.
pub(super) const SHOW: &[(Parts, u32)] = &[(Parts::RINGS, SHOW_RING_CFG | SHOW_UMEM | SHOW_STATS)];

/// Decodes one reply into `slot`; returns false if it is malformed. The state is always unconnected, because there is
/// no other.
pub fn decode(payload: &[u8], wanted: Wanted, slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, socket_type, ..] = *header;
    if family != AF_XDP {
        return false;
    }
    let mut end = XdpEnd {
        interface: None,
        queue_id: 0,
    };
    begin(
        slot,
        (Protocol::Xdp, Family::Xdp),
        socket_type,
        State::Unconnected,
        header,
        4,
    );
    for (kind, value) in details::attributes(attributes) {
        match kind {
            INFO => {
                end.interface = word(value, 0).and_then(NonZeroU32::new);
                end.queue_id = word(value, 4).unwrap_or(0);
            }
            RX_RING => slot.details.push(kind::XDP_RX_RING, value),
            TX_RING => slot.details.push(kind::XDP_TX_RING, value),
            UMEM => slot.details.push(kind::XDP_UMEM, value),
            FILL_RING => slot.details.push(kind::XDP_FILL_RING, value),
            COMPLETION_RING => slot.details.push(kind::XDP_COMPLETION_RING, value),
            STATS => slot.details.push(kind::XDP_STATS, value),
            UID => slot.uid = word(value, 0),
            MEMINFO => read_memory(slot, wanted, value),
            _ => {}
        }
    }
    slot.endpoints = Endpoints::Xdp(end);
    true
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::{message, words};
    use super::*;
    use crate::model::SocketType;

    #[test]
    fn the_queue_of_an_interface_is_read() {
        let header = [&[AF_XDP, 3, 0, 0][..], &words(&[77, 5, 6])].concat();
        let bytes = message(
            header,
            &[
                (INFO, &words(&[2, 4])),
                (UID, &words(&[1000])),
                (RX_RING, &words(&[2048])),
                (UMEM, &words(&[4096, 0, 1])),
                (FILL_RING, &words(&[512])),
                (MEMINFO, &words(&[64, 9, 9, 9, 9, 9, 9, 9, 1])),
                (STATS, &words(&[5, 0, 6])),
            ],
        );
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, Wanted::Details, &mut socket));
        let end = XdpEnd {
            interface: NonZeroU32::new(2),
            queue_id: 4,
        };
        assert_eq!(socket.endpoints, Endpoints::Xdp(end));
        assert_eq!(
            (socket.uid, socket.rqueue, socket.drops),
            (Some(1000), Some(64), Some(1))
        );
        assert_eq!(socket.kind, Some(SocketType::Raw));
        let first_word = |kind| {
            let value: Option<&[u8]> = socket.details.get(kind);
            value
                .and_then(|value| value.first_chunk().copied())
                .map(u32::from_ne_bytes)
        };
        assert_eq!(
            [
                kind::XDP_RX_RING,
                kind::XDP_TX_RING,
                kind::XDP_FILL_RING,
                kind::XDP_COMPLETION_RING
            ]
            .map(first_word),
            [Some(2048), None, Some(512), None]
        );
        assert_eq!(first_word(kind::XDP_UMEM), Some(4096));
        assert_eq!(first_word(kind::XDP_STATS), Some(5));
        for length in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..length], Wanted::Details, &mut socket),
                length >= HEADER_BYTES,
                "{length}"
            );
        }
    }
}
