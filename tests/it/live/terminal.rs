//! What a terminal shows, in a real one: tmux.

use std::collections::BTreeSet;

use super::sockets::{Sockets, example};
use super::tmux::Terminal;
use super::tools::is_installed;
use crate::skip::skip;

const SPECS: &[&str] = &[
    "tcp-listen:addr=::1,port=40001",
    "tcp-listen:port=40002,queued=2",
    "tcp-pair:addr=::1",
    "tcp-pair:unread=10",
    "udp:port=40003",
    "unix-listen:path={dir}/a-path-that-is-much-longer-than-any-column-of-a-narrow-terminal.sock",
    "unix-pair",
    "shared-fork:children=2",
];

/// The lines of a run of sockstat on a terminal: as displayed, and with wrapped ones joined.
fn shown(sockets: &Sockets, width: usize, arguments: &str) -> [Vec<String>; 2] {
    let script = format!(
        "{} {arguments}; echo THE-END; read line",
        env!("CARGO_BIN_EXE_sockstat")
    );
    let terminal = Terminal::start(sockets, (width, 200), &script);
    // tmux may read the program's output late.
    let is_there = || terminal.lines(&[]).iter().any(|line| line == "THE-END");
    while !is_there() {}
    let of_run = |more: &[&str]| -> Vec<String> {
        let shown = terminal.lines(more).into_iter();
        shown.take_while(|line| line != "THE-END").collect()
    };
    [of_run(&[]), of_run(&["-J"])]
}

#[test]
fn no_line_wraps_and_no_port_or_pid_is_cut() {
    if !is_installed("tmux") {
        skip("tmux is not installed");
        return;
    }
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for width in [60, 80, 100, 140] {
        for arguments in [
            "-tuanp",
            "-xanp",
            "-tulpn",
            "--by process,state",
            "-K state all sport = :40001 < /dev/null",
            "columns",
            "-s",
            "help",
        ] {
            let [shown, joined] = shown(&sockets, width, arguments);
            assert_eq!(
                shown.len(),
                joined.len(),
                "{width} {arguments}: {}",
                shown.join("\n")
            );
            // Colours appear as colours, not as their codes.
            assert!(
                !shown.iter().any(|line| line.contains("x1b")),
                "{}",
                shown.join("\n")
            );
            assert!(shown.len() > 2, "{width} {arguments}: {}", shown.join("\n"));
            if arguments == "-tulpn" {
                for port in ["40001", "40002", "40003"] {
                    let line = shown.iter().find(|line| line.contains(&format!(":{port} ")));
                    let line = line.unwrap_or_else(|| panic!("{width}: no {port}: {}", shown.join("\n")));
                    assert!(line.contains(&sockets.pid.to_string()), "{width}: {line}");
                }
                let full = shown.iter().find(|line| line.contains(":40002 "));
                assert!(
                    full.is_some_and(|line| line.contains("mksock")),
                    "{width}: {}",
                    shown.join("\n")
                );
            }
        }
    }
    assert!(example("mksock").exists());
}

/// A hundred sockets with long addresses, long paths and any ports, each known by its number.
fn many() -> Vec<String> {
    // The same in each run, in no order.
    let mut state: u32 = 7;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 24
    };
    (0..25)
        .flat_map(|number| {
            let address = format!("127.{}.{}.{}", next(), next(), 1 + next() % 254);
            let path = "x".repeat(10 + next() as usize % 40);
            [
                format!("tcp-listen:addr={address},port={}", 41_000 + number),
                format!("tcp-listen:addr=::ffff:{address},port={}", 42_000 + number),
                format!("udp:addr=::ffff:{address},port={}", 43_000 + number),
                format!("unix-listen:path={{dir}}/{path}-{number}"),
            ]
        })
        .collect()
}

#[test]
fn a_hundred_sockets_fit_and_can_be_told_apart() {
    if !is_installed("tmux") {
        skip("tmux is not installed");
        return;
    }
    let specs = many();
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let pid = format!(" {}", sockets.pid);
    for width in [60, 80, 100, 140] {
        for (arguments, count) in [("-tulpn", 75), ("-tuanp", 75), ("-xlp", 25)] {
            let [shown, joined] = shown(&sockets, width, arguments);
            let screen = shown.join("\n");
            assert_eq!(shown.len(), joined.len(), "{width} {arguments}: {screen}");
            let rows: Vec<&String> = shown.iter().filter(|line| line.contains(&pid)).collect();
            let distinct: BTreeSet<&String> = rows.iter().copied().collect();
            assert_eq!(
                (rows.len(), distinct.len()),
                (count, count),
                "{width} {arguments}: {screen}"
            );
            for port in [41_000, 42_000, 43_000]
                .into_iter()
                .flat_map(|first| first..first + 25)
            {
                let is_shown = rows.iter().any(|line| line.contains(&format!(":{port} ")));
                assert!(
                    is_shown || arguments == "-xlp",
                    "{width} {arguments}: no {port}: {screen}"
                );
            }
        }
    }
}
