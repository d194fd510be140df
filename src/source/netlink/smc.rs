//! Decodes `struct smc_diag_msg` and its attributes (linux 6.18 include/uapi/linux/smc_diag.h, net/smc/smc_diag.c).
//!
//! The addresses are those of the TCP socket inside. The kernel does not report whether they are IPv4 or IPv6, but
//! lists IPv4 sockets first. A socket without any address may be either.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use super::words::{begin, word};
use crate::model::details::{self, kind};
use crate::model::{Endpoints, Family, InetPair, Protocol, Shutdown, Socket, State};
use crate::source::uapi::AF_SMC;
use crate::source::uapi::smc::{CONNINFO, DMBINFO, FALLBACK, LGRINFO, SHUTDOWN};

const HEADER_BYTES: usize = 64;
/// `SOCK_STREAM`, the only type.
const STREAM: u8 = 1;
/// The requested extensions: all that exist.
pub(super) const EXTENSIONS: u8 = 1 << (CONNINFO - 1) | 1 << (LGRINFO - 1) | 1 << (DMBINFO - 1);

/// Decodes one reply into `slot`; returns false if it is malformed.
pub fn decode(payload: &[u8], slot: &mut Socket) -> bool {
    let Some((header, attributes)) = payload.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let [family, number, mode, ..] = *header;
    let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (local_port, peer_port) = (port(4), port(6));
    let Some(state) = state(number, local_port, peer_port).filter(|_| family == AF_SMC) else {
        return false;
    };
    // Beyond the first word, IPv4 addresses are zeros.
    let is_v4 = [8, 24].into_iter().all(|at| header[at + 4..at + 16] == [0; 12]);
    let address = |at: usize| -> IpAddr {
        if is_v4 {
            Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]).into()
        } else {
            let octets: [u8; 16] = std::array::from_fn(|index| header[at + index]);
            Ipv6Addr::from(octets).into()
        }
    };
    let family = if is_v4 { Family::Inet } else { Family::Inet6 };
    begin(slot, (Protocol::Smc, family), STREAM, state, header, 40);
    // The cookie is at the same place as in other families; the inode comes last, in 64 bits.
    slot.inode = inode(header);
    slot.uid = word(header, 52);
    slot.endpoints = Endpoints::Inet(InetPair {
        local_address: address(8),
        local_port,
        peer_address: address(24),
        peer_port,
        interface: word(header, 40).and_then(NonZeroU32::new),
        v6only: None,
    });
    let mut fallback = [0; 8];
    for (kind, value) in details::attributes(attributes) {
        match kind {
            CONNINFO => slot.details.push(kind::SMC_CONNECTION, value),
            LGRINFO => slot.details.push(kind::SMC_LINK, value),
            DMBINFO => slot.details.push(kind::SMC_DMB, value),
            SHUTDOWN => slot.shutdown = value.first().copied().map(Shutdown),
            FALLBACK => {
                if let Some(reasons) = value.first_chunk() {
                    fallback = *reasons;
                }
            }
            _ => {}
        }
    }
    // Before a connection, the kernel leaves the mode at 0, which would mean RDMA.
    let is_connected = !matches!(number, 2 | 7 | 10);
    let mode = if is_connected { mode } else { u8::MAX };
    let mut smc = [number, mode, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    smc[4..].copy_from_slice(&fallback);
    slot.details.push(kind::SMC, &smc);
    true
}

fn inode(header: &[u8; HEADER_BYTES]) -> Option<NonZeroU32> {
    let bytes = header.get(56..)?.first_chunk()?;
    NonZeroU32::new(u32::try_from(u64::from_ne_bytes(*bytes)).ok()?)
}

/// Returns the closest TCP state (linux 6.18 net/smc/smc.h, `enum smc_state`).
fn state(number: u8, local_port: u16, peer_port: u16) -> Option<State> {
    Some(match number {
        1 => State::Established,
        2 if peer_port != 0 => State::SynSent,
        2 if local_port != 0 => State::Bound,
        2 | 7 => State::Unconnected,
        10 => State::Listen,
        20 => State::FinWait1,
        21 => State::FinWait2,
        22 | 23 => State::CloseWait,
        24 => State::LastAck,
        25..=27 => State::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::super::words::tests::{message, words};
    use super::*;

    fn record(state: u8, local: [u8; 16], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&[AF_SMC, state, 1, 0]);
        bytes[4..8].copy_from_slice(&[0x1f, 0x90, 0x00, 0x50]);
        bytes[8..24].copy_from_slice(&local);
        bytes[40..52].copy_from_slice(&words(&[3, 5, 6]));
        bytes[52..60].copy_from_slice(&words(&[1000, 4711]));
        message(bytes, attributes)
    }

    #[test]
    fn a_connection_that_fell_back_is_read() {
        let mut local = [0; 16];
        local[..4].copy_from_slice(&[10, 0, 0, 1]);
        let reasons = words(&[0x0303_0000, 0x0301_0000]);
        let bytes = record(
            1,
            local,
            &[(SHUTDOWN, &[1]), (FALLBACK, &reasons), (99, b"future")],
        );
        let mut socket = Socket::BLANK;
        assert!(decode(&bytes, &mut socket));
        let pair = socket.inet().unwrap();
        assert_eq!(
            (pair.local_address.to_string(), pair.local_port),
            ("10.0.0.1".to_owned(), 8080)
        );
        assert_eq!((pair.peer_port, pair.interface), (80, NonZeroU32::new(3)));
        assert_eq!((socket.family, socket.state), (Family::Inet, State::Established));
        assert_eq!(socket.cookie, NonZeroU64::new(6 << 32 | 5));
        assert_eq!((socket.inode, socket.uid), (NonZeroU32::new(4711), Some(1000)));
        assert_eq!(
            socket.shutdown,
            Some(Shutdown(1)),
            "not the one in the header, which is never filled in"
        );
        assert_eq!((socket.rqueue, socket.wqueue), (None, None), "not reported");
        let expected = [&[1, 1, 0, 0][..], &reasons].concat();
        assert_eq!(socket.details.get(kind::SMC), Some(&expected[..]));
        for length in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..length], &mut socket),
                length >= HEADER_BYTES,
                "{length}"
            );
        }
    }

    #[test]
    fn the_family_follows_from_the_addresses() {
        let family = |local: [u8; 16]| {
            let mut socket = Socket::BLANK;
            assert!(decode(&record(10, local, &[]), &mut socket));
            (socket.family, socket.inet().unwrap().has_no_address())
        };
        assert_eq!(
            family(std::array::from_fn(|at| u8::from(at == 15))),
            (Family::Inet6, false)
        );
        assert_eq!(
            family(std::array::from_fn(|at| u8::from(at == 0))),
            (Family::Inet, false)
        );
        assert_eq!(family([0; 16]), (Family::Inet, true));
    }

    #[test]
    fn states_are_the_closest_tcp_states() {
        let of = |number| state(number, 0, 0).map(State::name);
        assert_eq!(of(7), Some("unconnected"));
        assert_eq!(of(22), Some("close-wait"));
        assert_eq!(of(27), Some("closing"));
        assert_eq!((of(0), of(3), of(28)), (None, None, None));
        assert_eq!(state(2, 0, 0), Some(State::Unconnected));
        assert_eq!(state(2, 80, 0), Some(State::Bound));
        assert_eq!(state(2, 80, 9), Some(State::SynSent));
    }
}
