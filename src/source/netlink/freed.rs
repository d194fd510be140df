//! The kernel's messages about freed TCP and UDP sockets, to the groups SKNLGRP_INET_TCP_DESTROY and so on (linux
//! 6.18 net/core/sock_diag.c, sock_diag_broadcast_destroy). There are no such messages for other protocols, and
//! none for new sockets.

use netlink_packet_core::NlasIterator;
use netlink_packet_sock_diag::constants::INET_DIAG_PROTOCOL;

use super::inet;
use crate::model::request::{Dump, Wanted};
use crate::model::{Protocol, Socket, State};
use crate::source::uapi::{IPPROTO_TCP, IPPROTO_UDP, freed};

const HEADER_BYTES: usize = 72;

/// Returns the groups to join for these dumps, bit 0 for group 1; 0 if there are none.
pub fn groups(dumps: &[Dump]) -> u32 {
    let mut groups = 0;
    for dump in dumps {
        let (v4, v6) = match dump.protocol {
            Protocol::Tcp => (freed::INET_TCP, freed::INET6_TCP),
            Protocol::Udp => (freed::INET_UDP, freed::INET6_UDP),
            _ => continue,
        };
        groups |= (u32::from(dump.v4) * v4) | (u32::from(dump.v6) * v6);
    }
    groups
}

/// Decodes one message. Returns `None` if it is malformed, or if its socket was never bound or connected and thus
/// appears in no table.
///
/// The kernel has already dropped the inode and the user, and reports the state of a closed socket; queues and
/// timers are meaningless. The caller may have better values.
pub fn decode(payload: &[u8], wanted: Wanted) -> Option<Socket> {
    let attributes = payload.get(HEADER_BYTES..)?;
    let protocol = NlasIterator::new(attributes)
        .map_while(Result::ok)
        .find(|attribute| attribute.kind() == INET_DIAG_PROTOCOL)
        .and_then(|attribute| attribute.value().first().copied());
    let protocol = match protocol {
        Some(IPPROTO_TCP) => Protocol::Tcp,
        Some(IPPROTO_UDP) => Protocol::Udp,
        _ => return None,
    };
    let mut socket = Socket::BLANK;
    if !inet::decode(payload, protocol, wanted.max(Wanted::Attributes), &mut socket) {
        return None;
    }
    let pair = socket.inet()?;
    if pair.local_port == 0 && pair.peer_port == 0 {
        return None;
    }
    if socket.state == State::Bound {
        socket.state = State::Unconnected;
    }
    socket.uid = None;
    socket.rqueue = None;
    socket.wqueue = None;
    socket.timer = None;
    socket.ip_protocol = None;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, StateSet};

    fn message(protocol: u8, local_port: u16) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..2].copy_from_slice(&[2, 7]);
        bytes[4..6].copy_from_slice(&local_port.to_be_bytes());
        bytes[44] = 9;
        bytes[60..64].fill(0xff);
        bytes.extend([5, 0, 10, 0, protocol, 0, 0, 0]);
        bytes
    }

    #[test]
    fn only_facts_from_the_message_are_set() {
        let tcp = decode(&message(6, 80), Wanted::Row).unwrap();
        assert_eq!((tcp.protocol, tcp.family), (Protocol::Tcp, Family::Inet));
        assert_eq!((tcp.state, tcp.uid, tcp.wqueue), (State::Unconnected, None, None));
        assert_eq!(tcp.cookie.unwrap().get(), 9);
        assert_eq!(
            decode(&message(17, 53), Wanted::Row).unwrap().protocol,
            Protocol::Udp
        );
    }

    #[test]
    fn other_messages_and_sockets_in_no_table_are_skipped() {
        assert_eq!(decode(&message(17, 0), Wanted::Row), None);
        assert_eq!(decode(&message(99, 80), Wanted::Row), None);
        assert_eq!(decode(&message(6, 80)[..HEADER_BYTES], Wanted::Row), None);
        assert_eq!(decode(&[0; 8], Wanted::Row), None);
    }

    #[test]
    fn groups_follow_the_selection() {
        let of = |protocol, v4, v6| Dump {
            v4,
            v6,
            ..Dump::new(protocol, StateSet::ALL)
        };
        assert_eq!(groups(&[of(Protocol::Tcp, true, true)]), 0b0101);
        assert_eq!(
            groups(&[of(Protocol::Tcp, true, false), of(Protocol::Udp, false, true)]),
            0b1001
        );
        assert_eq!(groups(&[of(Protocol::Unix, true, true)]), 0);
    }
}
