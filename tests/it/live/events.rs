//! `events` on real sockets: each test makes something happen and waits until it is reported.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use super::enter::is_root;
use super::sockets::{Sockets, example};
use crate::run::{Ran, sockstat};
use crate::schema;
use crate::skip::skip;

/// A run that takes longer than this hangs.
const HANGS_AFTER: Timespec = Timespec {
    tv_sec: 600,
    tv_nsec: 0,
};

/// A run of `events -j` in the namespace that has taken its first look.
pub(super) struct Following {
    child: Child,
    lines: BufReader<ChildStdout>,
    complaints: BufReader<ChildStderr>,
    introduction: String,
}

impl Following {
    pub(super) fn begin(sockets: &Sockets, arguments: &[&str]) -> Self {
        Self::of(sockets.sockstat(&[&["events", "-j"], arguments].concat()))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut complaints = BufReader::new(child.stderr.take().unwrap());
        let mut introduction = String::new();
        while !introduction.contains("reading the tables every") {
            let read = complaints.read_line(&mut introduction).unwrap();
            assert!(read > 0, "it ended: {introduction}");
        }
        end_if_it_hangs(&child);
        Self {
            lines: BufReader::new(child.stdout.take().unwrap()),
            child,
            complaints,
            introduction,
        }
    }

    /// The next event.
    #[track_caller]
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it ended, or nothing was told");
        serde_json::from_str(&line).unwrap()
    }

    /// Skips events until one of this kind comes for such a socket.
    #[track_caller]
    pub(super) fn wait_for(&mut self, event: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.next();
            if line["event"] == event && is_meant(&line["socket"]) {
                return line;
            }
        }
    }

    /// Whether the kernel had no room for a message to it.
    fn has_drops(&self) -> bool {
        let table = std::fs::read_to_string(format!("/proc/{}/net/netlink", self.child.id())).unwrap();
        let own = self.child.id().to_string();
        table.lines().any(|line| {
            // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.get(2) == Some(&own.as_str()) && fields.get(8).is_some_and(|drops| *drops != "0")
        })
    }

    fn signal(&self, signal: Signal) {
        kill_process(pid_of(&self.child), signal).unwrap();
    }

    /// Interrupts it, and returns the exit status, the remaining lines, and its standard error.
    pub(super) fn interrupt(mut self) -> (Option<i32>, String, String) {
        self.signal(Signal::INT);
        let (mut rest, mut said) = (String::new(), String::new());
        self.lines.read_to_string(&mut rest).unwrap();
        self.complaints.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), rest, said)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Kills the child if it hangs, so that a test fails if it waits for a line that never comes. The pidfd always refers
/// to the child, while its pid may be reused once the child has been reaped.
fn end_if_it_hangs(child: &Child) {
    let pidfd = pidfd_open(pid_of(child), PidfdFlags::empty()).unwrap();
    std::thread::spawn(move || {
        // It is readable once the child has ended.
        let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&HANGS_AFTER));
        if ended == Ok(0) {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
    });
}

/// A shell in the namespace that executes lines.
struct Shell {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Shell {
    pub(super) fn begin(sockets: &Sockets) -> Self {
        let mut bash = sockets.program("bash");
        let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Executes a line, without waiting.
    fn does(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Executes a line and waits until it is done.
    fn has_done(&mut self, line: &str) {
        self.does(&format!("{line}; echo done"));
        let mut said = String::new();
        self.output.read_line(&mut said).unwrap();
        assert_eq!(said, "done\n", "{line}");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn has(key: &'static str, value: u64) -> impl Fn(&Value) -> bool {
    move |socket| socket[key] == value
}

#[test]
fn a_connection_opens_changes_and_closes_with_its_owner() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000"]) else {
        return;
    };
    let mut following = Following::begin(&sockets, &["-tp", "--interval", "20ms"]);
    let mut shell = Shell::begin(&sockets);
    shell.does("exec 3<>/dev/tcp/127.0.0.1/4000");
    let client = following.wait_for("open", has("peer_port", 4000));
    assert_eq!(client["socket"]["owners"][0]["comm"], "bash");
    assert_eq!(client["socket"]["pid"], shell.child.id());
    let cookie = &client["socket"]["cookie"];
    shell.does("exec 3>&-");
    let server = following.wait_for("change", has("local_port", 4000));
    assert_eq!(
        (&server["was"], &server["socket"]["state"]),
        (&"established".into(), &"close-wait".into())
    );
    // The end of the client comes before or after.
    let mut again = Following::begin(&sockets, &["-tp", "--interval", "20ms"]);
    shell.does("exec 3<>/dev/tcp/127.0.0.1/4000; exec 3>&-");
    let closed = again.wait_for("close", has("peer_port", 4000));
    assert_ne!(&closed["socket"]["cookie"], cookie, "that one is gone");
}

#[test]
fn each_line_matches_the_schema() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000", "udp:port=53"]) else {
        return;
    };
    let rule: Value = serde_json::from_str(include_str!("../../../docs/events.schema.json")).unwrap();
    let whole = schema::schema();
    let mut following = Following::begin(&sockets, &["--interval", "20ms"]);
    let mut shell = Shell::begin(&sockets);
    shell.does("exec 3<>/dev/tcp/127.0.0.1/4000");
    let mut words = std::collections::BTreeSet::new();
    let mut check = |event: &Value| {
        schema::check(&rule, &rule, event, "event");
        let keys: Vec<_> = event.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["at", "boot_id", "event", "host", "machine_id", "socket", "was"]
        );
        schema::check(&whole, &whole["$defs"]["socket"], &event["socket"], "socket");
        words.insert(event["event"].as_str().unwrap().to_owned());
        words.len() == 3
    };
    check(&following.wait_for("open", has("peer_port", 4000)));
    shell.does("exec 3>&-");
    while !check(&following.next()) {}
}

#[test]
fn several_namespaces_are_followed_and_one_that_ends_is_left() {
    if !is_root() {
        skip("only root can enter a network namespace alone");
        return;
    }
    let specs = ["tcp-listen:port=4000", "tcp-listen:port=4001"];
    let (Some(one), Some(other)) = (Sockets::make(&specs), Sockets::make(&specs)) else {
        return;
    };
    let pids = format!("{},{}", one.pid, other.pid);
    let fast = ["-N", &pids, "-tp", "--interval", "20ms"];
    let mut following = Following::of(sockstat([&["events", "-j"], &fast[..]].concat()));
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for sockets in [&one, &other] {
        let mut shell = Shell::begin(sockets);
        shell.does("exec 3<>/dev/tcp/127.0.0.1/4000");
        let is_client = |socket: &Value| socket["peer_port"] == 4000 && socket["netns"] == sockets.netns;
        let opened = following.wait_for("open", is_client);
        assert_eq!(opened["socket"]["pid"], shell.child.id());
        assert_eq!(opened["boot_id"], boot_id.trim());
        assert!(opened["host"].is_string());
        shell.does("exec 3>&-");
        following.wait_for("close", is_client);
    }
    // Between two readings, only the kernel reports it; a line of text names the namespace. It has a port of its own: the
    // kernel may report the end of the connections above this late.
    let slow = [
        "-E",
        "-N",
        &pids,
        "-t",
        "--interval",
        "1h",
        "--columns",
        "netns,peer_port,host",
    ];
    let mut only_told = Following::of(sockstat(slow));
    Shell::begin(&other).has_done("exec 3<>/dev/tcp/127.0.0.1/4001; exec 3>&-");
    let mut line = String::new();
    while !line.contains(" 4001 ") {
        line.clear();
        assert!(only_told.lines.read_line(&mut line).unwrap() > 0);
    }
    assert!(
        line.starts_with("close ") && line.contains(&other.netns.to_string()),
        "{line}"
    );
    let netns = other.netns;
    drop(other);
    following.wait_for("close", |socket| {
        socket["state"] == "listen" && socket["netns"] == netns && socket["local_port"] == 4000
    });
    let (status, ..) = following.interrupt();
    assert_eq!(status, Some(0));
}

#[test]
fn what_no_look_has_seen_is_told_when_it_closes() {
    let Some(sockets) = Sockets::make(&["udp:port=53"]) else {
        return;
    };
    let mut following = Following::begin(&sockets, &["-u", "-p", "--interval", "1h"]);
    let mut shell = Shell::begin(&sockets);
    shell.does("exec 3<>/dev/udp/127.0.0.1/53; exec 3>&-");
    let event = following.next();
    assert_eq!(
        (&event["event"], &event["socket"]["peer_port"]),
        (&"close".into(), &53.into())
    );
    let socket = &event["socket"];
    assert_eq!(
        (&socket["owner_status"], &socket["owners"]),
        (&"unknown".into(), &Value::Null)
    );
    assert_eq!(
        socket["send_q"],
        Value::Null,
        "the kernel's last number means nothing"
    );
}

#[test]
fn the_filter_and_states_choose_events() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000"]) else {
        return;
    };
    let fast = ["-t", "--interval", "20ms"];
    let mut clients = Following::begin(&sockets, &[&fast[..], &["dport", "=", ":4000"]].concat());
    let mut waits = Following::begin(&sockets, &[&fast[..], &["state", "close-wait"]].concat());
    let mut bash = Following::begin(&sockets, &[&fast[..], &["bash"]].concat());
    let mut shell = Shell::begin(&sockets);
    for _ in 0..2 {
        shell.does("exec 3<>/dev/tcp/127.0.0.1/4000");
        for following in [&mut clients, &mut bash] {
            let event = following.next();
            assert_eq!(event["event"], "open");
            assert_eq!(event["socket"]["peer_port"], 4000);
        }
        shell.does("exec 3>&-");
        assert_eq!(waits.next()["socket"]["local_port"], 4000);
        // An owner is remembered after the socket has lost it.
        assert_eq!(bash.next()["event"], "close");
        // A look may have come while it was in fin-wait-1.
        let closed = clients.wait_for("close", has("peer_port", 4000));
        assert_eq!(closed["socket"]["owner_status"], "not-asked");
    }
}

#[test]
fn sockets_without_kernel_notifications_are_polled() {
    let Some(sockets) = Sockets::make(&["udp:port=53"]) else {
        return;
    };
    let mut following = Following::begin(&sockets, &["-xl", "--interval", "20ms", "@sockstat-ev"]);
    assert!(
        following.introduction.contains("such unix sockets do not appear"),
        "{}",
        following.introduction
    );
    let mut mksock: Command = sockets.program(example("mksock"));
    mksock.args(["--netns", "keep", "unix-listen:abstract=sockstat-ev"]);
    let mut mksock = mksock
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let opened = following.next();
    assert_eq!(
        (&opened["event"], &opened["socket"]["path"]),
        (&"open".into(), &"@sockstat-ev".into())
    );
    drop(mksock.stdin.take());
    mksock.wait().unwrap();
    let closed = following.next();
    assert_eq!(
        (&closed["event"], &closed["socket"]["inode"]),
        (&"close".into(), &opened["socket"]["inode"])
    );
}

#[test]
fn lost_messages_lead_to_another_look_and_not_to_an_end() {
    let Some(sockets) = Sockets::make(&["udp:port=53", "udp:port=54"]) else {
        return;
    };
    let mut following = Following::begin(&sockets, &["-u", "--interval", "1h", "--columns", "peer_port"]);
    let mut shell = Shell::begin(&sockets);
    // While it is stopped nobody takes the messages out of the kernel's buffer.
    following.signal(Signal::STOP);
    let mut closed = 0;
    // The kernel sends the messages from a queue, some time later.
    while !following.has_drops() {
        assert!(closed < 1_000_000, "nothing is lost");
        shell.has_done("for i in {1..1000}; do exec 3<>/dev/udp/127.0.0.1/53; exec 3>&-; done");
        closed += 1000;
    }
    shell.has_done("exec 3<>/dev/udp/127.0.0.1/54");
    following.signal(Signal::CONT);
    let mut words = Vec::new();
    // The look that follows shows the new socket.
    loop {
        let event = following.next();
        words.push(event["event"].as_str().unwrap().to_owned());
        if event["event"] == "open" {
            assert_eq!(event["socket"]["peer_port"], 54);
            break;
        }
    }
    assert!(words.contains(&"lost".to_owned()), "{} events", words.len());
    assert!(words.len() < closed, "nothing was lost");
    shell.does("exec 3>&-");
    following.wait_for("close", has("peer_port", 54));
    let (status, _, said) = following.interrupt();
    assert_eq!(status, Some(0));
    assert!(said.contains("lost some of its messages"), "{said}");
}

#[test]
fn it_ends_cleanly_on_interrupt_closed_pipe_and_limit() {
    let Some(sockets) = Sockets::make(&["udp:port=53"]) else {
        return;
    };
    let following = Following::begin(&sockets, &[]);
    let (status, rest, said) = following.interrupt();
    assert_eq!((status, rest.as_str(), said.as_str()), (Some(0), "", ""));

    let once = "exec 3<>/dev/udp/127.0.0.1/53; exec 3>&-";
    let mut command = sockets.sockstat(&["-E", "-uH", "--interval", "1h"]);
    let mut unread = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(unread.stdout.take());
    let mut said = BufReader::new(unread.stderr.take().unwrap());
    let mut text = String::new();
    said.read_line(&mut text).unwrap();
    let mut shell = Shell::begin(&sockets);
    shell.does(once);
    said.read_to_string(&mut text).unwrap();
    assert_eq!(unread.wait().unwrap().code(), Some(0));
    assert_eq!(text.lines().count(), 1, "{text}");

    let mut enough = Following::begin(&sockets, &["-u", "--limit", "2", "--interval", "1h"]);
    shell.does(once);
    shell.does(once);
    shell.does(once);
    enough.next();
    enough.next();
    let mut rest = String::new();
    enough.lines.read_to_string(&mut rest).unwrap();
    assert_eq!(
        (enough.child.wait().unwrap().code(), rest.as_str()),
        (Some(0), "")
    );
}

#[test]
fn text_has_the_event_before_the_columns_of_ss() {
    let Some(sockets) = Sockets::make(&["udp:port=53"]) else {
        return;
    };
    let mut command = sockets.sockstat(&["-E", "-u", "--interval", "1h"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let header = lines.next().unwrap().unwrap();
    let words: Vec<_> = header.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "Event",
            "Recv-Q",
            "Send-Q",
            "Local",
            "Address:Port",
            "Peer",
            "Address:Port"
        ]
    );
    let mut shell = Shell::begin(&sockets);
    shell.does("exec 3<>/dev/udp/127.0.0.1/53; exec 3>&-");
    let line = lines.next().unwrap().unwrap();
    assert!(
        line.starts_with("close ") && line.ends_with("127.0.0.1:53"),
        "{line}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn wrong_command_lines_are_told() {
    for arguments in [
        &["-E", "-K", "80"][..],
        &["-E", "--csv"],
        &["-E", "--record", "/nonexistent/x"],
        &["--replay", "/nonexistent/x", "events"],
        &["-E", "--by", "state"],
        &["--interval", "1s"],
        &["events", "--interval", "1ms"],
        &["events", "--interval", "soon"],
        &["-E", "state", "="],
        &["-E", "--columns", "nonsense"],
    ] {
        let ran = Ran::of(&mut sockstat(arguments)).ended_with(2);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn output_that_cannot_be_written_ends_it_with_a_message() {
    let Some(sockets) = Sockets::make(&["tcp-listen"]) else {
        return;
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = sockets.sockstat(&["events"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot write the output"), "{said}");
}

#[test]
fn the_table_has_the_time_and_the_event_in_front() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000"]) else {
        return;
    };
    let mut following = Following::begin(&sockets, &["--table", "-t", "--interval", "20ms"]);
    let mut shell = Shell::begin(&sockets);
    shell.does("exec 3<>/dev/tcp/127.0.0.1/4000");
    let mut next = || {
        let mut line = String::new();
        following.lines.read_line(&mut line).unwrap();
        line
    };
    let (heading, opened) = (next(), next());
    assert!(heading.starts_with("UTC       EVENT      PROTO"), "{heading}");
    assert!(
        opened.contains("  open       tcp") && opened.contains(":4000"),
        "{opened}"
    );
}
