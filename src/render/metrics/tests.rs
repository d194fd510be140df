//! Tests of the metrics that are written for rows.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Context, Holder, OwnerStatus, Ownership, Process, Protocol, Row, Socket, State};
use crate::query::samples::{holder, tcp};
use crate::render::metrics::tally::Limits;

/// A socket, and the program that holds it; `None` if it is hidden.
type Held<'a> = (Socket, Option<&'a str>);

fn written(limits: Limits, sockets: &[Held<'_>]) -> String {
    let mut tally = Tally::new(limits, 32768..=60999);
    for (socket, program) in sockets {
        let holders: Vec<Holder> = program.iter().map(|_| holder(7, 3)).collect();
        let process = Process {
            pid: 7,
            program: program.unwrap_or_default().as_bytes().into(),
            ..Process::default()
        };
        let context = Context {
            processes: BTreeMap::from([(7, process)]),
            ..Context::default()
        };
        tally.add(&Row {
            socket,
            ownership: Ownership {
                status: if holders.is_empty() {
                    OwnerStatus::Hidden
                } else {
                    OwnerStatus::Known
                },
                holders: &holders,
                may_be_more: false,
            },
            context: &context,
        });
    }
    let gaps = [
        Gap::loss("owners-hidden", "x").with_count(2),
        Gap::loss("dump-incomplete", "x"),
        Gap::loss("dump-incomplete", "y"),
        Gap::note("proc-fallback", "x"),
    ];
    let run = Run {
        version: "1.2.3",
        taken_at: UNIX_EPOCH + std::time::Duration::from_millis(1_500),
        gaps: &gaps,
    };
    text(&run, tally)
}

const ALL: Limits = Limits {
    programs: 20,
    listeners: 200,
};

fn listener(address: &str, port: u16, waiting: u32, limit: u32) -> Socket {
    let any = if address.contains(':') { "::" } else { "0.0.0.0" };
    Socket {
        rqueue: Some(waiting),
        wqueue: Some(limit),
        drops: Some(waiting.into()),
        ..tcp(address, port, any, 0, State::Listen)
    }
}

fn connection(local: &str, port: u16, peer: &str, peer_port: u16) -> Socket {
    Socket {
        rqueue: Some(10),
        wqueue: Some(20),
        ..tcp(local, port, peer, peer_port, State::Established)
    }
}

fn udp(port: u16, waiting: u32, drops: u64) -> Socket {
    Socket {
        protocol: Protocol::Udp,
        rqueue: Some(waiting),
        drops: Some(drops),
        ..tcp("0.0.0.0", port, "0.0.0.0", 0, State::Unconnected)
    }
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "no line {line}\n{text}");
}

#[test]
fn losses_of_the_run_are_reported() {
    let text = written(ALL, &[]);
    has(
        &text,
        r#"sockstat_build_info{version="1.2.3",schema="sockstat-metrics/1"} 1"#,
    );
    has(&text, "sockstat_last_run_timestamp_seconds 1.500");
    has(&text, "sockstat_complete 0");
    has(&text, r#"sockstat_missing{code="owners-hidden"} 2"#);
    has(&text, r#"sockstat_missing{code="dump-incomplete"} 2"#);
    assert!(!text.contains("proc-fallback"), "a note is not a loss");
    has(
        &text,
        r#"sockstat_sockets{protocol="tcp",family="inet6",state="syn_received"} 0"#,
    );
    has(&text, "sockstat_ephemeral_ports_limit 28232");
}

#[test]
fn a_listener_has_its_fullest_queue_and_its_connections() {
    let sockets = [
        (listener("0.0.0.0", 80, 3, 128), Some("nginx")),
        (listener("0.0.0.0", 80, 129, 128), Some("nginx")),
        (listener("127.0.0.1", 80, 0, 10), Some("local")),
        (listener("::", 443, 0, 10), Some("nginx")),
        (connection("10.0.0.5", 80, "10.0.0.9", 40000), Some("nginx")),
        (connection("127.0.0.1", 80, "127.0.0.1", 40001), Some("local")),
        (
            connection("::ffff:10.0.0.5", 443, "::ffff:10.0.0.9", 40002),
            Some("nginx"),
        ),
        (connection("10.0.0.5", 33000, "10.0.0.9", 5432), Some("app")),
        (connection("10.0.0.5", 33001, "10.0.0.9", 5432), Some("app")),
        (connection("10.0.0.5", 33000, "10.0.0.9", 6379), Some("app")),
    ];
    let text = written(ALL, &sockets);
    let labels = r#"protocol="tcp",address="0.0.0.0",port="80",process="nginx""#;
    has(
        &text,
        &format!(r#"sockstat_listener_info{{{labels},scope="all-v4",user="",unit="",container=""}} 1"#),
    );
    for (family, value) in [
        ("sockets", "2"),
        ("accept_queue", "132"),
        ("accept_queue_limit", "256"),
        ("accept_queue_ratio", "1"),
        ("dropped_total", "132"),
    ] {
        has(&text, &format!("sockstat_listener_{family}{{{labels}}} {value}"));
    }
    for (port, process) in [("80", "nginx"), ("80", "local"), ("443", "nginx")] {
        has(
            &text,
            &format!(r#"sockstat_listener_connections{{port="{port}",process="{process}"}} 1"#),
        );
    }
    has(&text, "sockstat_ephemeral_ports_in_use 2");
    has(&text, "sockstat_ephemeral_ports_busiest_peer 2");
    has(
        &text,
        r#"sockstat_process_sockets{process="app",state="established"} 3"#,
    );
    has(
        &text,
        r#"sockstat_process_queued_bytes{process="app",direction="send"} 60"#,
    );
    has(
        &text,
        r#"sockstat_queued_bytes{protocol="tcp",direction="receive"} 60"#,
    );
}

#[test]
fn the_number_of_series_is_limited_and_each_occurs_once() {
    let names: Vec<String> = (0..700).map(|n| format!("program{n}")).collect();
    let mut sockets: Vec<Held<'_>> = Vec::new();
    for n in 0..5000_u16 {
        let program = Some(names[usize::from(n) % names.len()].as_str());
        sockets.push((listener("0.0.0.0", n + 1, n.into(), 10), program));
        sockets.push((listener("0.0.0.0", 33000 + n, 0, 10), program));
        sockets.push((udp(n + 1, 1, n.into()), program));
        sockets.push((connection("10.0.0.5", n + 1, "10.0.0.9", 40000), program));
    }
    for name in [
        "(other)",
        "(hidden)",
        "(evil)",
        "other",
        "a\"b\\c\nd",
        "\u{1b}[31m",
    ] {
        sockets.push((listener("::", 7000, 0, 0), Some(name)));
        sockets.push((udp(53, 0, 9999), Some(name)));
    }
    sockets.push((listener("::", 7000, 0, 0), None));
    let text = written(ALL, &sockets);
    let mut series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    // The kernel's figures are not included.
    assert!(series.len() <= 1970, "{} series", series.len());
    assert!(text.len() < 200_000, "{} bytes", text.len());
    series.sort_unstable();
    for pair in series.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
    let summed = |family: &str| -> u64 {
        let values = text.lines().filter(|line| line.starts_with(family));
        values
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
            .sum()
    };
    assert_eq!(summed("sockstat_listener_sockets{"), 10_007, "nothing is lost");
    assert_eq!(summed("sockstat_process_sockets{"), 20_013);
    assert_eq!(
        summed("sockstat_udp_listener_dropped_total{"),
        (0..5000).sum::<u64>() + 6 * 9999
    );
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn limits_of_zero_sum_everything() {
    let none = Limits {
        programs: 0,
        listeners: 0,
    };
    let text = written(none, &[(listener("0.0.0.0", 80, 1, 1), Some("nginx"))]);
    has(
        &text,
        r#"sockstat_listener_sockets{protocol="tcp",address="",port="other",process="(other)"} 1"#,
    );
    has(
        &text,
        r#"sockstat_process_sockets{process="(other)",state="listen"} 1"#,
    );
    assert!(!text.contains("nginx"), "{text}");
}
