//! Decodes `struct netlink_diag_msg` and its attributes (linux 6.18 include/uapi/linux/netlink_diag.h): netlink sockets
//! as rows (not the socket that carries the dump).

use super::words::{WMEM_ALLOC, begin, read_memory, word};
use crate::model::details;
use crate::model::other_ends::NetlinkPair;
use crate::model::request::Wanted;
use crate::model::{Endpoints, Family, Protocol, Socket, State};
use crate::source::uapi::AF_NETLINK;
use crate::source::uapi::netlink::{GROUPS, MEMINFO, SHOW_GROUPS, SHOW_MEMINFO};

const HEADER_BYTES: usize = 28;

/// `ndiag_show` bits for a listing: memory (queues) and groups.
pub const SHOW_BASIC: u32 = SHOW_MEMINFO | SHOW_GROUPS;

/// The maximum number of groups to read per socket: an attribute has up to 65531 bytes, and a hostile one must not
/// become half a million numbers.
const MOST_GROUPS: usize = 4096;

/// Decodes one reply into `slot`; returns false if it is malformed. The state is always unconnected, as in ss,
/// because the kernel's own numbers are not TCP states.
pub fn decode(payload: &[u8], wanted: Wanted, slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, socket_type, protocol, ..] = *header;
    if family != AF_NETLINK {
        return false;
    }
    let field = |at: usize| word(header, at).unwrap_or(0);
    let mut pair = NetlinkPair {
        protocol,
        portid: field(4),
        peer_portid: field(8),
        peer_group: field(12),
        groups: Box::default(),
    };
    begin(
        slot,
        (Protocol::Netlink, Family::Netlink),
        socket_type,
        State::Unconnected,
        header,
        16,
    );
    for (kind, value) in details::attributes(attributes) {
        match kind {
            MEMINFO => {
                read_memory(slot, wanted, value);
                slot.wqueue = word(value, WMEM_ALLOC);
            }
            GROUPS => pair.groups = groups(value),
            _ => {}
        }
    }
    slot.endpoints = Endpoints::Netlink(pair);
    true
}

/// Decodes a bitmap of machine words, lowest group first: bit 0 is group 1. Allocates only for groups that are joined.
fn groups(bitmap: &[u8]) -> Box<[u32]> {
    let mut groups = Vec::new();
    let words = bitmap.chunks_exact(size_of::<usize>());
    let mut first = 1;
    for word in words {
        let bits = word.first_chunk().map_or(0, |bytes| usize::from_ne_bytes(*bytes));
        groups.extend(
            (0..usize::BITS)
                .filter(|bit| bits >> bit & 1 != 0)
                .map(|bit| first + bit),
        );
        first += usize::BITS;
    }
    groups.truncate(MOST_GROUPS);
    groups.into()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::words::tests::{message, words};
    use super::*;

    fn header(portid: u32) -> Vec<u8> {
        [&[AF_NETLINK, 3, 16, 1][..], &words(&[portid, 9, 2, 77, 5, 6])].concat()
    }

    fn pair(socket: &Socket) -> &NetlinkPair {
        match &socket.endpoints {
            Endpoints::Netlink(pair) => pair,
            _ => unreachable!(),
        }
    }

    #[test]
    fn ends_groups_and_queues_are_read() {
        let bitmap = [(1usize | 1 << 4).to_ne_bytes(), 2usize.to_ne_bytes()].concat();
        let bytes = message(
            header(812),
            &[
                (MEMINFO, &words(&[4352, 9, 12, 9, 9, 9, 9, 9, 3])),
                (GROUPS, &bitmap),
            ],
        );
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, Wanted::Details, &mut socket));
        let pair = pair(&socket);
        assert_eq!(
            (pair.protocol, pair.portid, pair.peer_portid, pair.peer_group),
            (16, 812, 9, 2)
        );
        assert_eq!(*pair.groups, [1, 5, usize::BITS + 2]);
        assert_eq!(
            (socket.recv_q(), socket.send_q(), socket.drops),
            (Some(4352), Some(12), Some(3))
        );
        assert_eq!(socket.inode, NonZeroU32::new(77));
        assert_eq!(socket.uid, None, "the kernel reports no user");
    }

    #[test]
    fn short_and_hostile_replies_are_read_as_far_as_possible() {
        let whole = message(header(0), &[(GROUPS, &[0xff; 4096]), (MEMINFO, &words(&[1; 3]))]);
        let mut socket = Socket::BLANK;
        for length in (0..64).chain([whole.len() - 1, whole.len()]) {
            assert_eq!(
                decode(&whole[..length], Wanted::Details, &mut socket),
                length >= HEADER_BYTES,
                "{length}"
            );
        }
        assert_eq!(pair(&socket).groups.len(), MOST_GROUPS);
        assert_eq!(socket.drops, None, "an older kernel's memory has no drops");
    }
}
