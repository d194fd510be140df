//! What a terminal shows: tmux has a real one.

use std::cell::Cell;
use std::process::Command;

use super::sockets::{Sockets, example};
use super::tools::is_installed;
use crate::run::Ran;
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

/// A tmux server of our own, in the namespace of the sockets; it ends when this is dropped.
struct Terminal<'a> {
    sockets: &'a Sockets,
    /// The number of tmux servers that were started.
    servers: Cell<u32>,
}

impl<'a> Terminal<'a> {
    fn new(sockets: &'a Sockets) -> Self {
        Self {
            sockets,
            servers: Cell::new(0),
        }
    }

    fn tmux(&self, words: &[&str]) -> Command {
        let mut command = self.sockets.program("tmux");
        command
            .arg("-S")
            .arg(
                self.sockets
                    .directory()
                    .join(format!("tmux-{}", self.servers.get())),
            )
            .args(["-f", "/dev/null"])
            .args(words)
            .env_remove("TMUX")
            .env("TERM", "xterm")
            .env_remove("COLUMNS");
        command
    }

    /// The lines that the terminal shows of a run of sockstat: as they stand, and with wrapped ones joined.
    fn shows(&self, width: usize, arguments: &str) -> [Vec<String>; 2] {
        let script = format!(
            "{} {arguments}; echo THE-END; read line",
            env!("CARGO_BIN_EXE_sockstat")
        );
        let width = width.to_string();
        let session = [
            "new-session",
            "-d",
            "-s",
            "one",
            "-x",
            &width,
            "-y",
            "200",
            "sh",
            "-c",
            &script,
        ];
        // A server that is about to end takes a new session with it: each look has its own.
        self.servers.set(self.servers.get() + 1);
        Ran::of(&mut self.tmux(&session)).ended_with(0);
        let lines = |more: &[&str]| -> Vec<String> {
            let ran = Ran::of(&mut self.tmux(&[&["capture-pane", "-p", "-t", "one"], more].concat()));
            ran.text().lines().map(str::to_owned).collect()
        };
        // tmux reads what the program wrote when it comes to it.
        let is_there = || lines(&[]).iter().any(|line| line == "THE-END");
        while !is_there() {}
        let of_run = |more: &[&str]| -> Vec<String> {
            let shown = lines(more).into_iter();
            shown.take_while(|line| line != "THE-END").collect()
        };
        let shown = [of_run(&[]), of_run(&["-J"])];
        Ran::of(&mut self.tmux(&["kill-server"])).ended_with(0);
        shown
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).output();
    }
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
    let terminal = Terminal::new(&sockets);
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
            let [shown, joined] = terminal.shows(width, arguments);
            assert_eq!(
                shown.len(),
                joined.len(),
                "{width} {arguments}: {}",
                shown.join("\n")
            );
            // Colours are colours, and not their codes.
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
