//! `snapshot`: the rows of the listing, and a last line that says whether they are complete.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::enter::is_root;
use super::sockets::Sockets;
use crate::documents::other_judge;
use crate::run::{Ran, sockstat};
use crate::schema::{check, faults};
use crate::skip::skip;

/// The keys of a row, as docs/fleet.md has them.
const KEYS: &str = "host machine_id boot_id taken_at netns netns_name container_id pod unit protocol family state \
    local_address local_port peer_address peer_port scope recv_q send_q accept_q backlog accept_queue_full drops uid \
    user owner_status process pid exe started_at owner_count inode cookie";

const SPECS: &[&str] = &[
    "tcp-listen:queued=1",
    "tcp-listen:addr=::",
    "tcp-pair",
    "udp",
    "time-wait",
    // An argument that looks like a secret: the arguments of mksock are the specs.
    "unix-listen:abstract=db_password=hunter2",
];

/// Rows, and the last line.
#[track_caller]
fn split(ran: &Ran) -> (Vec<Value>, Value) {
    let mut rows: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = rows.pop().unwrap();
    assert_eq!(last["schema"], "sockstat-snapshot/1", "{last}");
    (rows, last)
}

/// Sorted rows, without the time.
fn comparable(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("taken_at");
    }
    rows.sort_by_key(ToString::to_string);
    rows
}

fn listed(ran: &Ran) -> Vec<Value> {
    let lines = ran.text().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn columns() -> String {
    KEYS.split_whitespace().collect::<Vec<_>>().join(",")
}

#[test]
fn rows_are_those_of_the_listing_with_the_same_filter() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let columns = columns();
    for filter in [
        &[][..],
        &["state", "listen"],
        &["process", "=", "mksock", "and", "tcp"],
    ] {
        let snapshot = sockets.run(&[&["snapshot"], filter].concat());
        let (rows, last) = split(&snapshot);
        let listing = sockets.run(&[&["-tuap", "--jsonl", "--columns", &columns], filter].concat());
        assert!(rows.len() > 1, "{filter:?}: {}", snapshot.text());
        assert_eq!(last["rows"], rows.len());
        for row in &rows {
            assert_eq!(row["taken_at"], last["taken_at"]);
            assert_eq!(row["boot_id"], last["boot_id"]);
        }
        assert_eq!(comparable(rows), comparable(listed(&listing)), "{filter:?}");
    }
}

#[test]
fn every_row_has_the_promised_keys_in_their_order() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let ran = sockets.run(&["snapshot", "-t"]);
    let (rows, last) = split(&ran);
    let promised: Vec<_> = KEYS.split_whitespace().collect();
    for line in ran.text().lines().take(rows.len()) {
        let keys: Vec<_> = line.split('"').skip(1).step_by(2).collect();
        let in_order: Vec<_> = keys.iter().filter(|word| promised.contains(word)).collect();
        assert!(
            in_order.iter().map(|word| **word).eq(promised.iter().copied()),
            "{line}"
        );
    }
    let listener = rows.iter().find(|row| row["accept_q"] == 1).unwrap();
    assert_eq!(listener["owner_count"], 1);
    assert!(listener["exe"].as_str().unwrap().contains("mksock"), "{listener}");
    let started = listener["started_at"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.len() == 20, "{started}");
    let taken = last["taken_at"].as_str().unwrap();
    assert!(taken.ends_with('Z') && taken.len() == 24, "{taken}");
    for key in [
        "complete",
        "gaps",
        "kernel",
        "version",
        "port_low",
        "ips",
        "tcp_time_wait",
        "listen_drops",
    ] {
        assert!(last.get(key).is_some(), "{last}");
    }
    assert!(rows.iter().all(|row| row["protocol"] == "tcp"));
}

#[test]
fn the_schema_describes_every_line() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let schema = Ran::of(&mut sockstat(["schema"])).ended_with(0).json();
    let mut cases = Vec::new();
    for arguments in [
        &["snapshot"][..],
        &["snapshot", "--cmdline", "full", "process = none"],
    ] {
        let (rows, last) = split(&sockets.run(arguments));
        let lines = rows.into_iter().map(|row| ("socket", row));
        for (definition, line) in lines.chain([("snapshot", last)]) {
            let rule = &schema["$defs"][definition];
            check(&schema, rule, &line, definition);
            cases.push((schema.clone(), rule.clone(), line));
        }
    }
    // Every key of the last line is described, and required.
    let (_, rule, last) = cases.last().unwrap().clone();
    for key in last.as_object().unwrap().keys() {
        assert!(rule["properties"].get(key).is_some(), "{key}");
        assert!(
            rule["required"]
                .as_array()
                .unwrap()
                .contains(&key.as_str().into()),
            "{key}"
        );
    }
    for (key, wrong) in [
        ("rows", Value::from(-1)),
        ("schema", "sockstat-snapshot/2".into()),
    ] {
        let mut line = last.clone();
        line[key] = wrong;
        assert!(!faults(&schema, &rule, &line, "").is_empty(), "{key}");
        cases.push((schema.clone(), rule.clone(), line));
    }
    if let Some(said) = other_judge(&cases) {
        let valid = said.iter().filter(|valid| **valid).count();
        assert_eq!((valid, said.len()), (cases.len() - 2, cases.len()));
    }
}

#[test]
fn arguments_are_printed_only_if_asked_for() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let text = |arguments: &[&str]| sockets.run(arguments).text().to_owned();
    let default = text(&["snapshot"]);
    assert!(
        !default.contains("hunter2") && !default.contains("cmdline"),
        "{default}"
    );
    let redacted = text(&["snapshot", "--cmdline", "redacted"]);
    assert!(
        redacted.contains("db_password=***") && !redacted.contains("hunter2"),
        "{redacted}"
    );
    let full = text(&["snapshot", "--cmdline=full"]);
    assert!(full.contains("db_password=hunter2"), "{full}");
}

#[test]
fn several_namespaces_are_one_snapshot() {
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let mut places = Vec::new();
    for _ in 0..3 {
        let Some(sockets) = Sockets::make(SPECS) else {
            return;
        };
        places.push(sockets);
    }
    let pids: Vec<_> = places.iter().map(|sockets| sockets.pid.to_string()).collect();
    let pids = pids.join(",");
    let run = |arguments: &[&str]| Ran::of(&mut sockstat(arguments)).ended_with(0);
    let (rows, last) = split(&run(&["snapshot", "-N", &pids]));
    let columns = columns();
    let listing = run(&["-tuap", "--jsonl", "--columns", &columns, "-N", &pids]);
    assert_eq!(last["rows"], rows.len());
    for sockets in &places {
        assert!(
            rows.iter().any(|row| row["netns"] == sockets.netns),
            "{}",
            sockets.netns
        );
    }
    assert_eq!(comparable(rows), comparable(listed(&listing)));
    let names = Ran::of(&mut sockstat(["-N", &pids, "why", "80"])).ended_with(2);
    assert!(
        names
            .stderr
            .contains("the listing, events and snapshot take several"),
        "{}",
        names.stderr
    );
}

#[test]
fn a_snapshot_that_cannot_be_written_fails() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = sockstat(["snapshot", "--quiet"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let mut full = sockstat(["snapshot", "--quiet"]);
    let full = full.stdout(Stdio::from(std::fs::File::create("/dev/full").unwrap()));
    let ran = Ran::of(full);
    // Its output is a file here, so only the status and the message are left.
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
}

#[test]
fn hidden_owners_are_in_the_last_line_and_no_failure() {
    let root = super::sockets::new_directory();
    std::fs::create_dir_all(root.join("net")).unwrap();
    let mut table = std::fs::File::create(root.join("net/tcp")).unwrap();
    writeln!(table, "  sl  local_address rem_address   st").unwrap();
    let ran = Ran::of(&mut sockstat(["snapshot", "--proc-root", root.to_str().unwrap()])).ended_with(0);
    let (rows, last) = split(&ran);
    assert_eq!((rows.len(), &last["complete"]), (0, &false.into()));
    let gaps = last["gaps"].to_string();
    assert!(
        gaps.contains("figures-unread") && gaps.contains("proc-root"),
        "{gaps}"
    );
    assert!(last["machine_id"].is_null() && last["tcp_time_wait"].is_null() && last["port_low"].is_null());
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn other_listings_have_the_identity_only_where_it_is_named() {
    let Some(sockets) = Sockets::make(&["tcp-listen"]) else {
        return;
    };
    let usual = sockets.run(&["-tlp", "--jsonl"]);
    let row: Value = serde_json::from_str(usual.text().lines().next().unwrap()).unwrap();
    for key in [
        "host",
        "machine_id",
        "boot_id",
        "taken_at",
        "exe",
        "started_at",
        "owner_count",
    ] {
        assert!(row.get(key).is_none(), "{key}");
    }
    let named = sockets.run(&[
        "-tlp",
        "--csv",
        "--columns",
        "host,boot_id,owner_count,exe",
        "--sort",
        "host",
    ]);
    let (heading, line) = named.text().split_once("\r\n").unwrap();
    assert_eq!(heading, "host,boot_id,owner_count,exe");
    let host = sockets.run(&["-tl", "--json"]).json()["host"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        line.starts_with(&format!("{host},")) && line.trim_end().ends_with("mksock"),
        "{line}"
    );
    let groups = sockets.run(&["-tl", "--by", "host,owner_count", "--json"]).json();
    assert_eq!(groups["groups"][0]["host"], host);
    assert_eq!(groups["groups"][0]["owner_count"], 1);
    let none = sockets.run(&["-tlp", "--jsonl", "started_at lt 2000-01-01"]);
    assert_eq!(none.text(), "");
}
