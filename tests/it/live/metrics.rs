//! `metrics`, for Prometheus.

use std::os::unix::fs::PermissionsExt as _;

use super::sockets::{Sockets, new_directory};
use super::tools::attempt;
use crate::run::{Ran, sockstat};

const SPECS: &[&str] = &[
    "tcp-listen:queued=2,backlog=1",
    "tcp-listen:addr=::",
    "tcp-pair",
    "udp",
    "time-wait",
];

/// The values of the series with this prefix.
fn values(text: &str, series: &str) -> Vec<f64> {
    let lines = text.lines().filter(|line| line.starts_with(series));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect()
}

fn sum(text: &str, series: &str) -> f64 {
    values(text, series).iter().sum()
}

#[test]
fn promtool_accepts_the_output() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let inside = sockets.run(&["metrics"]);
    let here = Ran::of(&mut sockstat(["metrics", "--quiet"])).ended_with(0);
    for metrics in [&inside, &here] {
        let Some(said) = attempt("promtool", &["check", "metrics"], &metrics.stdout) else {
            return;
        };
        assert_eq!((said.status, said.text(), &*said.stderr), (Some(0), "", ""));
    }
}

#[test]
fn the_counts_are_those_of_the_listing() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let metrics = sockets.run(&["metrics"]);
    let text = metrics.text();
    let groups = sockets.run(&["-tua", "--by", "protocol,state", "--json"]).json();
    let mut rows = 0.0;
    for group in groups["groups"].as_array().unwrap() {
        rows += group["count"].as_f64().unwrap();
    }
    assert!(rows >= 6.0, "{groups}");
    assert_eq!(sum(text, "sockstat_sockets{").to_bits(), rows.to_bits(), "{text}");
    assert_eq!(
        sum(text, "sockstat_process_sockets{").to_bits(),
        rows.to_bits(),
        "{text}"
    );
    // The kernel chose these ports.
    let listeners = r#"{protocol="tcp",address="",port="ephemeral",process="mksock"}"#;
    let listener = |family: &str| values(text, &format!("sockstat_listener_{family}{listeners}"));
    let rows = sockets.run(&["-tl", "--jsonl", "--columns=accept_q,backlog"]);
    let rows: Vec<serde_json::Value> = rows
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let total = |key: &str| rows.iter().map(|row| row[key].as_f64().unwrap()).sum::<f64>();
    assert!(total("accept_q") >= 2.0, "{rows:?}");
    assert_eq!(listener("accept_queue"), [total("accept_q")]);
    assert_eq!(listener("accept_queue_limit"), [total("backlog")]);
    let has_machine = [
        "sockstat_complete ",
        "sockstat_ephemeral_ports_limit ",
        "sockstat_tcp_time_wait ",
    ];
    for series in has_machine {
        assert_eq!(values(text, series).len(), 1, "{series}");
    }
}

#[test]
fn no_label_has_a_process_id_or_a_peer() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let metrics = sockets.run(&["metrics"]);
    let pid = format!("\"{}\"", sockets.pid);
    assert!(!metrics.text().contains(&pid), "{}", metrics.text());
    for label in ["pid=", "peer", "cookie=", "inode="] {
        let series = metrics.text().lines().filter(|line| !line.starts_with('#'));
        assert_eq!(
            series.filter(|line| line.contains(&format!("{label}\""))).count(),
            0,
            "{label}"
        );
    }
}

#[test]
fn a_file_is_replaced_or_stays() {
    let directory = new_directory();
    let file = directory.join("sockstat.prom");
    let path = file.to_str().unwrap();
    let write = |status| {
        let ran = Ran::of(&mut sockstat(["metrics", "--quiet", "--output", path]));
        assert!(ran.stdout.is_empty());
        ran.ended_with(status)
    };
    write(0);
    let first = std::fs::read_to_string(&file).unwrap();
    assert!(first.contains("sockstat_build_info"), "{first}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o644);
    write(0);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let refused = write(1);
    assert!(
        refused.stderr.contains("it is not a regular file"),
        "{}",
        refused.stderr
    );
    let missing = Ran::of(&mut sockstat([
        "metrics",
        "--quiet",
        "--output",
        "/nonexistent/a.prom",
    ]));
    assert_eq!(missing.status, Some(1));
    assert!(
        missing.stderr.contains("cannot write /nonexistent/a.prom"),
        "{}",
        missing.stderr
    );
    std::fs::remove_dir_all(directory).unwrap();
}
