//! What congestion controls tell of themselves (linux 6.18 include/uapi/linux/inet_diag.h).

use super::layout::{Form, Part, Struct};
use super::{Details, kind};

const fn part(
    name: &'static str,
    key: &'static str,
    unit: &'static str,
    offset: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, key, unit, offset, 4, meaning).key(key)
}

/// A factor that is kept in units of 1/256.
const fn gain(name: &'static str, key: &'static str, offset: usize, meaning: &'static str) -> Part {
    part(name, key, "1/256", offset, meaning)
}

/// `struct tcpvegas_info`, of vegas, yeah, illinois, westwood and nv.
pub const VEGAS: [Part; 4] = [
    part("vegas_enabled", "enabled", "", 0, "whether it measures").form(Form::Flag),
    part("vegas_rttcnt", "rttcnt", "", 4, "measurements in this round trip"),
    part("vegas_rtt_us", "rtt_us", "us", 8, "round trip time in use").without(0x7fff_ffff),
    part(
        "vegas_minrtt_us",
        "minrtt_us",
        "us",
        12,
        "smallest round trip time",
    )
    .without(0x7fff_ffff),
];

/// `struct tcp_dctcp_info`.
pub const DCTCP: [Part; 5] = [
    Part::number(
        "dctcp_enabled",
        "enabled",
        "",
        0,
        2,
        "false where the peer has no ECN and it falls back to reno",
    )
    .key("enabled")
    .form(Form::Flag),
    Part::number(
        "dctcp_ce_state",
        "ce_state",
        "",
        2,
        2,
        "whether the last packet had a congestion mark",
    )
    .key("ce_state")
    .form(Form::Flag),
    part(
        "dctcp_alpha",
        "alpha",
        "1/1024",
        4,
        "estimated share of marked bytes",
    ),
    part(
        "dctcp_ab_ecn",
        "ab_ecn",
        "bytes",
        8,
        "acknowledged with a mark in this window",
    ),
    part(
        "dctcp_ab_tot",
        "ab_tot",
        "bytes",
        12,
        "acknowledged in this window",
    ),
];

/// `struct tcp_bbr_info`.
pub const BBR: [Part; 4] = [
    // Low half first: on a little-endian machine both are one number.
    Part::number("bbr_bw_bytes_per_s", "bw", "bytes/s", 0, 8, "estimated bandwidth").key("bw_bytes_per_s"),
    part(
        "bbr_min_rtt_us",
        "min_rtt_us",
        "us",
        8,
        "smallest round trip time of the last 10 s",
    )
    .without(u32::MAX as u64),
    gain("bbr_pacing_gain", "pacing_gain", 12, "factor of the pacing rate"),
    gain(
        "bbr_cwnd_gain",
        "cwnd_gain",
        16,
        "factor of the congestion window",
    ),
];

impl Details {
    /// Name of the congestion control, without the NUL behind it.
    pub fn congestion(&self) -> Option<&[u8]> {
        self.get(kind::CONG)
            .map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    /// What a control of the family of vegas measures.
    pub fn vegas(&self) -> Option<Struct<'_>> {
        self.get(kind::VEGASINFO).map(|bytes| Struct::new(&VEGAS, bytes))
    }

    /// What dctcp measures.
    pub fn dctcp(&self) -> Option<Struct<'_>> {
        self.get(kind::DCTCPINFO).map(|bytes| Struct::new(&DCTCP, bytes))
    }

    /// What bbr measures.
    pub fn bbr(&self) -> Option<Struct<'_>> {
        self.get(kind::BBRINFO).map(|bytes| Struct::new(&BBR, bytes))
    }
}
