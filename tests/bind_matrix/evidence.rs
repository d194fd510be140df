//! What `why` says in addition to the verdict: the evidence, who created the socket, what else may decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use rustix::net;
use serde_json::Value;
use sockstat::model::{Protocol, State};

use super::binary::{command, run};
use super::cgroups::Cgroup;
use super::netns;
use super::sockets::{Options, accept, fresh_port, tcp, wait_for_left_over};

const NOBODY: u32 = 65_534;

fn any() -> IpAddr {
    Ipv4Addr::UNSPECIFIED.into()
}

fn said(arguments: &[&str], user: u32) -> String {
    let output = command(arguments, user).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn finding<'a>(answer: &'a Value, code: &str) -> &'a Value {
    let findings = answer["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["code"] == code)
        .unwrap_or_else(|| panic!("no {code} in {answer}"))
}

fn connected(port: u16) -> std::os::fd::OwnedFd {
    let client = tcp(any()).open();
    net::connect(&client, &SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).unwrap();
    client
}

#[test]
fn connections_left_by_a_listener_have_its_inferred_owner() {
    netns::run(|_| {
        for reuseaddr in [false, true] {
            let port = fresh_port();
            let options = Options {
                reuseaddr,
                ..tcp(any())
            };
            let listener = options.listening(port);
            let client = connected(port);
            drop(accept(&listener));
            drop(client);
            wait_for_left_over(port, State::TimeWait);
            let _waits = connected(port);
            let place = port.to_string();
            let document = run(&["why", "-j4", "--reuseaddr", "--no-probe", &place], 0);
            let answer = &document["answers"][0];
            assert_eq!(
                (&answer["bind"], &answer["verdict"]),
                (&"EADDRINUSE".into(), &"listener".into())
            );
            assert_eq!(finding(answer, "listener")["how"], "observed");
            for code in ["queued", "time-wait"] {
                let finding = finding(answer, code);
                assert_eq!(finding["how"], "inferred", "{finding}");
                assert_eq!(
                    finding["effect"],
                    if reuseaddr { "shares" } else { "blocks" },
                    "{finding}"
                );
            }
            let whose = finding(answer, "time-wait")["sentence"].as_str().unwrap();
            assert!(
                whose.contains(&format!("{}, inferred from its listener", std::process::id())),
                "{whose}"
            );
        }
    });
}

#[test]
fn a_connection_that_its_program_closed_with_data_on_the_way() {
    netns::run(|_| {
        let port = fresh_port();
        let listener = tcp(any()).listening(port);
        let _client = connected(port);
        let server = accept(&listener);
        rustix::io::ioctl_fionbio(&server, true).unwrap();
        while net::send(&server, &[0; 4096], net::SendFlags::empty()).is_ok() {}
        drop((server, listener));
        wait_for_left_over(port, State::FinWait1);
        let place = port.to_string();
        for user in [0, NOBODY] {
            let document = run(&["why", "-j4", &place], user);
            for answer in document["answers"].as_array().unwrap() {
                assert_eq!(
                    (&answer["bind"], &answer["verdict"]),
                    (&"EADDRINUSE".into(), &"orphan".into()),
                    "{answer}"
                );
            }
            assert_eq!(finding(&document["answers"][1], "orphan")["how"], "proven");
            let text = said(&["why", "-4", &place], user);
            assert!(
                text.contains("closed by its program and is still winding down"),
                "{text}"
            );
        }
    });
}

#[test]
fn without_ipv6_a_bare_port_means_ipv4() {
    netns::run(|card| {
        let mut stage = super::stage::Stage::new(card);
        stage.without_ipv6();
        let ask = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            String::from_utf8(stage.ask(true, &words).stdout).unwrap()
        };
        let place = stage.place();
        assert!(ask(&["why", &place]).contains("(there is no IPv6 here, so only 0.0.0.0 was checked)"));
        let document: Value = serde_json::from_str(&ask(&["why", "-j", &place])).unwrap();
        let answers = document["answers"].as_array().unwrap();
        assert!(
            answers.iter().all(|answer| answer["address"] == "0.0.0.0"),
            "{document}"
        );
    });
}

/// What is left of a connection whose client never closes: the kernel says how long it will keep it.
#[test]
fn a_half_closed_connection_shows_its_time_left() {
    netns::run(|_| {
        let port = fresh_port();
        let listener = tcp(any()).listening(port);
        let _client = connected(port);
        drop(accept(&listener));
        drop(listener);
        wait_for_left_over(port, State::FinWait2);
        let place = port.to_string();
        let document = run(&["why", "-j4", &place], 0);
        let answer = &document["answers"][0];
        assert_eq!(
            (&answer["bind"], &answer["verdict"]),
            (&"EADDRINUSE".into(), &"orphan".into())
        );
        let sentence = finding(answer, "orphan")["sentence"].as_str().unwrap().to_owned();
        assert!(
            sentence.contains("winding down (fin-wait-2, for another "),
            "{sentence}"
        );
        assert!(said(&["why", "-4", &place], 0).contains("sleep "));
    });
}

/// A client that chose its port, one whose port the kernel chose, and a server's connection without the server.
#[test]
fn who_chose_the_port_of_a_connection() {
    netns::run(|_| {
        let service = fresh_port();
        let listener = tcp(any()).listening(service);
        let target = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), service);
        let asked = tcp(Ipv4Addr::LOCALHOST.into()).bound(40_123);
        net::connect(&asked, &target).unwrap();
        let given = connected(service);
        let (_one, _two) = (accept(&listener), accept(&listener));
        drop(listener);
        let given_port = super::sockets::local(&given).port();
        for (port, code, words) in [
            (40_123, "connected", "has a connection 127.0.0.1:40123 - "),
            (
                given_port,
                "ephemeral",
                "from a port that the kernel chose (ip_local_port_range is 32768-60999)",
            ),
            (service, "accepted", "has a connection 127.0.0.1:"),
        ] {
            for user in [0, NOBODY] {
                let document = run(&["why", "-j4", "--no-reuseaddr", &port.to_string()], user);
                assert_eq!(document["answers"][0]["verdict"], code, "{document}");
            }
            let text = said(&["why", "-4", "--no-reuseaddr", &port.to_string()], 0);
            assert!(text.contains(words), "{text}");
        }
    });
}

#[test]
fn a_socket_of_the_kernel() {
    netns::run(|_| {
        let port = fresh_port();
        netns::vxlan(port);
        for user in [0, NOBODY] {
            let document = run(&["why", "-j4u", &port.to_string()], user);
            let answer = &document["answers"][0];
            assert_eq!(answer["bind"], "EADDRINUSE");
            let status = &answer["findings"][0]["socket"]["owner_status"];
            let text = said(&["why", "-u", &port.to_string()], user);
            // If even root may not inspect some process, it may be the owner.
            let who = match status.as_str() {
                Some("kernel") => "The kernel itself has bound",
                Some("hidden") if user == 0 => "You may not inspect it",
                Some("hidden") => "hidden from you",
                _ => panic!("{answer}"),
            };
            assert!(text.contains(who), "{text}");
            assert!(!text.contains("kill"), "{text}");
        }
    });
}

/// A child that has inherited a listener, which nobody else holds.
fn holder_of(port: u16) -> Child {
    let fd = tcp(any()).listening(port);
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
    Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_service_and_a_container_by_their_cgroups() {
    let id = "0123456789abcdef".repeat(4);
    netns::run(move |_| {
        for (name, cure) in [
            (
                "sockstat-test.service".to_owned(),
                "systemctl stop sockstat-test.service",
            ),
            (format!("docker-{id}.scope"), "docker stop 0123456789ab"),
        ] {
            let port = fresh_port();
            let Some(cgroup) = Cgroup::new(&name) else { return };
            let mut child = holder_of(port);
            cgroup.take(child.id());
            let text = said(&["why", &port.to_string()], 0);
            let kill = said(&["kill", "--dry-run", &port.to_string()], 0);
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(text.contains(cure), "{text}");
            assert!(kill.contains(cure), "{kill}");
            assert!(
                text.contains(&format!(
                    "cat {} has inherited it: it was created in another cgroup",
                    child.id()
                )),
                "{text}"
            );
            assert!(text.contains("close-on-exec is not set"), "{text}");
        }
    });
}

/// Whether the manager of a program restarts it, according to its settings.
#[test]
fn who_starts_a_program_again() {
    let id = "fedcba9876543210".repeat(4);
    let script = format!(
        "mount -t tmpfs none /run && mkdir -p /run/systemd/system/sockstat-again.service.d &&
        mount -t tmpfs none /var/lib && mkdir -p /var/lib/docker/containers/{id} &&
        echo '{{\"RestartPolicy\":{{\"Name\":\"always\"}}}}' > /var/lib/docker/containers/{id}/hostconfig.json &&
        printf '[Service]\\nRestart=no\\n' > /run/systemd/system/sockstat-again.service &&
        printf '[Service]\\nRestart=on-failure\\n' > /run/systemd/system/sockstat-again.service.d/x.conf &&
        exec \"$@\""
    );
    netns::run(move |_| {
        for (name, signal, expected) in [
            (
                "sockstat-again.service".to_owned(),
                "TERM",
                "in sockstat-again.service: systemd starts it again if it ends with an error (Restart=on-failure)",
            ),
            (
                "sockstat-again.service".to_owned(),
                "KILL",
                "in sockstat-again.service: systemd starts it again (Restart=on-failure)",
            ),
            (
                format!("docker-{id}.scope"),
                "TERM",
                "in the container fedcba987654: docker starts it again (restart policy always)",
            ),
        ] {
            let port = fresh_port();
            let Some(cgroup) = Cgroup::new(&name) else { return };
            let mut child = holder_of(port);
            cgroup.take(child.id());
            let output = Command::new("unshare")
                .args([
                    "--mount",
                    "sh",
                    "-c",
                    &script,
                    "sh",
                    env!("CARGO_BIN_EXE_sockstat"),
                ])
                .args(["kill", "--dry-run", "--signal", signal, &port.to_string()])
                .output()
                .unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(
                said.contains(expected),
                "{said}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    });
}

#[test]
fn a_bpf_program_that_looks_at_binds_is_pointed_out() {
    let Some(cgroup) = Cgroup::new("sockstat-test-hooked") else {
        return;
    };
    let below = cgroup.below("below");
    let ask = |cgroup: &Cgroup| {
        let script = format!(
            "echo $$ > {}/cgroup.procs; exec {} why -j 1",
            cgroup.0.display(),
            env!("CARGO_BIN_EXE_sockstat")
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        document["notes"].to_string()
    };
    assert!(!ask(&below).contains("BPF"));
    let Some(_program) = super::hook::attach(&cgroup.0) else {
        return;
    };
    // The kernel runs the program for the cgroups below as well.
    for hooked in [&cgroup, &below] {
        assert!(ask(hooked).contains("a BPF program of this cgroup, or of one above it, runs on every bind"));
    }
    drop(below);
    let document = run(&["why", "-j", "1"], NOBODY);
    let gaps = document["gaps"].as_array().unwrap();
    assert!(
        gaps.iter().any(|gap| gap["code"] == "bind-hooks-unseen"),
        "{document}"
    );
}

#[test]
fn families_and_documents_on_every_command() {
    netns::run(|_| {
        let port = fresh_port();
        let mut child = holder_of(port);
        let place = port.to_string();
        let exit = |arguments: &[&str]| command(arguments, 0).output().unwrap().status.code();
        assert_eq!(exit(&["wait", "-4", "--timeout", "0s", &place]), Some(0));
        assert_eq!(exit(&["wait", "-6", "--timeout", "0s", &place]), Some(1));
        let only_v6 = Options {
            v6only: true,
            ..tcp(Ipv6Addr::UNSPECIFIED.into())
        };
        let other = fresh_port();
        let _only_v6 = only_v6.bound(other);
        assert_eq!(exit(&["free", "-4", &other.to_string()]), Some(0));
        assert_eq!(exit(&["free", "-6", &other.to_string()]), Some(1));
        assert_eq!(exit(&["free", &other.to_string()]), Some(1));
        assert_eq!(exit(&["reach", "-6", &format!("127.0.0.1:{port}")]), Some(2));
        assert_eq!(exit(&["kill", "-6", "--yes", &place]), Some(1));
        let planned = run(&["kill", "-4j", "--dry-run", &place], 0);
        assert_eq!(
            (&planned["dry_run"], &planned["targets"][0]["ports_free"]),
            (&true.into(), &Value::Null)
        );
        let done = run(&["kill", "-j", "--yes", &place], 0);
        child.wait().unwrap();
        let target = &done["targets"][0];
        assert_eq!(done["schema"], "sockstat-kill/1");
        assert_eq!(
            (&target["pids"][0], &target["ports_free"]),
            (&child.id().into(), &true.into())
        );
        assert_eq!(target["sockets"][0], format!("0.0.0.0:{port}/tcp"));
        let options = Options {
            protocol: Protocol::Udp,
            ..tcp(any())
        };
        let _udp = options.bound(port);
        assert_eq!(exit(&["free", "-u", &place]), Some(1));
    });
}
