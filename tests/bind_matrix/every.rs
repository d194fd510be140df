//! Every verdict and every finding of `why`, each with a real server in that situation, as root and as an ordinary
//! user, and compared with the example in docs/why.md.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::net::{self, sockopt};
use serde_json::Value;
use sockstat::diagnose::bind::circumstance::Kind;
use sockstat::diagnose::bind::unix::verdict::UnixCode;
use sockstat::diagnose::bind::verdict::Code;
use sockstat::model::{Protocol, State};

use super::cgroups::Cgroup;
use super::netns;
use super::skip::skip;
use super::sockets::{Options, accept, local, tcp, wait_for_left_over};
use super::stage::Stage;
use super::stopped::stop;

/// The question, and the codes in the answer: for root, and for an ordinary user.
pub(crate) struct Asked {
    pub(crate) words: Vec<String>,
    root: &'static str,
    user: &'static str,
}

/// A situation; `None` if it cannot be created here, which has been reported.
pub(crate) struct Case {
    code: &'static str,
    pub(crate) play: fn(&mut Stage) -> Option<Asked>,
}

/// A question with the same answer for root and for others.
fn ask(words: &str, code: &'static str) -> Option<Asked> {
    ask_as(words, code, code)
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "every case ends with it, and some cannot be made"
)]
fn ask_as(words: &str, root: &'static str, user: &'static str) -> Option<Asked> {
    let words = words.split(' ').map(str::to_owned).collect();
    Some(Asked { words, root, user })
}

fn any() -> IpAddr {
    Ipv4Addr::UNSPECIFIED.into()
}

fn reuse(reuseaddr: bool, reuseport: bool) -> Options {
    Options {
        reuseaddr,
        reuseport,
        ..tcp(any())
    }
}

fn udp() -> Options {
    Options {
        protocol: Protocol::Udp,
        ..tcp(any())
    }
}

fn connected(port: u16) -> OwnedFd {
    let client = tcp(any()).open();
    net::connect(&client, &SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).unwrap();
    client
}

/// A listener in the cgroup of that name.
fn in_cgroup(stage: &mut Stage, program: &str, cgroup: &str) -> Option<()> {
    let cgroup = Cgroup::new(cgroup)?;
    let listener = tcp(any()).listening(stage.port);
    let pid = stage.give(program, [listener]);
    cgroup.take(pid);
    stage.keep(cgroup);
    Some(())
}

/// docker's state, as its daemon writes it: the container web-1 at 172.17.0.2 publishes the port.
fn docker_state(stage: &mut Stage) {
    let port = stage.port;
    let script = format!(
        r#"mount -t tmpfs none /var/lib && mkdir -p /var/lib/docker/containers/1 &&
        echo '{{"State":{{"Running":true}},"NetworkSettings":{{"Ports":{{"80/tcp":[{{"HostIp":"0.0.0.0","HostPort":"{port}"}}]}},"Networks":{{"bridge":{{"IPAddress":"172.17.0.2"}}}}}},"Name":"/web-1"}}' > /var/lib/docker/containers/1/config.v2.json &&
        exec "$@""#
    );
    stage.through_script(&script);
}

const PROXY: [&str; 6] = [
    "-c",
    "read line",
    "-container-ip",
    "172.17.0.2",
    "-container-port",
    "80",
];

#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    Case { code: "free", play: |stage| ask(&format!("why {}", stage.place()), "free") },
    Case { code: "listener", play: |stage| {
        let listener = tcp(Ipv6Addr::UNSPECIFIED.into()).listening(stage.port);
        stage.give("node", [listener]);
        ask(&format!("why {}", stage.place()), "listener")
    } },
    Case { code: "listener", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("node", [listener]);
        ask(&format!("why 127.0.0.1:{}", stage.port), "listener")
    } },
    Case { code: "bound", play: |stage| {
        let bound = tcp(any()).bound(stage.port);
        stage.give("java", [bound]);
        ask(&format!("why -4 {}", stage.place()), "bound")
    } },
    Case { code: "ephemeral", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        let client = connected(stage.port);
        let port = local(&client).port();
        stage.keep(accept(&listener));
        stage.keep(listener);
        stage.give("curl", [client]);
        ask(&format!("why -4 {port}"), "ephemeral")
    } },
    Case { code: "connected", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        let client = tcp(Ipv4Addr::LOCALHOST.into()).bound(31_000);
        net::connect(&client, &SocketAddr::new(Ipv4Addr::LOCALHOST.into(), stage.port)).unwrap();
        stage.keep(accept(&listener));
        stage.keep(listener);
        stage.give("rsh", [client]);
        ask("why -4 31000", "connected")
    } },
    Case { code: "accepted", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.keep(connected(stage.port));
        let server = accept(&listener);
        drop(listener);
        stage.give("nginx", [server]);
        ask(&format!("why -4 --no-reuseaddr {}", stage.port), "accepted")
    } },
    Case { code: "queued", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.keep(connected(stage.port));
        // The connection has the options that the listener had when the connection arrived.
        sockopt::set_socket_reuseport(&listener, true).unwrap();
        stage.give("node", [listener]);
        ask_as(&format!("why -4 --no-reuseaddr --reuseport {}", stage.port), "queued", "listener")
    } },
    Case { code: "orphan", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.keep(connected(stage.port));
        drop(accept(&listener));
        drop(listener);
        wait_for_left_over(stage.port, State::FinWait2);
        ask(&format!("why -4 {}", stage.port), "orphan")
    } },
    Case { code: "time-wait", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        let client = connected(stage.port);
        drop(accept(&listener));
        drop((client, listener));
        wait_for_left_over(stage.port, State::TimeWait);
        ask(&format!("why -4 {}", stage.port), "time-wait")
    } },
    Case { code: "time-wait", play: |stage| {
        let listener = reuse(true, false).listening(stage.port);
        let client = connected(stage.port);
        drop(accept(&listener));
        drop((client, listener));
        wait_for_left_over(stage.port, State::TimeWait);
        ask(&format!("why -4 {}", stage.port), "time-wait")
    } },
    Case { code: "shared-reuseaddr", play: |stage| {
        let bound = reuse(true, false).bound(stage.port);
        stage.give("java", [bound]);
        ask(&format!("why -4 --reuseaddr {}", stage.port), "shared-reuseaddr")
    } },
    Case { code: "shared-reuseport", play: |stage| {
        let listener = reuse(false, true).listening(stage.port);
        stage.give("nginx", [listener]);
        ask_as(&format!("why -4 --reuseport {}", stage.port), "shared-reuseport", "reuseport-mismatch")
    } },
    Case { code: "reuseport-mismatch", play: |stage| {
        let listener = reuse(false, true).listening(stage.port);
        stage.give("nginx", [listener]);
        ask(&format!("why -4 --reuseport --uid 1000 {}", stage.port), "reuseport-mismatch")
    } },
    Case { code: "order-dependent", play: |stage| {
        let options = |reuseaddr, reuseport| Options { reuseaddr, reuseport, ..udp() };
        let one = options(true, false).bound(stage.port);
        let two = options(true, true).bound(stage.port);
        stage.give("avahi", [one, two]);
        ask_as(&format!("why -4 -u --no-reuseaddr --reuseport {}", stage.port), "order-dependent", "reuseport-mismatch")
    } },
    Case { code: "unreadable", play: |stage| {
        let bound = reuse(true, false).bound(stage.port);
        stage.give("java", [bound]);
        ask_as(&format!("why -4 --reuseaddr --no-probe {}", stage.port), "shared-reuseaddr", "unreadable")
    } },
    Case { code: "no-ipv6", play: |stage| {
        stage.without_ipv6();
        ask(&format!("why [::1]:{}", stage.port), "no-ipv6")
    } },
    Case { code: "multicast-stream", play: |stage| ask(&format!("why [ff02::1%card]:{}", stage.port), "multicast-stream") },
    Case { code: "privileged-port", play: |_| ask_as("why 80", "free", "privileged-port") },
    Case { code: "mapped-v6only", play: |stage| ask(&format!("why --v6only [::ffff:127.0.0.1]:{}", stage.port), "mapped-v6only") },
    Case { code: "no-scope", play: |stage| ask(&format!("why [fe80::5]:{}", stage.port), "no-scope") },
    Case { code: "no-device", play: |stage| {
        assert_ne!(stage.card, 0);
        ask(&format!("why --device eth9 {}", stage.port), "no-device")
    } },
    Case { code: "address-not-local", play: |stage| ask(&format!("why 10.1.2.3:{}", stage.port), "address-not-local") },
    Case { code: "range-exhausted", play: |stage| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001").unwrap();
        stage.keep((tcp(any()).bound(40_000), tcp(any()).bound(40_001)));
        ask("why -4 0", "range-exhausted")
    } },
    Case { code: "hidden-owner", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("postgres", [listener]);
        ask_as(&format!("why -4 {}", stage.port), "listener", "hidden-owner")
    } },
    Case { code: "kernel-socket", play: |stage| {
        netns::vxlan(stage.port);
        let asked = ask_as(&format!("why -4 -u --no-reuseaddr {}", stage.port), "kernel-socket", "hidden-owner")?;
        let said = stage.ask(true, &as_json(&asked.words));
        // A process that even root may not inspect may be the owner as well.
        if String::from_utf8_lossy(&said.stdout).contains("\"hidden-owner\"") {
            skip("a process is shut to root: a socket of the kernel cannot be told");
            return None;
        }
        Some(asked)
    } },
    Case { code: "several-holders", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give_with("gunicorn", &["-c", "sleep 600 & echo ready; wait"], [listener]);
        ask_as(&format!("why -4 {}", stage.port), "several-holders", "hidden-owner")
    } },
    Case { code: "stopped-holder", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stop(stage.give("node", [listener]));
        ask_as(&format!("why -4 {}", stage.port), "stopped-holder", "hidden-owner")
    } },
    Case { code: "inherited-descriptor", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give_with("deploy", &["-c", "sleep 600 & echo ready; wait"], [listener]);
        ask_as(&format!("why -4 {}", stage.port), "inherited-descriptor", "hidden-owner")
    } },
    Case { code: "systemd-socket", play: |stage| {
        // This shell can close a descriptor of any number, so that sockstat does not hold the socket as well.
        let shell = stage.copy_of("/bin/bash", "systemd");
        let listener = tcp(any()).listening(stage.port);
        rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).unwrap();
        let script = format!(
            "mount -t tmpfs none /run && mkdir -p /run/systemd/system && echo 'ListenStream={}' > /run/systemd/system/web.socket && \"$@\" {}<&-; exit $?",
            stage.port,
            listener.as_raw_fd()
        );
        stage.keep(listener);
        stage.through(["unshare", "--mount", "--pid", "--fork", "--mount-proc", shell.to_str().unwrap(), "-c", &script, "systemd"]);
        ask_as(&format!("why -4 {}", stage.port), "systemd-socket", "hidden-owner")
    } },
    Case { code: "container-proxy", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give_with("docker-proxy", &PROXY, [listener]);
        docker_state(stage);
        ask_as(&format!("why -4 {}", stage.port), "container-proxy", "hidden-owner")
    } },
    Case { code: "container-proxy", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("dockerd", [listener]);
        docker_state(stage);
        ask_as(&format!("why -4 {}", stage.port), "container-proxy", "hidden-owner")
    } },
    Case { code: "container-proxy", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("rootlessport", [listener]);
        ask_as(&format!("why -4 {}", stage.port), "container-proxy", "hidden-owner")
    } },
    Case { code: "container", play: |stage| {
        in_cgroup(stage, "redis", &format!("docker-{}.scope", "0123456789abcdef".repeat(4)))?;
        ask_as(&format!("why -4 {}", stage.port), "container", "hidden-owner")
    } },
    Case { code: "service", play: |stage| {
        in_cgroup(stage, "apache2", "apache2.service")?;
        ask_as(&format!("why -4 {}", stage.port), "service", "hidden-owner")
    } },
    Case { code: "deleted-binary", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("api", [listener]);
        std::fs::remove_file(stage.directory.join("api")).unwrap();
        ask_as(&format!("why -4 {}", stage.port), "deleted-binary", "hidden-owner")
    } },
    Case { code: "elsewhere", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("node", [listener]);
        stage.leave();
        ask_as(&format!("why -4 {}", stage.port), "elsewhere", "free")
    } },
    Case { code: "reserved-port", play: |stage| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", stage.place()).unwrap();
        ask(&format!("why -4 {}", stage.port), "reserved-port")
    } },
    Case { code: "other-pid-namespace", play: |stage| {
        let listener = tcp(any()).listening(stage.port);
        stage.give("nginx", [listener]);
        stage.through(["unshare", "--pid", "--fork", "--mount-proc"]);
        ask(&format!("why -4 {}", stage.port), "other-pid-namespace")
    } },
    Case { code: "unix-listener", play: |stage| {
        let path = stage.directory.join("app.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        stage.give("gunicorn", [listener.into()]);
        ask(&format!("why {}", path.display()), "unix-listener")
    } },
    Case { code: "unix-bound", play: |stage| {
        let path = stage.directory.join("log");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        stage.give("rsyslogd", [socket.into()]);
        ask(&format!("why -u {}", path.display()), "unix-bound")
    } },
    Case { code: "unix-stale", play: |stage| {
        let path = stage.directory.join("app.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        ask_as(&format!("why {}", path.display()), "unix-stale", "unix-unseen")
    } },
    Case { code: "unix-elsewhere", play: |stage| {
        let path = stage.directory.join("app.sock");
        stage.keep(std::os::unix::net::UnixListener::bind(&path).unwrap());
        stage.leave();
        ask_as(&format!("why {}", path.display()), "unix-elsewhere", "unix-unseen")
    } },
    Case { code: "unix-unseen", play: |stage| {
        let path = stage.directory.join("app.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        ask_as(&format!("why {}", path.display()), "unix-stale", "unix-unseen")
    } },
    Case { code: "unix-other-file", play: |stage| {
        let path = stage.directory.join("notes");
        std::fs::write(&path, "").unwrap();
        ask(&format!("why {}", path.display()), "unix-other-file")
    } },
    Case { code: "unix-other-type", play: |stage| {
        let address = net::SocketAddrUnix::new_abstract_name(b"app").unwrap();
        let fd = net::socket_with(net::AddressFamily::UNIX, net::SocketType::DGRAM, net::SocketFlags::CLOEXEC, None).unwrap();
        net::bind(&fd, &address).unwrap();
        stage.give("agent", [fd]);
        ask("why @app", "unix-other-type")
    } },
    Case { code: "no-directory", play: |stage| {
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "no-directory")
    } },
    Case { code: "not-a-directory", play: |stage| {
        std::fs::write(stage.directory.join("notes"), "").unwrap();
        ask(&format!("why {}/notes/app.sock", stage.directory.display()), "not-a-directory")
    } },
    Case { code: "link-loop", play: |stage| {
        std::os::unix::fs::symlink("app", stage.directory.join("app")).unwrap();
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "link-loop")
    } },
    Case { code: "name-too-long", play: |stage| {
        std::os::unix::fs::symlink("x".repeat(300), stage.directory.join("app")).unwrap();
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "name-too-long")
    } },
    Case { code: "trailing-slash", play: |stage| {
        ask(&format!("why {}/app/", stage.directory.display()), "trailing-slash")
    } },
    Case { code: "directory-immutable", play: |stage| {
        mounted(stage, "mode=777", "chattr +i");
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "directory-immutable")
    } },
    Case { code: "read-only", play: |stage| {
        mounted(stage, "mode=777", "mount -o remount,ro");
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "read-only")
    } },
    Case { code: "no-sockets", play: |_| ask("why /proc/app.sock", "no-sockets") },
    Case { code: "full", play: |stage| {
        mounted(stage, "mode=777,nr_inodes=1", "ls");
        ask(&format!("why {}/app/app.sock", stage.directory.display()), "full")
    } },
    Case { code: "directory-forbidden", play: |stage| {
        ask_as(&format!("why {}/app.sock", stage.directory.display()), "free", "directory-forbidden")
    } },
    Case { code: "unreadable", play: |stage| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&stage.directory, std::fs::Permissions::from_mode(0o770)).unwrap();
        ask_as(&format!("why --uid 1000 {}/app.sock", stage.directory.display()), "unreadable", "unreadable")
    } },
];

/// Mounts a file system at `app`, and then runs a command about it.
fn mounted(stage: &mut Stage, options: &str, then: &str) {
    let at = stage.directory.join("app");
    std::fs::create_dir(&at).unwrap();
    let at = at.display();
    stage.through_script(&format!(
        "mount -t tmpfs -o {options} app {at} && {then} {at} >/dev/null && exec \"$@\""
    ));
}

pub(crate) fn as_json(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    words.insert(1, "-j".to_owned());
    words
}

/// Every code in the answers: verdicts and findings.
fn codes(document: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list(&document["answers"])
        .iter()
        .flat_map(|answer| {
            let findings = list(&answer["findings"]);
            let found: Vec<_> = findings.iter().map(|finding| word(&finding["code"])).collect();
            std::iter::once(word(&answer["verdict"])).chain(found)
        })
        .collect()
}

#[test]
fn every_code_has_a_case_and_its_place_in_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/why.schema.json")).unwrap();
    let listed = |part: &str, key: &str| -> Vec<String> {
        let list = schema["$defs"][part]["properties"][key]["enum"]
            .as_array()
            .unwrap();
        list.iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(listed("answer", "verdict"), Code::NAMES);
    assert_eq!(
        listed("unix_answer", "verdict"),
        UnixCode::ALL.map(UnixCode::name)
    );
    let findings = listed("finding", "code");
    for code in Kind::ALL.map(Kind::name) {
        assert!(
            findings.iter().any(|word| word == code),
            "{code} is not in the schema"
        );
    }
    for code in Code::NAMES
        .iter()
        .chain(&UnixCode::ALL.map(UnixCode::name))
        .chain(&Kind::ALL.map(Kind::name))
    {
        assert!(CASES.iter().any(|case| case.code == *code), "{code} has no case");
    }
}

#[test]
fn every_case_is_reported_correctly_to_root_and_others() {
    let documented = documented();
    let (mut compared, mut missing) = (Vec::new(), Vec::new());
    for case in CASES {
        let examples: Vec<_> = documented
            .iter()
            .filter(|(code, _)| code == case.code)
            .cloned()
            .collect();
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let telling = std::sync::Arc::clone(&told);
        netns::run(move |card| {
            let mut stage = Stage::new(card);
            let Some(asked) = (case.play)(&mut stage) else {
                return;
            };
            for (as_root, code) in [(true, asked.root), (false, asked.user)] {
                let output = stage.ask(as_root, &as_json(&asked.words));
                let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
                    panic!(
                        "{}: {error}: {}",
                        case.code,
                        String::from_utf8_lossy(&output.stderr)
                    )
                });
                let codes = codes(&document);
                if !codes.iter().any(|one| one == code) {
                    let reason = format!(
                        "{}: {code} is not in {codes:?} (root: {as_root}): {document}",
                        case.code
                    );
                    telling.lock().unwrap().push(Err(reason));
                }
                let output = stage.ask(as_root, &asked.words);
                let text = format!(
                    "$ sockstat {}\n{}",
                    asked.words.join(" "),
                    String::from_utf8(output.stdout).unwrap()
                );
                let text = text.replace(stage.is_in().to_str().unwrap(), "/run");
                if code == case.code {
                    telling.lock().unwrap().push(Ok(text));
                }
            }
        });
        let told: Vec<Result<String, String>> = told.lock().unwrap().clone();
        missing.extend(told.iter().filter_map(|told| told.clone().err()));
        let told: Vec<String> = told.into_iter().filter_map(Result::ok).collect();
        if told.is_empty() {
            continue;
        }
        let same = |example: &String| told.iter().any(|text| plain(text) == plain(example));
        if !examples.iter().any(|(_, example)| same(example)) {
            missing.push(format!("### {}\n{}", case.code, told.join("\n")));
        }
        compared.extend(examples.into_iter().filter(|(_, example)| same(example)));
    }
    assert!(
        missing.is_empty(),
        "not as expected, or not in docs/why.md:\n{}",
        missing.join("\n")
    );
    // An example that no case produced is out of date; skipped cases have been reported.
    for (code, example) in &documented {
        let skipped = !compared.iter().any(|(other, _)| other == code);
        assert!(
            skipped || compared.iter().any(|(_, other)| other == example),
            "nothing produces this example of {code}:\n{example}"
        );
    }
    eprintln!("{} examples of docs/why.md were produced", compared.len());
}

/// The examples of docs/why.md: indented text that begins with a command, below a heading that names a code.
fn documented() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut code = String::new();
    let mut inside = false;
    for line in include_str!("../../docs/why.md").lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            heading.trim_matches('`').clone_into(&mut code);
        }
        match line.strip_prefix("    ") {
            Some(text) if text.starts_with("$ ") && !code.is_empty() => {
                found.push((code.clone(), format!("{text}\n")));
                inside = true;
            }
            Some(text) if inside => {
                let (_, example) = found.last_mut().unwrap();
                example.push_str(text);
                example.push('\n');
            }
            None if inside && line.is_empty() => found.last_mut().unwrap().1.push('\n'),
            _ => inside = false,
        }
    }
    found
}

/// The text without the parts that differ between machines: numbers, the rows about a process, the path of sockstat.
fn plain(text: &str) -> String {
    let of_the_machine = ["  command ", "  user ", "  parents "];
    let lines = text
        .trim_end()
        .lines()
        .filter(|line| !line.contains("was not examined)"))
        .map(|line| {
            if let Some(label) = of_the_machine.into_iter().find(|label| line.starts_with(label)) {
                return label.to_owned();
            }
            let line = match (line.find("sudo "), line.find("sockstat why")) {
                (Some(sudo), Some(program)) if sudo < program => {
                    format!("{}{}", &line[..sudo + 5], &line[program..])
                }
                _ => line.to_owned(),
            };
            let mut out = String::new();
            for c in line.chars() {
                match c {
                    '0'..='9' if out.ends_with('0') => {}
                    '0'..='9' => out.push('0'),
                    c => out.push(c),
                }
            }
            // A longer or shorter port shifts the text after it.
            out.split("  ")
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("  ")
        });
    let text: Vec<_> = lines.collect();
    text.join("\n").trim_end().to_owned()
}
