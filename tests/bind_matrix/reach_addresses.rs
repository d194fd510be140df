//! `reach` for addresses that need an interface or do not belong to one machine, and the result of a trial connection,
//! compared with a real client.

use std::net::{SocketAddr, SocketAddrV6, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::binary::run;
use super::netns::{self, CARD_LINK_LOCAL};
use super::skip::skip;
use super::sockets::{Options, fresh_port, tcp};

fn reach(arguments: &[&str]) -> Value {
    run(&[&["reach", "-j"], arguments].concat(), 0)["answers"][0].clone()
}

#[test]
fn a_link_local_address_is_judged_on_its_interface() {
    netns::run(|card| {
        let port = fresh_port();
        let _listener = tcp("::".parse().unwrap()).listening(port);
        for (zone, expected) in [
            ("%card".to_owned(), "accepted"),
            (format!("%{card}"), "accepted"),
            // From this end, nothing shows whether the other end of the card has such an address.
            ("%veth0".to_owned(), "another-machine"),
            ("%lo".to_owned(), "another-machine"),
            (String::new(), "no-interface"),
            ("%nonesuch".to_owned(), "unknown-interface"),
            ("%4294967295".to_owned(), "unknown-interface"),
        ] {
            let answer = reach(&[&format!("[fe80::5{zone}]:{port}")]);
            let verdict = &answer["verdict"];
            // Without a route through that interface there is no other machine either.
            let is_expected =
                *verdict == expected || (expected == "another-machine" && *verdict == "no-route");
            assert!(is_expected, "{zone}: {answer}");
            let connects = |index| {
                let place = SocketAddrV6::new(CARD_LINK_LOCAL, port, 0, index);
                TcpStream::connect(place).is_ok()
            };
            match expected {
                "accepted" => assert!(connects(card)),
                "no-interface" => assert!(!connects(0)),
                "unknown-interface" => assert!(!connects(u32::MAX)),
                _ => {}
            }
            let tried = &reach(&["--try", &format!("[fe80::5{zone}]:{port}")])["tried"];
            if expected != "another-machine" {
                assert_eq!(*tried == true, expected == "accepted", "{zone}: {tried}");
            }
        }
        // If it is reachable, the place includes the interface.
        let port = fresh_port();
        let on_card = Options {
            device: Some(card),
            ..tcp(CARD_LINK_LOCAL.into())
        };
        let _listener = on_card.listening(port);
        let answer = reach(&[&format!("[::1]:{port}")]);
        let places = answer["reachable_at"].as_array().unwrap();
        assert_eq!(*places, [format!("[fe80::5%card]:{port}")], "{answer}");
        assert_eq!(reach(&[places[0].as_str().unwrap()])["verdict"], "accepted");
    });
}

#[test]
fn groups_are_not_machines() {
    netns::run(|_| {
        let port = fresh_port();
        let _listener = tcp("::".parse().unwrap()).listening(port);
        for (address, expected) in [
            ("224.0.0.1", "multicast"),
            ("[ff02::1%card]", "multicast"),
            ("[ff0e::1]", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("10.9.0.255", "broadcast"),
            ("127.255.255.255", "broadcast"),
            ("0.0.0.0", "accepted"),
            ("[::]", "accepted"),
            ("[::ffff:0.0.0.0]", "accepted"),
            ("127.0.0.7", "accepted"),
        ] {
            let place = format!("{address}:{port}");
            let answer = reach(&[&place]);
            assert_eq!(answer["verdict"], expected, "{answer}");
            if let Ok(client) = place.parse::<SocketAddr>() {
                let connects = TcpStream::connect(client).is_ok();
                assert_eq!(connects, expected == "accepted", "{answer}");
            }
            let datagram = run(&["reach", "-j", "-u", &place], 0);
            if expected != "accepted" {
                assert!(datagram["connects"].is_null(), "{datagram}");
            }
        }
    });
}

/// Another machine at the other end of the card, which rejects in two ways. It ends when dropped.
struct Router(Child);

impl Router {
    fn make() -> Option<Self> {
        let script = "read -r _ && exec 2>&1 && ip link set veth0 up && ip addr add 10.9.0.1/24 dev veth0 \
                      && echo 1 > /proc/sys/net/ipv4/ip_forward \
                      && ip route add prohibit 192.0.2.0/24 && ip route add unreachable 198.51.100.0/24 \
                      && echo ready && read -r _";
        let spawned = Command::new("unshare")
            .args(["-n", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut child = spawned.ok()?;
        let pid = child.id().to_string();
        let ip = |words: &[&str]| {
            let output = Command::new("ip").args(words).output();
            output.is_ok_and(|output| output.status.success())
        };
        // `unshare` may not have made its namespace yet; moving the interface into our own would fail silently.
        let ours = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        while std::fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|theirs| theirs == ours) {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::yield_now();
        }
        let router = Self(child);
        if !ip(&["link", "set", "veth0", "netns", &pid])
            || !ip(&["route", "add", "default", "via", "10.9.0.1", "dev", "card"])
        {
            return None;
        }
        router.go()
    }

    fn go(mut self) -> Option<Self> {
        use std::io::{BufRead as _, BufReader, Write as _};
        self.0.stdin.as_mut()?.write_all(b"go\n").ok()?;
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut()?)
            .read_line(&mut line)
            .ok()?;
        (line == "ready\n").then_some(self)
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        let _ = self.0.wait();
    }
}

#[test]
fn a_rejection_on_the_way_is_not_silence_and_not_a_missing_host() {
    netns::run(|_| {
        let Some(_router) = Router::make() else {
            skip("no second network namespace with ip(8)");
            return;
        };
        let tried = |address: &str| {
            let output = super::binary::command(&["reach", "--try", address], 0)
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let text = tried("192.0.2.1:80");
        assert!(
            text.contains("prohibited: a packet filter rejects it (ICMP type 3, code 13)"),
            "{text}"
        );
        let text = tried("198.51.100.1:80");
        assert!(
            text.contains("host unreachable: a router or a packet filter says so (ICMP type 3, code 1)"),
            "{text}"
        );
        let text = tried("10.9.0.1:80");
        assert!(
            text.contains("refused: nothing listens there, or a packet filter resets it"),
            "{text}"
        );
        // Nothing could be predicted: the trial is the headline.
        let headline = text.lines().next().unwrap_or_default();
        assert!(
            headline.starts_with("No: ") && headline.ends_with(" (tried)."),
            "{text}"
        );
        let expected = "  expected       Cannot tell from here: 10.9.0.1 is another machine.";
        assert!(text.contains(expected), "{text}");
    });
}
