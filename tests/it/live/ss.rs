//! The same rows and fields as the installed `ss`, except for the differences in [`super::normal`].

use std::process::Command;

use super::normal::{self, Version};
use super::sockets::Sockets;
use crate::attempts::eventually;
use crate::run::Ran;
use crate::skip::skip;

/// Sockets of all kinds that ss can list, with no name that would break its lines.
const SPECS: &[&str] = &[
    "tcp-listen",
    "tcp-listen:addr=0.0.0.0,backlog=5",
    "tcp-listen:addr=::",
    "tcp-listen:addr=::,v6only=1",
    "tcp-listen:device=lo",
    "tcp-listen:queued=2",
    "tcp-listen:backlog=1,full=1",
    "tcp-bound",
    "tcp-pair:keepalive=1,unread=10",
    "tcp-pair:addr=::1",
    "tcp-pair:addr=::,mapped=1",
    "syn-sent",
    "syn-recv:defer=1",
    "fin-wait-2",
    "close-wait",
    "time-wait",
    "orphan:linger2=120",
    "mptcp-pair",
    "udp",
    "udp:unread=100",
    "udp:addr=::",
    "udp:addr=::,v6only=1",
    "udp-connected",
    "udp-connected:addr=::1",
    "unix-listen:path={dir}/listen,queued=1",
    "unix-listen:abstract=sockstat-ss",
    "unix-seqpacket:path={dir}/seq",
    "unix-dgram:path={dir}/dgram",
    "unix-pair",
    "unix-stream-client:path={dir}/stream",
    "shared-fork:children=2",
    "shared-scm",
    "thread-table",
    "io-uring",
    "uid",
];

#[test]
fn rows_and_fields_are_those_of_ss() {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for options in [
        "-tulpn", "-tan", "-tanp", "-uan", "-xan", "-tane", "-tano", "-tuan", "-tulpne", "-xanp", "-xane",
        "-tn", "-un", "-xn", "-xlnp", "-utln", "-ltn4", "-tn6", "-tunH", "-tanQ",
    ] {
        // -Q came with 6.9.
        if version < (6, 9) && options.contains('Q') {
            continue;
        }
        compare(&sockets, version, &[options]);
    }
    // A family narrows the tables that are named after it, too.
    for options in ["-4 -an -A udp", "-f inet6 -lnp -A tcp", "-A tcp -4 -an"] {
        let options: Vec<_> = options.split(' ').collect();
        compare(&sockets, version, &options);
    }
}

#[test]
fn filters_select_the_rows_of_ss() {
    let Some(version) = installed() else { return };
    let Some(sockets) = Sockets::make(&[
        "tcp-listen:port=80",
        "tcp-pair:port=81,listener=1",
        "tcp-listen:addr=::1,port=82",
        "udp:port=80",
    ]) else {
        return;
    };
    for filter in [
        "state listening",
        "state established",
        "exclude listening",
        "sport = :80",
        "dport = :81",
        "sport gt :80",
        "src 127.0.0.1",
        "src 127.0.0.0/8:80",
        "dst [::1]",
        "not sport = :80",
        "sport = :80 or sport = :82",
        "state established sport = :81",
    ] {
        let words: Vec<_> = ["-tuan"].into_iter().chain(filter.split(' ')).collect();
        compare(&sockets, version, &words);
    }
}

/// The version of the installed ss; a skip without one.
#[track_caller]
pub(super) fn installed() -> Option<Version> {
    let Ok(output) = Command::new("ss").arg("-V").output() else {
        skip("ss (iproute2) is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = normal::version(&text);
    if version.is_none() {
        skip(&format!("ss does not say its version: {}", text.trim()));
    }
    version
}

/// Runs both until they agree.
#[track_caller]
pub(super) fn compare(sockets: &Sockets, version: Version, words: &[&str]) {
    // Timers and kernel queues change between two runs.
    eventually(|| {
        let ours = sockets.run(words);
        let theirs = Ran::of(sockets.program("ss").args(words)).ended_with(0);
        let (ours, theirs) = (
            normalised(sockets, version, words, ours.text(), true),
            normalised(sockets, version, words, theirs.text(), false),
        );
        let difference = difference(ours, theirs);
        if difference.is_empty() {
            Ok(())
        } else {
            Err(format!("{}:\n{}", words.join(" "), difference.join("\n")))
        }
    });
}

fn normalised(
    sockets: &Sockets,
    version: Version,
    words: &[&str],
    text: &str,
    is_ours: bool,
) -> Vec<Vec<String>> {
    let headless = words
        .iter()
        .any(|word| word.starts_with('-') && word.contains('H'));
    let text = if headless {
        format!("\n{text}")
    } else {
        text.to_owned()
    };
    let mut rows = normal::rows(&text);
    if version < (6, 8) {
        normal::without_bound(&mut rows);
    }
    let unseen = sockets.of_kind("io-uring").chain(sockets.of_kind("thread-table"));
    let unseen: Vec<_> = unseen.map(|end| format!(":{}", end.said["local_port"])).collect();
    for row in &mut rows {
        normal::sort_users(row);
        normal::without_timer_times(row);
        normal::without_device_numbers(row);
        if is_ours {
            normal::without_users_of(row, &unseen);
        } else if version < (7, 1) {
            normal::name_delack(row);
        }
    }
    rows.sort();
    if words.iter().any(|word| word.contains("netlink")) {
        normal::without_own_dump(&mut rows);
    }
    rows.push(normal::header(&text));
    rows
}

/// `- row` for what only ss has, `+ row` for what only we have.
fn difference(mut ours: Vec<Vec<String>>, mut theirs: Vec<Vec<String>>) -> Vec<String> {
    if ours.len() == theirs.len() {
        for (ours, theirs) in ours.iter_mut().zip(&mut theirs) {
            normal::without_unreachable_cgroups(ours, theirs);
        }
    }
    let lines = |sign: char, rows: &[Vec<String>], others: &[Vec<String>]| -> Vec<String> {
        let missing = |row: &&Vec<String>| {
            let count = |rows: &[Vec<String>]| rows.iter().filter(|other| other == row).count();
            count(rows) != count(others)
        };
        rows.iter()
            .filter(missing)
            .map(|row| format!("{sign} {}", row.join(" ")))
            .collect()
    };
    [lines('-', &theirs, &ours), lines('+', &ours, &theirs)].concat()
}
