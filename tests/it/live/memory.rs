//! The memory that many sockets need, enforced by a limit, and what happens if it is not enough.

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::enter;
use super::sockets::{example, new_directory};
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// So many that 1.4 kB each, the size of a row in JSON, would exceed the limit.
const SOCKETS: &str = "20000";

/// Nearly twice what the most expensive run needs. docs/performance.md says what a row costs where rows are kept.
const ENOUGH_KIB: u32 = 24 * 1024;

/// The same for rows that are written at once. Packed rows and facts about their owners would need more.
const ENOUGH_FOR_A_SNAPSHOT_KIB: u32 = 8 * 1024;

/// Sockets in a network namespace of their own; they close when this is dropped.
struct Load {
    child: Child,
    pid: u32,
    process: Arc<OwnedFd>,
}

impl Load {
    #[track_caller]
    fn make() -> Option<Self> {
        let mut child = Command::new(example("load"))
            .args(["--sockets", SOCKETS])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let pid = line.split(' ').nth(1).and_then(|pid| pid.parse().ok());
        let Some(pid) = pid else {
            let output = child.wait_with_output().unwrap();
            let why = String::from_utf8_lossy(&output.stderr);
            skip(&format!("no load: {}", why.trim()));
            return None;
        };
        Some(Self {
            child,
            pid,
            process: enter::open(pid),
        })
    }

    /// Runs sockstat with this much memory for its data (setrlimit(2), RLIMIT_DATA).
    fn run(&self, kib: u32, arguments: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("ulimit -d {kib} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_sockstat"))
            .args(arguments);
        enter::inside(&mut command, &self.process);
        Ran::of(&mut command)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn twenty_thousand_sockets_need_little_memory() {
    let Some(load) = Load::make() else { return };
    for arguments in [
        &["-tanp"][..],
        &["-tanp", "--owners", "proc"],
        &["-tanp", "--jsonl"],
        &["-tanp", "--csv"],
        &["-tanp", "--json"],
        &["-tanp", "--table"],
        &["snapshot"],
        &["snapshot", "--owners", "proc"],
        &["metrics"],
    ] {
        let enough = match arguments {
            ["snapshot", ..] => ENOUGH_FOR_A_SNAPSHOT_KIB,
            _ => ENOUGH_KIB,
        };
        let ran = load.run(enough, arguments).ended_with(0);
        let lines = ran.text().lines().count();
        assert!(
            lines > 20_000 || arguments == ["metrics"],
            "{arguments:?}: {lines} lines"
        );
    }
    for kib in [4_000, 6_000, 8_000] {
        for arguments in [&["-tanp", "--json"][..], &["-tanp", "--table"]] {
            let ran = load.run(kib, arguments).ended_with(1);
            assert!(
                ran.stderr.starts_with("error: out of memory: cannot allocate "),
                "{arguments:?} with {kib} KiB: {}",
                ran.stderr
            );
            assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
        }
    }
}

/// A long dump that opens a second netlink socket does so in the namespace of the first, and is recorded there.
#[test]
fn a_recording_of_many_sockets_in_several_namespaces_is_whole() {
    if !enter::is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let Some(load) = Load::make() else { return };
    let directory = new_directory();
    let file = directory.join("recording").to_str().unwrap().to_owned();
    let namespaces = format!("{},{}", load.pid, std::process::id());
    for command in ["snapshot", "-ta"] {
        let run = |option: &str| {
            let arguments = [option, &file, "-N", &namespaces, command];
            let ran = Ran::of(&mut sockstat(arguments)).ended_with(0);
            assert!(!ran.text().contains("not-recorded") && !ran.stderr.contains("recording lacks"));
            ran
        };
        let recorded = run("--record");
        assert!(recorded.text().lines().count() > 20_000);
        assert!(recorded.text() == run("--replay").text(), "{command}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}
