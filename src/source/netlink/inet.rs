//! Decodes `struct inet_diag_msg` and its attributes (linux 6.18 include/uapi/linux/inet_diag.h) into the caller's
//! slot, without allocating.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroU64};

use netlink_packet_sock_diag::constants::{
    INET_DIAG_MARK, INET_DIAG_PROTOCOL, INET_DIAG_SHUTDOWN, INET_DIAG_SKV6ONLY,
};

use super::dccp;
use super::words::{DROPS, word};
use crate::model::details::sctp::Association;
use crate::model::details::{self, Details, kind};
use crate::model::request::Wanted;
use crate::model::{
    Backend, Endpoints, Family, InetPair, Protocol, Shutdown, Socket, SocketType, State, Timer, TimerKind,
};
use crate::source::uapi::{AF_INET, AF_INET6, INET_DIAG_CGROUP_ID, INET_DIAG_SOCKOPT};

const HEADER_BYTES: usize = 72;

/// Decodes one reply to a dump of `protocol` into `slot`. Returns false if it is malformed: too short, or of an unknown
/// family or state. Missing attributes stay `None`. With [`Wanted::Row`], attributes are read only if the address needs
/// one, because reading them takes as long as everything else.
pub fn decode(payload: &[u8], protocol: Protocol, wanted: Wanted, slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, state, timer, retransmits, ..] = *header;
    let tcp = protocol.is_tcp();
    let association = match protocol {
        Protocol::Sctp => association(state, attributes),
        _ => None,
    };
    let known = association.map(Association::nearest);
    let read = match protocol {
        Protocol::Dccp => dccp::state(state, attributes),
        _ => known.or_else(|| State::from_kernel(state, tcp)),
    };
    let Some(state) = read else {
        return false;
    };
    let (family, local_address, peer_address) = match family {
        AF_INET => (Family::Inet, v4(header, 8), v4(header, 24)),
        AF_INET6 => (Family::Inet6, v6(header, 8), v6(header, 24)),
        _ => return false,
    };
    let timer = TimerKind::from_kernel(timer).map(|kind| Timer {
        kind: if protocol == Protocol::Sctp {
            TimerKind::T3Rtx
        } else {
            kind
        },
        expires_ms: Some(u32_at(header, 52)),
        retransmits,
    });
    // Minisocks and connection requests have no uid; the kernel sends 0.
    let minisock = matches!(state, State::TimeWait | State::SynRecv)
        || (state == State::FinWait2 && timer.is_some_and(|timer| timer.kind == TimerKind::TimeWait));
    let mut pair = InetPair {
        local_address,
        local_port: port_at(header, 4),
        peer_address,
        peer_port: port_at(header, 6),
        interface: NonZeroU32::new(u32_at(header, 40)),
        v6only: None,
    };
    let cookie = u64::from(u32_at(header, 48)) << 32 | u64::from(u32_at(header, 44));
    let mut details = std::mem::take(&mut slot.details);
    details.clear();
    *slot = Socket {
        protocol,
        family,
        kind: Some(match protocol {
            Protocol::Udp | Protocol::Udplite => SocketType::Dgram,
            Protocol::Raw => SocketType::Raw,
            Protocol::Dccp => SocketType::Dccp,
            _ => SocketType::Stream,
        }),
        state,
        inode: NonZeroU32::new(u32_at(header, 68)),
        cookie: NonZeroU64::new(cookie),
        // The kernel fills in zeros for DCCP (linux 6.12 net/dccp/diag.c).
        rqueue: (protocol != Protocol::Dccp).then(|| u32_at(header, 56)),
        wqueue: (protocol != Protocol::Dccp).then(|| u32_at(header, 60)),
        uid: (!minisock).then(|| u32_at(header, 64)),
        timer,
        backend: Backend::SockDiag,
        details,
        ..Socket::BLANK
    };
    if let Some(association) = association {
        slot.details.push(kind::SCTP_ASSOCIATION, &[association.number()]);
    }
    // The kernel sends v6only only for these states; it decides how a wildcard is shown.
    let unconnected = matches!(state, State::Listen | State::Unconnected | State::Bound);
    let attributes = if wanted >= Wanted::Attributes || (family == Family::Inet6 && unconnected) {
        attributes
    } else {
        &[]
    };
    for (kind, value) in details::attributes(attributes) {
        if wanted == Wanted::Details && Details::keeps(kind) {
            slot.details.push(kind, value);
        }
        match kind {
            INET_DIAG_SHUTDOWN => slot.shutdown = value.first().copied().map(Shutdown),
            INET_DIAG_SKV6ONLY => pair.v6only = value.first().map(|flag| *flag != 0),
            INET_DIAG_PROTOCOL => slot.ip_protocol = value.first().copied(),
            INET_DIAG_MARK => slot.mark = value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes)),
            INET_DIAG_CGROUP_ID => {
                slot.cgroup_id = value
                    .first_chunk()
                    .and_then(|bytes| NonZeroU64::new(u64::from_ne_bytes(*bytes)));
            }
            INET_DIAG_SOCKOPT => {
                slot.socket_options = value.first_chunk().copied().map(bit_fields);
            }
            kind::SKMEMINFO => {
                slot.drops = word(value, DROPS).map(u64::from);
            }
            _ => {}
        }
    }
    slot.endpoints = Endpoints::Inet(pair);
    true
}

/// Returns the state of an SCTP association, whose numbers differ from those of TCP. Only associations have peer
/// addresses, whose attribute is always sent (linux 6.18 net/sctp/diag.c).
fn association(state: u8, attributes: &[u8]) -> Option<Association> {
    let mut attributes = details::attributes(attributes);
    attributes.find(|(kind, _)| *kind == kind::PEERS)?;
    Association::from_kernel(state)
}

/// The flags of `struct inet_diag_sockopt`, which are bit-fields of C, with the first in the lowest bit.
fn bit_fields(bytes: [u8; 2]) -> u16 {
    let first_lowest = |byte: u8| {
        if cfg!(target_endian = "big") {
            byte.reverse_bits()
        } else {
            byte
        }
    };
    u16::from_le_bytes(bytes.map(first_lowest))
}

fn u32_at(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn port_at(header: &[u8; HEADER_BYTES], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

fn v4(header: &[u8; HEADER_BYTES], at: usize) -> IpAddr {
    Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]).into()
}

fn v6(header: &[u8; HEADER_BYTES], at: usize) -> IpAddr {
    let octets: [u8; 16] = std::array::from_fn(|index| header[at + index]);
    Ipv6Addr::from(octets).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the kernel lays it out, with the given fixed fields and attributes.
    fn record(family: u8, state: u8, timer: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&[family, state, timer, 2]);
        bytes[4..8].copy_from_slice(&[0x1f, 0x90, 0x00, 0x50]); // ports 8080 and 80, big endian
        bytes[8..12].copy_from_slice(&[10, 0, 0, 1]);
        bytes[24..28].copy_from_slice(&[10, 0, 0, 2]);
        bytes[40..44].copy_from_slice(&3u32.to_ne_bytes());
        bytes[44..52].copy_from_slice(&[1u32.to_ne_bytes(), 2u32.to_ne_bytes()].concat());
        bytes[52..56].copy_from_slice(&900u32.to_ne_bytes());
        bytes[56..60].copy_from_slice(&5u32.to_ne_bytes());
        bytes[60..64].copy_from_slice(&6u32.to_ne_bytes());
        bytes[64..68].copy_from_slice(&1000u32.to_ne_bytes());
        bytes[68..72].copy_from_slice(&4711u32.to_ne_bytes());
        for (kind, value) in attributes {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn decoded(bytes: &[u8], protocol: Protocol) -> Option<Socket> {
        let mut slot = Socket::BLANK;
        decode(bytes, protocol, Wanted::Details, &mut slot).then_some(slot)
    }

    #[test]
    fn every_fixed_field_is_read() {
        let socket = decoded(&record(2, 1, 2, &[]), Protocol::Tcp).unwrap();
        let pair = *socket.inet().unwrap();
        assert_eq!(
            (pair.local_address.to_string().as_str(), pair.local_port),
            ("10.0.0.1", 8080)
        );
        assert_eq!(
            (pair.peer_address.to_string().as_str(), pair.peer_port),
            ("10.0.0.2", 80)
        );
        assert_eq!(pair.interface, NonZeroU32::new(3));
        assert_eq!(socket.cookie, NonZeroU64::new(0x2_0000_0001));
        assert_eq!(
            (socket.rqueue, socket.wqueue, socket.uid),
            (Some(5), Some(6), Some(1000))
        );
        assert_eq!(socket.inode, NonZeroU32::new(4711));
        assert_eq!(
            socket.timer,
            Some(Timer {
                kind: TimerKind::Keepalive,
                expires_ms: Some(900),
                retransmits: 2
            })
        );
        assert_eq!(socket.shutdown, None, "a missing attribute is not 0");
    }

    #[test]
    fn time_wait_requests_and_fin_wait_2_minisocks_have_no_uid() {
        for (state, timer) in [(6, 3), (3, 1), (5, 3)] {
            assert_eq!(
                decoded(&record(2, state, timer, &[]), Protocol::Tcp).unwrap().uid,
                None
            );
        }
        assert_eq!(
            decoded(&record(2, 5, 0, &[]), Protocol::Tcp).unwrap().uid,
            Some(1000)
        );
    }

    #[test]
    fn longer_shorter_and_unknown_attributes_do_no_harm() {
        let options = if cfg!(target_endian = "big") {
            [0xa0, 0x20]
        } else {
            [0x05, 0x04]
        };
        let attributes: &[(u16, &[u8])] = &[
            (8, &[3, 9, 9, 9]),
            (99, b"from the future"),
            (11, &[1]),
            (15, &[1, 0]),
            (21, &[&7u64.to_ne_bytes()[..], &[0xff]].concat()),
            (22, &options),
            (7, &[0; 12]),
        ];
        let socket = decoded(&record(10, 10, 0, attributes), Protocol::Tcp).unwrap();
        assert_eq!(socket.shutdown, Some(Shutdown(3)));
        assert_eq!(socket.inet().unwrap().v6only, Some(true));
        assert_eq!(socket.mark, None, "two bytes are not a mark");
        assert_eq!(socket.cgroup_id, NonZeroU64::new(7));
        assert_eq!(socket.socket_options, Some(0x405));
        assert_eq!(socket.drops, None, "an old, short skmeminfo has no drops");
    }

    #[test]
    fn wanted_details_are_kept_unchanged_and_memory_is_reused() {
        let bytes = record(
            2,
            1,
            0,
            &[(7, &[1; 36]), (18, b"secret"), (5, &[0x10]), (8, &[0])],
        );
        let mut slot = decoded(&bytes, Protocol::Tcp).unwrap();
        let kept: Vec<_> = slot.details.iter().collect();
        assert_eq!(kept, [(7, &[1u8; 36][..]), (5, &[0x10])]);
        assert!(decode(&bytes, Protocol::Tcp, Wanted::Attributes, &mut slot) && slot.details.is_empty());
        assert_eq!(slot.drops, Some(0x0101_0101));
    }

    #[test]
    fn an_sctp_association_has_its_own_states_and_timer() {
        // In TCP, 3 is syn-recv, and 4 is the persist timer.
        let bytes = record(2, 3, 4, &[(12, &[2; 128]), (13, &[2; 128])]);
        let socket = decoded(&bytes, Protocol::Sctp).unwrap();
        assert_eq!(socket.state, State::Established);
        assert_eq!(socket.details.association().unwrap().name(), "established");
        assert_eq!(socket.timer.unwrap().kind, TimerKind::T3Rtx);
        assert_eq!((socket.uid, socket.identity()), (Some(1000), None));
        // Its endpoint has the same cookie, no peers, and a TCP state.
        let endpoint = decoded(&record(2, 10, 0, &[(12, &[2; 128])]), Protocol::Sctp).unwrap();
        assert_eq!(endpoint.state, State::Listen);
        assert!(endpoint.details.association().is_none() && endpoint.identity().is_some());
        assert_eq!(
            decoded(&record(2, 0, 0, &[]), Protocol::Sctp),
            None,
            "not a TCP state"
        );
        let closed = decoded(&record(2, 0, 0, &[(13, &[2; 128])]), Protocol::Sctp).unwrap();
        assert_eq!(closed.state, State::Unconnected);
    }

    #[test]
    fn malformed_records_are_rejected() {
        assert_eq!(decoded(&[0; 71], Protocol::Tcp), None);
        assert_eq!(decoded(&record(1, 1, 0, &[]), Protocol::Tcp), None);
        assert_eq!(decoded(&record(2, 0, 0, &[]), Protocol::Tcp), None);
        let whole = record(2, 1, 0, &[(8, &[1]), (21, &[0; 8])]);
        for length in HEADER_BYTES..whole.len() {
            assert!(
                decoded(&whole[..length], Protocol::Udp).is_some(),
                "attributes truncated at {length}"
            );
        }
    }
}
