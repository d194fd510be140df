//! `-s`: compared with `ss -s`, with the rows it counts, and after queues have overflowed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::sockets::Sockets;
use crate::attempts::eventually;
use crate::run::{Ran, sockstat};
use crate::schema::{check, schema};
use crate::skip::skip;

const SPECS: &[&str] = &[
    "tcp-listen:port=80,backlog=1,full=1",
    "tcp-listen:addr=::1,port=81",
    "tcp-pair",
    "time-wait",
    "udp",
    "udp:addr=::1",
    "raw",
    "unix-pair",
    "unix-listen",
];

#[test]
fn a_pipe_gets_what_ss_prints() {
    if Command::new("ss").arg("-V").output().is_err() {
        skip("ss (iproute2) is not installed");
        return;
    }
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    // Counts for the whole machine change during the test.
    eventually(|| {
        let theirs = Ran::of(sockets.program("ss").arg("-s")).ended_with(0);
        let ours = sockets.run(&["-s"]);
        if ours.text() == theirs.text() {
            Ok(())
        } else {
            Err(format!("{}\n{}", theirs.text(), ours.text()))
        }
    });
    // With a table behind it, the listing follows.
    let both = sockets.run(&["-s", "-tlnH"]);
    assert!(both.text().starts_with("Total: ") && both.text().ends_with(sockets.run(&["-tlnH"]).text()));
}

#[test]
fn json_counts_rows_and_overflows() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let document = sockets.run(&["-s", "--json"]).json();
    check(&schema(), &schema(), &document, "document");
    assert_eq!(document["sockets"], serde_json::json!([]));
    let summary = &document["summary"];
    let rows = sockets.run(&["-a", "--json"]).json();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows["sockets"].as_array().unwrap() {
        let key = format!("{} {} {}", row["protocol"], row["family"], row["state"]);
        *counted.entry(key).or_default() += 1;
    }
    let said = |count: &Value| {
        let key = format!("{} {} {}", count["protocol"], count["family"], count["state"]);
        (key, count["count"].as_u64().unwrap())
    };
    let said: BTreeMap<_, _> = summary["counts"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(said, counted);
    let number = |key: &str| {
        summary[key]
            .as_u64()
            .unwrap_or_else(|| panic!("no {key} in {summary}"))
    };
    assert!(number("listen_overflows") >= 1, "a client was turned away");
    assert!(number("listen_drops") >= number("listen_overflows"));
    assert_eq!(number("tcp_time_wait"), 1);
    assert_eq!(
        (number("udp_in_use"), number("udp6_in_use"), number("raw_in_use")),
        (1, 1, 1)
    );
    assert!(number("tcp_time_wait_max") > 0 && number("tcp_allocated") >= 5);
    assert_eq!(number("udp_receive_buffer_drops"), 0);
    // Limits of the whole machine are shown only in its first namespace.
    let first = Path::new("/proc/sys/net/ipv4/tcp_mem").exists();
    let here = Ran::of(&mut sockstat(["-s", "--json"])).ended_with(0).json();
    assert_eq!(here["summary"]["tcp_memory_max_bytes"].is_u64(), first);
    let beside = sockets.run(&["-s", "-tl", "--json"]).json();
    assert_eq!(beside["sockets"].as_array().unwrap().len(), 2);
    assert_eq!(beside["summary"]["tcp_in_use"], summary["tcp_in_use"]);
}

#[test]
fn a_person_gets_a_page() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let page = sockets.run(&["-s", "--table"]);
    let page = page.text();
    assert!(page.starts_with("PROTO "), "{page}");
    let heading: Vec<_> = page.lines().next().unwrap().split_whitespace().collect();
    for state in ["LISTEN", "ESTAB", "TIME-WAIT", "SYN-SENT", "TOTAL"] {
        assert!(heading.contains(&state), "{page}");
    }
    let listening = |name: &str| {
        page.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert_eq!(listening("tcp v6").split_whitespace().last(), Some("1"));
    assert!(
        page.contains("because an accept queue was full (ListenOverflows)"),
        "{page}"
    );
    let refused = Ran::of(&mut sockets.sockstat(&["-s", "--csv"])).ended_with(2);
    assert!(
        refused.stderr.contains("-s and --csv cannot be used together"),
        "{}",
        refused.stderr
    );
}
