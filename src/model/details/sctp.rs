//! Facts that only SCTP has: the addresses of both ends, and association states with their own names.
//!
//! A dump has a row for each endpoint and one for each of its associations; those of one endpoint share its inode and
//! cookie (net/sctp/diag.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6};

use super::{Details, kind};
use crate::model::State;

/// Names of association states by number (linux 6.18 include/linux/sctp.h, `enum sctp_sstat_state` without its first),
/// each with ss's name and the TCP state closest to it.
const STATES: [(&str, &str, State); 8] = [
    ("closed", "CLOSED", State::Unconnected),
    ("cookie-wait", "COOKIE_WAIT", State::SynSent),
    ("cookie-echoed", "COOKIE_ECHOED", State::SynSent),
    ("established", "ESTAB", State::Established),
    ("shutdown-pending", "SHUTDOWN_PENDING", State::FinWait1),
    ("shutdown-sent", "SHUTDOWN_SENT", State::FinWait2),
    ("shutdown-received", "SHUTDOWN_RECEIVED", State::CloseWait),
    ("shutdown-ack-sent", "ACK_SENT", State::LastAck),
];

/// The state of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Association(u8);

impl Association {
    /// Returns the state with this kernel number.
    pub fn from_kernel(number: u8) -> Option<Self> {
        (usize::from(number) < STATES.len()).then_some(Self(number))
    }

    /// Returns the kernel's number.
    pub const fn number(self) -> u8 {
        self.0
    }

    fn words(self) -> (&'static str, &'static str, State) {
        let known = STATES.get(usize::from(self.0));
        known.copied().unwrap_or(("closed", "CLOSED", State::Unconnected))
    }

    /// Returns SCTP's name.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// Returns ss's name.
    pub fn ss_name(self) -> &'static str {
        self.words().1
    }

    /// Returns the TCP state with about the same meaning, so that a filter by state finds connections of all
    /// protocols.
    pub fn nearest(self) -> State {
        self.words().2
    }

    /// All names, by number.
    pub fn all() -> impl Iterator<Item = &'static str> {
        STATES.iter().map(|(name, ..)| *name)
    }
}

const ADDRESS_BYTES: usize = 128;

impl Details {
    /// Returns the state of an association; `None` for an endpoint, and for sockets of other protocols.
    pub fn association(&self) -> Option<Association> {
        let number = self.get(kind::SCTP_ASSOCIATION)?.first()?;
        Association::from_kernel(*number)
    }

    /// Returns all local addresses of an SCTP socket, or all of its peer ([`kind::LOCALS`], [`kind::PEERS`]); `None`
    /// if the kernel reported none.
    pub fn addresses(&self, kind: u16) -> Option<Addresses<'_>> {
        self.get(kind).map(|bytes| Addresses { bytes })
    }
}

/// Addresses as the kernel sends them: a sequence of `struct sockaddr_storage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses<'a> {
    bytes: &'a [u8],
}

impl Addresses<'_> {
    /// Iterates over the addresses; skips families that are not known here.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.bytes.chunks_exact(ADDRESS_BYTES).filter_map(|storage| {
            let (family, rest) = storage.split_first_chunk()?;
            match u8::try_from(u16::from_ne_bytes(*family)) {
                Ok(AF_INET) => Some(Ipv4Addr::from(*rest.get(2..)?.first_chunk::<4>()?).into()),
                Ok(AF_INET6) => Some(Ipv6Addr::from(*rest.get(6..)?.first_chunk::<16>()?).into()),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_read_and_others_left_out() {
        let storage = |bytes: &[u8]| {
            let mut whole = bytes.to_vec();
            whole.resize(ADDRESS_BYTES, 0);
            whole
        };
        let v4 = storage(&[&u16::from(AF_INET).to_ne_bytes()[..], &[0, 80, 10, 0, 0, 1]].concat());
        let v6 = storage(
            &[
                &u16::from(AF_INET6).to_ne_bytes()[..],
                &[0; 6],
                &[0xfe, 0x80],
                &[0; 13],
                &[7],
            ]
            .concat(),
        );
        let mut details = Details::default();
        details.push(
            kind::LOCALS,
            &[v4, storage(&[99, 0, 1]), v6, vec![2, 0, 1]].concat(),
        );
        let shown: Vec<_> = details.addresses(kind::LOCALS).unwrap().iter().collect();
        assert_eq!(
            shown,
            ["10.0.0.1", "fe80::7"].map(|text| text.parse::<IpAddr>().unwrap())
        );
        assert!(details.addresses(kind::PEERS).is_none());
    }

    #[test]
    fn states_have_names_and_unknown_numbers_have_none() {
        let state = Association::from_kernel(3).unwrap();
        assert_eq!(
            (state.name(), state.nearest()),
            ("established", State::Established)
        );
        assert_eq!(Association::from_kernel(8), None);
        let by_number = (0..=u8::MAX)
            .map_while(Association::from_kernel)
            .map(Association::name);
        assert!(by_number.eq(Association::all()));
    }
}
