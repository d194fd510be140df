//! Decodes `struct vsock_diag_msg` (linux 6.18 include/uapi/linux/vm_sockets_diag.h). It has no attributes, and
//! the kernel reports neither queues nor a user.

use super::words::{begin, word};
use crate::model::other_ends::VsockPair;
use crate::model::{Endpoints, Family, Protocol, Shutdown, Socket, State};
use crate::source::uapi::AF_VSOCK;

const HEADER_BYTES: usize = 32;

/// Decodes one reply into `slot`; returns false if it is malformed.
pub fn decode(payload: &[u8], slot: &mut Socket) -> bool {
    let Some(header) = payload.first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, kind, state, shutdown, ..] = *header;
    let Some(state) = State::from_kernel(state, false).filter(|_| family == AF_VSOCK) else {
        return false;
    };
    begin(slot, (Protocol::Vsock, Family::Vsock), kind, state, header, 20);
    let field = |at: usize| word(header, at).unwrap_or(0);
    slot.endpoints = Endpoints::Vsock(VsockPair {
        local_cid: field(4),
        local_port: field(8),
        peer_cid: field(12),
        peer_port: field(16),
    });
    slot.shutdown = Some(Shutdown(shutdown));
    true
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use super::super::words::tests::words;
    use super::*;

    fn record(state: u8) -> Vec<u8> {
        [
            &[AF_VSOCK, 1, state, 2][..],
            &words(&[3, 1024, u32::MAX, u32::MAX, 77, 5, 6]),
        ]
        .concat()
    }

    #[test]
    fn a_listener_is_read_and_truncated_records_are_rejected() {
        let bytes = record(10);
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, &mut socket));
        assert!(socket.is_listener());
        let ends = VsockPair {
            local_cid: 3,
            local_port: 1024,
            peer_cid: u32::MAX,
            peer_port: u32::MAX,
        };
        assert_eq!(socket.endpoints, Endpoints::Vsock(ends));
        assert_eq!(socket.shutdown, Some(Shutdown(2)));
        assert_eq!(
            (socket.inode, socket.cookie),
            (NonZeroU32::new(77), NonZeroU64::new(6 << 32 | 5))
        );
        for length in 0..HEADER_BYTES {
            assert!(!decode(&bytes[..length], &mut socket));
        }
        assert!(!decode(&record(0), &mut socket), "an invalid state");
        assert!(!decode(&[1; HEADER_BYTES], &mut socket), "another family");
    }
}
