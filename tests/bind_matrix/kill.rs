//! `kill`, with shells that inherited a listening socket standing in for servers.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};

use super::binary::command;
use super::netns;
use super::sockets::{Options, fresh_port, tcp};

/// A shell that gets our only descriptor of the socket, and runs the script.
pub(super) fn server(fd: OwnedFd, script: &str) -> Child {
    fcntl_setfd(&fd, FdFlags::empty()).unwrap();
    // The script begins when a line arrives, so that everything is set up when it answers.
    let child = Command::new("/bin/sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    drop(fd);
    let mut child = child.unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    assert_eq!(&ready, b"ready\n");
    child
}

pub(super) const WAITS: &str = "echo ready; read line";

pub(super) fn kill(arguments: &[&str], user: u32) -> (String, String, Option<i32>) {
    let mut command = command(&[&["kill"], arguments].concat(), user);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn listener(port: u16) -> OwnedFd {
    tcp(Ipv4Addr::UNSPECIFIED.into()).listening(port)
}

pub(super) fn finish(mut child: Child) {
    let _ = child.kill();
    child.wait().unwrap();
}

fn lives(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn the_server_ends_and_its_clients_live() {
    netns::run(|_| {
        let port = fresh_port();
        let mut server = server(listener(port), WAITS);
        let client = TcpStream::connect(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).unwrap();
        let mut beside = self::server(client.into(), WAITS);
        let place = format!(":{port}");
        let (said, _, exit) = kill(&["--dry-run", &place], 0);
        assert!(
            exit == Some(0) && said.contains(&format!(" {}  ", server.id())),
            "{said}"
        );
        assert!(lives(&mut server));
        let (_, said, exit) = kill(&[&place], 0);
        assert!(
            exit == Some(1) && said.contains("--yes skips the question"),
            "{said}"
        );
        assert!(lives(&mut server));
        let (said, complaint, exit) = kill(&["--yes", &place], 0);
        assert!(said.contains("ended after "), "{said}{complaint}");
        // The connection, accepted or not, is reset or is still being closed.
        let ports = [
            format!("; {port}/tcp is free\n"),
            format!("; no process holds {port}/tcp, only closed connections remain ("),
        ];
        assert!(ports.iter().any(|words| said.contains(words)), "{said}");
        assert_eq!(exit, Some(0), "{said}{complaint}");
        assert!(!server.wait().unwrap().success());
        assert!(lives(&mut beside), "the client was no target");
        finish(beside);
    });
}

#[test]
fn a_server_that_ignores_term_is_not_killed_without_being_told() {
    netns::run(|_| {
        let port = fresh_port();
        let mut server = server(listener(port), "trap '' TERM; echo ready; read line");
        let place = port.to_string();
        let (_, said, exit) = kill(&["--yes", "--timeout", "100ms", &place], 0);
        assert!(
            exit == Some(1) && said.contains("did not end within 100 ms"),
            "{said}"
        );
        assert!(said.contains("--signal KILL ends it"), "{said}");
        assert!(lives(&mut server));
        let (said, complaint, exit) = kill(&["--yes", "--signal", "KILL", &place], 0);
        assert!(complaint.contains("KILL cannot be caught"), "{complaint}");
        assert!(
            exit == Some(0) && said.contains(&format!("{port}/tcp is free")),
            "{said}"
        );
        server.wait().unwrap();
    });
}

/// A server that closes its listener and finishes its connections, as nginx does on QUIT. Its listener is its
/// standard error, because a shell can refer to that.
fn draining_server(listener: OwnedFd) -> Child {
    let script = "trap 'exec 2>&-' TERM; echo ready; for i in 1 2 3; do read line; done";
    let mut child = Command::new("/bin/sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(listener))
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    child
}

#[test]
fn a_server_that_closes_its_listener_and_lives_has_not_ended() {
    netns::run(|_| {
        let port = fresh_port();
        let mut server = draining_server(listener(port));
        let (said, complaint, exit) = kill(&["--yes", &format!(":{port}")], 0);
        assert!(lives(&mut server), "{said}{complaint}");
        assert!(
            said.ends_with(&format!(" was signalled and still runs; {port}/tcp is free\n")),
            "{said}{complaint}"
        );
        assert_eq!(exit, Some(0), "the filter names the port, and that is free");
        finish(server);

        let mut server = draining_server(listener(port));
        let by_pid = [
            "--yes",
            "--timeout",
            "100ms",
            "-j",
            &format!("pid = {}", server.id()),
        ];
        let (said, complaint, exit) = kill(&by_pid, 0);
        assert!(lives(&mut server), "{said}{complaint}");
        assert!(
            complaint.contains("did not end within 100 ms; its sockets are closed"),
            "{complaint}"
        );
        let document: serde_json::Value = serde_json::from_str(&said).unwrap();
        let target = &document["targets"][0];
        assert_eq!(target["signalled"], serde_json::json!([server.id()]));
        assert_eq!(target["ended_after_ms"], serde_json::Value::Null);
        assert_eq!(target["ports_free"], true);
        assert_eq!(exit, Some(1), "the filter names the process, and that lives");
        finish(server);
    });
}

#[test]
fn a_pre_forked_server_is_one_target() {
    netns::run(|_| {
        let port = fresh_port();
        let mut server = server(listener(port), "sleep 600 & sleep 600 & echo ready; wait");
        let (said, complaint, exit) = kill(&["--yes", "--timeout", "4s", &port.to_string()], 0);
        assert!(said.contains(&format!("{} +2", server.id())), "{said}{complaint}");
        assert!(exit == Some(0) && said.contains("is free"), "{said}{complaint}");
        server.wait().unwrap();
    });
}

/// A master that runs as root with two workers that run as user 65534, as with nginx.
fn server_with_workers_of_nobody(fd: OwnedFd) -> Child {
    fcntl_setfd(&fd, FdFlags::empty()).unwrap();
    let script = "for i in 1 2; do \
        setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo; read line' </proc/$$/fd/0 & done; wait; read line";
    let child = Command::new("/bin/sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    drop(fd);
    let mut child = child.unwrap();
    let mut ready = [0; 2];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    child
}

#[test]
fn workers_are_one_target_and_their_hidden_master_is_named() {
    netns::run(|_| {
        let port = fresh_port();
        let server = server_with_workers_of_nobody(listener(port));
        let (master, place) = (server.id(), format!(":{port}"));
        let said_by = |arguments: &[&str]| {
            let output = command(arguments, 65_534).stdin(Stdio::null()).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let why = said_by(&["why", "-4", &place]);
        assert!(
            why.contains(&format!(
                "and probably by their parent sh {master}, which you may not"
            )),
            "{why}"
        );
        assert!(
            why.contains(&format!(" kill {place}")) && why.contains("sudo /"),
            "{why}"
        );
        assert!(!why.contains(" or        sockstat kill"), "{why}");
        let listed = said_by(&["-tlpn", "--table"]);
        assert!(listed.contains(" +1 +?"), "{listed}");

        let started = format!("started by sh {master}, which you may not inspect");
        let (said, complaint, exit) = kill(&["--dry-run", &place], 65_534);
        assert!(said.contains(&started) && exit == Some(0), "{said}{complaint}");
        assert!(
            said.contains("; instead: sudo /") && said.contains(&format!(" kill {place}\n")),
            "{said}"
        );
        let (said, complaint, exit) = kill(&["--yes", &place], 65_534);
        assert!(said.contains(&started) && exit == Some(1), "{said}{complaint}");
        assert!(
            said.contains(" +1 ended after ") && said.contains("is still taken"),
            "{said}"
        );
        // Nothing is hidden from root.
        let (said, complaint, exit) = kill(&["--dry-run", &place], 0);
        assert!(
            said.starts_with(&format!("sh {master} ")) && exit == Some(0),
            "{said}{complaint}"
        );
        assert!(!said.contains("may not inspect"), "{said}");
        finish(server);
    });
}

#[test]
fn unrelated_servers_need_to_be_requested() {
    netns::run(|_| {
        let port = fresh_port();
        let options = Options {
            reuseport: true,
            ..tcp(Ipv4Addr::UNSPECIFIED.into())
        };
        let (one, two) = (options.listening(port), options.listening(port));
        let (mut one, mut two) = (server(one, WAITS), server(two, WAITS));
        let place = port.to_string();
        let (_, said, exit) = kill(&["--yes", &place], 0);
        assert!(
            exit == Some(1) && said.starts_with("2 unrelated targets:"),
            "{said}"
        );
        assert!(lives(&mut one) && lives(&mut two));
        let (said, complaint, exit) = kill(&["--yes", "--all", &place], 0);
        assert_eq!(exit, Some(0), "{said}{complaint}");
        one.wait().unwrap();
        two.wait().unwrap();
    });
}

#[test]
fn what_is_refused() {
    netns::run(|_| {
        let port = fresh_port();
        let place = port.to_string();
        // This test is an ancestor of the program.
        let ours = listener(port);
        let (_, said, exit) = kill(&["--yes", &place], 0);
        assert!(exit == Some(1) && said.contains("refused"), "{said}");
        drop(ours);
        let mut server = server(listener(port), WAITS);
        let (_, said, exit) = kill(&["--yes", &place], 65_534);
        assert!(exit == Some(1) && said.contains("hidden: sudo "), "{said}");
        let (_, said, exit) = kill(&["--yes", "sh"], 65_534);
        assert!(
            exit == Some(1) && said.starts_with("1 socket was left out, because its owner is hidden"),
            "{said}"
        );
        assert!(lives(&mut server));
        finish(server);
        let pid = std::process::id().to_string();
        let (_, said, exit) = kill(&["--yes", &pid], 0);
        let is_port = pid.parse::<u16>().is_ok();
        assert_eq!(exit, Some(if is_port { 1 } else { 2 }), "{said}");
        assert!(
            !is_port || said.contains(&format!("did you mean pid = {pid}?")),
            "{said}"
        );
        let (_, said, exit) = kill(&["--yes", &place], 0);
        assert!(exit == Some(1) && said == "nothing matches\n", "{said}");
        for nonsense in [&[][..], &["--signal=NOPE", "80"], &["state", "="]] {
            let (_, said, exit) = kill(nonsense, 0);
            assert_eq!(exit, Some(2), "{said}");
        }
    });
}

/// Root without CAP_KILL sees the owner, but may not signal another user's process.
#[test]
fn without_the_right_to_signal_nothing_ends() {
    netns::run(|_| {
        let port = fresh_port();
        let as_nobody =
            "exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo ready; read line'";
        let mut server = server(listener(port), as_nobody);
        let output = Command::new("setpriv")
            .args([
                "--bounding-set=-kill",
                "--inh-caps=-kill",
                env!("CARGO_BIN_EXE_sockstat"),
            ])
            .args(["kill", "--yes", &port.to_string()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("you may not signal it: needs CAP_KILL"), "{said}");
        assert!(lives(&mut server));
        finish(server);
    });
}

#[test]
fn a_proxy_of_docker_is_not_killed() {
    netns::run(|_| {
        let port = fresh_port();
        let directory = std::env::temp_dir().join(format!("sockstat-kill-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let proxy = directory.join("docker-proxy");
        std::fs::copy("/bin/sh", &proxy).unwrap();
        let fd = listener(port);
        fcntl_setfd(&fd, FdFlags::empty()).unwrap();
        let mut child = Command::new(&proxy)
            .args(["-c", "read line"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        drop(fd);
        let (_, said, exit) = kill(&["--yes", &port.to_string()], 0);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(lives(&mut child));
        finish(child);
        assert!(exit == Some(1) && said.contains("docker stop"), "{said}");
    });
}
