//! Tests of the `ss -i` tokens for TCP.

use super::*;
use crate::model::State;
use crate::model::details::kind;
use crate::query::field::Field;

/// `struct tcp_info` with these numbers in the named fields.
fn tcp_info(values: &[(&str, u64)]) -> Vec<u8> {
    let mut bytes = vec![0; 280];
    for (name, value) in values {
        let place = Field::from_name(name).unwrap().place();
        let value = value << place.shift;
        let mut number = value.to_le_bytes()[..place.width].to_vec();
        if cfg!(target_endian = "big") {
            number.reverse();
        }
        for (index, byte) in number.iter().enumerate() {
            bytes[place.offset + index] |= byte;
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
fn meaningless_values_are_left_out() {
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
fn congestion_control_state_is_written() {
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
        "the rate uses the round-trip time of Vegas"
    );
}
