//! Sorting, limits, groups, process ids and filter files, on live sockets.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::sockets::Sockets;
use crate::run::{Ran, sockstat};
use crate::schema::{check, schema};

const SPECS: &[&str] = &[
    "tcp-listen:port=7003",
    "tcp-listen:port=7001",
    "tcp-listen:port=7002",
    "udp:addr=127.0.1.1,port=7009",
];

fn ports(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn rows_come_in_the_order_that_was_asked_for_and_no_more_of_them() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let run = |arguments: &[&str]| {
        let common = ["-tl", "-H", "--plain", "--columns=local_port"];
        sockets.run(&[&common, arguments].concat()).text().to_owned()
    };
    assert_eq!(ports(&run(&["--sort=local_port"])), ["7001", "7002", "7003"]);
    assert_eq!(
        ports(&run(&["--sort=local_port:desc", "--limit=2"])),
        ["7003", "7002"]
    );
    // Among equals the usual order holds, and null is last.
    assert_eq!(
        ports(&run(&["--sort=peer_port:desc,protocol"])),
        ["7001", "7002", "7003"]
    );
    assert_eq!(ports(&run(&["--sort=default"])), ["7001", "7002", "7003"]);
    assert_eq!(run(&["--limit=2"]).lines().count(), 2);
    assert_eq!(run(&["--limit=0", "--sort=local_port"]), "");
    let json = sockets
        .run(&["-tl", "--json", "--sort=local_port:desc", "--limit=1"])
        .json();
    assert_eq!(json["sockets"][0]["local_port"], 7003);
    assert_eq!(json["sockets"].as_array().unwrap().len(), 1);
}

#[test]
fn groups_count_and_sum_in_every_form() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let document = sockets
        .run(&["-tua", "--json", "--by=protocol,local_address/16"])
        .json();
    let schema = schema();
    check(&schema, &schema, &document, "document");
    assert_eq!(document["sockets"], Value::Array(Vec::new()));
    let groups = document["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert_eq!(groups[0]["protocol"], "tcp");
    assert_eq!(groups[0]["count"], 3);
    assert_eq!(groups[0]["local_address"], "127.0.0.0/16");
    let by = "--by=protocol";
    let jsonl = sockets.run(&["-tua", "--jsonl", by]).text().to_owned();
    let first: Value = serde_json::from_str(jsonl.lines().next().unwrap()).unwrap();
    check(&schema, &schema["$defs"]["group"], &first, "line");
    let csv = sockets.run(&["-tua", "--csv", by]);
    assert_eq!(
        csv.text(),
        "protocol,count,recv_q,send_q,accept_q\r\ntcp,3,,,0\r\nudp,1,0,0,\r\n"
    );
    let plain = sockets.run(&["-tua", "--plain", "-H", "--limit=1", by]);
    assert_eq!(plain.text(), "tcp 3 ? ? 0\n");
    let table = sockets.run(&["-tua", "--table", by]).text().to_owned();
    assert!(table.starts_with("PROTOCOL  COUNT  RECV-Q"), "{table}");
    let by_process = sockets.run(&["-tua", "--plain", "-H", "--by=process"]);
    assert_eq!(by_process.text(), "mksock 4 0 0 0\n");
}

#[test]
fn a_server_with_workers_is_one_group() {
    let specs = ["shared-fork:port=7001,children=3", "tcp-listen:port=7002"];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let groups = sockets.run(&["-tl", "--json", "--by=process,pid"]).json()["groups"].clone();
    assert_eq!(groups.as_array().unwrap().len(), 1, "{groups}");
    assert_eq!(groups[0]["pid"], sockets.pid);
    assert_eq!(groups[0]["count"], 2);
    assert_eq!(groups[0]["accept_q"], 0);
    assert_eq!(groups[0]["recv_q"], Value::Null, "no listener has one");
}

#[test]
fn pids_are_the_owners_each_once() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    assert_eq!(
        sockets.run(&["-tl", "--pids"]).text(),
        format!("{}\n", sockets.pid)
    );
    assert_eq!(sockets.run(&["-tl", "9", "--pids"]).text(), "");
}

#[test]
fn a_filter_comes_from_a_file_or_from_standard_input() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let file = sockets.directory().join("filter");
    std::fs::write(
        &file,
        "# the ports that we watch\nlocal_port in\n  (7001, 7002)\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let common = [
        "-tl",
        "-H",
        "--plain",
        "--columns=local_port",
        "--sort=local_port",
    ];
    let of_file = sockets.run(&[&common[..], &["-F", file]].concat());
    assert_eq!(ports(of_file.text()), ["7001", "7002"]);
    let mut child = sockets
        .sockstat(&[&common[..], &["-F", "-"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"7003\n").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).ended_with(0);
    assert_eq!(ports(ran.text()), ["7003"]);
    let missing = Ran::of(&mut sockstat(["-F", "/nonexistent/filter"])).ended_with(1);
    assert!(
        missing.stderr.contains("/nonexistent/filter"),
        "{}",
        missing.stderr
    );
}

#[test]
fn contradicting_options_are_errors() {
    for (arguments, culprit) in [
        (["--by=state", "--sort=state"], "--by"),
        (["--by=state", "--columns=state"], "--by"),
        (["--pids", "--limit=1"], "--pids"),
        (["--by=recv_q", "-t"], "recv_q"),
        (["--by=state,state", "-t"], "state"),
        (["--sort=nothing", "-t"], "nothing"),
    ] {
        let ran = Ran::of(&mut sockstat(arguments)).ended_with(2);
        assert!(
            ran.stdout.is_empty() && ran.stderr.starts_with("error: ") && ran.stderr.contains(culprit),
            "{}",
            ran.stderr
        );
    }
}
