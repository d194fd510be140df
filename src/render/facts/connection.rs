//! The health of a connection: round trips, volume, window, rates, paths.

use super::parts::{joined, number, word};
use super::units::{bits, us};
use crate::model::{Row, State};
use crate::query::field::{Field, Value};
use crate::render::human::{bytes, duration_ms};

pub(super) fn timing(row: &Row<'_>) -> String {
    let deviation =
        number(row, Field::RttvarUs).map_or_else(String::new, |rttvar| format!(" (± {})", us(rttvar)));
    // Before the handshake ends, the kernel counts these from the start of the machine.
    let has_begun = row.socket.state != State::SynSent;
    let ago = |field, what: &str| {
        let ms = number(row, field).filter(|_| has_begun)?;
        Some(format!("{what} {} ago", duration_ms(ms)))
    };
    joined([
        number(row, Field::RttUs).map(|rtt| format!("rtt {}{deviation}", us(rtt))),
        number(row, Field::MinRttUs)
            .filter(|us| *us > 0)
            .map(|rtt| format!("min {}", us(rtt))),
        number(row, Field::RtoUs).map(|rto| format!("rto {}", us(rto))),
        ago(Field::LastDataSentMs, "last sent"),
        ago(Field::LastDataRecvMs, "last received"),
    ])
}

pub(super) fn volume(row: &Row<'_>) -> String {
    let count = |field, what: &str| {
        let number = number(row, field).filter(|number| *number > 0);
        number.map(|number| format!("{number} {what}"))
    };
    let either = |of_tcp, of_mptcp| number(row, of_tcp).or_else(|| number(row, of_mptcp));
    joined([
        either(Field::BytesSent, Field::MptcpBytesSent).map(|sent| format!("{} sent", bytes(sent))),
        either(Field::BytesReceived, Field::MptcpBytesReceived)
            .map(|received| format!("{} received", bytes(received))),
        count(Field::TotalRetrans, "segments retransmitted"),
        count(Field::Lost, "lost"),
        count(Field::TotalRto, "timeouts"),
    ])
}

pub(super) fn window(row: &Row<'_>) -> String {
    let ssthresh =
        number(row, Field::Ssthresh).map_or_else(String::new, |ssthresh| format!(" (ssthresh {ssthresh})"));
    joined([
        number(row, Field::Cwnd).map(|cwnd| format!("cwnd {cwnd}{ssthresh}")),
        number(row, Field::Mss).map(|mss| format!("mss {mss}")),
        number(row, Field::PmtuBytes)
            .filter(|pmtu| *pmtu > 0)
            .map(|pmtu| format!("pmtu {pmtu}")),
        word(row, Field::Congestion),
        word(row, Field::Ulp),
    ])
}

pub(super) fn rate(row: &Row<'_>) -> String {
    let known = |field, what: &str| {
        let rate = number(row, field).filter(|rate| *rate > 0);
        rate.map(|rate| format!("{what} {}", bits(rate)))
    };
    joined([
        known(Field::DeliveryRateBytesPerS, "delivery"),
        known(Field::PacingRateBytesPerS, "pacing"),
        known(Field::BbrBwBytesPerS, "bottleneck"),
    ])
}

/// Facts about protocols with several paths or streams: multipath TCP and SCTP.
pub(super) fn paths(row: &Row<'_>) -> String {
    let count = |field, what: &str| number(row, field).map(|number| format!("{number} {what}"));
    let fell_back = matches!(Field::MptcpFallback.value(row), Value::Bool(true));
    joined([
        number(row, Field::MptcpSubflowsTotal).map(|number| match number {
            1 => "1 subflow".to_owned(),
            _ => format!("{number} subflows"),
        }),
        fell_back.then(|| "fell back to plain TCP".to_owned()),
        word(row, Field::MptcpToken).map(|token| format!("token {token}")),
        word(row, Field::Association).map(|state| format!("association {state}")),
        count(Field::SctpInstrms, "streams in"),
        count(Field::SctpOutstrms, "streams out"),
        number(row, Field::SctpPrimaryRtoMs).map(|ms| format!("rto {}", duration_ms(ms))),
        number(row, Field::SctpRtxchunks)
            .filter(|number| *number > 0)
            .map(|number| format!("{number} chunks retransmitted")),
    ])
}
