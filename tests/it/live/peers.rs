//! The other end of a socket: its holder and its name.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::sockets::{End, Sockets};
use super::truth::row_of;
use crate::run::Ran;
use crate::skip::skip;

const UNIX: &[&str] = &[
    "unix-pair",
    "unix-pair:type=dgram",
    "unix-pair:type=seqpacket",
    "unix-stream-client:abstract=stream",
    "unix-stream-client:path={dir}/seq,type=seqpacket",
    "unix-listen:path={dir}/waiting,queued=2",
    "unix-senders:path={dir}/log,count=3",
    "unix-stream:abstract=alone",
];

const INET: &[&str] = &[
    "tcp-pair",
    "tcp-pair:addr=::1",
    "tcp-pair:mapped=1,port=90,listener=1",
    "tcp-listen:port=91,queued=1",
    "udp-connected",
    "close-wait",
    "tcp-pair:addr=127.0.0.9",
];

fn rows(sockets: &Sockets, arguments: &[&str]) -> Vec<Value> {
    let document = sockets.run(arguments).json();
    // If a process refuses even root, a walk cannot know whether it shares a socket (docs/decisions/0008).
    let others = document["gaps"].as_array().unwrap().iter();
    let others: Vec<_> = others.filter(|gap| gap["code"] != "owners-partial").collect();
    assert!(others.is_empty(), "{others:?}");
    document["sockets"].as_array().unwrap().clone()
}

/// The row of the end with that role, among those of that spec.
#[track_caller]
fn row<'a>(sockets: &'a Sockets, rows: &'a [Value], spec: &str, role: &str) -> &'a Value {
    let end = end(sockets, spec, role);
    row_of(end, rows).unwrap_or_else(|| panic!("no row for {spec} {role}"))
}

#[track_caller]
fn end<'a>(sockets: &'a Sockets, spec: &str, role: &str) -> &'a End {
    let found = sockets
        .ends
        .iter()
        .find(|end| end.spec.starts_with(spec) && end.role == role);
    found.unwrap_or_else(|| panic!("no end for {spec} {role}"))
}

/// Process and descriptor of each owner in a list.
fn descriptors(owners: &Value) -> Vec<[u64; 2]> {
    let Some(owners) = owners.as_array() else {
        return Vec::new();
    };
    let pair = |owner: &Value| ["pid", "fd"].map(|key| owner[key].as_u64().unwrap());
    let mut pairs: Vec<_> = owners.iter().map(pair).collect();
    pairs.sort_unstable();
    pairs
}

fn held(ends: &[&End]) -> Vec<[u64; 2]> {
    let mut held: Vec<_> = ends
        .iter()
        .flat_map(|end| end.holders())
        .map(|[pid, _, fd]| [pid, fd])
        .collect();
    held.sort_unstable();
    held
}

/// Fails unless each of the two is the peer of the other.
#[track_caller]
fn face_each_other(sockets: &Sockets, rows: &[Value], spec: &str, first: &str, second: &str) {
    for (own, other) in [(first, second), (second, first)] {
        let there = row(sockets, rows, spec, own);
        let other = end(sockets, spec, other);
        assert_eq!(descriptors(&there["peer_owners"]), held(&[other]), "{spec} {own}");
        assert_eq!(there["peer_pid"], sockets.pid, "{spec} {own}");
        assert_eq!(there["peer_process"], "mksock", "{spec} {own}");
        assert_eq!(there["peer_inode"], other.said["inode"], "{spec} {own}");
    }
}

#[test]
fn unix_sockets_name_the_other_end() {
    let Some(sockets) = Sockets::make(UNIX) else {
        return;
    };
    let rows = rows(&sockets, &["-xap", "--json"]);
    let pairs = ["unix-pair", "unix-pair:type=dgram", "unix-pair:type=seqpacket"];
    for spec in pairs {
        face_each_other(&sockets, &rows, spec, "first", "second");
    }
    for spec in ["unix-stream-client:abstract", "unix-stream-client:path"] {
        face_each_other(&sockets, &rows, spec, "server", "client");
        let client = row(&sockets, &rows, spec, "client");
        let listener = row(&sockets, &rows, spec, "listener");
        assert_eq!(
            client["peer_path"], listener["path"],
            "the accepted socket has the name"
        );
        assert!(row(&sockets, &rows, spec, "server")["peer_path"].is_null());
        assert!(listener["peer_owners"].is_null());
    }
    let alone = row(&sockets, &rows, "unix-stream:", "bound");
    assert!(alone["peer_owners"].is_null() && alone["peer_path"].is_null());
}

#[test]
fn every_sender_of_a_datagram_socket_is_named() {
    let Some(sockets) = Sockets::make(UNIX) else {
        return;
    };
    let rows = rows(&sockets, &["-xap", "--json"]);
    let receiver = end(&sockets, "unix-senders", "receiver");
    let senders: Vec<_> = sockets
        .of_kind("unix-senders")
        .filter(|end| end.role == "sender")
        .collect();
    assert_eq!(senders.len(), 3);
    let there = row_of(receiver, &rows).unwrap();
    assert_eq!(descriptors(&there["peer_owners"]), held(&senders));
    assert!(there["peer_inode"].is_null() && there["peer_path"].is_null());
    for sender in senders {
        let there = row_of(sender, &rows).unwrap();
        assert_eq!(there["peer_path"], receiver.said["path"]);
        assert_eq!(descriptors(&there["peer_owners"]), held(&[receiver]));
    }
}

#[test]
fn a_unix_listener_and_the_clients_that_wait_at_it_name_each_other() {
    let Some(sockets) = Sockets::make(UNIX) else {
        return;
    };
    let rows = rows(&sockets, &["-xap", "--json"]);
    let listener = end(&sockets, "unix-listen", "listener");
    let clients: Vec<_> = sockets
        .of_kind("unix-listen")
        .filter(|end| end.role == "client")
        .collect();
    let there = row_of(listener, &rows).unwrap();
    assert_eq!(descriptors(&there["peer_owners"]), held(&clients));
    for client in clients {
        let there = row_of(client, &rows).unwrap();
        assert_eq!(there["peer_path"], listener.said["path"]);
        assert_eq!(descriptors(&there["peer_owners"]), held(&[listener]));
        assert!(
            there["peer_inode"].is_null(),
            "what will be accepted has no inode yet"
        );
    }
}

#[test]
fn names_of_other_ends_need_no_owners_and_no_whole_selection() {
    let Some(sockets) = Sockets::make(UNIX) else {
        return;
    };
    let path = sockets.directory().join("log");
    let path = path.to_str().unwrap();
    // Without -a and -p: connected sockets alone, and the socket with the name is not among them.
    for form in ["--jsonl", "--csv", "--plain", "--table"] {
        let ran = sockets.run(&["-xH", form, "--columns=peer_path", "peer_path", "=", path]);
        let lines = ran.text().lines().filter(|line| line.contains(path)).count();
        assert_eq!(lines, 3, "{form}: {}", ran.text());
    }
    let all = rows(&sockets, &["-xa", "--json"]);
    assert!(all.iter().all(|row| row["peer_owners"].is_null()), "nobody asked");
    assert!(all.iter().any(|row| row["peer_path"] == path));
    let table = sockets.run(&["-xa", "--table"]);
    assert_eq!(
        table
            .text()
            .lines()
            .filter(|line| line.matches(path).count() == 1)
            .count(),
        4
    );
}

#[test]
fn connections_on_this_machine_name_both_ends() {
    let Some(sockets) = Sockets::make(INET) else {
        return;
    };
    let rows = rows(&sockets, &["-tuap", "--json"]);
    for spec in [
        "tcp-pair",
        "tcp-pair:addr=::1",
        "tcp-pair:mapped",
        "udp-connected",
        "close-wait",
        "tcp-pair:addr=127.0.0.9",
    ] {
        face_each_other(&sockets, &rows, spec, "server", "client");
    }
    // A connection in an accept queue belongs to the owner of the listener.
    let listener = end(&sockets, "tcp-listen", "listener");
    let client = end(&sockets, "tcp-listen", "client");
    let there = row_of(client, &rows).unwrap();
    assert_eq!(descriptors(&there["peer_owners"]), held(&[listener]));
    assert!(there["peer_inode"].is_null());
    let queued = rows
        .iter()
        .find(|row| row["owner_status"] == "queued")
        .expect("the connection that waits is a row");
    assert_eq!(descriptors(&queued["peer_owners"]), held(&[client]));
}

#[test]
fn one_row_is_enough_to_name_the_other_end() {
    let Some(sockets) = Sockets::make(INET) else {
        return;
    };
    let server = &end(&sockets, "tcp-pair:mapped", "server").said;
    let client = end(&sockets, "tcp-pair:mapped", "client");
    // The other end is an IPv4 socket, with the port on the other side.
    let ran = sockets.run(&[
        "-6tnp",
        "--jsonl",
        "state",
        "established",
        "local_port",
        "=",
        "90",
    ]);
    let rows: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 1, "{}", ran.text());
    assert_eq!(rows[0]["inode"], server["inode"]);
    assert_eq!(descriptors(&rows[0]["peer_owners"]), held(&[client]));
    let plan = sockets.run(&["-6tnp", "--json", "--explain-plan", "local_port", "=", "90"]);
    assert!(
        plan.text().contains("for facts about other sockets"),
        "{}",
        plan.text()
    );
    assert!(
        !sockets
            .run(&["-tanp", "--explain-plan"])
            .text()
            .contains("other sockets")
    );
    let pid = sockets.pid.to_string();
    let count = |words: &[&str]| {
        let ran = sockets.run(&[&["-tanH", "--plain", "--columns=peer_process"], words].concat());
        ran.text().lines().count()
    };
    let all = count(&["peer_process", "=", "mksock"]);
    assert_eq!(all, count(&["peer_pid", "=", &pid]));
    assert_eq!(all, count(&["has(peer_owners)"]));
    assert!(all >= 10, "{all}");
    assert_eq!(count(&["peer_process", "like", "nobody*"]), 0);
}

#[test]
fn the_table_shows_both_owners_and_a_pipe_shows_what_ss_shows() {
    let Some(sockets) = Sockets::make(&["tcp-pair:port=80", "unix-listen:abstract=l,queued=1"]) else {
        return;
    };
    let both = format!("mksock {0} <> mksock {0}", sockets.pid);
    let table = sockets.run(&["-tanp", "--table"]);
    assert_eq!(table.text().matches(&both).count(), 2, "{}", table.text());
    let table = sockets.run(&["-xap", "--table"]);
    let waiting = format!("mksock {0}  waiting: mksock {0}", sockets.pid);
    assert!(table.text().contains(&waiting), "{}", table.text());
    let plain = sockets.run(&["-tanp"]);
    assert!(!plain.text().contains("<>"), "{}", plain.text());
}

/// The same from ss, joined here: the users in the row with the peer's inode.
#[test]
fn the_owners_of_other_ends_are_those_that_ss_shows_in_the_other_row() {
    let Some(sockets) = Sockets::make(UNIX) else {
        return;
    };
    let mut ss = sockets.program("ss");
    if Command::new("ss").arg("-V").output().is_err() {
        skip("ss (iproute2) is not installed");
        return;
    }
    let ran = Ran::of(ss.args(["-xapnH"])).ended_with(0);
    let mut users = BTreeMap::new();
    let mut peers = BTreeMap::new();
    for line in ran.text().lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [inode, peer] = [5, 7].map(|field: usize| fields[field].parse::<u64>().unwrap());
        users.insert(inode, fields.get(8..).unwrap_or_default().concat());
        peers.insert(inode, peer);
    }
    let rows = rows(&sockets, &["-xap", "--json"]);
    let mut compared = 0;
    for (inode, peer) in peers.into_iter().filter(|(_, peer)| *peer != 0) {
        let row = rows.iter().find(|row| row["inode"] == inode).unwrap();
        assert_eq!(row["peer_inode"], peer);
        for [pid, fd] in descriptors(&row["peer_owners"]) {
            assert!(users[&peer].contains(&format!("pid={pid},fd={fd})")), "{row}");
            compared += 1;
        }
    }
    assert_eq!(compared, 13, "every connected end");
}
