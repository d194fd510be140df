//! What the kernel tells of SCTP: `struct sctp_info` (linux 6.18 include/linux/sctp.h), the addresses of both ends, and
//! the state of an association, which has its own words.
//!
//! A dump has a row for each endpoint and one for each of its associations; those of one endpoint share its inode and
//! its cookie (net/sctp/diag.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6};

use super::layout::{Form, Part, Struct};
use super::{Details, kind};
use crate::model::State;

/// Words for the states of an association by number (linux 6.18 include/linux/sctp.h, `enum sctp_sstat_state` less
/// its first), each with ss's and with the state of TCP that comes next to it.
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
    /// The state with this kernel number.
    pub fn from_kernel(number: u8) -> Option<Self> {
        (usize::from(number) < STATES.len()).then_some(Self(number))
    }

    /// The kernel's number.
    pub const fn number(self) -> u8 {
        self.0
    }

    fn words(self) -> (&'static str, &'static str, State) {
        let known = STATES.get(usize::from(self.0));
        known.copied().unwrap_or(("closed", "CLOSED", State::Unconnected))
    }

    /// The word of SCTP.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// ss's word.
    pub fn ss_name(self) -> &'static str {
        self.words().1
    }

    /// The state of TCP that means about the same, so that a filter by state finds connections of all protocols.
    pub fn nearest(self) -> State {
        self.words().2
    }

    /// All words, by number.
    pub fn all() -> impl Iterator<Item = &'static str> {
        STATES.iter().map(|(name, ..)| *name)
    }
}

const fn part(
    name: &'static str,
    key: &'static str,
    unit: &'static str,
    offset: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, key, unit, offset, width, meaning).key(key)
}

const fn number(
    name: &'static str,
    key: &'static str,
    offset: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    part(name, key, "", offset, width, meaning)
}

const fn bytes(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "bytes", offset, 4, meaning)
}

const fn packets(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "packets", offset, 8, meaning)
}

/// What associations measure, by offset. The address of the primary path is left out, which is among those of the
/// peer, and so is what the kernel leaves 0.
#[rustfmt::skip]
pub const SCTP_INFO: [Part; 41] = [
    number("sctp_tag", "tag", 0, 4, "our verification tag").form(Form::Hex),
    number("sctp_state", "state", 4, 4, "number of the association's state"),
    bytes("sctp_rwnd_bytes", "rwnd_bytes", 8, "our window"),
    number("sctp_unackdata", "unackdata", 12, 2, "chunks not acknowledged"),
    number("sctp_penddata", "penddata", 14, 2, "chunks that came and wait to be read"),
    number("sctp_instrms", "instrms", 16, 2, "streams from the peer"),
    number("sctp_outstrms", "outstrms", 18, 2, "streams to the peer"),
    number("sctp_inqueue", "inqueue", 24, 4, "chunks in the queue of those that came"),
    number("sctp_outqueue", "outqueue", 28, 4, "chunks in the queue of those to send"),
    number("sctp_overall_error", "overall_error", 32, 4, "errors since the peer was last heard"),
    number("sctp_max_burst", "max_burst", 36, 4, "packets that may be sent at once"),
    bytes("sctp_maxseg_bytes", "maxseg_bytes", 40, "longest message that is not split"),
    bytes("sctp_peer_rwnd_bytes", "peer_rwnd_bytes", 44, "window of the peer"),
    number("sctp_peer_tag", "peer_tag", 48, 4, "verification tag of the peer").form(Form::Hex),
    number("sctp_peer_capable", "peer_capable", 52, 1, "bits of what the peer can: 1 AUTH, 2 PR-SCTP, 4 ASCONF, 8 stream reset, 16 IPv6, 32 IPv4, 64 ECN, 128 interleaving"),
    number("sctp_peer_sack", "peer_sack", 53, 1, "bits: 1 a window of zero was announced, 2 generation of the last acknowledgement, 4 one is due"),
    packets("sctp_isacks", "isacks", 56, "acknowledgements received"),
    packets("sctp_osacks", "osacks", 64, "acknowledgements sent"),
    packets("sctp_opackets", "opackets", 72, "packets sent"),
    packets("sctp_ipackets", "ipackets", 80, "packets received"),
    number("sctp_rtxchunks", "rtxchunks", 88, 8, "chunks sent again"),
    number("sctp_outofseqtsns", "outofseqtsns", 96, 8, "chunks received beyond the window"),
    number("sctp_idupchunks", "idupchunks", 104, 8, "chunks received twice"),
    number("sctp_gapcnt", "gapcnt", 112, 8, "gaps acknowledged"),
    number("sctp_ouodchunks", "ouodchunks", 120, 8, "unordered data chunks sent"),
    number("sctp_iuodchunks", "iuodchunks", 128, 8, "unordered data chunks received"),
    number("sctp_oodchunks", "oodchunks", 136, 8, "ordered data chunks sent"),
    number("sctp_iodchunks", "iodchunks", 144, 8, "ordered data chunks received"),
    number("sctp_octrlchunks", "octrlchunks", 152, 8, "control chunks sent"),
    number("sctp_ictrlchunks", "ictrlchunks", 160, 8, "control chunks received"),
    number("sctp_primary_state", "primary_state", 296, 4, "primary path: 0 inactive, 1 probed too little, 2 active, 3 unconfirmed"),
    bytes("sctp_primary_cwnd_bytes", "primary_cwnd_bytes", 300, "primary path: congestion window"),
    number("sctp_primary_srtt_ticks", "primary_srtt_ticks", 304, 4, "primary path: round trip time, in ticks of the kernel's clock (CONFIG_HZ a second)"),
    part("sctp_primary_rto_ms", "primary_rto_ms", "ms", 308, 4, "primary path: time until a chunk without an answer is sent again"),
    number("sctp_primary_hbinterval_ticks", "primary_hbinterval_ticks", 312, 4, "primary path: time between heartbeats, in ticks of the kernel's clock"),
    number("sctp_primary_pathmaxrxt", "primary_pathmaxrxt", 316, 4, "primary path: errors after which it is given up"),
    part("sctp_primary_sackdelay_ms", "primary_sackdelay_ms", "ms", 320, 4, "primary path: time for which an acknowledgement waits"),
    bytes("sctp_primary_ssthresh_bytes", "primary_ssthresh_bytes", 328, "primary path: window at which slow start ends"),
    bytes("sctp_primary_partial_acked_bytes", "primary_partial_acked_bytes", 332, "primary path: acknowledged toward a larger window"),
    bytes("sctp_primary_flight_bytes", "primary_flight_bytes", 336, "primary path: on the way"),
    number("sctp_primary_errors", "primary_errors", 340, 2, "primary path: errors since it was last heard"),
];

/// What programs set, which the kernel tells of endpoints only.
#[rustfmt::skip]
pub const SCTP_SETTINGS: [Part; 8] = [
    part("sctp_autoclose_s", "autoclose_s", "s", 344, 4, "idle time after which it closes by itself; 0 for never"),
    number("sctp_adaptation_ind", "adaptation_ind", 348, 4, "adaptation layer indication"),
    bytes("sctp_pd_point_bytes", "pd_point_bytes", 352, "length from which a message is delivered in pieces"),
    number("sctp_nodelay", "nodelay", 356, 1, "small messages are sent at once").form(Form::Flag),
    number("sctp_disable_fragments", "disable_fragments", 357, 1, "long messages are refused and not split").form(Form::Flag),
    number("sctp_v4mapped", "v4mapped", 358, 1, "IPv4 addresses are shown mapped into IPv6").form(Form::Flag),
    number("sctp_frag_interleave", "frag_interleave", 359, 1, "whether pieces of messages may be mixed: 0 to 2"),
    number("sctp_type", "type", 360, 4, "0 one-to-many, 1 high bandwidth, 2 one-to-one"),
];

const ADDRESS_BYTES: usize = 128;

impl Details {
    /// What SCTP measures, if it was asked for and came; associations only.
    pub fn sctp_info(&self) -> Option<Struct<'_>> {
        self.association()?;
        self.get(kind::INFO).map(|bytes| Struct::new(&SCTP_INFO, bytes))
    }

    /// What was set for SCTP, if it was asked for and came; endpoints only. Of the caller it is to know that the
    /// socket is one of SCTP.
    pub fn sctp_settings(&self) -> Option<Struct<'_>> {
        let info = self.get(kind::INFO).filter(|_| self.association().is_none());
        info.map(|bytes| Struct::new(&SCTP_SETTINGS, bytes))
    }

    /// The state of an association; `None` for an endpoint, and for sockets of other protocols.
    pub fn association(&self) -> Option<Association> {
        let number = self.get(kind::SCTP_ASSOCIATION)?.first()?;
        Association::from_kernel(*number)
    }

    /// All local addresses of an SCTP socket, or all of the peer ([`kind::LOCALS`], [`kind::PEERS`]); `None` where
    /// the kernel told none.
    pub fn addresses(&self, kind: u16) -> Option<Addresses<'_>> {
        self.get(kind).map(|bytes| Addresses { bytes })
    }
}

/// Addresses as the kernel sends them: `struct sockaddr_storage`, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses<'a> {
    bytes: &'a [u8],
}

impl Addresses<'_> {
    /// The addresses; those of families that are not known here are left out.
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
    fn states_have_words_and_unknown_numbers_have_none() {
        let state = Association::from_kernel(3).unwrap();
        assert_eq!(
            (state.name(), state.nearest()),
            ("established", State::Established)
        );
        assert_eq!(Association::from_kernel(8), None);
    }
}
