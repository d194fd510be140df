//! What the kernel reports about a socket beyond its row, for people: labelled lines for a single socket, or one
//! indented line after each of many rows.

mod connection;
mod parts;
mod socket;
mod units;

use std::fmt::Write as _;

use self::connection::{paths, rate, timing, volume, window};
use self::socket::{filter, identity, memory, options, queues, timer};
use super::cells::Column;
use crate::model::Row;

/// Which of these facts are shown after the rows of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether a single row is shown with everything known about it.
    pub record: bool,
    /// Whether each of several rows gets a line for round trips, windows and rates (`-i`) and for memory (`-m`).
    pub lines: bool,
    /// Whether that line includes options (`--tos`, `--inet-sockopt`).
    pub options: bool,
}

/// Table columns that a record shows in its lines instead.
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

/// The line after one of many rows; empty if there is nothing to report.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::kind;
    use crate::model::{State, Timer, TimerKind};
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
    fn a_record_has_known_facts_and_leaves_out_unknown_ones() {
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
    fn a_connection_without_an_answer_has_sent_and_received_nothing() {
        let timing = |state| {
            let socket = crate::model::Socket {
                state,
                ..connection()
            };
            samples::with_row(&socket, record)
        };
        assert!(timing(State::Established).contains("last sent"));
        let waits = timing(State::SynSent);
        assert!(
            waits.contains("rto 212.0 ms") && !waits.contains("last "),
            "{waits}"
        );
    }

    #[test]
    fn a_row_among_many_has_a_line_only_if_there_are_facts() {
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
}
