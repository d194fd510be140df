//! Who holds a socket, for every way to hold one, and the reason if no owner is known.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::enter::is_root;
use super::machine::Machine;
use super::sockets::{End, Sockets, kernel_lists_bound, kernel_names_sockets_of_rings};
use super::truth::{EVERYTHING, row_of};
use crate::run::Ran;

/// One test at a time: a descriptor in flight anywhere on the machine affects the status of other sockets without
/// holders.
static MACHINE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rows(sockets: &Sockets) -> Vec<Value> {
    sockets.run(EVERYTHING).json()["sockets"]
        .as_array()
        .unwrap()
        .clone()
}

#[track_caller]
fn row<'a>(end: &End, rows: &'a [Value]) -> &'a Value {
    row_of(end, rows).unwrap_or_else(|| panic!("no row for {}", end.said))
}

/// Process, thread (the process itself unless the thread has its own file table) and descriptor of each owner.
fn owners(row: &Value) -> Vec<[u64; 3]> {
    let number = |owner: &Value, key: &str| owner[key].as_u64();
    let owner = |owner: &Value| {
        let pid = number(owner, "pid").unwrap();
        [
            pid,
            number(owner, "tid").unwrap_or(pid),
            number(owner, "fd").unwrap(),
        ]
    };
    let owners = row["owners"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut owners: Vec<_> = owners.iter().map(owner).collect();
    owners.sort_unstable();
    owners
}

#[test]
fn every_holder_is_named() {
    let specs = [
        "tcp-listen",
        "udp",
        "unix-pair",
        "shared-fork:children=3",
        "shared-scm",
        "shared-scm:close=1",
        "thread-table",
        "thread-shared:threads=2",
        "comm:name=a child",
        "mptcp-pair",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let rows = rows(&sockets);
    for end in &sockets.ends {
        let row = row(end, &rows);
        let mut holders = end.holders();
        holders.sort_unstable();
        if end.role == "subflow" {
            // The subflow of an MPTCP socket has its inode, and so its holders.
            assert_eq!(row["owner_status"], "known");
            continue;
        }
        assert_eq!(owners(row), holders, "{}: {}", end.spec, end.role);
        assert_eq!(row["owner_status"], "known", "{}", end.spec);
        assert_eq!(row["pid"].as_u64(), Some(holders[0][0]));
        assert_eq!(
            row["owners"][0]["exe"].as_str(),
            super::sockets::example("mksock").to_str()
        );
    }
    let child = sockets.of_kind("comm").next().unwrap();
    assert_eq!(row(child, &rows)["owners"][0]["comm"], "a child");
    assert_eq!(
        row(child, &rows)["process"],
        "mksock",
        "the program, not the name of its thread"
    );
}

#[test]
fn a_thread_with_its_own_file_table_is_named() {
    let Some(sockets) = Sockets::make(&["thread-table", "tcp-listen"]) else {
        return;
    };
    let rows = rows(&sockets);
    let own = sockets.of_kind("thread-table").next().unwrap();
    let common = sockets.of_kind("tcp-listen").next().unwrap();
    assert_eq!(
        row(own, &rows)["owners"][0]["tid"].as_u64(),
        Some(own.holders()[0][1])
    );
    assert!(row(common, &rows)["owners"][0]["tid"].is_null());
}

#[test]
fn a_listener_that_only_a_ring_holds_has_an_owner() {
    let Some(sockets) = Sockets::make(&["io-uring"]) else {
        return;
    };
    let Some(end) = sockets.of_kind("io-uring").next() else {
        return;
    };
    if !kernel_names_sockets_of_rings() {
        return;
    }
    let rows = rows(&sockets);
    let row = row(end, &rows);
    assert_eq!(row["owner_status"], "known");
    assert_eq!(row["pid"].as_u64(), Some(u64::from(sockets.pid)));
}

#[test]
fn a_queued_connection_has_the_owner_of_the_listener() {
    let specs = [
        "tcp-listen:queued=2",
        "tcp-listen:addr=0.0.0.0,queued=1",
        "syn-recv",
        "tcp-listen:addr=::,mapped=1,queued=1",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let rows = rows(&sockets);
    let waiting: Vec<_> = sockets
        .ends
        .iter()
        .filter(|end| matches!(&*end.role, "queued" | "request"))
        .collect();
    assert!(waiting.len() >= 4, "{waiting:?}");
    for end in waiting {
        let row = row(end, &rows);
        assert_eq!(row["owner_status"], "queued", "{}", end.said);
        assert_eq!(row["pid"].as_u64(), Some(u64::from(sockets.pid)), "{}", end.said);
        assert!(row["inode"].is_null());
    }
}

#[test]
fn a_socket_closed_by_its_program_has_no_owner() {
    let specs = [
        "time-wait",
        "orphan",
        "orphan:state=last-ack",
        "orphan:state=fin-wait-1",
        "orphan:linger2=120",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let rows = rows(&sockets);
    let closed: Vec<_> = sockets
        .ends
        .iter()
        .filter(|end| end.said["inode"].is_null())
        .collect();
    assert!(closed.len() >= specs.len(), "{closed:?}");
    for end in closed {
        let row = row(end, &rows);
        assert_eq!(row["owner_status"], "none", "{}", end.said);
        assert_eq!(row["owners"], serde_json::json!([]), "{}", end.said);
        if end.said["state"] == "time-wait" {
            assert!(row["uid"].is_null(), "the kernel keeps none: {}", end.said);
        }
    }
}

#[test]
fn a_descriptor_in_a_message_is_in_flight() {
    let _alone = alone();
    let Some(sockets) = Sockets::make(&["in-flight"]) else {
        return;
    };
    let listener = sockets.ends.iter().find(|end| end.role == "listener").unwrap();
    let expected = if Machine::look().refuses {
        "hidden"
    } else {
        "in-flight"
    };
    let rows = rows(&sockets);
    assert_eq!(row(listener, &rows)["owner_status"], expected);
    if expected == "hidden" {
        return;
    }
    // No privilege would show who will receive it, so none is requested.
    let port = listener.said["local_port"].as_u64().unwrap();
    let place = format!("127.0.0.1:{port}");
    for (arguments, status) in [
        (&["why", &place][..], 1),
        (&["reach", &place], 0),
        (&["wait", "--gone", "--timeout", "0s", &place], 1),
        (&["kill", "--dry-run", &place], 1),
    ] {
        let ran = Ran::of(&mut sockets.sockstat(arguments)).ended_with(status);
        let all = format!("{}{}", ran.text(), ran.stderr);
        assert!(all.contains("in flight"), "{arguments:?}: {all}");
        assert!(
            !all.contains("CAP_") && !all.contains("sudo"),
            "{arguments:?}: {all}"
        );
    }
}

#[test]
fn the_kernel_owns_a_socket_only_if_nobody_else_can() {
    let _alone = alone();
    let Some(sockets) = Sockets::make(&["vxlan", "tcp-listen"]) else {
        return;
    };
    let Some(end) = sockets.of_kind("vxlan").next() else {
        return;
    };
    let machine = Machine::look();
    let expected = match &machine {
        Machine { refuses: true, .. } => "hidden",
        Machine { in_flight: true, .. } => "in-flight",
        Machine { is_initial: true, .. } if is_root() => "kernel",
        Machine { is_initial: true, .. } => "unknown",
        Machine { .. } => "elsewhere",
    };
    let document = sockets.run(EVERYTHING).json();
    let rows = document["sockets"].as_array().unwrap();
    let row = row(end, rows);
    assert_eq!(row["owner_status"], expected);
    let told = document["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .any(|gap| gap["code"] == "owners-hidden");
    assert_eq!(told, expected == "hidden", "{}", document["gaps"]);
    assert_eq!(
        document["complete"].as_bool(),
        Some(kernel_lists_bound() && !matches!(expected, "hidden" | "elsewhere"))
    );
}
