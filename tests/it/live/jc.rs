//! The Python package `jc` parses our plain columns like those of ss.

use serde_json::Value;

use super::normal::Version;
use super::sockets::Sockets;
use super::ss::installed;
use super::tools::attempt;
use crate::attempts::eventually;
use crate::run::Ran;

const SPECS: &[&str] = &[
    "tcp-listen",
    "tcp-listen:addr=::",
    "tcp-listen:addr=::,v6only=1",
    "tcp-listen:queued=2",
    "tcp-listen:device=lo",
    "tcp-bound",
    "tcp-pair",
    "tcp-pair:addr=::1",
    "tcp-pair:addr=::,mapped=1",
    "close-wait",
    "udp",
    "udp:addr=::",
    "udp-connected",
    "unix-listen:path={dir}/listen,queued=1",
    "unix-listen:abstract=jc",
    "unix-seqpacket:path={dir}/seq",
    "unix-dgram",
    "unix-pair",
    "unix-stream-client:path={dir}/stream",
    "shared-fork:children=2",
    "uid",
];

#[test]
fn jc_reads_our_columns_as_those_of_ss() {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for options in ["-tulpn", "-tan", "-tulpne", "-xp", "-tuan", "-xanp"] {
        // The kernel tears sockets down between two runs.
        eventually(|| {
            let ours = sockets.run(&[options]);
            let theirs = Ran::of(sockets.program("ss").arg(options)).ended_with(0);
            let (Some(ours), Some(theirs)) = (read(&ours, version), read(&theirs, version)) else {
                return Ok(());
            };
            // jc wants the column Netid, which neither prints for a single table.
            assert_eq!(ours.is_none(), options == "-tan", "{options}");
            if ours == theirs {
                Ok(())
            } else {
                Err(format!("{options}:\n{ours:#?}\n{theirs:#?}"))
            }
        });
    }
}

/// The result of jc: the outer `None` if the program is missing, the inner one if it refuses the input.
#[allow(clippy::option_option, reason = "two different absences")]
#[track_caller]
fn read(ran: &Ran, version: Version) -> Option<Option<Vec<String>>> {
    let parsed = attempt("jc", &["--ss"], &ran.stdout)?;
    if parsed.status != Some(0) {
        return Some(None);
    }
    let rows = parsed.json();
    let mut rows: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| normal(row, version))
        .collect();
    rows.retain(|row| !row.is_empty());
    rows.sort();
    Some(Some(rows))
}

/// One row, with the differences between versions of ss taken out; empty for one that an old ss cannot see.
fn normal(row: &Value, version: Version) -> String {
    // Before 6.8: TCP sockets that are only bound.
    if version < (6, 8) && row["netid"] == "tcp" && row["state"] == "UNCONN" {
        return String::new();
    }
    let mut row = row.as_object().unwrap().clone();
    // The text after the columns is `process` if the header names that column. It is `opts` if not, or if the last two
    // words of the header are joined, as ss 6.1 sometimes prints them.
    if let Some(rest) = row.remove("process") {
        row.insert("opts".to_owned(), rest);
    }
    Value::Object(row).to_string()
}
