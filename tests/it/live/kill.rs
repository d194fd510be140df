//! `kill`, and the ways in which a process can hold a listener that is not in its own file table.

use super::enter::is_root;
use super::sockets::Sockets;
use crate::run::Ran;
use crate::skip::skip;

/// Makes one listener, ends its owner by its port, and returns what was said before and after.
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
    if let Some((shown, _)) = ended("io-uring") {
        assert!(
            shown.contains("registered with the io_uring of descriptor "),
            "{shown}"
        );
    }
}
