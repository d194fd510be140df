//! The live screen while sockets and processes change: a socket that stays has one row, and a process that took the
//! place of another one gets no signal.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::churn::churning;
use super::enter::is_root;
use super::sockets::Sockets;
use super::watch::{DEADLINE, Screen};
use crate::skip::skip;

/// What the test binary does as another process.
const RACE: &str = "SOCKSTAT_IT_RACE";
/// The port whose holder changes.
const PORT: u16 = 3999;
/// How often the test tries to get the same pid again.
const TRIES: u32 = 1000;
/// What ends a frame.
const FRAME_END: &[u8] = b"\x1b[?2026l";

#[test]
fn under_churn_a_lasting_socket_has_one_row() {
    let specs = [
        "tcp-listen:port=3000",
        "tcp-listen:port=3001",
        "udp:port=3002",
        "tcp-pair",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let _children: Vec<_> = (0..2).map(|_| churning(&sockets)).collect();
    let mut screen = Screen::start(&sockets, &["--interval", "100ms"], (110, 60), &[]);
    screen.wait_for("3002/udp");
    let pair = sockets.of_kind("tcp-pair").next().unwrap();
    let pair = format!(":{}", pair.said["local_port"]);
    let frames = |screen: &mut Screen, wanted: &[&str]| {
        let mut seen = 0;
        while seen < 40 {
            assert!(screen.read(DEADLINE), "nothing new on:\n{}", screen.text());
            if !screen.raw.ends_with(FRAME_END) {
                continue;
            }
            seen += 1;
            let text = screen.text();
            for wanted in wanted {
                // After the mark and the cursor.
                let is_it = |line: &&str| line.get(2..).is_some_and(|row| row.starts_with(wanted));
                let lines: Vec<&str> = text.lines().filter(is_it).collect();
                assert_eq!(lines.len(), 1, "{wanted} in frame {seen}:\n{text}");
                assert!(!lines[0].contains("gone"), "{text}");
            }
        }
    };
    frames(&mut screen, &["3000/tcp ", "3001/tcp ", "3002/udp "]);
    // Each end of the connection is one row, whatever opens and closes.
    screen.press(&format!("/state = established and local_port = {}\r", &pair[1..]));
    screen.wait_for("/ state = established");
    screen.press("2");
    screen.wait_for("ESTAB");
    frames(&mut screen, &["ESTAB"]);
    screen.press("q");
    assert!(screen.ends().0.success());
}

#[test]
fn a_process_that_took_the_place_of_the_target_gets_no_signal() {
    if !is_root() {
        skip("not root: the holders of the sockets cannot be seen");
        return;
    }
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4999"]) else {
        return;
    };
    let Some(mut place) = Place::make(&sockets) else {
        return;
    };
    let mut screen = place.screen(&sockets);
    screen.wait_for(&format!("{PORT}/tcp"));
    screen.press("x");
    screen.wait_for("t  send TERM");
    // The same port and the same pid, but another process.
    place.asked("swap", "swapped");
    screen.press_until("t", "  > ");
    let text = screen.text();
    assert!(!text.contains("ended after"), "{text}");
    place.asked("look", "alive");
    screen.press_until("\u{1b}", "PORTS");
    // As soon as the screen has the new one, that can be ended.
    screen.press_until("x", "t  send TERM");
    screen.press_until("t", "ended after");
    place.asked("look", "gone");
    screen.press_until("\u{1b}", "PORTS");
    screen.press("q");
    assert!(screen.ends().0.success());
}

/// A pid namespace in which one process holds a port, and another one takes its place on request.
struct Place {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Place {
    /// `None`, with a skip, where there can be no such namespace.
    fn make(sockets: &Sockets) -> Option<Self> {
        let mut command = sockets.program("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.arg(std::env::current_exe().unwrap());
        command.args(["--exact", "live::watch_race::changes_places_when_it_is_told_to"]);
        let child = command
            .args(["--nocapture", "--test-threads=1"])
            .env(RACE, "first")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            skip("unshare is not installed");
            return None;
        };
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut place = Self { child, lines };
        match place.said(&["ready", "refused"]).as_deref() {
            Some("ready") => Some(place),
            _ => {
                skip("no pid namespace is available in which the next pid can be chosen");
                None
            }
        }
    }

    /// The next of these words that it prints; `None` at its end.
    fn said(&mut self, words: &[&str]) -> Option<String> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let mut words_said = lines.filter_map(|line| {
            let found = words.iter().find(|word| line.ends_with(**word))?;
            Some((*found).to_owned())
        });
        words_said.next()
    }

    #[track_caller]
    fn asked(&mut self, order: &str, wanted: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{order}").unwrap();
        let said = self.said(&["swapped", "alive", "gone", "failed"]);
        assert_eq!(said.as_deref(), Some(wanted), "{order}");
    }

    /// The live screen in that namespace.
    fn screen(&self, sockets: &Sockets) -> Screen {
        let of = |namespace: &str| format!("/proc/{}/ns/{namespace}", self.child.id());
        let mut command = sockets.program("setsid");
        command.args(["-c", "nsenter"]);
        command.arg(format!("--pid={}", of("pid_for_children")));
        command.arg(format!("--mount={}", of("mnt")));
        command.args([env!("CARGO_BIN_EXE_sockstat"), "watch"]);
        Screen::of(command, (100, 24), &[])
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: the body of the processes in the namespace.
#[test]
fn changes_places_when_it_is_told_to() {
    match std::env::var(RACE).as_deref() {
        Ok("first") => changes_places(),
        Ok("holder") => {
            let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).unwrap();
            println!("holding");
            // Until the other end is closed.
            let _ = std::io::stdin().lines().next();
        }
        _ => {}
    }
}

fn changes_places() {
    let mut holder = holding();
    let pid = holder.id();
    let can_choose = fs::write("/proc/sys/kernel/ns_last_pid", pid.to_string()).is_ok();
    println!("{}", if can_choose { "ready" } else { "refused" });
    for order in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match order.as_str() {
            "swap" => {
                holder.kill().unwrap();
                holder.wait().unwrap();
                let same = (0..TRIES).find_map(|_| {
                    fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
                    let mut other = holding();
                    if other.id() == pid {
                        return Some(other);
                    }
                    other.kill().unwrap();
                    other.wait().unwrap();
                    None
                });
                match same {
                    Some(other) => {
                        holder = other;
                        "swapped"
                    }
                    None => "failed",
                }
            }
            _ => match holder.try_wait().unwrap() {
                None => "alive",
                Some(_) => "gone",
            },
        };
        println!("{answer}");
    }
}

/// Runs this test binary again, and waits until it holds the port.
fn holding() -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "live::watch_race::changes_places_when_it_is_told_to"])
        .args(["--nocapture", "--test-threads=1"])
        .env(RACE, "holder")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let is_there = lines.map_while(Result::ok).any(|line| line.ends_with("holding"));
    assert!(is_there, "the port is taken");
    child
}
