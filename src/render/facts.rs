//! What the kernel tells of a socket beyond its row, in a person's words: a record of labelled lines for one socket,
//! one indented line behind each row for many.

use std::fmt::Write as _;

use super::cells::Column;
use super::human::{self, bytes, duration_ms};
use super::lines::push_word;
use crate::model::Row;
use crate::model::TimerKind;
use crate::query::field::{Field, Value};

/// Which of it is shown behind the rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether one row alone is shown with all that is known of it.
    pub record: bool,
    /// Whether several rows have a line each for round trips, windows and rates (`-i`) and for memory (`-m`).
    pub lines: bool,
    /// Whether that line has options too (`--tos`, `--inet-sockopt`).
    pub options: bool,
}

/// Columns of the table that a record says in its lines.
pub const IN_RECORD: [Column; 4] = [Column::Timer, Column::Inode, Column::Cookie, Column::Cgroup];

/// The labelled lines of a record, each with its newline.
pub fn record(row: &Row<'_>) -> String {
    let lines = [
        ("queues", queues(row)),
        ("timing", timing(row)),
        ("volume", volume(row)),
        ("window", window(row)),
        ("rate", rate(row)),
        ("paths", paths(row)),
        ("memory", memory(row)),
        ("filter", filter(row)),
        ("timer", timer(row)),
        ("options", options(row)),
        ("identity", identity(row)),
    ];
    let mut text = String::new();
    for (label, said) in lines {
        if !said.is_empty() {
            let _ = writeln!(text, "  {label:<9}  {said}");
        }
    }
    text
}

/// The line behind one of many rows; empty without anything to tell.
pub fn line(row: &Row<'_>, facts: Facts) -> String {
    let mut parts = Vec::new();
    if facts.lines {
        parts.extend([
            timing(row),
            window(row),
            rate(row),
            volume(row),
            paths(row),
            memory(row),
            filter(row),
        ]);
    }
    if facts.options {
        parts.push(options(row));
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        String::new()
    } else {
        format!("    {}", parts.join(" · "))
    }
}

fn number(row: &Row<'_>, field: Field) -> Option<u64> {
    match field.value(row) {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

/// A field as one word, if it has a value.
fn word(row: &Row<'_>, field: Field) -> Option<String> {
    let value = field.value(row);
    if matches!(value, Value::Null) {
        return None;
    }
    let mut text = Vec::new();
    push_word(&mut text, &value);
    String::from_utf8(text).ok()
}

/// Parts that there are, with commas between.
fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn us(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => duration_ms(us / 1000),
    }
}

/// Bytes in a second as bits, in powers of 1000 as networks count.
fn bits(bytes_per_s: u64) -> String {
    let mut tenths = u128::from(bytes_per_s) * 80;
    let mut units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = next;
    }
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

fn queues(row: &Row<'_>) -> String {
    let of_listener = number(row, Field::AcceptQ).map(|waiting| match number(row, Field::Backlog) {
        Some(limit) => format!("{waiting} of {limit} waiting to be accepted"),
        None => format!("{waiting} waiting to be accepted"),
    });
    let unread = number(row, Field::RecvQ).map(|queue| format!("{queue} unread"));
    let unacked = number(row, Field::SendQ).map(|queue| format!("{queue} unacknowledged"));
    let drops = number(row, Field::MemoryDrops).map(|drops| format!("{drops} drops"));
    joined([of_listener, unread, unacked, drops])
}

fn timing(row: &Row<'_>) -> String {
    let deviation =
        number(row, Field::RttvarUs).map_or_else(String::new, |rttvar| format!(" (± {})", us(rttvar)));
    let ago = |field, what: &str| number(row, field).map(|ms| format!("{what} {} ago", duration_ms(ms)));
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

fn volume(row: &Row<'_>) -> String {
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

fn window(row: &Row<'_>) -> String {
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

fn rate(row: &Row<'_>) -> String {
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

/// What protocols with several paths or streams tell of them: multipath TCP and SCTP.
fn paths(row: &Row<'_>) -> String {
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

fn memory(row: &Row<'_>) -> String {
    let buffer = |limit, used, name: &str| {
        let (limit, used) = (number(row, limit)?, number(row, used)?);
        Some(format!("{name} {} ({} used)", bytes(limit), bytes(used)))
    };
    joined([
        buffer(Field::Rcvbuf, Field::RmemAlloc, "rcvbuf"),
        buffer(Field::Sndbuf, Field::WmemQueued, "sndbuf"),
    ])
}

/// The filter program of a packet socket.
fn filter(row: &Row<'_>) -> String {
    match Field::FilterProgram.value(row) {
        Value::Texts(program) => {
            let instructions = program.texts();
            format!("filter of {}: {}", instructions.len(), instructions.join(", "))
        }
        _ => String::new(),
    }
}

fn timer(row: &Row<'_>) -> String {
    let Some(timer) = row.socket.timer else {
        return String::new();
    };
    let what = match timer.kind {
        TimerKind::On | TimerKind::T3Rtx => "retransmit",
        TimerKind::Keepalive => "keepalive probe",
        TimerKind::TimeWait => "gone",
        TimerKind::Persist => "zero window probe",
        TimerKind::Delack => "delayed acknowledgement",
        TimerKind::Unknown => "unknown timer",
    };
    let when = timer
        .expires_ms
        .map_or_else(String::new, |ms| format!(" in {}", duration_ms(ms.into())));
    let again = (timer.retransmits > 0).then(|| format!("{} before it", timer.retransmits));
    joined([Some(format!("{what}{when}")), again])
}

fn options(row: &Row<'_>) -> String {
    let hex = |field, name: &str| {
        let number = number(row, field).filter(|number| *number > 0);
        number.map(|number| format!("{name} {number:#x}"))
    };
    joined([
        hex(Field::Mark, "mark"),
        hex(Field::Tos, "tos"),
        hex(Field::Tclass, "tclass"),
        hex(Field::ClassId, "class or priority"),
        word(row, Field::SocketOptions)
            .filter(|options| options != "\"\"")
            .map(|options| options.replace(',', " ")),
    ])
}

fn identity(row: &Row<'_>) -> String {
    let named = |field, name: &str| word(row, field).map(|value| format!("{name} {value}"));
    let shutdown = word(row, Field::Shutdown).filter(|word| word != "none");
    joined([
        named(Field::Inode, "inode"),
        named(Field::Cookie, "cookie"),
        named(Field::Uid, "uid"),
        named(Field::Cgroup, "cgroup"),
        shutdown.map(|directions| format!("shut down: {directions}")),
        row.processes()
            .next()
            .map(|_| human::owner(row))
            .filter(|owner| !owner.is_empty()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::kind;
    use crate::model::{State, Timer};
    use crate::query::samples;

    fn connection() -> crate::model::Socket {
        let mut socket = samples::tcp("10.0.0.5", 22, "10.0.0.9", 51234, State::Established);
        socket.wqueue = Some(36);
        socket.timer = Some(Timer {
            kind: TimerKind::On,
            expires_ms: Some(180),
            retransmits: 1,
        });
        let mut info = vec![0; 280];
        for (offset, number) in [
            (8, 212_000_u32),
            (16, 1448),
            (68, 12_400),
            (72, 3100),
            (76, 7),
            (80, 10),
        ] {
            info[offset..offset + 4].copy_from_slice(&number.to_ne_bytes());
        }
        info[160..168].copy_from_slice(&387_500_u64.to_ne_bytes());
        info[200..208].copy_from_slice(&1_258_291_u64.to_ne_bytes());
        socket.details.push(kind::INFO, &info);
        socket.details.push(kind::CONG, b"cubic\0");
        socket
    }

    #[test]
    fn a_record_says_what_is_known_and_leaves_out_what_is_not() {
        let text = samples::with_row(&connection(), record);
        for line in [
            "  queues     0 unread, 36 unacknowledged\n",
            "  timing     rtt 12.4 ms (± 3.1 ms), rto 212.0 ms",
            "  volume     1.1 MB sent, 0 B received\n",
            "  window     cwnd 10 (ssthresh 7), mss 1448, cubic\n",
            "  rate       delivery 3.1 Mbit/s\n",
            "  timer      retransmit in 180 ms, 1 before it\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains("memory") && !text.contains("options"), "{text}");
    }

    #[test]
    fn one_of_many_has_a_line_only_if_there_is_something_to_tell() {
        let facts = Facts {
            lines: true,
            ..Facts::default()
        };
        let said = samples::with_row(&connection(), |row| line(row, facts));
        assert!(
            said.starts_with("    rtt 12.4 ms") && said.contains(" · cwnd 10"),
            "{said}"
        );
        let bare = samples::tcp("10.0.0.5", 22, "10.0.0.9", 1, State::TimeWait);
        assert_eq!(samples::with_row(&bare, |row| line(row, facts)), "");
        assert_eq!(
            samples::with_row(&connection(), |row| line(row, Facts::default())),
            ""
        );
    }

    #[test]
    fn rates_are_bits_by_thousands() {
        assert_eq!(bits(125), "1 kbit/s");
        assert_eq!(bits(1_175_000), "9.4 Mbit/s");
        assert_eq!(bits(0), "0 bit/s");
    }
}
