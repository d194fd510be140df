//! Listeners and datagram sockets under load: queues and their limits, half-open connections, and drops compared with
//! `ss -m`.

use std::process::Command;

use serde_json::Value;

use super::sockets::{End, Sockets};
use super::truth::row_of;
use crate::run::Ran;
use crate::skip::skip;

const SPECS: &[&str] = &[
    "tcp-listen:port=80,backlog=1,full=1",
    "tcp-listen:port=81,backlog=3,queued=3",
    "syn-recv:port=82,count=3",
    "syn-recv:addr=::,port=83,defer=1,mapped=1",
    "udp:port=84,overflow=1",
    "udp:port=85,unread=900",
    "udp:port=86",
];

fn rows(sockets: &Sockets, arguments: &[&str]) -> Vec<Value> {
    let ran = sockets.run(arguments);
    let lines = ran.text().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The receiving socket with this port.
fn taking(sockets: &Sockets, port: u64) -> &End {
    let takes = |end: &&End| end.said["local_port"] == port && matches!(&*end.role, "listener" | "bound");
    sockets.ends.iter().find(takes).unwrap()
}

const COLUMNS: &str = "--add=syn_recv,recv_q_percent,drops,memory";

#[test]
fn queues_are_shown_with_their_limits() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let rows = rows(&sockets, &["-tuln", "--jsonl", COLUMNS]);
    let row = |port| row_of(taking(&sockets, port), &rows).unwrap();
    for (port, accept_q, backlog, full) in [(80, 2, 1, true), (81, 3, 3, false)] {
        let row = row(port);
        assert_eq!(
            (&row["accept_q"], &row["backlog"]),
            (&accept_q.into(), &backlog.into())
        );
        assert_eq!(row["accept_queue_full"], full);
    }
    assert!(
        row(80)["drops"].as_u64().unwrap() >= 1,
        "the client that hangs was dropped"
    );
    assert_eq!(row(81)["drops"], 0);
    for (port, syn_recv) in [(80, 0), (81, 0), (82, 3), (83, 1)] {
        assert_eq!(row(port)["syn_recv"], syn_recv, "{port}");
    }
    let flooded = row(84);
    let limit = flooded["memory"]["rcvbuf"].as_u64().unwrap();
    let recv_q = flooded["recv_q"].as_u64().unwrap();
    assert_eq!(flooded["recv_q_percent"], recv_q * 100 / limit);
    assert!(flooded["drops"].as_u64().unwrap() >= 10, "{flooded}");
    assert_eq!(row(85)["drops"], 0);
    assert!(row(85)["recv_q"].as_u64().unwrap() >= 900);
    assert_eq!(
        (&row(86)["recv_q"], &row(86)["recv_q_percent"]),
        (&0.into(), &0.into())
    );
    assert!(row(86)["accept_queue_full"].is_null() && row(86)["syn_recv"].is_null());
}

#[test]
fn filters_and_sorting_by_queue_fill_work() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let ports = |words: &[&str]| {
        let ran = sockets.run(&[&["-tulnH", "--plain", "--columns=local_port"], words].concat());
        ran.text().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ports(&["accept_queue_full", "=", "true"]), ["80"]);
    assert_eq!(
        ports(&["syn_recv", "gt", "0", "--sort", "syn_recv:desc"]),
        ["82", "83"]
    );
    // With one port, the kernel leaves the others out; the half-open connections are still found.
    assert_eq!(ports(&["local_port", "=", "82", "syn_recv", "=", "3"]), ["82"]);
    assert_eq!(ports(&["-4", "syn_recv", "gt", "0"]), ["82"]);
    // A listener that waits for data drops the acknowledgement without any, so 83 has drops as well; and 82 has some
    // once the kernel repeats its half-open handshakes, which it does on a busy machine.
    assert_eq!(
        ports(&[
            "drops",
            "gt",
            "0",
            "local_port",
            "!=",
            "83",
            "local_port",
            "!=",
            "82",
            "--sort",
            "local_port"
        ]),
        ["80", "84"]
    );
}

#[test]
fn a_person_sees_it_and_a_pipe_stays_as_it_is() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let table = sockets.run(&["-tuln", "--table"]);
    let table = table.text();
    let heading = table.lines().next().unwrap();
    for column in ["ACCEPT-Q", "SYN-RECV", "RECV-Q", "DROPS"] {
        assert!(heading.contains(column), "{table}");
    }
    let line = |port: u16| {
        table
            .lines()
            .find(|line| line.contains(&format!(":{port} ")))
            .unwrap()
    };
    assert!(line(80).contains(" 2/1 full"), "{table}");
    assert!(!line(81).contains("full"), "{table}");
    assert!(table.contains("accept queue full: 80"), "{table}");
    let coloured = sockets.run(&["-tln", "--table", "--color=always"]);
    assert!(
        coloured.text().contains("\u{1b}[31m2/1 full"),
        "{}",
        coloured.text()
    );
    let quiet = Sockets::make(&["tcp-listen", "udp"]).unwrap();
    let quiet = quiet.run(&["-tuln", "--table"]);
    assert!(
        !quiet.text().contains("DROPS") && !quiet.text().contains("RECV"),
        "{}",
        quiet.text()
    );
    let plain = sockets.run(&["-tuln"]);
    assert!(!plain.text().contains("full") && !plain.text().contains("DROPS"));
}

#[test]
fn drops_and_buffers_are_those_of_ss() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    if Command::new("ss").arg("-V").output().is_err() {
        skip("ss (iproute2) is not installed");
        return;
    }
    let ss = Ran::of(sockets.program("ss").args(["-tulnmOH"])).ended_with(0);
    // The clients of the full queue ask again, so its drops grow.
    let rows = rows(&sockets, &["-tuln", "--jsonl", COLUMNS]);
    let mut compared = 0;
    for line in ss.text().lines() {
        let port: u64 = line
            .split_whitespace()
            .nth(4)
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let (_, memory) = line.split_once("skmem:(").unwrap();
        let counters: Vec<_> = memory.split(')').next().unwrap().split(',').collect();
        let number = |index: usize| {
            let digits = counters[index].trim_start_matches(|c: char| c.is_ascii_alphabetic());
            digits.parse::<u64>().unwrap()
        };
        let row = row_of(taking(&sockets, port), &rows).unwrap();
        assert_eq!(row["memory"]["rcvbuf"], number(1), "{line}");
        let drops = row["drops"].as_u64().unwrap();
        assert!(
            drops == number(8) || (port == 80 && drops > number(8)),
            "{line}\n{row}"
        );
        compared += 1;
    }
    assert_eq!(compared, 7);
}
