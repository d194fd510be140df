//! Servers that are stopped: the kernel completes connections for them, and nothing answers.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Child;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::json;

use super::binary::{command, run};
use super::kill::{WAITS, finish, kill, server};
use super::netns;
use super::sockets::{fresh_port, tcp};

/// Stops a child of this process, and waits until it has stopped.
pub(super) fn stop(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
}

/// A stopped server on the port.
fn stopped_server(port: u16) -> Child {
    let child = server(tcp(Ipv4Addr::UNSPECIFIED.into()).listening(port), WAITS);
    stop(child.id());
    child
}

/// The human-readable output, and the exit status.
fn said(arguments: &[&str], user: u32) -> (String, Option<i32>) {
    let output = command(arguments, user).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn reach_says_that_a_stopped_server_does_not_answer() {
    netns::run(|_| {
        let port = fresh_port();
        let server = stopped_server(port);
        let pid = server.id();
        let place = format!("127.0.0.1:{port}");
        let expected = format!(
            "Yes, it connects, but sh {pid} is stopped (state T): nothing will answer until `kill -CONT {pid}`.\n"
        );
        assert_eq!(said(&["reach", &place], 0), (expected.clone(), Some(0)));
        assert!(TcpStream::connect(&place).is_ok(), "the kernel takes it");
        let (tried, exit) = said(&["reach", "--try", &place], 0);
        assert!(
            tried.starts_with(expected.trim_end()) && exit == Some(0),
            "{tried}"
        );
        let (all, _) = said(&["reach", &port.to_string()], 0);
        assert!(
            all.starts_with("Yes, at 127.0.0.1") && all.contains("nothing will answer"),
            "{all}"
        );
        let document = run(&["reach", "-j", &place], 0);
        assert_eq!(document["connects"], true);
        assert_eq!(document["answers"][0]["stopped"], json!([pid]));

        let tape = std::env::temp_dir().join(format!("sockstat-stopped-{pid}"));
        let tape = tape.to_str().unwrap();
        assert_eq!(said(&["--record", tape, "reach", &place], 0).0, expected);
        finish(server);
        assert_eq!(said(&["--replay", tape, "reach", &place], 0).0, expected);
        std::fs::remove_file(tape).unwrap();
    });
}

#[test]
fn a_server_with_one_running_process_answers() {
    netns::run(|_| {
        let port = fresh_port();
        let listener = tcp(Ipv4Addr::UNSPECIFIED.into()).listening(port);
        let copy = listener.try_clone().unwrap();
        let (one, two) = (server(listener, WAITS), server(copy, WAITS));
        stop(two.id());
        let (text, exit) = said(&["reach", &format!("127.0.0.1:{port}")], 0);
        let row = format!(
            "sh {0} is stopped (state T) until `kill -CONT {0}`; other holders run",
            two.id()
        );
        assert!(text.starts_with("Yes: ") && exit == Some(0), "{text}");
        assert!(text.contains(&row), "{text}");
        finish(one);
        finish(two);
    });
}

#[test]
fn kill_says_that_term_waits_for_a_stopped_process() {
    netns::run(|_| {
        let port = fresh_port();
        let mut server = stopped_server(port);
        let (pid, place) = (server.id(), port.to_string());
        let (shown, complaint, exit) = kill(&["--yes", "--timeout", "100ms", &place], 0);
        let is_stopped = format!("sh {pid} is stopped (state T) and");
        let end = format!("`kill -CONT {pid}`\n");
        assert!(
            shown.contains(&format!("{is_stopped} takes no signal but KILL until {end}")),
            "{shown}"
        );
        let late = format!("did not end within 100 ms; {is_stopped} gets TERM only after {end}");
        assert!(
            complaint.contains(&late) && complaint.contains("--signal KILL"),
            "{complaint}"
        );
        assert_eq!(exit, Some(1));
        let (document, _, _) = kill(&["-j", "--dry-run", &place], 0);
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["targets"][0]["stopped"], json!([pid]));
        let (_, complaint, exit) = kill(&["--yes", "--signal", "KILL", &place], 0);
        assert_eq!(exit, Some(0), "{complaint}");
        server.wait().unwrap();
    });
}
