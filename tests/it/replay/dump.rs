//! A dump as `ss -D` writes it, read by `--replay` and by `ss` itself: both select the same rows.

use std::path::PathBuf;
use std::process::Command;

use super::bytes::{Inet, attribute, done};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// Checked in; `SOCKSTAT_BLESS=1` writes it again.
fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tcp.dump"))
}

/// A server on port 22 with a client on the same machine and one on another; after that, as in the dumps of `ss`, the
/// same over IPv6.
fn dump() -> Vec<u8> {
    let listener = |local: &str, peer: &str, inode| Inet {
        wqueue: 128,
        ..Inet::between(local, peer, 10, inode)
    };
    let server = |peer: &str, inode| Inet {
        timer: 2,
        expires: 7_140_000,
        ..Inet::between("10.0.0.1:22", peer, 1, inode)
    };
    let both = &[attribute(8, &[0])];
    [
        listener("0.0.0.0:22", "0.0.0.0:0", 1).message(both),
        server("10.0.0.1:36266", 3).message(both),
        Inet::between("10.0.0.1:36266", "10.0.0.1:22", 1, 4).message(both),
        server("10.0.0.2:50312", 5).message(both),
        done(0),
        listener("[::]:22", "[::]:0", 2).message(&[attribute(8, &[0]), attribute(11, &[1])]),
        Inet::between("[fec0::1]:22", "[fec0::2]:50312", 1, 6).message(both),
        done(0),
    ]
    .concat()
}

const LISTENER: &str = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*";
const CLIENT: &str = "ESTAB 0 0 10.0.0.1:36266 10.0.0.1:22";
const SERVER: &str = "ESTAB 0 0 10.0.0.1:22 10.0.0.2:50312";

/// The expressions of iproute2's own filter test, and the rows that they select.
const CASES: [(&str, &str); 12] = [
    ("dport = 22", CLIENT),
    ("dport 22", CLIENT),
    ("( dport = 22 )", CLIENT),
    ("src = 0.0.0.0", LISTENER),
    ("src 0.0.0.0", LISTENER),
    ("src 0.0.0.0 sport = 22", LISTENER),
    ("src 0.0.0.0 and sport = 22", LISTENER),
    ("src 10.0.0.1 and sport = 22 and dport = 50312", SERVER),
    ("src 10.0.0.1 and sport = 22 and ( dport = 50312 )", SERVER),
    ("src 10.0.0.1 and ( sport = 22 and dport = 50312 )", SERVER),
    ("( src 10.0.0.1 and sport = 22 ) and dport = 50312", SERVER),
    ("( src 0.0.0.0 or src 10.0.0.1 ) and dst 10.0.0.2", SERVER),
];

fn lines(ran: &Ran) -> Vec<String> {
    let fields = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ran.text().lines().map(fields).collect()
}

fn replayed(words: &[&str]) -> Vec<String> {
    let path = file();
    let mut command = sockstat(["-Htna", "--replay", path.to_str().unwrap()]);
    lines(&Ran::of(command.args(words)).ended_with(0))
}

/// The output of `ss` for the file; `None` without ss.
fn of_ss(words: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("ss");
    command.arg("-Htna").args(words).env("TCPDIAG_FILE", file());
    if Command::new("ss").arg("-V").output().is_err() {
        skip("ss (iproute2) is not installed");
        return None;
    }
    Some(lines(&Ran::of(&mut command).ended_with(0)))
}

#[test]
fn the_file_is_what_is_laid_out_here() {
    if std::env::var_os("SOCKSTAT_BLESS").is_some() {
        std::fs::write(file(), dump()).unwrap();
    }
    assert_eq!(std::fs::read(file()).unwrap(), dump());
}

#[test]
fn all_rows_are_those_of_ss() {
    let all = [
        LISTENER,
        "ESTAB 0 0 10.0.0.1:22 10.0.0.1:36266",
        CLIENT,
        SERVER,
        "LISTEN 0 128 [::]:22 [::]:*",
        "ESTAB 0 0 [fec0::1]:22 [fec0::2]:50312",
    ];
    assert_eq!(replayed(&[]), all);
    if let Some(theirs) = of_ss(&[]) {
        assert_eq!(theirs, all[..4], "ss stops at the end of the first half");
    }
}

#[test]
fn the_filters_of_iproute2_pick_the_same_rows() {
    for (expression, row) in CASES {
        // As one word, and as many.
        assert_eq!(replayed(&[expression]), [row], "{expression}");
        let words: Vec<_> = expression.split(' ').collect();
        assert_eq!(replayed(&words), [row], "{expression}");
        let Some(theirs) = of_ss(&words) else { return };
        assert_eq!(theirs, [row], "ss: {expression}");
    }
}

#[test]
fn what_a_dump_lacks_is_a_loss() {
    let path = file();
    let ran = Ran::of(&mut sockstat(["-tuaj", "-p", "--replay", path.to_str().unwrap()])).ended_with(0);
    let document = ran.json();
    let codes: Vec<_> = document["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| &gap["code"])
        .collect();
    assert_eq!(codes, ["not-recorded", "not-recorded"], "{}", ran.stderr);
    assert!(
        ran.stderr.contains("udp") && ran.stderr.contains("owners"),
        "{}",
        ran.stderr
    );
    assert_eq!(document["complete"], false);
    assert_eq!(document["sockets"].as_array().unwrap().len(), 6);
    assert!(document["sockets"][0]["owners"].is_null());
}

#[test]
fn a_dump_that_was_read_can_be_written_again() {
    let path = file();
    let path = path.to_str().unwrap();
    let some = Ran::of(&mut sockstat([
        "-ta", "--replay", path, "-D", "-", "dport", "=", "22",
    ]))
    .ended_with(0);
    let one = Inet::between("10.0.0.1:36266", "10.0.0.1:22", 1, 4).message(&[attribute(8, &[0])]);
    assert_eq!(some.stdout.len(), one.len() + done(0).len());
    assert_eq!(some.stdout[16..one.len()], one[16..]);
}
