//! Rows are the same however they are read: compares the fast ways with a slow and simple one, which reads family by
//! family without kernel filtering, keeps every row, and finds owners by walking over /proc.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sockstat::engine::How;
use sockstat::engine::Request;
use sockstat::model::Row;
use sockstat::model::request::{Facts, OwnersBy, Parts, Wanted};
use sockstat::model::{OwnerStatus, StateSet};

use super::sockets::Sockets;
use super::within::{by_family, filter, plan, rows, within};
use crate::attempts::eventually;

const SPECS: &[&str] = &[
    "tcp-listen",
    "tcp-listen:addr=::",
    "tcp-listen:addr=::,v6only=1,backlog=7",
    "tcp-listen:device=lo,queued=2",
    "tcp-bound",
    "tcp-bound:addr=::1",
    "tcp-pair:unread=100,keepalive=1",
    "tcp-pair:addr=::1,unacked=5",
    "tcp-pair:addr=::,mapped=1",
    "syn-sent",
    "syn-recv",
    "fin-wait-2",
    "close-wait",
    "time-wait",
    "time-wait:addr=::1",
    "orphan:linger2=120",
    "mptcp-pair",
    "udp:unread=9",
    "udp:addr=::,v6only=1",
    "udp-connected",
    "unix-listen:path={dir}/listen,queued=1",
    "unix-pair:unread=5",
    "unix-dgram:abstract=paths",
    "shared-fork:children=2",
    "thread-table",
    "uid",
];

/// Everything that a dump reports about a socket, except the time left of a timer, and who holds it.
fn facts(row: &Row<'_>) -> String {
    let mut socket = row.socket.clone();
    if let Some(timer) = &mut socket.timer {
        timer.expires_ms = None;
    }
    let processes: Vec<_> = row
        .processes()
        .map(|process| (process.pid, &process.comm))
        .collect();
    // If a process refuses even root, only a walk has to report that it may be another holder (docs/decisions/0008).
    let (status, holders) = (row.ownership.status, row.ownership.holders);
    format!("{socket:?} {status:?} {holders:?} {processes:?}")
}

/// What /proc also reports about a socket.
fn endpoints(row: &Row<'_>) -> String {
    let socket = row.socket;
    let pair = socket.inet().map(|pair| {
        (
            pair.local_address,
            pair.local_port,
            pair.peer_address,
            pair.peer_port,
        )
    });
    // Sockets that nobody holds have inode 0 in one source and an inode of their own in the other.
    format!(
        "{:?} {:?} {:?} {:?} {pair:?}",
        socket.protocol, socket.family, socket.state, socket.uid
    )
}

/// The slow and simple way to the same rows. It requests the same parts of each socket as the fast plan.
fn slowly(fast: &Request, options: &[&str]) -> Request {
    let mut slow = plan(options, filter("").expect("no filter"));
    for dump in &mut slow.dumps {
        let like = fast.dumps.iter().find(|other| other.protocol == dump.protocol);
        dump.wanted = like.map_or(Wanted::Attributes, |other| other.wanted);
        dump.parts = like.map_or(Parts::NONE, |other| other.parts);
    }
    slow.dumps = by_family(&slow.dumps);
    slow.owners = fast.owners;
    slow.owners_by = OwnersBy::Proc;
    slow.facts = fast.facts;
    slow.filter.clone_from(&fast.filter);
    slow
}

#[track_caller]
fn same(what: &str, tell: fn(&Row<'_>) -> String, a: &Request, b: &Request) {
    // A socket may change between the two.
    eventually(|| {
        let (a, b) = (rows(a, tell).0, rows(b, tell).0);
        if a == b {
            assert!(!a.is_empty(), "{what}: no rows to compare");
            return Ok(());
        }
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            let missing = these.iter().filter(|row| !those.contains(row));
            missing.take(5).cloned().collect()
        };
        Err(format!(
            "{what}:\nonly fast: {:#?}\nonly slow: {:#?}",
            only(&a, &b),
            only(&b, &a)
        ))
    });
}

#[test]
fn fast_ways_have_the_rows_of_the_slow_one() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    within(&sockets, || {
        // Streamed, packed while owners are found, small tables first, attributes or none, one request for both families.
        for options in [
            &["-tan"][..],
            &["-tane"],
            &["-tanp"],
            &["-tln"],
            &["-tlnp"],
            &["-tulpn"],
            &["-uanp"],
            &["-xanp"],
            &["-ta4"],
            &["-ta6"],
            &["-Man"],
            &["-tuxanpe"],
            &["-tuxa", "--json"],
            &["-tuxap", "--jsonl"],
        ] {
            let fast = plan(options, filter("").expect("no filter"));
            same(&options.join(" "), facts, &fast, &slowly(&fast, options));
        }
        // What the kernel filters (states, ports in the request, bytecode), and rows that wait for owners.
        for text in [
            "state established",
            "sport = 443 or sport gt 1024",
            "dst 127.0.0.1",
            "dev lo",
            "recv_q gt 0",
            "process = mksock",
            "owner_status != known",
        ] {
            let parsed = filter(text).unwrap_or_else(|error| panic!("{}", error.render()));
            let states = parsed.states;
            let fast = plan(&["-tuxa"], parsed);
            let mut slow = slowly(&fast, &["-tuxa"]);
            for dump in &mut slow.dumps {
                dump.states = dump.states.intersection(states.unwrap_or(StateSet::ALL));
            }
            same(text, facts, &fast, &slow);
        }
    });
}

/// So many connections that a second thread receives the answer, a third looks for bound sockets, and rows are written
/// while the dump is still running.
const MANY: usize = 1500;

#[test]
fn long_answers_have_the_same_rows() {
    let Some(sockets) = Sockets::make(&[
        "tcp-bound",
        "tcp-bound:addr=::1",
        "time-wait",
        "tcp-listen:queued=2",
    ]) else {
        return;
    };
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    within(&sockets, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = |_| {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (client, listener.accept().unwrap().0)
        };
        let held: Vec<_> = (0..MANY).map(connect).collect();
        for options in [
            &["-tan"][..],
            &["-tane"],
            &["-tanm"],
            &["-tanp"],
            &["-ta4"],
            &["-tuxanp"],
        ] {
            for owners_by in [OwnersBy::Proc, OwnersBy::Bpf] {
                let mut fast = plan(options, filter("").expect("no filter"));
                fast.owners_by = owners_by;
                let slow = slowly(&fast, options);
                let what = format!("{options:?} {owners_by:?}");
                same(&what, facts, &fast, &slow);
                let count = rows(&fast, facts).0.len();
                assert!(count > 2 * MANY, "{what}: {count} rows");
            }
        }
        for text in ["sport gt 1024", "exclude bound", "process like 'it*'"] {
            let parsed = filter(text).unwrap_or_else(|error| panic!("{}", error.render()));
            let states = parsed.states;
            let fast = plan(&["-ta"], parsed);
            let mut slow = slowly(&fast, &["-ta"]);
            for dump in &mut slow.dumps {
                dump.states = dump.states.intersection(states.unwrap_or(StateSet::ALL));
            }
            same(text, facts, &fast, &slow);
        }
        drop(held);
    });
}

#[test]
fn the_iterator_finds_whom_the_walk_finds() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    within(&sockets, || {
        for options in ["-tuxanp", "-tlnp"] {
            let mut bpf = plan(&[options], filter("").expect("no filter"));
            bpf.owners_by = OwnersBy::Bpf;
            bpf.facts = Facts::Full;
            let (_, captured) = rows(&bpf, facts);
            if let How::Walk(why) = &captured.owners_by {
                crate::skip::skip(why);
                return;
            }
            assert!(captured.count(OwnerStatus::Known) > 0);
            same(options, facts, &bpf, &slowly(&bpf, &[options]));
        }
    });
}

#[test]
fn the_tables_of_proc_have_the_same_sockets() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let root = PathBuf::from(format!("/proc/{}", sockets.pid));
    within(&sockets, || {
        for options in ["-tan4", "-tan6", "-uan", "-tln"] {
            let fast = plan(
                &[options, "exclude", "bound"],
                filter("exclude bound").expect("a filter"),
            );
            let mut proc = fast.clone();
            proc.proc_root = Some(root.clone());
            same(options, endpoints, &fast, &proc);
        }
    });
}
