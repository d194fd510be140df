//! Decodes TIPC sockets: one nest of attributes, without a header (linux 6.18 net/tipc/socket.c,
//! `tipc_sk_fill_sock_diag`). For a socket whose state was not requested, the kernel sends an empty message.

use std::num::{NonZeroU32, NonZeroU64};

use super::words::word;
use crate::model::details::{self, kind};
use crate::model::other_ends::{TipcEnd, TipcPair};
use crate::model::{Backend, Endpoints, Family, Protocol, Socket, SocketType, State};
use crate::source::uapi::tipc::{connection, sock, statistics};

/// Decodes one reply into `slot`; returns false if it is malformed or empty.
pub fn decode(payload: &[u8], slot: &mut Socket) -> bool {
    let Some((_, attributes)) = details::attributes(payload).find(|(kind, _)| *kind == sock::NEST) else {
        return false;
    };
    let number = |wanted: u16| {
        let found = details::attributes(attributes).find(|(kind, _)| *kind == wanted);
        found.and_then(|(_, value)| word(value, 0))
    };
    let byte = |wanted| number(wanted).and_then(|number| u8::try_from(number).ok());
    let Some(state) = byte(sock::STATE).and_then(|state| State::from_kernel(state, false)) else {
        return false;
    };
    let mut kept = std::mem::take(&mut slot.details);
    kept.clear();
    let mut pair = TipcPair {
        local: TipcEnd {
            node: number(sock::ADDR).unwrap_or(0),
            reference: number(sock::REF).unwrap_or(0),
        },
        ..TipcPair::default()
    };
    *slot = Socket {
        protocol: Protocol::Tipc,
        family: Family::Tipc,
        kind: byte(sock::TYPE).and_then(SocketType::from_kernel),
        state,
        inode: number(sock::INO).and_then(NonZeroU32::new),
        uid: number(sock::UID),
        backend: Backend::SockDiag,
        details: kept,
        ..Socket::BLANK
    };
    for (kind, value) in details::attributes(attributes) {
        match kind {
            sock::CON => read_connection(value, &mut pair),
            sock::HAS_PUBL => pair.is_published = true,
            sock::STAT => read_statistics(value, slot, &mut pair),
            sock::COOKIE => {
                let halves = word(value, 0).zip(word(value, 4));
                slot.cookie =
                    halves.and_then(|(low, high)| NonZeroU64::new(u64::from(high) << 32 | u64::from(low)));
            }
            sock::GROUP => slot.details.push(kind::TIPC_GROUP, value),
            _ => {}
        }
    }
    if slot.is_listener() {
        // Its send queue is not the limit of the accept queue; TIPC has no such limit.
        slot.wqueue = None;
    }
    slot.endpoints = Endpoints::Tipc(pair);
    true
}

fn read_connection(attributes: &[u8], pair: &mut TipcPair) {
    let mut peer = TipcEnd::default();
    let mut service = [0; 2];
    let mut by_name = false;
    for (kind, value) in details::attributes(attributes) {
        let number = word(value, 0).unwrap_or(0);
        match kind {
            connection::FLAG => by_name = true,
            connection::NODE => peer.node = number,
            connection::SOCK => peer.reference = number,
            connection::TYPE => service[0] = number,
            connection::INST => service[1] = number,
            _ => {}
        }
    }
    pair.peer = Some(peer);
    pair.service = by_name.then_some(service);
}

fn read_statistics(attributes: &[u8], slot: &mut Socket, pair: &mut TipcPair) {
    for (kind, value) in details::attributes(attributes) {
        match kind {
            statistics::RCVQ => slot.rqueue = word(value, 0),
            statistics::SENDQ => slot.wqueue = word(value, 0),
            statistics::DROP => slot.drops = word(value, 0).map(u64::from),
            statistics::LINK_CONG => pair.is_link_congested = true,
            statistics::CONN_CONG => pair.is_connection_congested = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::{message, words};
    use super::*;

    fn nest(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        message(Vec::new(), attributes)
    }

    fn record(more: &[(u16, &[u8])]) -> Vec<u8> {
        let numbers = [
            (sock::REF, 77),
            (sock::ADDR, 0x0100_1001),
            (sock::TYPE, 1),
            (sock::STATE, 1),
            (sock::INO, 4711),
            (sock::UID, 1000),
        ]
        .map(|(kind, number)| (kind, words(&[number])));
        let mut attributes: Vec<(u16, &[u8])> = numbers
            .iter()
            .map(|(kind, value)| (*kind, value.as_slice()))
            .collect();
        attributes.extend_from_slice(more);
        nest(&[(sock::NEST | 0x8000, &nest(&attributes))])
    }

    #[test]
    fn a_connection_by_name_is_read() {
        let connected = nest(&[
            (connection::NODE, &words(&[9])),
            (connection::SOCK, &words(&[8])),
            (connection::FLAG, &[]),
            (connection::TYPE, &words(&[4711])),
            (connection::INST, &words(&[5])),
        ]);
        let counted = nest(&[
            (statistics::RCVQ, &words(&[2])),
            (statistics::SENDQ, &words(&[3])),
            (statistics::DROP, &words(&[4])),
            (statistics::CONN_CONG, &[]),
        ]);
        let bytes = record(&[
            (sock::COOKIE, &words(&[5, 6])),
            (sock::CON | 0x8000, &connected),
            (sock::STAT, &counted),
            (sock::GROUP, &[1; 8]),
            (99, b"from the future"),
        ]);
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, &mut socket));
        let pair = TipcPair {
            local: TipcEnd {
                node: 0x0100_1001,
                reference: 77,
            },
            peer: Some(TipcEnd {
                node: 9,
                reference: 8,
            }),
            service: Some([4711, 5]),
            is_connection_congested: true,
            ..TipcPair::default()
        };
        assert_eq!(socket.endpoints, Endpoints::Tipc(pair));
        assert_eq!(
            (socket.rqueue, socket.wqueue, socket.drops),
            (Some(2), Some(3), Some(4))
        );
        assert_eq!(socket.cookie, NonZeroU64::new(6 << 32 | 5));
        assert_eq!((socket.kind, socket.uid), (Some(SocketType::Stream), Some(1000)));
        assert!(socket.details.get(kind::TIPC_GROUP).is_some());
        // A reused slot keeps nothing of its previous socket.
        assert!(decode(&record(&[(sock::HAS_PUBL, &[])]), &mut socket));
        let Endpoints::Tipc(pair) = &socket.endpoints else {
            panic!("{socket:?}");
        };
        assert!(pair.is_published && pair.peer.is_none() && socket.details.is_empty());
        assert_eq!((socket.rqueue, socket.cookie), (None, None));
    }

    #[test]
    fn malformed_records_are_rejected() {
        let mut socket = Socket::BLANK;
        assert!(!decode(&[], &mut socket), "its state was not requested");
        assert!(!decode(&nest(&[(sock::NEST, &[])]), &mut socket), "no state");
        let odd = nest(&[(sock::NEST, &nest(&[(sock::STATE, &words(&[99]))]))]);
        assert!(!decode(&odd, &mut socket));
        let whole = record(&[]);
        for length in 0..whole.len() {
            assert!(
                !decode(&whole[..length], &mut socket),
                "the nest is cut at {length}"
            );
        }
    }
}
