//! While processes keep opening and closing sockets, every long-lived listener is listed each time, with its owner,
//! and only the documented losses are reported.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::sockets::Sockets;
use crate::run::Ran;

/// Set in the environment of the churning children, which run this test binary again.
const CHURN: &str = "SOCKSTAT_IT_CHURN";

/// The messages that are expected.
const AGREED: &[&str] = &[
    "owner hidden",
    "owners hidden",
    "owner is in another pid namespace",
    "owners are in other pid namespaces",
];

#[test]
fn long_lived_listeners_are_always_there() {
    let specs = [
        "tcp-listen",
        "tcp-listen:addr=::",
        "udp",
        "shared-fork:children=2",
        "thread-table",
        "tcp-listen:addr=0.0.0.0",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let mut children: Vec<_> = (0..4).map(|_| churning(&sockets)).collect();
    for round in 0..50 {
        let json = round % 2 == 0;
        let ran = sockets.run(if json { &["-tulpn", "--json"] } else { &["-tulpn"] });
        for line in ran.stderr.lines() {
            assert!(
                AGREED.iter().any(|agreed| line.contains(agreed)),
                "round {round}: {line}"
            );
        }
        for end in &sockets.ends {
            if json {
                check_row(&ran, &end.said, round);
            } else {
                let line = ran.text().lines().find(|line| is_row_of(line, &end.said));
                let line = line.unwrap_or_else(|| panic!("round {round}: no row for {}", end.said));
                assert!(
                    line.contains(&format!("pid={}", sockets.pid)),
                    "round {round}: {line}"
                );
            }
        }
    }
    for churning in &mut children {
        assert!(
            churning.child.try_wait().unwrap().is_none(),
            "a child ended before its time"
        );
    }
}

/// Whether the line shows this socket. Its port alone does not identify it: a socket of a churning process may have the
/// same port for a moment, with another protocol or address.
fn is_row_of(line: &str, said: &Value) -> bool {
    let mut words = line.split_whitespace();
    let protocol = words.next();
    let local = words.nth(3).and_then(|local| local.rsplit_once(':'));
    let [expected_protocol, address] = ["protocol", "local_address"].map(|key| said[key].as_str().unwrap());
    // A socket on `::` that takes IPv4 as well is shown as `*`, as ss does.
    let address = if address == "::" { "*" } else { address };
    let port = said["local_port"].to_string();
    protocol == Some(expected_protocol) && local == Some((address, &port))
}

fn check_row(ran: &Ran, said: &Value, round: usize) {
    let document = ran.json();
    let rows = document["sockets"].as_array().unwrap();
    let row = rows.iter().find(|row| row["inode"] == said["inode"]);
    let row = row.unwrap_or_else(|| panic!("round {round}: no row for {said}"));
    assert_eq!(row["owner_status"], "known", "round {round}: {row}");
    assert_eq!(
        row["owners"].as_array().unwrap().len(),
        said["holders"].as_array().unwrap().len(),
        "round {round}: {row}"
    );
}

/// A process that opens and closes sockets until this is dropped.
pub(super) struct Churning {
    child: Child,
    /// Kept open: the child's test runner reports a test that takes long, and dies if its output is closed.
    _output: BufReader<ChildStdout>,
}

impl Drop for Churning {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This test binary again, as a process that churns in the namespace.
pub(super) fn churning(sockets: &Sockets) -> Churning {
    let mut command = sockets.program(std::env::current_exe().unwrap());
    command.args(["--exact", "live::churn::churns_when_it_is_told_to", "--nocapture"]);
    let mut child = command
        .env(CHURN, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let began = output
        .by_ref()
        .lines()
        .map(Result::unwrap)
        .any(|line| line.contains("churning"));
    assert!(began, "a child did not begin");
    Churning {
        child,
        _output: output,
    }
}

/// Not a test: the body of the churning processes.
#[test]
fn churns_when_it_is_told_to() {
    if std::env::var_os(CHURN).is_none() {
        return;
    }
    println!("churning");
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap();
        let datagram = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        // Processes come and go as well; `true` may be missing, which does not matter here.
        let _ = Command::new("true").status();
        // Both ends end with a reset, so that no port is held by time-wait: there are only so many.
        for end in [&server.0, &client] {
            rustix::net::sockopt::set_socket_linger(end, Some(Duration::ZERO)).unwrap();
        }
        drop((client, server, datagram, listener));
    }
}

#[test]
fn one_process_may_hold_very_many() {
    let specs = vec!["udp"; 300];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let document = sockets.run(&["-uan", "-p", "--json"]).json();
    let rows = document["sockets"].as_array().unwrap();
    assert_eq!(rows.len(), 300);
    assert!(rows.iter().all(|row| row["owner_status"] == "known"));
}
