//! `reach`, with a real server in every situation, compared with what a real client experiences.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::num::NonZeroU32;

use rustix::net;
use sockstat::model::Protocol;

use super::binary::{command, run};
use super::netns;
use super::sockets::{Options, fresh_port, tcp};

/// The verdict for one address, and the exit status; the human-readable text begins with yes or no.
fn verdict(place: &str) -> String {
    let document = run(&["reach", "-j", place], 0);
    let word = document["answers"][0]["verdict"].as_str().unwrap().to_owned();
    let output = command(&["reach", place], 0).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(i32::from(word != "accepted")),
        "{said}"
    );
    assert!(
        said.starts_with(if word == "accepted" { "Yes" } else { "No" }),
        "{said}"
    );
    word
}

#[test]
fn the_verdict_agrees_with_a_client() {
    netns::run(|card| {
        let cases: [(&str, bool, Option<u32>); 7] = [
            ("0.0.0.0", false, None),
            ("::", false, None),
            ("::", true, None),
            ("127.0.0.1", false, None),
            ("::1", false, None),
            ("10.9.0.5", false, None),
            ("0.0.0.0", false, Some(card)),
        ];
        let targets = ["127.0.0.1", "127.0.0.2", "10.9.0.5", "::1", "fd00::5"];
        let mut asked = 0;
        for (address, v6only, device) in cases {
            let port = fresh_port();
            let options = Options {
                v6only,
                device,
                ..tcp(address.parse().unwrap())
            };
            let _listener = options.listening(port);
            for target in targets {
                let target = SocketAddr::new(target.parse().unwrap(), port);
                let accepted = verdict(&target.to_string()) == "accepted";
                assert_eq!(
                    accepted,
                    TcpStream::connect(target).is_ok(),
                    "{address} {v6only} {device:?} {target}"
                );
                asked += 1;
            }
        }
        assert_eq!(asked, 35);
    });
}

#[test]
fn every_reason_is_told() {
    netns::run(|card| {
        let port = fresh_port();
        assert_eq!(verdict(&format!("127.0.0.1:{port}")), "nothing-listens");
        let bound = tcp(Ipv4Addr::UNSPECIFIED.into()).bound(port);
        assert_eq!(verdict(&format!("127.0.0.1:{port}")), "not-listening");
        drop(bound);
        let listener = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        assert_eq!(verdict(&format!("10.9.0.5:{port}")), "only-loopback");
        assert_eq!(verdict(&format!("[::1]:{port}")), "other-family");
        assert_eq!(verdict(&format!("127.0.0.2:{port}")), "other-address");
        let output = command(&["reach", &format!("10.9.0.5:{port}")], 0)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains(&format!("reachable at   127.0.0.1:{port}\n")),
            "{said}"
        );
        assert!(said.contains(&std::process::id().to_string()), "{said}");
        drop(listener);
        let only_v6 = Options {
            v6only: true,
            ..tcp(Ipv6Addr::UNSPECIFIED.into())
        }
        .listening(port);
        assert_eq!(verdict(&format!("127.0.0.1:{port}")), "v6only");
        drop(only_v6);
        let loopback = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        assert_eq!(verdict(&format!("0.0.0.0:{port}")), "accepted");
        assert_eq!(verdict(&format!("[::]:{port}")), "other-family");
        drop(loopback);
        assert!(NonZeroU32::new(card).is_some());
        let _on_card = Options {
            device: Some(card),
            ..tcp(Ipv4Addr::UNSPECIFIED.into())
        }
        .listening(port);
        assert_eq!(verdict(&format!("127.0.0.1:{port}")), "other-device");
        let udp = Options {
            protocol: Protocol::Udp,
            ..tcp(Ipv4Addr::LOCALHOST.into())
        };
        let _udp = udp.bound(port);
        assert_eq!(verdict(&format!("127.0.0.1:{port}/udp")), "accepted");
        assert_eq!(verdict(&format!("10.9.0.5:{port}/udp")), "only-loopback");
    });
}

/// The human-readable answer of `reach`, and its exit status.
fn said(arguments: &[&str]) -> (String, Option<i32>) {
    let output = command(&[&["reach"], arguments].concat(), 0).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn one_address_that_connects_is_enough_for_a_client() {
    netns::run(|_| {
        let port = fresh_port();
        let place = port.to_string();
        let (text, exit) = said(&[&place]);
        assert_eq!(exit, Some(1), "{text}");
        assert!(
            text.starts_with(&format!("No: refused. Nothing listens on port {port}.\n")),
            "{text}"
        );
        assert_eq!(text.matches("Nothing listens").count(), 1, "{text}");
        assert!(
            text.contains(&format!("at             127.0.0.1:{port}  [::1]:{port}\n")),
            "{text}"
        );
        let listener = tcp(Ipv6Addr::LOCALHOST.into()).listening(port);
        let (text, exit) = said(&[&place]);
        assert_eq!(exit, Some(0), "{text}");
        let headline = format!(
            "Yes, at [::1]:{port}: a client that tries each address of this machine in turn connects.\n"
        );
        assert!(text.starts_with(&headline), "{text}");
        assert!(
            text.contains(&format!("\n  127.0.0.1:{port}: No: refused. ")),
            "{text}"
        );
        assert!(!text.contains("reachable at"), "{text}");
        let document = run(&["reach", "-j", &place], 0);
        assert_eq!(document["connects"], true, "{document}");
        assert_eq!(document["answers"][0]["verdict"], "other-family", "{document}");
        // Only one family is requested: the other does not count.
        assert_eq!(said(&["-4", &place]).1, Some(1));
        drop(listener);
    });
}

#[test]
fn a_trial_that_confirms_the_prediction_is_not_the_headline() {
    netns::run(|_| {
        // Nobody is at the other end of the card.
        let expected = "No: it would time out, because card has no carrier.";
        let (text, exit) = said(&["10.9.0.77:80"]);
        assert_eq!(exit, Some(1), "{text}");
        assert!(text.starts_with(expected), "{text}");
        let (text, exit) = said(&["--try", "10.9.0.77:80"]);
        assert_eq!(exit, Some(1), "{text}");
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("\n  tried          no answer within 3 s"), "{text}");
    });
}

#[test]
fn a_full_accept_queue_has_numbers() {
    netns::run(|_| {
        let port = fresh_port();
        let fd = tcp(Ipv4Addr::LOCALHOST.into()).bound(port);
        net::listen(&fd, 0).unwrap();
        let target = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        assert_eq!(verdict(&target.to_string()), "accepted");
        let _waits = TcpStream::connect(target).unwrap();
        assert_eq!(verdict(&target.to_string()), "queue-full");
        let output = command(&["reach", &target.to_string()], 0).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("1 waiting, the limit is 0"), "{said}");
        assert!(!said.contains("reachable at"), "{said}");
    });
}

#[test]
fn another_machine_without_and_with_a_route() {
    netns::run(|_| {
        let output = |arguments: &[&str]| {
            let output = command(arguments, 0).output().unwrap();
            (String::from_utf8(output.stdout).unwrap(), output.status.code())
        };
        let (said, exit) = output(&["reach", "192.0.2.1:80"]);
        assert!(
            exit == Some(1) && said.starts_with("No: there is no route to 192.0.2.1."),
            "{said}"
        );
        // A neighbour that does not exist, on an interface without a carrier: a connection to it hangs.
        let target: SocketAddr = "10.9.0.77:80".parse().unwrap();
        let (said, exit) = output(&["reach", "10.9.0.77:80"]);
        assert!(
            exit == Some(1) && said.contains("Packets leave from 10.9.0.5 (card)."),
            "{said}"
        );
        assert!(
            said.contains("0 of 28232 local ports are in use towards it."),
            "{said}"
        );
        let hanging = tcp(Ipv4Addr::UNSPECIFIED.into()).open();
        rustix::io::ioctl_fionbio(&hanging, true).unwrap();
        assert_eq!(
            net::connect(&hanging, &target),
            Err(rustix::io::Errno::INPROGRESS)
        );
        let (said, _) = output(&["reach", "10.9.0.77:80"]);
        assert!(said.contains("1 unanswered (SYN-SENT)"), "{said}");
        assert!(said.contains("1 of 28232 local ports"), "{said}");
    });
}

#[test]
fn one_try_and_a_unix_socket() {
    netns::run(|_| {
        let port = fresh_port();
        let place = format!("127.0.0.1:{port}");
        let tried = || run(&["reach", "-j", "--try", &place], 0)["answers"][0]["tried"].clone();
        assert_eq!(tried(), false);
        let _listener = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        assert_eq!(tried(), true);

        let path = std::env::temp_dir().join(format!("sockstat-reach-{}", std::process::id()));
        let place = path.to_str().unwrap();
        let of = |user| run(&["reach", "-j", place], user)["answers"][0]["verdict"].clone();
        assert_eq!(of(0), "missing");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(of(0), "accepted");
        assert_eq!(of(65_534), "forbidden", "the file is not writable for others");
        drop(listener);
        assert_eq!(of(0), "refused");
        std::fs::remove_file(&path).unwrap();
        let name = rustix::net::SocketAddrUnix::new_abstract_name(b"sockstat-reach").unwrap();
        let fd = net::socket_with(
            net::AddressFamily::UNIX,
            net::SocketType::STREAM,
            net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        net::bind(&fd, &name).unwrap();
        net::listen(&fd, 0).unwrap();
        let client = net::socket_with(
            net::AddressFamily::UNIX,
            net::SocketType::STREAM,
            net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        let of = || run(&["reach", "-j", "@sockstat-reach"], 0)["answers"][0]["verdict"].clone();
        assert_eq!(of(), "accepted");
        net::connect(&client, &name).unwrap();
        assert_eq!(of(), "queue-full");
    });
}

#[test]
fn the_same_number_with_the_other_protocol_is_named() {
    netns::run(|_| {
        let port = fresh_port();
        let (us, place) = (std::process::id(), format!("127.0.0.1:{port}"));
        let said = |arguments: &[&str]| {
            let output = command(arguments, 0).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let holds = |said: &str, protocol: &str| {
            let in_use = format!("{port}/{protocol} is in use by ");
            let of_us = said
                .lines()
                .any(|line| line.contains(&in_use) && line.contains(&us.to_string()));
            assert!(of_us, "{said}");
        };
        let datagrams = std::net::UdpSocket::bind(&place).unwrap();
        let why = said(&["why", &port.to_string()]);
        assert!(why.starts_with(&format!("Yes. {port}/tcp is free")), "{why}");
        holds(&why, "udp");
        holds(&said(&["reach", &place]), "udp");
        assert!(!said(&["why", "-u", &place]).contains("is in use by"));
        drop(datagrams);
        assert!(!said(&["why", &port.to_string()]).contains("is in use by"));
        let _listener = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        holds(&said(&["why", "-u", &port.to_string()]), "tcp");
        holds(&said(&["reach", "-u", &place]), "tcp");
    });
}

#[test]
fn nonsense_is_refused_in_one_line() {
    for place in [":", "x:0", "nosuchname.invalid:80", "-"] {
        let output = command(&["reach", place], 0).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{place}: {said}"
        );
        assert_eq!(place == "-", said.contains("'sockstat why -'"), "{said}");
    }
}
