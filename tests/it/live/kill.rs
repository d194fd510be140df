//! `kill`, and the ways in which a process can hold a listener that is not in its own file table.

use super::enter::is_root;
use super::sockets::{Sockets, kernel_names_sockets_of_rings};
use crate::run::Ran;
use crate::skip::skip;

/// Creates one listener, ends its owner by its port, and returns what `why` and `kill` printed.
#[track_caller]
fn ended(spec: &str) -> Option<(String, serde_json::Value)> {
    if !is_root() {
        skip("not root: the holders of the sockets cannot be seen");
        return None;
    }
    let sockets = Sockets::make(&[spec])?;
    let end = sockets.ends.first()?.clone();
    let place = format!(":{}", end.said["local_port"]);
    let ran = Ran::of(&mut sockets.sockstat(&["kill", "--yes", "--json", &place]));
    let document = ran.json();
    assert_eq!(ran.status, Some(0), "{document} {}", ran.stderr);
    let target = &document["targets"][0];
    let holder = end
        .holders()
        .first()
        .map_or(sockets.pid.into(), |holder| holder[0]);
    assert_eq!(target["signalled"], serde_json::json!([holder]), "{document}");
    assert!(target["ended_after_ms"].is_u64(), "{document}");
    assert_eq!(target["ports_free"], true, "{document}");
    Some((ran.stderr, end.said))
}

#[test]
fn a_listener_in_the_own_table_of_a_thread() {
    if let Some((shown, end)) = ended("thread-table") {
        let thread = &end["holders"][0][1];
        assert!(shown.contains(&format!(" of thread {thread}\n")), "{shown}");
    }
}

#[test]
fn a_listener_behind_a_leader_that_has_exited() {
    if let Some((shown, end)) = ended("leader-exited") {
        let thread = &end["holders"][0][1];
        assert!(shown.contains(&format!(" of thread {thread}\n")), "{shown}");
    }
}

#[test]
fn a_listener_that_only_a_ring_holds() {
    if !kernel_names_sockets_of_rings() {
        return;
    }
    if let Some((shown, _)) = ended("io-uring") {
        assert!(
            shown.contains("registered with the io_uring of descriptor "),
            "{shown}"
        );
    }
}

#[test]
fn other_ports_of_a_target_are_named() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=3000", "tcp-listen:port=3001"]) else {
        return;
    };
    let said = sockets.run(&["kill", "--dry-run", "3000"]);
    assert!(said.text().contains("also holds "), "{}", said.text());
    assert!(
        said.text().contains(":3001/tcp: closed as well"),
        "{}",
        said.text()
    );
    let both = sockets.run(&["kill", "--dry-run", "3000", "3001"]);
    assert!(!both.text().contains("also holds"), "{}", both.text());
}

#[test]
fn a_limit_reports_the_total() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=3000", "tcp-listen:port=3001"]) else {
        return;
    };
    let said = sockets.run(&["-tl", "--table", "--limit", "1"]);
    assert!(said.text().contains("\n1 of 2 sockets "), "{}", said.text());
    let all = sockets.run(&["-tl", "--table", "--limit", "2"]);
    assert!(all.text().contains("\n2 sockets "), "{}", all.text());
}
