//! Filters of unreasonable size quickly get an answer or a clear error.

use std::io::Write as _;
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::run::{Ran, sockstat};

/// Seconds of processor time, however busy the machine is: more than any of these needs, and less than anybody would
/// wait. The kernel ends a run that needs more.
const PROCESSOR_SECONDS: Rlimit = Rlimit {
    current: Some(60),
    maximum: Some(60),
};

/// The same for filters whose cost was once quadratic: five times what they need.
const FEW_SECONDS: Rlimit = Rlimit {
    current: Some(2),
    maximum: Some(2),
};

/// Runs with the filter on standard input, where the system does not limit its length.
fn with_filter(filter: &str) -> Ran {
    within(PROCESSOR_SECONDS, filter)
}

fn within(processor_seconds: Rlimit, filter: &str) -> Ran {
    let mut command = sockstat(["-tuxa", "--jsonl", "-F", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    prlimit(Some(Pid::from_child(&child)), Resource::Cpu, processor_seconds).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = filter.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let ran = Ran::from(child.wait_with_output().unwrap());
    // A filter that is too long need not be read to its end.
    let _ = writer.join();
    assert!(
        ran.status.is_some(),
        "a signal ended it at {} bytes",
        filter.len()
    );
    ran
}

#[track_caller]
fn answers(filter: &str) {
    let ran = with_filter(filter).ended_with(0);
    assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
}

#[track_caller]
fn refused(filter: &str, message: &str) {
    let ran = with_filter(filter).ended_with(2);
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains(message),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.is_empty());
    assert!(
        ran.stderr.len() < 1_000,
        "the error does not repeat the filter: {} bytes",
        ran.stderr.len()
    );
}

#[test]
fn deep_nesting() {
    let nested = |depth: usize| format!("{}sport 22{}", "(".repeat(depth), ")".repeat(depth));
    answers(&nested(100));
    refused(&nested(101), "nested more than 100 deep");
    refused(&nested(400_000), "nested more than 100 deep");
    answers(&format!("{}sport 22", "not ".repeat(16_000)));
    answers(&format!("{}sport 22", "! ".repeat(15_001)));
}

#[test]
fn an_expression_of_64_kib() {
    let ports: Vec<_> = (1_000..)
        .map(|port| format!("sport = {port}"))
        .take(64 * 1024 / 13)
        .collect();
    for word in [" or ", " and ", " "] {
        let filter = ports.join(word);
        assert!(filter.len() > 60 * 1024);
        answers(&filter);
    }
    let names: Vec<_> = (0..5_000).map(|number| format!("program-{number}")).collect();
    answers(&names.join(" "));
    let mixed =
        "not (dst 10.0.0.0/8 and (sport 22 or dport gt 1024)) or recv_q gt 64k and state established or ";
    answers(&format!("{}sport 22", mixed.repeat(64 * 1024 / mixed.len())));
    answers(&format!("path like '{}'", "*a".repeat(32 * 1024)));
    answers(&format!("local_port in ({})", "80,".repeat(20_000)));
}

#[test]
fn a_long_glob_is_read_once() {
    for part in ["[", "[!", "[a-", "*[", "[]", "\\x", "?"] {
        let filter = format!("path like '{}'", part.repeat(200_000 / part.len()));
        let ran = within(FEW_SECONDS, &filter).ended_with(0);
        assert!(ran.stderr.is_empty(), "{part}: {}", ran.stderr);
    }
}

#[test]
fn five_thousand_ports() {
    let ports: Vec<_> = (1..=5_000).map(|port| (port * 13).to_string()).collect();
    answers(&format!("local_port in ({})", ports.join(", ")));
    answers(&format!("not local_port in ({})", ports.join(" ")));
    answers(&ports.join(" "));
    answers(&format!(
        "sport in ({}) or dport in ({})",
        ports.join(","),
        ports.join(",")
    ));
    let of_addresses: Vec<_> = ports.iter().map(|port| format!("dst 10.0.0.1:{port}")).collect();
    answers(&of_addresses.join(" or "));
}

#[test]
fn more_than_a_mebibyte_and_bytes_that_are_not_text() {
    refused(&"x ".repeat(600_000), "longer than 1 MiB");
    refused(&format!("path = '{}", "a".repeat(100_000)), "unclosed quote");
    refused(
        &format!("process ~ /{}/", "(a{1000}){1000}".repeat(20)),
        "regular expression",
    );
}
