//! Sockets of all kinds, held in all kinds of ways, listed with the BPF iterator and with the walk over /proc.

use super::sockets::Sockets;
use crate::ways::Crowd;

const SPECS: &[&str] = &[
    "tcp-listen:port=3000,backlog=100",
    "tcp-listen:addr=::,port=3001",
    "tcp-listen:addr=127.0.0.1,port=3002,queued=2",
    "tcp-bound:port=3003",
    "tcp-pair",
    "tcp-pair:addr=::1",
    "fin-wait-1",
    "close-wait",
    "time-wait",
    "orphan",
    "syn-sent",
    "syn-recv",
    "udp:port=3004",
    "udp-connected",
    "raw",
    "icmp",
    "mptcp-listen",
    "unix-listen:path={dir}/listen",
    "unix-listen:abstract=sockstat-ways",
    "unix-dgram:path={dir}/dgram",
    "unix-pair",
    "shared-fork:children=3",
    "shared-scm",
    "thread-table",
    "thread-shared:threads=2",
    "in-flight",
    "io-uring",
    "uid",
    "comm:name=a child",
];

const QUESTIONS: &[&str] = &[
    "-tulpn",
    "-tuxanp",
    "-tuwxMa --json",
    "-tuwxMa --jsonl -T",
    "-tulnp --csv",
    "--table -tuxlp",
    "--by process",
    "process like mk*",
    "owner_status != known",
    "why 3000",
    "why -j 3000",
    "why 3001",
    "why --reuseaddr 3002",
    "why -j --reuseport 3003",
    "why 3004/udp",
    "why 3999",
    "why -j @sockstat-ways",
    "why {dir}/listen",
    "reach 127.0.0.1:3000",
    "reach -j [::1]:3001",
    "reach 127.0.0.1:3003",
    "reach 127.0.0.1:3004/udp",
    "reach -j {dir}/listen",
    "kill --dry-run 3000",
    "kill --dry-run -j 3002",
    "kill --dry-run --all mksock",
];

#[test]
fn the_answer_is_the_same_however_holders_are_found() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let Some(crowd) = Crowd::new() else { return };
    let directory = sockets.directory().to_str().unwrap();
    let differences = QUESTIONS.iter().filter_map(|question| {
        let question = question.replace("{dir}", directory);
        let words: Vec<_> = question.split(' ').collect();
        crowd.difference(|| sockets.sockstat(&words))
    });
    let differences: Vec<_> = differences.collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
