//! Every verdict of `why`, each with a real socket in that situation, as root and as an ordinary user.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Stdio;

use rustix::net;
use serde_json::Value;
use sockstat::model::{Protocol, State};

use super::binary::{command, run};
use super::netns;
use super::sockets::{Options, accept, fresh_port, local, tcp, wait_for_left_over};

const NOBODY: u32 = 65_534;

fn any() -> IpAddr {
    Ipv4Addr::UNSPECIFIED.into()
}

/// (bind, verdict) of every answer.
fn verdicts(document: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let answers = document["answers"].as_array().unwrap();
    answers
        .iter()
        .map(|answer| (word(&answer["bind"]), word(&answer["verdict"])))
        .collect()
}

/// The human-readable output of the program, and its exit status.
fn text(arguments: &[&str], user: u32) -> (String, Option<i32>) {
    let output = command(&[&["why"], arguments].concat(), user).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn json(arguments: &[&str], user: u32) -> Value {
    run(&[&["why", "-j"], arguments].concat(), user)
}

#[test]
fn a_listener_is_named_to_root_and_its_user_to_everybody() {
    netns::run(|_| {
        let port = fresh_port();
        let _fd = tcp(Ipv6Addr::UNSPECIFIED.into()).listening(port);
        let place = port.to_string();
        for user in [0, NOBODY] {
            let document = json(&[&place], user);
            assert!(
                verdicts(&document)
                    .iter()
                    .all(|(bind, code)| bind == "EADDRINUSE" && code == "listener")
            );
            let (said, exit) = text(&[&place], user);
            assert_eq!(exit, Some(1));
            assert!(
                said.starts_with(&format!("No: {place}/tcp is taken. bind fails with EADDRINUSE")),
                "{said}"
            );
            assert!(said.contains("dual-stack"), "{said}");
            let own_pid = std::process::id().to_string();
            assert_eq!(said.contains(&own_pid), user == 0, "{said}");
            assert_eq!(said.contains("hidden from you: sudo "), user != 0, "{said}");
        }
    });
}

#[test]
fn a_bound_socket_and_one_that_can_be_shared() {
    netns::run(|_| {
        let (bound, shared) = (fresh_port(), fresh_port());
        let _bound = tcp(any()).bound(bound);
        let _shared = Options {
            reuseaddr: true,
            ..tcp(any())
        }
        .bound(shared);
        let (said, exit) = text(&[&bound.to_string()], 0);
        assert!(
            exit == Some(1) && said.contains("neither listens nor connects"),
            "{said}"
        );
        // Root reads the option; another user needs a trial, and without one cannot tell.
        let place = format!("0.0.0.0:{shared}");
        for (user, more, expected, how) in [
            (0, "--reuseaddr", ("ok", "shared-reuseaddr"), "observed"),
            (NOBODY, "--reuseaddr", ("ok", "shared-reuseaddr"), "proven"),
            (NOBODY, "--no-probe", ("undecidable", "unreadable"), "unknown"),
        ] {
            let document = json(&["--reuseaddr", more, &place], user);
            let answer = &document["answers"][0];
            assert_eq!(
                (answer["bind"].as_str(), answer["verdict"].as_str()),
                (Some(expected.0), Some(expected.1)),
                "{answer}"
            );
            assert_eq!(answer["findings"][0]["how"].as_str().unwrap_or_default(), how);
        }
        let (said, _) = text(&[&shared.to_string()], 0);
        assert!(
            said.starts_with("No, but with SO_REUSEADDR it works now:"),
            "{said}"
        );
    });
}

#[test]
fn one_address_of_several_is_named_and_nothing_is_said_twice() {
    netns::run(|_| {
        let port = fresh_port();
        let only_v6 = Options {
            v6only: true,
            reuseport: true,
            ..tcp(Ipv6Addr::UNSPECIFIED.into())
        };
        let _two = [only_v6.listening(port), only_v6.listening(port)];
        let (said, exit) = text(&[&port.to_string()], 0);
        let headlines = format!(
            "No on [::]: {port}/tcp is taken. bind fails with EADDRINUSE, even with SO_REUSEADDR.\n\
             Yes on 0.0.0.0. {port}/tcp is free here.\n\n"
        );
        assert!(exit == Some(1) && said.starts_with(&headlines), "{said}");
        assert_eq!(said.matches("listens on").count(), 1, "{said}");
        let place = format!("127.0.0.1:{port}");
        let _v4 = tcp(Ipv4Addr::LOCALHOST.into()).listening(port);
        let (said, _) = text(&[&place], 0);
        let free = format!("bind another port: 127.0.0.1:{} is free", port + 1);
        assert!(said.contains(&free), "{said}");
    });
}

#[test]
fn a_low_port_that_is_taken_has_two_obstacles() {
    netns::run(|_| {
        let _fd = tcp(any()).listening(80);
        let (said, exit) = text(&["80"], NOBODY);
        let headline = "No: 80/tcp is taken, and needs CAP_NET_BIND_SERVICE (EACCES) for user nobody.\n";
        assert!(exit == Some(1) && said.starts_with(headline), "{said}");
        assert!(
            said.contains("A process of user root listens on 0.0.0.0:80."),
            "{said}"
        );
        assert!(said.contains("bind a port from 1024 up"), "{said}");
        assert!(
            said.contains("(as root, bind would fail with EADDRINUSE)"),
            "{said}"
        );
        let document = json(&["-4", "80"], NOBODY);
        let bind = ("EACCES".to_owned(), "privileged-port".to_owned());
        assert!(verdicts(&document).iter().all(|one| *one == bind), "{document}");
    });
}

#[test]
fn time_wait_says_how_long_and_whether_the_option_helps() {
    netns::run(|_| {
        for reuseaddr in [false, true] {
            let port = fresh_port();
            let options = Options {
                reuseaddr,
                ..tcp(Ipv4Addr::LOCALHOST.into())
            };
            let listener = options.listening(port);
            let client = tcp(any()).open();
            net::connect(&client, &SocketAddr::new(options.address, port)).unwrap();
            drop(accept(&listener));
            drop((client, listener));
            wait_for_left_over(port, State::TimeWait);
            for user in [0, NOBODY] {
                let (said, exit) = text(&[&port.to_string()], user);
                assert_eq!(exit, Some(1));
                assert!(said.contains("for another "), "{said}");
                assert!(said.contains("(proven by a trial bind)"), "{said}");
                assert_eq!(
                    said.starts_with("No, but with SO_REUSEADDR it works now:"),
                    reuseaddr,
                    "{said}"
                );
                let now = "set SO_REUSEADDR in the server: then it binds now";
                assert_eq!(said.contains(now), reuseaddr, "{said}");
                let next_time = "set SO_REUSEADDR in the server, for the next time";
                assert_eq!(said.contains(next_time), !reuseaddr, "{said}");
                let sudo = if user == 0 { "  sockstat -K" } else { "sockstat -K" };
                assert!(
                    said.contains(&format!("{sudo} state time-wait sport = :{port}\n")),
                    "{said}"
                );
                assert_eq!(said.contains("sudo /"), user != 0, "{said}");
                // The headline has the seconds that the command takes.
                let seconds = said.split("sleep ").nth(1).unwrap().split(' ').next().unwrap();
                assert!(said.contains(&format!("for another {seconds} s")), "{said}");
                assert_eq!(said.contains("SO_REUSEADDR would not help"), !reuseaddr, "{said}");
                assert!(said.contains("sleep "), "{said}");
            }
            let document = json(&["--no-probe", "--reuseaddr", &port.to_string()], 0);
            assert!(
                verdicts(&document).iter().all(|(bind, _)| bind == "undecidable"),
                "{document}"
            );
            // The proposed command frees the port at once.
            let port = port.to_string();
            let by_port = format!(":{port}");
            let forget = ["-K", "--yes", "state", "time-wait", "sport", "=", &by_port];
            assert!(command(&forget, 0).output().unwrap().status.success());
            assert_eq!(text(&[&port], 0).1, Some(0));
        }
    });
}

#[test]
fn a_client_that_took_the_port_by_chance() {
    netns::run(|_| {
        let service = fresh_port();
        let listener = tcp(any()).listening(service);
        let client = tcp(any()).open();
        net::connect(&client, &SocketAddr::new(Ipv4Addr::LOCALHOST.into(), service)).unwrap();
        let _server = accept(&listener);
        let port = local(&client).port().to_string();
        let document = json(&["--no-reuseaddr", "-4", &port], 0);
        assert_eq!(
            verdicts(&document),
            [("EADDRINUSE".to_owned(), "ephemeral".to_owned())]
        );
        let cures = document["answers"][0]["cures"].as_array().unwrap();
        let line = format!("sysctl -w net.ipv4.ip_local_reserved_ports={port}");
        assert!(
            cures.iter().any(|cure| cure["command"] == line.as_str()
                && cure["sentence"]
                    .as_str()
                    .unwrap()
                    .starts_with("frees nothing now")),
            "{cures:?}"
        );
    });
}

#[test]
fn reuseport_is_shared_by_one_user_only() {
    netns::run(|_| {
        let port = fresh_port();
        let _fd = Options {
            reuseport: true,
            ..tcp(any())
        }
        .listening(port);
        let place = port.to_string();
        let (said, exit) = text(&["--reuseport", "-4", &place], 0);
        assert!(
            exit == Some(0) && said.starts_with("Yes, alongside another socket (--reuseport)"),
            "{said}"
        );
        let document = json(&["--reuseport", "--uid", "1000", "-4", &place], 0);
        assert!(
            verdicts(&document)
                .iter()
                .all(|(bind, code)| bind == "EADDRINUSE" && code == "reuseport-mismatch"),
            "{document}"
        );
    });
}

#[test]
fn refusals_and_the_answer_for_root() {
    netns::run(|_| {
        let (said, exit) = text(&["80"], NOBODY);
        assert!(
            exit == Some(1) && said.starts_with("No: 80/tcp needs CAP_NET_BIND_SERVICE (EACCES)"),
            "{said}"
        );
        assert!(said.contains("as root, bind would succeed"), "{said}");
        let (said, exit) = text(&["10.1.2.3:80"], 0);
        assert!(
            exit == Some(1)
                && said.starts_with("No: 10.1.2.3 is not an address of this machine (EADDRNOTAVAIL)."),
            "{said}"
        );
        assert!(
            said.contains("127.0.0.1") && said.contains("10.9.0.5 (card)"),
            "{said}"
        );
        assert!(
            !said.contains("10.9.0.255") && !said.contains("127.255"),
            "no broadcast addresses: {said}"
        );
        let (said, exit) = text(&["[fe80::5]:80"], 0);
        assert!(
            exit == Some(1) && said.contains("needs an interface (EINVAL)"),
            "{said}"
        );
        assert_eq!(text(&["[fe80::5%card]:80"], 0).1, Some(0));
    });
}

#[test]
fn a_free_port_with_holders_in_other_namespaces() {
    netns::run(|_| {
        let port = fresh_port();
        let place = port.to_string();
        let (said, exit) = text(&[&place], 0);
        assert!(
            exit == Some(0) && said.starts_with(&format!("Yes. {place}/tcp is free here.")),
            "{said}"
        );
        // A process that holds it stays behind, and we go into another namespace.
        let fd = tcp(any()).listening(port);
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        drop(fd);
        netns::leave();
        let (said, exit) = text(&[&place], 0);
        let pid = child.id();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(exit, Some(0));
        assert!(
            said.contains(&format!("sleep {pid}")) && said.contains("no conflict"),
            "{said}"
        );
    });
}

#[test]
fn the_automatic_port() {
    netns::run(|_| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001").unwrap();
        let one = tcp(any()).bound(40_000);
        let (said, exit) = text(&["-4", "0"], 0);
        assert!(
            exit == Some(0) && said.starts_with("Yes: 1 port of the range 40000-40001 is left"),
            "{said}"
        );
        let _two = tcp(any()).bound(40_001);
        let document = json(&["-4", "0"], 0);
        assert!(
            verdicts(&document)
                .iter()
                .all(|(bind, code)| bind == "EADDRINUSE" && code == "range-exhausted")
        );
        drop(one);
        assert_eq!(text(&["-4", "0"], 0).1, Some(0));
    });
}

#[test]
fn udp_ports_are_separate() {
    netns::run(|_| {
        let port = fresh_port();
        let _fd = Options {
            protocol: Protocol::Udp,
            ..tcp(any())
        }
        .bound(port);
        let (said, exit) = text(&[&format!("{port}/udp")], 0);
        assert!(
            exit == Some(1) && said.starts_with(&format!("No: {port}/udp is taken")),
            "{said}"
        );
        assert_eq!(
            text(&[&port.to_string()], 0).1,
            Some(0),
            "TCP has ports of its own"
        );
    });
}

#[test]
fn the_output_of_a_program_is_passed_on_and_parsed() {
    netns::run(|_| {
        let port = fresh_port();
        let _fd = tcp(any()).listening(port);
        let piped = |words: &str, user| {
            let mut child = command(&["why", "-"], user)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (text(output.stdout), text(output.stderr), output.status.code())
        };
        let words = format!("starting\nError: listen EADDRINUSE: address already in use :::{port}\nbye\n");
        let (said, passed_on, exit) = piped(&words, 0);
        assert_eq!(passed_on, words);
        assert!(said.starts_with(&format!("No: {port}/tcp is taken")), "{said}");
        assert_eq!(exit, Some(1));
        // What was piped is gone: the command to repeat as root names the port.
        let (said, ..) = piped(&words, NOBODY);
        assert!(said.contains(&format!("sockstat why {port} names it")), "{said}");
        let nothing = (
            "",
            "fine\nnothing in this output reports an address in use\n",
            Some(0),
        );
        let (said, passed_on, exit) = piped("fine\n", 0);
        assert_eq!((&*said, &*passed_on, exit), nothing);
    });
}

#[test]
fn unix_sockets_live_stale_and_of_another_type() {
    netns::run(|_| {
        let directory = std::env::temp_dir().join(format!("sockstat-why-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (live, stale) = (directory.join("live"), directory.join("stale"));
        let _listener = std::os::unix::net::UnixListener::bind(&live).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let answer = |name: &str, user| {
            let document = json(&[name], user);
            let (bind, code) = verdicts(&document).remove(0);
            format!("{bind} {code}")
        };
        assert_eq!(answer(live.to_str().unwrap(), 0), "EADDRINUSE unix-listener");
        assert_eq!(answer(stale.to_str().unwrap(), 0), "EADDRINUSE unix-stale");
        assert_eq!(
            answer(directory.to_str().unwrap(), 0),
            "EADDRINUSE unix-other-file"
        );
        assert_eq!(answer("/nonexistent/a", 0), "ENOENT no-directory");
        assert_eq!(answer(directory.join("new").to_str().unwrap(), 0), "ok free");
        assert_eq!(answer("/usr/new", NOBODY), "EACCES directory-forbidden");
        let (said, exit) = text(&[stale.to_str().unwrap()], 0);
        assert!(
            exit == Some(1) && said.contains(&format!("rm {}", stale.display())),
            "{said}"
        );
        std::fs::remove_dir_all(&directory).unwrap();
        let address = rustix::net::SocketAddrUnix::new_abstract_name(b"sockstat-why").unwrap();
        let fd = net::socket(net::AddressFamily::UNIX, net::SocketType::DGRAM, None).unwrap();
        net::bind(&fd, &address).unwrap();
        assert_eq!(answer("@sockstat-why", 0), "ok unix-other-type");
        assert_eq!(verdicts(&json(&["-u", "@sockstat-why"], 0))[0].0, "EADDRINUSE");
    });
}

/// A descriptor that a child inherited keeps the port taken: both are named.
#[test]
fn several_holders_and_a_docker_proxy() {
    netns::run(|_| {
        let port = fresh_port();
        let fd = tcp(any()).listening(port);
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
        // A shell under another name, with the arguments of docker's program.
        let directory = std::env::temp_dir().join(format!("sockstat-proxy-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let proxy = directory.join("docker-proxy");
        std::fs::copy("/bin/sh", &proxy).unwrap();
        let mut child = std::process::Command::new(&proxy)
            .args(["-c", "read line", "-container-ip", "192.0.2.9"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC).unwrap();
        let (said, _) = text(&[&port.to_string()], 0);
        assert!(said.contains("+1 listens on"), "{said}");
        assert!(
            said.contains(&format!("also held by docker-proxy {}", child.id())),
            "{said}"
        );
        drop(fd);
        let (said, _) = text(&[&port.to_string()], 0);
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(
            said.contains("docker-proxy") && said.contains("docker ps"),
            "{said}"
        );
        assert!(!said.contains("  kill "), "a proxy is not to be killed: {said}");
    });
}

#[test]
fn nonsense_gets_one_line_and_exit_2() {
    for place in [
        "70000",
        "1.2.3.4.5:80",
        "nosuchname.invalid:80",
        "::1:80",
        "80/sctp",
    ] {
        let output = command(&["why", place], 0).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{place}: {said}"
        );
    }
}

/// The checked-in schema has exactly the keys that are printed, and every word that can appear.
#[test]
fn the_schema_matches_the_output() {
    netns::run(|_| {
        let schema: Value = serde_json::from_str(include_str!("../../docs/why.schema.json")).unwrap();
        let keys = |value: &Value| -> Vec<String> {
            let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        let said_of = |part: &str| keys(&schema["$defs"][part]["properties"]);
        let port = fresh_port();
        let _fd = tcp(any()).listening(port);
        let document = json(&[&port.to_string()], 0);
        assert_eq!(keys(&document), keys(&schema["properties"]));
        let answer = &document["answers"][0];
        assert_eq!(keys(answer), said_of("answer"));
        assert_eq!(keys(&answer["findings"][0]), said_of("finding"));
        assert_eq!(keys(&answer["cures"][0]), said_of("cure"));
        let document = json(&["/nonexistent/a"], 0);
        assert_eq!(keys(&document["answers"][0]), said_of("unix_answer"));
        let verdicts = schema["$defs"]["answer"]["properties"]["verdict"]["enum"]
            .as_array()
            .unwrap();
        assert!(verdicts.contains(&answer["verdict"]));
    });
}

/// With many sockets the owner and the options come from the kernel's iterator, if root may use it: the answer is
/// the same.
#[test]
fn a_machine_with_many_sockets() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    netns::run(|_| {
        let before = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: before.maximum,
            ..before
        };
        setrlimit(Resource::Nofile, raised).unwrap();
        let port = fresh_port();
        let _fd = Options {
            reuseaddr: true,
            ..tcp(any())
        }
        .bound(port);
        let many: Vec<_> = (0..3100)
            .map(|_| {
                Options {
                    protocol: Protocol::Udp,
                    ..tcp(any())
                }
                .open()
            })
            .collect();
        let document = json(&["--no-probe", "-4", &port.to_string()], 0);
        drop(many);
        setrlimit(Resource::Nofile, before).unwrap();
        let answers = document["answers"].as_array().unwrap();
        assert_eq!(
            (&answers[0]["bind"], &answers[1]["bind"]),
            (&"EADDRINUSE".into(), &"ok".into()),
            "{document}"
        );
        let socket = &answers[1]["findings"][0]["socket"];
        assert_eq!(socket["owner_status"], "known");
        assert_eq!(socket["pid"], std::process::id());
    });
}
