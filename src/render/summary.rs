//! A summary (`-s`): in the format of ss for pipes, as a page for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::columns::{self, Shape};
use super::human::bytes;
use super::json::string::{push_key, push_string};
use super::page::Page;
use super::text::{push_each, push_number};
use crate::model::summary::{Figure, Summary};
use crate::model::{Family, Protocol, State};

/// The output of `ss -s` (iproute2 7.1): kernel figures, padded to nine characters. Missing figures are 0 here.
pub fn plain(summary: &Summary) -> String {
    let of = |figure| summary.get(figure).unwrap_or(0);
    let [tcp4, tcp6] = [Figure::TcpInUse, Figure::Tcp6InUse].map(of);
    let (allocated, time_wait) = (of(Figure::TcpAllocated), of(Figure::TcpTimeWait));
    // The same calculation as in ss. The result can be negative, because allocated sockets are counted per machine, the
    // rest per namespace.
    let closed = i128::from(allocated) - (i128::from(tcp4) + i128::from(tcp6) - i128::from(time_wait));
    let mut text = format!("Total: {}\n", of(Figure::SocketsUsed));
    let _ = writeln!(
        text,
        "TCP:   {} (estab {}, closed {closed}, orphaned {}, timewait {time_wait})\n",
        u128::from(allocated) + u128::from(time_wait),
        of(Figure::TcpEstablished),
        of(Figure::TcpOrphans),
    );
    text.push_str("Transport Total     IP        IPv6\n");
    let raw = (of(Figure::RawInUse), of(Figure::Raw6InUse));
    let udp = (of(Figure::UdpInUse), of(Figure::Udp6InUse));
    let inet = (
        raw.0.saturating_add(udp.0).saturating_add(tcp4),
        raw.1.saturating_add(udp.1).saturating_add(tcp6),
    );
    let fragments = (of(Figure::Fragments), of(Figure::Fragments6));
    for (name, (v4, v6)) in [
        ("RAW", raw),
        ("UDP", udp),
        ("TCP", (tcp4, tcp6)),
        ("INET", inet),
        ("FRAG", fragments),
    ] {
        let _ = writeln!(text, "{name}\t  {:<9} {v4:<9} {v6:<9}", v4.saturating_add(v6));
    }
    text.push('\n');
    text
}

/// The value of `summary` in JSON: `counts`, and each figure under its name.
pub fn push_json(out: &mut Vec<u8>, summary: &Summary) {
    out.extend_from_slice(b"{\"counts\":[");
    push_each(
        out,
        b',',
        &summary.counts,
        |out, ((protocol, family, state), count)| {
            for (open, key, word) in [
                (&b"\n{"[..], "protocol", protocol.name()),
                (b",", "family", family.name()),
                (b",", "state", state.name()),
            ] {
                out.extend_from_slice(open);
                push_key(out, key);
                push_string(out, word.as_bytes());
            }
            out.extend_from_slice(b",\"count\":");
            push_number(out, *count);
            out.push(b'}');
        },
    );
    out.extend_from_slice(b"]");
    for figure in Figure::ALL {
        out.extend_from_slice(b",\n");
        push_key(out, figure.name());
        match summary.get(*figure) {
            Some(value) => push_number(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// A page for people: sockets by state, then memory and limits, then losses.
pub fn page(summary: &Summary, width: Option<usize>) -> String {
    let mut text = states(summary);
    text.push('\n');
    let of = |figure| summary.get(figure).map(bytes);
    for (name, used, pressure, max) in [
        (
            "tcp memory",
            Figure::TcpMemoryBytes,
            Figure::TcpMemoryPressureBytes,
            Figure::TcpMemoryMaxBytes,
        ),
        (
            "udp memory",
            Figure::UdpMemoryBytes,
            Figure::UdpMemoryPressureBytes,
            Figure::UdpMemoryMaxBytes,
        ),
    ] {
        let Some(mut line) = of(used) else { continue };
        if let (Some(pressure), Some(max)) = (of(pressure), of(max)) {
            let _ = write!(line, " of {max}, pressure at {pressure}");
        }
        let reached = |limit| matches!((summary.get(used), summary.get(limit)), (Some(used), Some(limit)) if used >= limit);
        if reached(max) {
            line.push_str("  FULL: packets are dropped");
        } else if reached(pressure) {
            line.push_str("  PRESSURE: buffers do not grow");
        }
        let _ = writeln!(text, "{name:<12}{line}");
    }
    for (name, used, max) in [
        ("orphans", Figure::TcpOrphans, Figure::TcpOrphansMax),
        ("time-wait", Figure::TcpTimeWait, Figure::TcpTimeWaitMax),
    ] {
        let Some(value) = summary.get(used) else { continue };
        let limit = summary.get(max);
        let of = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        let full = if limit.is_some_and(|limit| value >= limit) {
            "  FULL"
        } else {
            ""
        };
        let _ = writeln!(text, "{name:<12}{value}{of}{full}");
    }
    text.push_str(&losses(summary));
    let mut page = Page::new(width, 0);
    for line in text.lines() {
        // Continuation lines are aligned after the label. Only lines that are too wide are changed, because tables
        // contain significant blanks.
        match line
            .split_at_checked(LABEL)
            .filter(|_| width.is_some_and(|width| line.width() > width))
        {
            Some((label, rest)) => page.hanging(label, rest, LABEL),
            None => page.as_is(line),
        }
    }
    page.finish()
}

/// The width of labels.
const LABEL: usize = 12;

fn losses(summary: &Summary) -> String {
    let mut text = String::new();
    for figure in Figure::LOSSES {
        let Some(count) = summary.get(*figure).filter(|count| *count > 0) else {
            continue;
        };
        let heading = if text.is_empty() { "lost" } else { "" };
        let _ = writeln!(text, "{heading:<12}{count:>8}  {}", figure.meaning());
    }
    if text.is_empty() {
        text.push_str("lost        nothing in queues or buffers since this namespace was created\n");
    }
    text
}

/// Sockets by protocol and family, a column for each state that occurs.
fn states(summary: &Summary) -> String {
    let mut rows: BTreeMap<(Protocol, Family), BTreeMap<State, u64>> = BTreeMap::new();
    for ((protocol, family, state), count) in &summary.counts {
        *rows
            .entry((*protocol, *family))
            .or_default()
            .entry(*state)
            .or_default() += count;
    }
    let present: Vec<State> = State::ALL
        .into_iter()
        .filter(|state| rows.values().any(|row| row.contains_key(state)))
        .collect();
    // ss has one name for bound and unconnected; here each has a column.
    let headings = present.iter().map(|state| match state {
        State::Bound => "BOUND".to_owned(),
        state => state.ss_name().to_ascii_uppercase(),
    });
    let headings: Vec<String> = headings.chain(["TOTAL".to_owned()]).collect();
    let mut cells = vec![[vec!["PROTO".to_owned()], headings.clone()].concat()];
    let mut totals = vec![0; headings.len()];
    for ((protocol, family), row) in &rows {
        let name = match family {
            Family::Inet => format!("{} v4", protocol.name()),
            Family::Inet6 => format!("{} v6", protocol.name()),
            _ => protocol.name().to_owned(),
        };
        let counts = present.iter().map(|state| row.get(state).copied().unwrap_or(0));
        let counts: Vec<u64> = counts.chain([row.values().sum()]).collect();
        for (total, count) in totals.iter_mut().zip(&counts) {
            *total += count;
        }
        cells.push(counted(&name, &counts));
    }
    if rows.len() > 1 {
        cells.push(counted("all", &totals));
    }
    let names = Shape {
        right: false,
        least: 12,
    };
    let numbers = Shape {
        right: true,
        least: 6,
    };
    let shapes = [vec![names], vec![numbers; headings.len()]].concat();
    columns::aligned(cells, &shapes)
}

/// One row of counts; a count of 0 is left blank.
fn counted(name: &str, counts: &[u64]) -> Vec<String> {
    let shown = counts.iter().map(|count| match count {
        0 => String::new(),
        count => count.to_string(),
    });
    std::iter::once(name.to_owned()).chain(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Socket;

    #[test]
    fn a_pipe_gets_the_format_of_ss() {
        let mut summary = Summary::default();
        for (figure, value) in [
            (Figure::SocketsUsed, 25),
            (Figure::TcpInUse, 4),
            (Figure::Tcp6InUse, 1),
            (Figure::TcpAllocated, 4),
            (Figure::TcpTimeWait, 1),
            (Figure::TcpEstablished, 2),
            (Figure::RawInUse, 2),
            (Figure::Raw6InUse, 1),
        ] {
            summary.set(figure, value);
        }
        let text = plain(&summary);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "Total: 25");
        assert_eq!(lines[1], "TCP:   5 (estab 2, closed 0, orphaned 0, timewait 1)");
        assert_eq!(lines[3], "Transport Total     IP        IPv6");
        assert_eq!(lines[4], "RAW\t  3         2         1        ");
        assert_eq!(lines[7], "INET\t  8         6         2        ");
        assert!(text.ends_with("FRAG\t  0         0         0        \n\n"));
        summary.set(Figure::TcpInUse, 9);
        assert!(plain(&summary).contains("closed -5,"), "negative, as in ss");
    }

    #[test]
    fn on_a_narrow_terminal_lines_wrap_at_words() {
        let text = page(&Summary::default(), Some(40));
        assert!(text.ends_with("lost        nothing in queues or buffers\n            since this namespace was\n            created\n"), "{text}");
    }

    #[test]
    fn the_page_has_states_limits_and_losses() {
        let mut summary = Summary::default();
        for state in [State::Listen, State::Established, State::Established] {
            summary.add(&Socket {
                state,
                ..Socket::BLANK
            });
        }
        summary.add(&Socket {
            family: Family::Inet6,
            state: State::Listen,
            ..Socket::BLANK
        });
        assert!(
            page(&summary, None)
                .ends_with("lost        nothing in queues or buffers since this namespace was created\n")
        );
        summary.set(Figure::TcpMemoryBytes, 3 << 20);
        summary.set(Figure::TcpMemoryPressureBytes, 2 << 20);
        summary.set(Figure::TcpMemoryMaxBytes, 4 << 30);
        summary.set(Figure::TcpOrphans, 8);
        summary.set(Figure::TcpOrphansMax, 8);
        summary.set(Figure::ListenOverflows, 12);
        let text = page(&summary, None);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "PROTO          ESTAB  LISTEN   TOTAL");
        assert_eq!(lines[1], "tcp v4             2       1       3");
        assert_eq!(lines[3], "all                2       2       4");
        assert!(
            text.contains(
                "\ntcp memory  3.0 MB of 4.0 GB, pressure at 2.0 MB  PRESSURE: buffers do not grow\n"
            )
        );
        assert!(text.contains("\norphans     8 of 8  FULL\n"));
        assert!(
            text.contains("\nlost              12  connections dropped because an accept queue was full")
        );
        let mut out = Vec::new();
        push_json(&mut out, &summary);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["counts"].as_array().unwrap().len(), 3);
        assert_eq!(
            (&read["listen_overflows"], &read["listen_drops"]),
            (&12.into(), &serde_json::Value::Null)
        );
    }
}
