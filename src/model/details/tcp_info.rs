//! `struct tcp_info` (linux 6.18 include/uapi/linux/tcp.h), the one table of its parts.
//!
//! The state is left out, which a row has. So are the last four bytes: 6.18 keeps two numbers about accurate ECN
//! there, 7.0 a row of bits, and nothing in the answer says which it is.

use super::layout::{Form, Part, Struct};
use super::{Details, kind};

const fn us(name: &'static str, kernel: &'static str, offset: usize, meaning: &'static str) -> Part {
    Part::number(name, kernel, "us", offset, 4, meaning)
}

const fn ms(name: &'static str, kernel: &'static str, offset: usize, meaning: &'static str) -> Part {
    Part::number(name, kernel, "ms", offset, 4, meaning)
}

const fn bytes(name: &'static str, kernel: &'static str, offset: usize, meaning: &'static str) -> Part {
    Part::number(name, kernel, "bytes", offset, 4, meaning)
}

const fn packets(name: &'static str, kernel: &'static str, offset: usize, meaning: &'static str) -> Part {
    Part::number(name, kernel, "packets", offset, 4, meaning)
}

/// A number of 64 bits.
const fn long(
    name: &'static str,
    kernel: &'static str,
    unit: &'static str,
    offset: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, kernel, unit, offset, 8, meaning)
}

/// A small number without a unit.
const fn count(
    name: &'static str,
    kernel: &'static str,
    offset: usize,
    width: usize,
    meaning: &'static str,
) -> Part {
    Part::number(name, kernel, "", offset, width, meaning)
}

const fn option(name: &'static str, bit: u32, meaning: &'static str) -> Part {
    Part::number(name, "options", "", 5, 1, meaning)
        .bits(bit, 1)
        .form(Form::Flag)
}

/// Words of `ca_state` (`enum tcp_ca_state`).
const CA_STATES: &[(u64, &str)] = &[
    (0, "open"),
    (1, "disorder"),
    (2, "cwr"),
    (3, "recovery"),
    (4, "loss"),
];

/// Words of `fastopen_client_fail` (`enum tcp_fastopen_client_fail`).
const FASTOPEN_FAILS: &[(u64, &str)] = &[
    (0, "unspec"),
    (1, "cookie-unavailable"),
    (2, "data-not-acked"),
    (3, "syn-retransmitted"),
];

/// The parts, in the order of the kernel.
#[rustfmt::skip] // A line for each part.
pub const TCP_INFO: [Part; 74] = [
    count("ca_state", "ca_state", 1, 1, "what congestion control is doing").form(Form::Word(CA_STATES)),
    count("tcp_retransmits", "retransmits", 2, 1, "timeouts in a row without an answer").key("retransmits"),
    count("probes", "probes", 3, 1, "probes of a zero window, or for a dead peer, without an answer"),
    count("backoff", "backoff", 4, 1, "how often the retransmission timeout was doubled"),
    option("opt_timestamps", 0, "timestamps were agreed on"),
    option("opt_sack", 1, "selective acknowledgements were agreed on"),
    option("opt_wscale", 2, "window scaling was agreed on"),
    option("opt_ecn", 3, "explicit congestion notification was agreed on"),
    option("opt_ecn_seen", 4, "at least one packet came marked for ECN"),
    option("opt_syn_data", 5, "data in the SYN was acknowledged (fast open)"),
    option("opt_usec_ts", 6, "timestamps count microseconds"),
    option("opt_tfo_child", 7, "accepted by fast open"),
    count("snd_wscale", "snd_wscale", 6, 1, "power of two that the peer's window is scaled by").bits(0, 4),
    count("rcv_wscale", "rcv_wscale", 6, 1, "power of two that our window is scaled by").bits(4, 4),
    count("delivery_rate_app_limited", "delivery_rate_app_limited", 7, 1,
        "the program gave less to send than delivery_rate could take").bits(0, 1).form(Form::Flag),
    count("fastopen_client_fail", "fastopen_client_fail", 7, 1, "why fast open was not used")
        .bits(1, 2).form(Form::Word(FASTOPEN_FAILS)),
    us("rto_us", "rto", 8, "time until a segment without an answer is sent again"),
    us("ato_us", "ato", 12, "time until an acknowledgement that waits is sent"),
    bytes("mss", "snd_mss", 16, "largest segment sent"),
    bytes("rcv_mss_bytes", "rcv_mss", 20, "largest segment of the peer, as estimated"),
    packets("unacked", "unacked", 24, "sent and not yet acknowledged"),
    packets("sacked", "sacked", 28, "selectively acknowledged"),
    packets("lost", "lost", 32, "taken for lost"),
    packets("retrans", "retrans", 36, "sent again and not yet acknowledged"),
    packets("fackets", "fackets", 40, "0 since Linux 4.15"),
    ms("last_data_sent_ms", "last_data_sent", 44, "time since data was sent"),
    ms("last_ack_sent_ms", "last_ack_sent", 48, "the kernel does not keep it").without(0),
    ms("last_data_recv_ms", "last_data_recv", 52, "time since data came"),
    ms("last_ack_recv_ms", "last_ack_recv", 56, "time since an acknowledgement came"),
    bytes("pmtu_bytes", "pmtu", 60, "largest packet on the path"),
    bytes("rcv_ssthresh_bytes", "rcv_ssthresh", 64, "size up to which our window grows for now"),
    us("rtt_us", "rtt", 68, "round trip time, smoothed").without(0),
    us("rttvar_us", "rttvar", 72, "its mean deviation"),
    packets("ssthresh", "snd_ssthresh", 76, "window at which slow start ends; null for none yet")
        .without(0x7fff_ffff),
    packets("cwnd", "snd_cwnd", 80, "congestion window"),
    bytes("advmss_bytes", "advmss", 84, "largest segment that we told the peer"),
    packets("reordering", "reordering", 88, "how far packets come out of order before one is taken for lost"),
    us("rcv_rtt_us", "rcv_rtt", 92, "round trip time as the receiver estimates it").without(0),
    bytes("rcv_space_bytes", "rcv_space", 96, "what the program read in a round trip, which sizes the buffer"),
    packets("total_retrans", "total_retrans", 100, "sent again since the beginning"),
    long("pacing_rate_bytes_per_s", "pacing_rate", "bytes/s", 104, "rate at which segments are spaced")
        .without(u64::MAX),
    long("max_pacing_rate_bytes_per_s", "max_pacing_rate", "bytes/s", 112, "limit of that rate; null for none")
        .without(u64::MAX),
    long("bytes_acked", "bytes_acked", "bytes", 120, "acknowledged by the peer; SYN and FIN count as one"),
    long("bytes_received", "bytes_received", "bytes", 128, "received in order; SYN and FIN count as one"),
    packets("segs_out", "segs_out", 136, "segments sent"),
    packets("segs_in", "segs_in", 140, "segments received"),
    bytes("notsent_bytes", "notsent_bytes", 144, "in the send queue and not sent yet"),
    us("min_rtt_us", "min_rtt", 148, "smallest round trip time of late").without(u32::MAX as u64),
    packets("data_segs_in", "data_segs_in", 152, "segments with data received"),
    packets("data_segs_out", "data_segs_out", 156, "segments with data sent"),
    long("delivery_rate_bytes_per_s", "delivery_rate", "bytes/s", 160, "rate at which data lately reached the peer"),
    long("busy_time_us", "busy_time", "us", 168, "time with data to send"),
    long("rwnd_limited_us", "rwnd_limited", "us", 176, "of that, time in which the peer's window was full"),
    long("sndbuf_limited_us", "sndbuf_limited", "us", 184, "of that, time in which the send buffer was full"),
    packets("delivered", "delivered", 192, "reached the peer, sent again or not"),
    packets("delivered_ce", "delivered_ce", 196, "of those, marked for congestion"),
    long("bytes_sent", "bytes_sent", "bytes", 200, "data sent, what was sent again included"),
    long("bytes_retrans", "bytes_retrans", "bytes", 208, "data sent again"),
    packets("dsack_dups", "dsack_dups", 216, "duplicates that the peer reported"),
    count("reord_seen", "reord_seen", 220, 4, "times that packets came out of order"),
    packets("rcv_ooopack", "rcv_ooopack", 224, "received out of order"),
    bytes("snd_wnd_bytes", "snd_wnd", 228, "window of the peer"),
    bytes("rcv_wnd_bytes", "rcv_wnd", 232, "our window"),
    count("rehash", "rehash", 236, 4, "times that another path was tried by another hash"),
    count("total_rto", "total_rto", 240, 2, "retransmission timeouts since the beginning"),
    count("total_rto_recoveries", "total_rto_recoveries", 242, 2, "recoveries from such timeouts"),
    ms("total_rto_time_ms", "total_rto_time", 244, "time spent in such recoveries"),
    packets("received_ce", "received_ce", 248, "received with a congestion mark"),
    bytes("delivered_e1_bytes", "delivered_e1_bytes", 252, "delivered with the mark ECT(1), by accurate ECN"),
    bytes("delivered_e0_bytes", "delivered_e0_bytes", 256, "delivered with the mark ECT(0), by accurate ECN"),
    bytes("delivered_ce_bytes", "delivered_ce_bytes", 260, "delivered with a congestion mark, by accurate ECN"),
    bytes("received_e1_bytes", "received_e1_bytes", 264, "received with the mark ECT(1), by accurate ECN"),
    bytes("received_e0_bytes", "received_e0_bytes", 268, "received with the mark ECT(0), by accurate ECN"),
    bytes("received_ce_bytes", "received_ce_bytes", 272, "received with a congestion mark, by accurate ECN"),
];

impl Details {
    /// What TCP knows of a connection, if it was asked for and came. Of the caller it is to know that the socket is
    /// one of TCP.
    pub fn tcp_info(&self) -> Option<Struct<'_>> {
        self.get(kind::INFO).map(|bytes| Struct::new(&TCP_INFO, bytes))
    }
}
