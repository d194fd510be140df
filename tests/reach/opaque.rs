//! If something handles packets in a way that the rules cannot predict, the outcome is unknown and names it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::compare::set_up;
use crate::program::{Place, attach};
use crate::single::{SOCKSTAT, answer, nft, text};
use crate::skip::skip;
use crate::stage::Stage;

const FROM_THERE: [&str; 3] = ["--from", "10.77.0.2", "10.77.0.1:80"];

#[track_caller]
fn is_unknown(answer: &Value, because: &str) {
    assert_eq!(answer["outcome"], "unknown", "{answer:#}");
    let reasons = answer["unknown_because"].as_array().unwrap();
    let named = |reason: &&Value| reason.as_str().is_some_and(|reason| reason.contains(because));
    assert!(
        reasons.iter().any(|reason| named(&reason)),
        "{because}: {answer:#}"
    );
    let steps = answer["steps"].as_array().unwrap();
    let is_step =
        |step: &&Value| step["step"] == "program" && step["ok"].is_null() && named(&&step["sentence"]);
    assert!(steps.iter().any(|step| is_step(&step)), "{because}: {answer:#}");
}

#[track_caller]
fn connects(answer: &Value) {
    assert_eq!(answer["outcome"], "connected", "{answer:#}");
    assert_eq!(answer["unknown_because"], Value::Array(Vec::new()));
}

fn index_of(stage: &Stage, interface: &str) -> i32 {
    let link = stage
        .server
        .run("ip", &["-o", "link", "show", interface], "")
        .unwrap();
    link.split(':').next().unwrap().parse().unwrap()
}

#[test]
fn programs_of_an_interface_and_of_the_namespace() {
    let Some((stage, _servers)) = set_up() else { return };
    connects(&answer(&stage, &FROM_THERE));
    let interface = index_of(&stage, "s0");
    for (place, because) in [
        (Place::Xdp, "an XDP program on s0"),
        (Place::TcxEgress, "a BPF program of tcx on s0"),
        (Place::SocketLookup, "sk_lookup"),
    ] {
        let link = stage.server.inside(|| {
            let namespace = File::open("/proc/thread-self/ns/net").unwrap();
            let target = match place {
                Place::SocketLookup => namespace.as_raw_fd(),
                _ => interface,
            };
            attach(place, target)
        });
        match link {
            Ok(_link) => is_unknown(&answer(&stage, &FROM_THERE), because),
            Err(error) => skip(&format!("no {place:?} program: {error}")),
        }
        connects(&answer(&stage, &FROM_THERE));
    }
    let said = text(&stage, &[&FROM_THERE[..], &["--steps"]].concat());
    assert!(
        said.contains("program        ok  no XDP, tc or BPF program"),
        "{said}"
    );

    let filter = "tc qdisc add dev s0 clsact\n\
                  tc filter add dev s0 ingress protocol ip u32 match ip dport 80 0xffff flowid 1:1";
    match stage.server.run("sh", &["-e"], filter) {
        Ok(_) => is_unknown(&answer(&stage, &FROM_THERE), "a tc filter on s0"),
        Err(error) => skip(&format!("no tc filter: {}", error.trim())),
    }
    // Loopback takes another path.
    connects(&answer(&stage, &["127.0.0.1:80"]));
    let elsewhere = answer(&stage, &["10.77.0.1:80"])["elsewhere"].clone();
    assert_eq!(elsewhere[0]["interface"], "s0", "{elsewhere:#}");
    assert_eq!(elsewhere[0]["outcome"], "unknown", "{elsewhere:#}");
}

#[test]
fn bridges_and_their_ports() {
    let Some((stage, _servers)) = set_up() else { return };
    let bridge = "ip link add br0 type bridge\n\
                  ip addr del 10.77.0.1/24 dev s0\n\
                  ip link set s0 master br0\n\
                  ip addr add 10.77.0.1/24 dev br0\n\
                  ip link set br0 up";
    if let Err(error) = stage.server.run("sh", &["-e"], bridge) {
        skip(&format!("no bridge: {}", error.trim()));
        return;
    }
    let calls = |value: u8| {
        let switch = format!(
            "for tool in iptables ip6tables; do f=/proc/sys/net/bridge/bridge-nf-call-$tool; test ! -e $f || echo {value} > $f; done"
        );
        stage.server.sh(&switch);
    };
    calls(0);
    connects(&answer(&stage, &FROM_THERE));
    let port = answer(&stage, &["--from", "10.77.0.2%s0", "10.77.0.1:80"]);
    is_unknown(&port, "br0, of which s0 is a port");
    nft(
        &stage,
        "table bridge f { chain i { type filter hook input priority 0; ip daddr 10.77.0.1 drop; }; }",
    );
    is_unknown(
        &answer(&stage, &FROM_THERE),
        "rules of the bridge br0 (bridge f i)",
    );
    nft(
        &stage,
        "table netdev f { chain i { type filter hook ingress device s0 priority 0; tcp dport 80 drop; }; }",
    );
    is_unknown(
        &answer(&stage, &FROM_THERE),
        "rules of the device s0 (netdev f i)",
    );
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; tcp dport 81 drop; }; }",
    );
    connects(&answer(&stage, &FROM_THERE));
    if stage
        .server
        .run("cat", &["/proc/sys/net/bridge/bridge-nf-call-iptables"], "")
        .is_ok()
    {
        calls(1);
        is_unknown(&answer(&stage, &FROM_THERE), "br_netfilter");
    }
}

#[test]
fn ipsec_and_vrfs() {
    let Some((stage, _servers)) = set_up() else { return };
    let policy = "ip xfrm policy add src 10.77.0.2 dst 10.77.0.1 dir in tmpl proto esp mode transport";
    match stage.server.run("sh", &["-e"], policy) {
        Ok(_) => {
            is_unknown(&answer(&stage, &FROM_THERE), "an IPsec policy");
            connects(&answer(&stage, &["--from", "10.77.0.3", "10.77.0.1:80"]));
            connects(&answer(&stage, &["10.77.0.1:80"]));
        }
        Err(error) => skip(&format!("no IPsec policy: {}", error.trim())),
    }
    stage.server.sh("ip xfrm policy flush 2> /dev/null || true");
    let vrf = "ip link add red type vrf table 10\nip link set red up\nip link set s0 master red";
    match stage.server.run("sh", &["-e"], vrf) {
        Ok(_) => is_unknown(&answer(&stage, &FROM_THERE), "the VRF red"),
        Err(error) => skip(&format!("no VRF: {}", error.trim())),
    }
}

/// A cgroup, removed on drop.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(name: &str) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let line = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let Some(mount_point) = line.and_then(|line| line.split(' ').nth(4)) else {
            skip("no cgroup v2 is mounted");
            return None;
        };
        let directory = PathBuf::from(mount_point).join(format!("{name}-{}", std::process::id()));
        match fs::create_dir(&directory) {
            Ok(()) => Some(Self(directory)),
            Err(error) => {
                skip(&format!("cannot create a cgroup: {error}"));
                None
            }
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// A process that listens on port 90, until its standard input ends.
fn listener(stage: &Stage, cgroup: &Cgroup) -> Child {
    let script = "echo $$ > \"$1/cgroup.procs\"; exec \"$2\" --exact opaque::listens_until_its_input_ends --ignored --nocapture";
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net=/proc/{}/ns/net", stage.server.pid()))
        .args(["sh", "-c", script, "sh"])
        .arg(&cgroup.0)
        .arg(std::env::current_exe().unwrap());
    let piped = Stdio::piped;
    let mut child = command.stdin(piped()).stdout(piped()).spawn().unwrap();
    let mut said = String::new();
    let out = child.stdout.as_mut().unwrap();
    while !said.contains("listening") {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    child
}

#[test]
#[ignore = "a process of another test"]
fn listens_until_its_input_ends() {
    let _listener = TcpListener::bind(("::", 90)).unwrap();
    println!("listening");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn programs_of_a_cgroup() {
    let Some((stage, _servers)) = set_up() else { return };
    let Some(cgroup) = Cgroup::new("sockstat-reach") else {
        return;
    };
    let mut child = listener(&stage, &cgroup);
    let to_it = ["--from", "10.77.0.2", "10.77.0.1:90"];
    connects(&answer(&stage, &to_it));
    let directory = File::open(&cgroup.0).unwrap();
    match attach(Place::CgroupIngress, directory.as_raw_fd()) {
        Ok(_link) => {
            is_unknown(&answer(&stage, &to_it), "BPF programs of the listener's cgroup");
            connects(&answer(&stage, &FROM_THERE));
        }
        Err(error) => skip(&format!("no program for a cgroup: {error}")),
    }
    connects(&answer(&stage, &to_it));
    drop(child.stdin.take());
    child.wait().unwrap();

    // A client that belongs to such a cgroup.
    let link = attach(Place::CgroupConnect4, directory.as_raw_fd());
    let Ok(_link) = link else {
        skip("no program for a cgroup's clients");
        return;
    };
    let words = [
        "-c",
        "echo $$ > \"$1/cgroup.procs\"; \"$0\" reach -j 10.77.0.1:80; echo $$ > \"$1/../cgroup.procs\"",
        SOCKSTAT,
        cgroup.0.to_str().unwrap(),
    ];
    let said = stage.server.run("sh", &words, "").unwrap();
    let document: Value = serde_json::from_str(&said).unwrap();
    is_unknown(&document["answers"][0], "BPF programs of a client's cgroup");
    connects(&answer(&stage, &["10.77.0.1:80"]));
}
