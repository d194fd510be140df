//! `free` and `wait`, with real sockets.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use rustix::net;

use super::binary::{command, run};
use super::netns;
use super::sockets::{accept, fresh_port, tcp};

fn output(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = command(arguments, 0).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn free_prints_what_can_be_bound() {
    netns::run(|_| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", "1025").unwrap();
        let _v4 = tcp(Ipv4Addr::LOCALHOST.into()).bound(1024);
        let _v6 = tcp(Ipv6Addr::LOCALHOST.into()).listening(1026);
        let (said, _, exit) = output(&["free", "--count", "2"]);
        assert_eq!(
            (said.as_str(), exit),
            ("1027\n1028\n", Some(0)),
            "1025 is kept back, the others are taken"
        );
        let (said, _, exit) = output(&["free", "1024-1027", "--count", "9"]);
        assert_eq!((said.as_str(), exit), ("1025\n1027\n", Some(1)));
        let (said, complaint, exit) = output(&["free", "1026"]);
        assert_eq!((said.as_str(), exit), ("", Some(1)));
        assert!(
            complaint.starts_with("1026/tcp is taken by ")
                && complaint.contains(&std::process::id().to_string())
                && complaint.ends_with("\nhint: 1027 is free\n"),
            "{complaint}"
        );
        assert_eq!(output(&["free", "-u", "1024"]).0, "1024\n");
        let document = run(&["free", "-j", "--count=3"], 0);
        assert_eq!(document["ports"], serde_json::json!([1027, 1028, 1029]));
        // Each port can really be bound, on every address.
        for port in document["ports"].as_array().unwrap() {
            drop(tcp(Ipv6Addr::UNSPECIFIED.into()).listening(u16::try_from(port.as_u64().unwrap()).unwrap()));
        }
        for bad in ["90-80", "0", "x", "1-70000"] {
            let (_, said, exit) = output(&["free", bad]);
            assert_eq!((exit, said.lines().count()), (Some(2), 1), "{said}");
        }
    });
}

#[test]
fn low_ports_and_a_random_order() {
    netns::run(|_| {
        let ran = command(&["free", "80-90"], 65_534).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(
            (said.as_str(), ran.status.code()),
            (
                "no port is free in that range: ports below 1024 need CAP_NET_BIND_SERVICE\n",
                Some(1)
            )
        );
        assert_eq!(output(&["free", "80-90"]).0, "80\n");
        // With so many ports, the same one comes up twenty times only if nothing is random.
        let ports: std::collections::BTreeSet<_> = (0..20).map(|_| output(&["free", "--random"]).0).collect();
        assert!(ports.len() > 1, "{ports:?}");
        let all = output(&["free", "--random", "--count", "3", "2000-2002"]).0;
        let mut all: Vec<_> = all.lines().collect();
        all.sort_unstable();
        assert_eq!(all, ["2000", "2001", "2002"]);
    });
}

/// A run that takes longer than this hangs.
const HANGS_AFTER: Timespec = Timespec {
    tv_sec: 600,
    tv_nsec: 0,
};

/// The exit status of the child; fails the test if it hangs.
fn exit_of(mut child: Child) -> Option<i32> {
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    // The pidfd is readable once the child has ended.
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&HANGS_AFTER));
    if ended == Ok(0) {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("wait does not return");
    }
    child.wait().unwrap().code()
}

fn waiting(arguments: &[&str]) -> Child {
    let mut child = command(&[&["wait"], arguments].concat(), 0);
    child.stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn wait_returns_when_the_listener_is_there_and_when_it_is_gone() {
    netns::run(|_| {
        let port = fresh_port();
        let place = port.to_string();
        let child = waiting(&[&place]);
        let listener = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        assert_eq!(exit_of(child), Some(0));
        assert_eq!(exit_of(waiting(&[&format!("127.0.0.1:{port}")])), Some(0));
        let (_, said, exit) = output(&["wait", "--timeout", "20ms", &format!("127.0.0.2:{port}")]);
        assert_eq!(exit, Some(1));
        assert!(said.contains(" has no socket in state listen"), "{said}");
        let (_, said, exit) = output(&["wait", "--gone", "--timeout", "20ms", &place]);
        assert_eq!(exit, Some(1));
        assert!(
            said.contains(&format!(" {}", std::process::id())),
            "the holder is named: {said}"
        );
        let child = waiting(&["--gone", &place]);
        drop(listener);
        assert_eq!(exit_of(child), Some(0));
    });
}

#[test]
fn wait_for_the_last_connection_and_for_a_unix_socket() {
    netns::run(|_| {
        let port = fresh_port();
        let listener = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        let client = tcp(Ipv4Addr::UNSPECIFIED.into()).open();
        net::connect(&client, &SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).unwrap();
        let server = accept(&listener);
        let place = port.to_string();
        assert_eq!(exit_of(waiting(&["--state", "established", &place])), Some(0));
        let child = waiting(&["--gone", "--state", "established", &place]);
        drop(client);
        drop(server);
        assert_eq!(exit_of(child), Some(0));

        let path = std::env::temp_dir().join(format!("sockstat-wait-{}", std::process::id()));
        let child = waiting(&[path.to_str().unwrap()]);
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(exit_of(child), Some(0));
        drop(listener);
        assert_eq!(
            exit_of(waiting(&["--gone", path.to_str().unwrap()])),
            Some(0),
            "a stale file is no listener"
        );
        std::fs::remove_file(&path).unwrap();
    });
}

#[test]
fn nonsense_is_refused_in_one_line() {
    for arguments in [
        &["wait", "0"][..],
        &["wait", "x"],
        &["wait", "--timeout=5x", "80"],
        &["wait", "--state=y", "80"],
    ] {
        let (_, said, exit) = output(arguments);
        assert_eq!(exit, Some(2), "{arguments:?}: {said}");
    }
}
