//! `-N`: network namespaces seen from outside.

use serde_json::Value;

use super::enter::is_root;
use super::sockets::Sockets;
use super::truth::row_of;
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// Sockets in a namespace that we may enter from outside.
#[track_caller]
fn make(specs: &[&str]) -> Option<Sockets> {
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return None;
    }
    Sockets::make(specs)
}

#[track_caller]
fn rows(arguments: &[&str]) -> Vec<Value> {
    let ran = Ran::of(&mut sockstat(arguments)).ended_with(0);
    ran.json()["sockets"].as_array().unwrap().clone()
}

#[test]
fn one_namespace_by_pid_and_path_is_seen_as_from_inside() {
    let specs = [
        "tcp-listen",
        "tcp-listen:device=lo",
        "udp",
        "unix-pair",
        "time-wait",
    ];
    let Some(sockets) = make(&specs) else { return };
    let pid = sockets.pid.to_string();
    let path = format!("/proc/{pid}/ns/net");
    for (option, place) in [("-N", &pid), ("--net", &pid), ("--netns", &path)] {
        let rows = rows(&["-a", "-p", "--json", "-A", "all", option, place]);
        assert_eq!(rows.len(), sockets.ends.len(), "{rows:#?}");
        for end in &sockets.ends {
            let row = row_of(end, &rows).unwrap_or_else(|| panic!("no row for {}", end.said));
            assert_eq!(row["netns"].as_u64(), Some(sockets.netns));
            if !row["inode"].is_null() {
                assert_eq!(row["pid"].as_u64(), Some(u64::from(sockets.pid)), "{row}");
            }
        }
        let bound = rows.iter().filter(|row| row["interface"] == "lo").count();
        assert_eq!(bound, 1, "the name is looked up inside: {rows:#?}");
    }
}

#[test]
fn subcommands_go_there_too() {
    let Some(sockets) = make(&["tcp-listen"]) else {
        return;
    };
    let pid = sockets.pid.to_string();
    let port = sockets.ends[0].said["local_port"].to_string();
    for arguments in [["why", "-N", &pid, &port], ["-N", &pid, "why", &port]] {
        let answer = Ran::of(&mut sockstat(arguments)).ended_with(1);
        assert!(answer.text().contains("mksock"), "{}", answer.text());
    }
    let waited = ["wait", "-N", &pid, &port, "--timeout", "0s"];
    Ran::of(&mut sockstat(waited)).ended_with(0);
    let range = format!("{port}-{port}");
    Ran::of(&mut sockstat(["free", "-N", &pid, &range])).ended_with(1);
    let reached = format!("127.0.0.1:{port}");
    Ran::of(&mut sockstat(["reach", "-N", &pid, &reached])).ended_with(0);
}

#[test]
fn what_is_no_namespace_is_refused_in_one_line() {
    let refused = |arguments: &[&str], words: &str| {
        let ran = Ran::of(&mut sockstat(arguments)).ended_with(2);
        assert!(ran.stdout.is_empty());
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    };
    refused(&["-N", "no such name"], "/run/netns/no such name");
    refused(&["-N", "/proc/self/status"], "it is no namespace");
    refused(&["why", "-N", "all", "80"], "-N takes one network namespace here");
}
