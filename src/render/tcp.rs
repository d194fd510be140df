//! The tokens of `ss -i` for TCP sockets (iproute2 7.1 with `-n`), in its order.
//!
//! Most numbers are left out when they are 0, as ss does. Keys of TCP-MD5 are secrets and are never printed.

use std::fmt::Write as _;

use super::decimal::{push_256th, push_ms};
use super::escape;
use super::text::push_number;
use super::ulp::push_ulp;
use crate::model::details::congestion::BBR;
use crate::model::details::{Details, kind};
use crate::model::{Socket, State};

/// Appends what `-i` shows of a TCP socket, each token with a blank in front. `options` are the flags that the ends
/// agreed on, which ss shows with `-o` only.
pub fn push_info(out: &mut Vec<u8>, socket: &Socket, options: bool) {
    let details = &socket.details;
    if let Some(info) = details.get(kind::INFO) {
        push_tcp_info(out, &Info { bytes: info }, socket, options);
    } else {
        push_congestion(out, details);
    }
    push_ulp(out, details);
}

/// `struct tcp_info` by offsets. Older kernels have a shorter one; what it lacks is 0 here, as in ss.
struct Info<'a> {
    bytes: &'a [u8],
}

impl Info<'_> {
    fn byte(&self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or(0)
    }

    fn number(&self, offset: usize) -> u32 {
        let part = self.bytes.get(offset..).and_then(<[u8]>::first_chunk);
        part.map_or(0, |part| u32::from_ne_bytes(*part))
    }

    fn long(&self, offset: usize) -> u64 {
        let part = self.bytes.get(offset..).and_then(<[u8]>::first_chunk);
        part.map_or(0, |part| u64::from_ne_bytes(*part))
    }
}

/// Options by their bits, in ss's order.
const OPTIONS: [(u8, &[u8]); 6] = [
    (1, b" ts"),
    (64, b" usec_ts"),
    (2, b" sack"),
    (8, b" ecn"),
    (16, b" ecnseen"),
    (32, b" fastopen"),
];
const WSCALE: u8 = 4;

/// The timeout before the first measurement of kernels before 3.1, which ss leaves out.
const FIRST_RTO_US: u32 = 3_000_000;

fn push_tcp_info(out: &mut Vec<u8>, info: &Info<'_>, socket: &Socket, options: bool) {
    let details = &socket.details;
    if options {
        for (bit, token) in OPTIONS {
            if info.byte(5) & bit != 0 {
                out.extend_from_slice(token);
            }
        }
    }
    push_congestion(out, details);
    if info.byte(5) & WSCALE != 0 {
        out.extend_from_slice(b" wscale:");
        push_number(out, info.byte(6) & 15);
        out.push(b',');
        push_number(out, info.byte(6) >> 4);
    }
    let rto = info.number(8);
    push_ms_token(out, b" rto:", if rto == FIRST_RTO_US { 0 } else { rto });
    push_count(out, b" backoff:", info.byte(4));
    let rtt = info.number(68);
    if rtt > 0 {
        push_ms_token(out, b" rtt:", rtt);
        out.push(b'/');
        push_ms(out, info.number(72));
    }
    push_ms_token(out, b" ato:", info.number(12));
    let (mss, cwnd) = (info.number(16), info.number(80));
    push_count(out, b" mss:", mss);
    push_count(out, b" pmtu:", info.number(60));
    push_count(out, b" rcvmss:", info.number(20));
    push_count(out, b" advmss:", info.number(84));
    push_count(out, b" cwnd:", cwnd);
    let ssthresh = info.number(76);
    push_count(out, b" ssthresh:", if ssthresh < 0xffff { ssthresh } else { 0 });
    push_count(out, b" bytes_sent:", info.long(200));
    push_count(out, b" bytes_retrans:", info.long(208));
    push_count(out, b" bytes_acked:", info.long(120));
    push_count(out, b" bytes_received:", info.long(128));
    push_count(out, b" segs_out:", info.number(136));
    push_count(out, b" segs_in:", info.number(140));
    push_count(out, b" data_segs_out:", info.number(156));
    push_count(out, b" data_segs_in:", info.number(152));
    push_dctcp(out, details);
    push_bbr(out, details);
    push_send(out, vegas_rtt(details).unwrap_or(rtt), mss, cwnd);
    push_count(out, b" lastsnd:", info.number(44));
    push_count(out, b" lastrcv:", info.number(52));
    push_count(out, b" lastack:", info.number(56));
    push_rates(out, info);
    push_count(out, b" delivered:", info.number(192));
    push_count(out, b" delivered_ce:", info.number(196));
    if info.byte(7) & 1 != 0 {
        out.extend_from_slice(b" app_limited");
    }
    push_busy(out, info);
    push_losses(out, info, socket.state);
    push_rest(out, info);
}

/// What is in flight, lost, sent again and out of order.
fn push_losses(out: &mut Vec<u8>, info: &Info<'_>, state: State) {
    push_count(out, b" unacked:", info.number(24));
    let (now, total) = (info.number(36), info.number(100));
    if now > 0 || total > 0 {
        out.extend_from_slice(b" retrans:");
        push_number(out, now);
        out.push(b'/');
        push_number(out, total);
    }
    push_count(out, b" lost:", info.number(32));
    if state != State::Listen {
        push_count(out, b" sacked:", info.number(28));
    }
    push_count(out, b" dsack_dups:", info.number(216));
    push_count(out, b" fackets:", info.number(40));
    // Three is what every connection begins with.
    if info.number(88) != 3 {
        out.extend_from_slice(b" reordering:");
        push_number(out, info.number(88));
    }
    push_count(out, b" reord_seen:", info.number(220));
}

/// The receiver's side, and what came late to the structure.
fn push_rest(out: &mut Vec<u8>, info: &Info<'_>) {
    push_ms_token(out, b" rcv_rtt:", info.number(92));
    push_count(out, b" rcv_space:", info.number(96));
    push_count(out, b" rcv_ssthresh:", info.number(64));
    push_count(out, b" notsent:", info.number(144));
    let min_rtt = info.number(148);
    push_ms_token(out, b" minrtt:", if min_rtt == u32::MAX { 0 } else { min_rtt });
    push_count(out, b" rcv_ooopack:", info.number(224));
    push_count(out, b" snd_wnd:", info.number(228));
    push_count(out, b" rcv_wnd:", info.number(232));
    push_count(out, b" rehash:", info.number(236));
}

fn push_congestion(out: &mut Vec<u8>, details: &Details) {
    if let Some(name) = details.congestion() {
        out.push(b' ');
        escape::push_also(out, name, |c| c == ' ');
    }
}

fn push_dctcp(out: &mut Vec<u8>, details: &Details) {
    let Some(dctcp) = details.get(kind::DCTCPINFO) else {
        return;
    };
    let info = Info { bytes: dctcp };
    let half = |offset| u16::from_ne_bytes([info.byte(offset), info.byte(offset + 1)]);
    if half(0) == 0 {
        out.extend_from_slice(b" dctcp:fallback_mode");
        return;
    }
    out.extend_from_slice(b" dctcp:(ce_state:");
    push_number(out, half(2));
    for (label, offset) in [(&b",alpha:"[..], 4), (b",ab_ecn:", 8), (b",ab_tot:", 12)] {
        out.extend_from_slice(label);
        push_number(out, info.number(offset));
    }
    out.push(b')');
}

fn push_bbr(out: &mut Vec<u8>, details: &Details) {
    let Some(bytes) = details.get(kind::BBRINFO) else {
        return;
    };
    let info = Info { bytes };
    out.extend_from_slice(b" bbr:(bw:");
    let [bandwidth, ..] = BBR;
    push_bits(out, bandwidth.raw(bytes).unwrap_or(0));
    out.extend_from_slice(b",mrtt:");
    push_ms(out, info.number(8));
    for (label, gain) in [
        (&b",pacing_gain:"[..], info.number(12)),
        (b",cwnd_gain:", info.number(16)),
    ] {
        if gain > 0 {
            out.extend_from_slice(label);
            push_256th(out, gain);
        }
    }
    out.push(b')');
}

/// The round trip that vegas or one of its relatives works with, which counts for the rate then.
fn vegas_rtt(details: &Details) -> Option<u32> {
    let vegas = details.get(kind::VEGASINFO)?;
    let info = Info { bytes: vegas };
    let rtt = info.number(8);
    (info.number(0) != 0 && rtt != 0 && rtt != 0x7fff_ffff).then_some(rtt)
}

/// ` send Rbps`: what a window in a round trip comes to.
fn push_send(out: &mut Vec<u8>, rtt_us: u32, mss: u32, cwnd: u32) {
    if rtt_us == 0 || mss == 0 || cwnd == 0 {
        return;
    }
    out.extend_from_slice(b" send ");
    let bits = u128::from(cwnd) * u128::from(mss) * 8_000_000;
    let rtt_us = u128::from(rtt_us);
    let (whole, rest) = (bits / rtt_us, bits % rtt_us);
    let up = rest * 2 > rtt_us || (rest * 2 == rtt_us && whole % 2 == 1);
    push_number(out, u64::try_from(whole + u128::from(up)).unwrap_or(u64::MAX));
    out.extend_from_slice(b"bps");
}

fn push_rates(out: &mut Vec<u8>, info: &Info<'_>) {
    let known = |rate: u64| rate != 0 && rate != u64::MAX;
    let (pacing, most) = (info.long(104), info.long(112));
    if known(pacing) {
        out.extend_from_slice(b" pacing_rate ");
        push_bits(out, pacing);
        if known(most) {
            out.push(b'/');
            push_bits(out, most);
        }
    }
    let delivery = info.long(160);
    if delivery > 0 {
        out.extend_from_slice(b" delivery_rate ");
        push_bits(out, delivery);
    }
}

/// ` busy:Nms` and the shares of it in which something was full.
fn push_busy(out: &mut Vec<u8>, info: &Info<'_>) {
    let busy = info.long(168);
    if busy == 0 {
        return;
    }
    out.extend_from_slice(b" busy:");
    push_number(out, busy / 1000);
    out.extend_from_slice(b"ms");
    for (label, limited) in [
        (&b" rwnd_limited:"[..], info.long(176)),
        (b" sndbuf_limited:", info.long(184)),
    ] {
        if limited > 0 {
            out.extend_from_slice(label);
            push_number(out, limited / 1000);
            out.extend_from_slice(b"ms(");
            push_percent(out, limited, busy);
            out.extend_from_slice(b"%)");
        }
    }
}

/// Rare enough for the formatting machinery, which rounds as C does.
fn push_percent(out: &mut Vec<u8>, part: u64, whole: u64) {
    #[allow(clippy::cast_precision_loss, reason = "one decimal is left of it")]
    let percent = 100.0 * part as f64 / whole as f64;
    let mut text = String::new();
    let _ = write!(text, "{percent:.1}");
    out.extend_from_slice(text.as_bytes());
}

/// Bytes in a second as `Nbps`.
fn push_bits(out: &mut Vec<u8>, bytes_per_s: u64) {
    push_number(out, bytes_per_s.saturating_mul(8));
    out.extend_from_slice(b"bps");
}

/// The label's length is part of its type so that it is copied without a call.
fn push_count<const N: usize>(out: &mut Vec<u8>, label: &[u8; N], number: impl Into<u64>) {
    let number = number.into();
    if number > 0 {
        out.extend_from_slice(label);
        push_number(out, number);
    }
}

fn push_ms_token<const N: usize>(out: &mut Vec<u8>, label: &[u8; N], us: u32) {
    if us > 0 {
        out.extend_from_slice(label);
        push_ms(out, us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::tcp_info::TCP_INFO;

    /// `struct tcp_info` with these numbers at the places of their names.
    fn tcp_info(values: &[(&str, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; 280];
        for (name, value) in values {
            let part = TCP_INFO.iter().find(|part| part.name == *name).unwrap();
            let value = value << part.shift;
            for (index, byte) in value.to_ne_bytes().iter().take(part.width).enumerate() {
                bytes[part.offset + index] |= byte;
            }
        }
        bytes
    }

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    fn shown(attributes: &[(u16, &[u8])], state: State) -> String {
        let mut socket = Socket {
            state,
            ..Socket::BLANK
        };
        for (kind, value) in attributes {
            socket.details.push(*kind, value);
        }
        let mut out = Vec::new();
        push_info(&mut out, &socket, true);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_number_has_its_token_in_the_order_of_ss() {
        let info = tcp_info(&[
            ("opt_timestamps", 1),
            ("opt_sack", 1),
            ("opt_wscale", 1),
            ("opt_ecn", 1),
            ("opt_ecn_seen", 1),
            ("opt_syn_data", 1),
            ("opt_usec_ts", 1),
            ("backoff", 2),
            ("snd_wscale", 7),
            ("rcv_wscale", 8),
            ("delivery_rate_app_limited", 1),
            ("rto_us", 204_000),
            ("ato_us", 40_000),
            ("mss", 1448),
            ("rcv_mss_bytes", 536),
            ("unacked", 4),
            ("sacked", 1),
            ("lost", 2),
            ("retrans", 1),
            ("fackets", 9),
            ("last_data_sent_ms", 11),
            ("last_data_recv_ms", 12),
            ("last_ack_recv_ms", 13),
            ("pmtu_bytes", 1500),
            ("rcv_ssthresh_bytes", 64088),
            ("rtt_us", 1500),
            ("rttvar_us", 750),
            ("ssthresh", 7),
            ("cwnd", 10),
            ("advmss_bytes", 1448),
            ("reordering", 5),
            ("rcv_rtt_us", 1000),
            ("rcv_space_bytes", 14480),
            ("total_retrans", 3),
            ("pacing_rate_bytes_per_s", 1000),
            ("max_pacing_rate_bytes_per_s", 2000),
            ("bytes_acked", 21),
            ("bytes_received", 22),
            ("segs_out", 23),
            ("segs_in", 24),
            ("notsent_bytes", 25),
            ("min_rtt_us", 1200),
            ("data_segs_in", 26),
            ("data_segs_out", 27),
            ("delivery_rate_bytes_per_s", 125_000),
            ("busy_time_us", 8000),
            ("rwnd_limited_us", 2000),
            ("sndbuf_limited_us", 1000),
            ("delivered", 28),
            ("delivered_ce", 29),
            ("bytes_sent", 30),
            ("bytes_retrans", 31),
            ("dsack_dups", 32),
            ("reord_seen", 33),
            ("rcv_ooopack", 34),
            ("snd_wnd_bytes", 35),
            ("rcv_wnd_bytes", 36),
            ("rehash", 37),
        ]);
        let text = shown(
            &[(kind::INFO, &info), (kind::CONG, b"cubic\0")],
            State::Established,
        );
        let expected = " ts usec_ts sack ecn ecnseen fastopen cubic wscale:7,8 rto:204 backoff:2 rtt:1.5/0.75 ato:40 \
            mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:10 ssthresh:7 bytes_sent:30 bytes_retrans:31 bytes_acked:21 \
            bytes_received:22 segs_out:23 segs_in:24 data_segs_out:27 data_segs_in:26 send 77226667bps lastsnd:11 \
            lastrcv:12 lastack:13 pacing_rate 8000bps/16000bps delivery_rate 1000000bps delivered:28 delivered_ce:29 \
            app_limited busy:8ms rwnd_limited:2ms(25.0%) sndbuf_limited:1ms(12.5%) unacked:4 retrans:1/3 lost:2 \
            sacked:1 dsack_dups:32 fackets:9 reordering:5 reord_seen:33 rcv_rtt:1 rcv_space:14480 rcv_ssthresh:64088 \
            notsent:25 minrtt:1.2 rcv_ooopack:34 snd_wnd:35 rcv_wnd:36 rehash:37";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_means_nothing_is_left_out() {
        let info = tcp_info(&[
            ("rto_us", 3_000_000),
            ("ssthresh", 0x7fff_ffff),
            ("pacing_rate_bytes_per_s", u64::MAX),
            ("min_rtt_us", u32::MAX.into()),
            ("reordering", 3),
            ("sacked", 5),
            ("unacked", 1),
        ]);
        assert_eq!(shown(&[(kind::INFO, &info)], State::Listen), " unacked:1");
        assert_eq!(shown(&[], State::TimeWait), "");
    }

    #[test]
    fn a_structure_may_end_anywhere() {
        let info = vec![0xff; 300];
        for length in 0..info.len() {
            let text = shown(
                &[(kind::INFO, &info[..length]), (kind::CONG, b"reno")],
                State::Established,
            );
            assert!(text.contains(" reno"), "{length}");
        }
    }

    #[test]
    fn congestion_controls_tell_what_they_measure() {
        let info = tcp_info(&[("reordering", 3), ("rtt_us", 1000), ("mss", 1000), ("cwnd", 10)]);
        let with = |kind, bytes: &[u8]| shown(&[(kind::INFO, &info), (kind, bytes)], State::Established);
        let before = " rtt:1/0 mss:1000 cwnd:10";
        assert_eq!(
            with(kind::DCTCPINFO, &words(&[1 | 1 << 16, 512, 3, 4])),
            format!("{before} dctcp:(ce_state:1,alpha:512,ab_ecn:3,ab_tot:4) send 80000000bps")
        );
        assert_eq!(
            with(kind::DCTCPINFO, &words(&[0, 0, 0, 0])),
            format!("{before} dctcp:fallback_mode send 80000000bps")
        );
        assert_eq!(
            with(kind::BBRINFO, &words(&[1000, 0, 31, 739, 512])),
            format!("{before} bbr:(bw:8000bps,mrtt:0.031,pacing_gain:2.88672,cwnd_gain:2) send 80000000bps")
        );
        assert_eq!(
            with(kind::VEGASINFO, &words(&[1, 5, 2000, 1500])),
            format!("{before} send 40000000bps"),
            "the round trip of vegas counts"
        );
    }
}
