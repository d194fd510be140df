//! Decodes `struct unix_diag_msg` and its attributes (linux 6.18 include/uapi/linux/unix_diag.h).

use std::num::NonZeroU32;

use netlink_packet_sock_diag::constants::{
    UDIAG_SHOW_ICONS, UDIAG_SHOW_MEMINFO, UDIAG_SHOW_NAME, UDIAG_SHOW_PEER, UDIAG_SHOW_RQLEN, UDIAG_SHOW_VFS,
    UNIX_DIAG_ICONS, UNIX_DIAG_MEMINFO, UNIX_DIAG_NAME, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN, UNIX_DIAG_SHUTDOWN,
    UNIX_DIAG_VFS,
};

use super::words::{begin, word};
use crate::model::details;
use crate::model::details::kind;
use crate::model::endpoint::UnixFile;
use crate::model::request::Parts;
use crate::model::{Endpoints, Family, Protocol, Shutdown, Socket, State, UnixPair};
use crate::source::uapi::{AF_UNIX, UDIAG_SHOW_UID, UNIX_DIAG_UID};

const HEADER_BYTES: usize = 16;

/// `udiag_show` bits.
pub(super) const SHOW: &[(Parts, u32)] = &[
    (
        Parts::UNIX_NAMES,
        UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID,
    ),
    (Parts::UNIX_PEERS, UDIAG_SHOW_PEER),
    (Parts::UNIX_FILES, UDIAG_SHOW_VFS),
    (Parts::UNIX_CLIENTS, UDIAG_SHOW_ICONS),
    (Parts::MEMORY, UDIAG_SHOW_MEMINFO),
];

/// Decodes one reply into `slot`; returns false if it is malformed. Allocates for the name and the list of waiting
/// clients.
pub fn decode(payload: &[u8], slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, socket_type, state, ..] = *header;
    let Some(state) = State::from_kernel(state, false).filter(|_| family == AF_UNIX) else {
        return false;
    };
    let mut pair = UnixPair::default();
    begin(
        slot,
        (Protocol::Unix, Family::Unix),
        socket_type,
        state,
        header,
        4,
    );
    for (kind, value) in details::attributes(attributes) {
        let number = |at: usize| word(value, at);
        match kind {
            UNIX_DIAG_NAME => pair.name = bound_name(value),
            UNIX_DIAG_VFS => {
                pair.file = number(0)
                    .zip(number(4))
                    .map(|(inode, device)| UnixFile { inode, device });
            }
            UNIX_DIAG_PEER => pair.peer_inode = number(0).and_then(NonZeroU32::new),
            UNIX_DIAG_ICONS => {
                pair.pending = value
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| u32::from_ne_bytes(*b))
                    .collect();
            }
            UNIX_DIAG_RQLEN => (slot.rqueue, slot.wqueue) = (number(0), number(4)),
            UNIX_DIAG_SHUTDOWN => slot.shutdown = value.first().copied().map(Shutdown),
            UNIX_DIAG_MEMINFO => slot.details.push(kind::SKMEMINFO, value),
            UNIX_DIAG_UID => slot.uid = number(0),
            _ => {}
        }
    }
    slot.endpoints = Endpoints::Unix(pair);
    true
}

/// Returns the name without the NUL that ends a path. An abstract name starts with a NUL and may contain more.
fn bound_name(value: &[u8]) -> Option<Box<[u8]>> {
    match value {
        [] => None,
        [0, ..] => Some(value.into()),
        path => Some(path.split(|byte| *byte == 0).next().unwrap_or(path).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn record(state: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![AF_UNIX, 1, state, 0];
        for word in [77u32, 5, 6] {
            bytes.extend(word.to_ne_bytes());
        }
        for (kind, value) in attributes {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn decoded(bytes: &[u8]) -> Option<(Socket, UnixPair)> {
        let mut slot = Socket::BLANK;
        if !decode(bytes, &mut slot) {
            return None;
        }
        let Endpoints::Unix(pair) = slot.endpoints.clone() else {
            unreachable!()
        };
        Some((slot, pair))
    }

    #[test]
    fn names_are_bytes() {
        let name = |value: &[u8]| {
            decoded(&record(10, &[(UNIX_DIAG_NAME, value)]))
                .unwrap()
                .1
                .name
                .map(Vec::from)
        };
        assert_eq!(name(b"/run/a\nb\0"), Some(b"/run/a\nb".to_vec()));
        assert_eq!(name(b"\0ab\0\xff"), Some(b"\0ab\0\xff".to_vec()));
        assert_eq!(name(&[b'x'; 108]), Some(vec![b'x'; 108]));
        assert_eq!(decoded(&record(10, &[])).unwrap().1.name, None);
    }

    #[test]
    fn queues_peers_and_files_are_read() {
        let rqlen = [3u32.to_ne_bytes(), 4u32.to_ne_bytes()].concat();
        let vfs = [8u32.to_ne_bytes(), (8u32 << 20 | 1).to_ne_bytes()].concat();
        let icons = [1u32.to_ne_bytes(), 2u32.to_ne_bytes()].concat();
        let bytes = record(
            10,
            &[
                (UNIX_DIAG_RQLEN, &rqlen),
                (UNIX_DIAG_VFS, &vfs),
                (UNIX_DIAG_ICONS, &icons),
                (UNIX_DIAG_PEER, &0u32.to_ne_bytes()),
                (UNIX_DIAG_UID, &5u32.to_ne_bytes()),
            ],
        );
        let (socket, pair) = decoded(&bytes).unwrap();
        assert_eq!(
            (socket.accept_q(), socket.backlog(), socket.uid),
            (Some(3), Some(4), Some(5))
        );
        assert_eq!(socket.cookie, NonZeroU64::new(6 << 32 | 5));
        assert_eq!(
            pair.file,
            Some(UnixFile {
                inode: 8,
                device: 8 << 20 | 1
            })
        );
        assert_eq!((pair.pending, pair.peer_inode), (vec![1, 2], None));
    }

    #[test]
    fn malformed_records_are_rejected() {
        assert!(decoded(&[AF_UNIX; 15]).is_none());
        assert!(decoded(&[2, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_none());
        let whole = record(1, &[(UNIX_DIAG_RQLEN, &[0; 8]), (UNIX_DIAG_NAME, b"abc\0")]);
        for length in HEADER_BYTES..whole.len() {
            assert!(decoded(&whole[..length]).is_some(), "attributes cut at {length}");
        }
    }
}
