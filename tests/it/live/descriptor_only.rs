//! Sockets that are missing from every dump: found by their descriptors when all sockets are listed with owners.

use serde_json::{Value, json};

use super::sockets::Sockets;
use crate::run::{Ran, sockstat};

const SPECS: &[&str] = &[
    "bare",
    "bare:family=10,type=2",
    "bare:type=2",
    "bare:family=16,type=3",
    // AF_ALG, which many kernels leave out.
    "bare:family=38,type=5",
    "tcp-listen:port=3000",
    "tcp-bound",
    "udp",
    "unix-pair",
    "unix-stream:path={dir}/x",
    "netlink",
    "packet",
];

/// The rows without the netlink socket of the run itself.
fn rows(document: &Value) -> Vec<Value> {
    document["sockets"].as_array().unwrap().clone()
}

/// The kernel's name for the protocol of a bare socket, by family and type.
fn kernels_name(spec: &str) -> &'static str {
    match spec {
        "bare" => "TCP",
        "bare:family=10,type=2" => "UDPv6",
        "bare:type=2" => "UDP",
        "bare:family=16,type=3" => "NETLINK",
        _ => "ALG",
    }
}

#[test]
fn bare_sockets_are_rows_with_their_holders() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for way in [&["--owners", "proc"][..], &[]] {
        let words = [&["-a", "-p", "--json"][..], way].concat();
        let rows = rows(&sockets.run(&words).json());
        for end in &sockets.ends {
            let of_it: Vec<_> = rows
                .iter()
                .filter(|row| row["inode"] == end.said["inode"])
                .collect();
            assert_eq!(of_it.len(), 1, "{} by {way:?}: {of_it:?}", end.said);
            let row = of_it[0];
            assert_eq!(row["owners"][0]["pid"], end.said["pid"], "{}", end.said);
            assert_eq!(row["owners"][0]["fd"], end.said["fd"], "{}", end.said);
            for key in ["protocol", "family"] {
                assert_eq!(row[key], end.said[key], "{key} of {}", end.said);
            }
            if end.kind() == "bare" {
                assert_eq!(row["state"], "unconnected");
                assert_eq!(row["kernel_protocol"], kernels_name(&end.spec), "{}", end.said);
                for key in ["local_address", "local_port", "cookie", "uid", "portid"] {
                    assert_eq!(row[key], Value::Null, "{key} of {}", end.said);
                }
            } else {
                assert_eq!(row["kernel_protocol"], Value::Null, "{}", end.said);
            }
        }
    }
}

#[test]
fn they_are_found_by_filters_that_need_no_address_and_nowhere_else() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let pid = sockets.pid.to_string();
    let bare = sockets.of_kind("bare").count();
    let of_pid = format!("pid = {pid} and kernel_protocol ~ /[A-Z]/");
    for (words, count) in [
        (vec!["-ap", "kernel_protocol ~ /[A-Z]/"], bare),
        (vec!["-ap", &of_pid], bare),
        (vec!["-ap", "kernel_protocol = UDPv6"], 1),
        (vec!["-ap", "kernel_protocol ~ /[A-Z]/ and protocol = tcp"], 0),
        (vec!["-ap", "sport != 1 and kernel_protocol ~ /[A-Z]/"], 0),
        (vec!["-tap", "kernel_protocol ~ /[A-Z]/"], 0),
        (vec!["-a", "--columns", "protocol,kernel_protocol"], 0),
        (vec!["-A", "all", "-p", "kernel_protocol ~ /[A-Z]/"], 0),
    ] {
        let words = [&words[..], &["--jsonl"]].concat();
        let told = sockets.run(&words);
        let rows = told
            .text()
            .lines()
            .filter(|row| !row.contains("\"kernel_protocol\":null"));
        assert_eq!(rows.count(), count, "{words:?}: {}", told.text());
    }
}

#[test]
fn in_a_pipe_they_have_no_ends_and_a_replay_has_them_too() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let file = sockets.directory().join("recording");
    let file = file.to_str().unwrap();
    let words = ["-ap", "kernel_protocol ~ /[A-Z]/", "--plain"];
    let recorded = sockets.run(&[&["--record", file][..], &words].concat());
    let fields: Vec<Vec<&str>> = recorded
        .text()
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    let tcp = fields.iter().find(|row| row[0] == "tcp").unwrap();
    assert_eq!(tcp[..6], ["tcp", "UNCONN", "0", "0", "*:*", "*"]);
    assert!(tcp[6].starts_with("users:((\"mksock\""), "{tcp:?}");
    let replayed = Ran::of(&mut sockstat([&["--replay", file][..], &words].concat())).ended_with(0);
    assert_eq!(replayed.text(), recorded.text());
}

#[test]
fn sockets_of_another_namespace_are_none_of_these() {
    let (Some(here), Some(there)) = (Sockets::make(&["bare"]), Sockets::make(SPECS)) else {
        return;
    };
    let rows = rows(&here.run(&["-a", "-p", "--json"]).json());
    assert!(
        !rows
            .iter()
            .any(|row| there.ends.iter().any(|end| row["inode"] == end.said["inode"])),
        "{}",
        json!(rows)
    );
}
