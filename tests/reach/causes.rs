//! All other causes that keep a connection from arriving, each one really set up.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, listen, socket, socket_with, sockopt,
};
use serde_json::Value;

use crate::compare::set_up;
use crate::connect::{Met, Try, meet};
use crate::single::{SOCKSTAT, answer, nft, step, text};

fn place(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A TCP socket that is bound and listens with this backlog.
fn listener(local: &str, backlog: i32, set: impl FnOnce(&OwnedFd)) -> OwnedFd {
    let local = place(local);
    let family = if local.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = socket(family, SocketType::STREAM, None).unwrap();
    set(&socket);
    bind(&socket, &local).unwrap();
    listen(&socket, backlog).unwrap();
    socket
}

#[track_caller]
fn is(answer: &Value, outcome: &str, verdict: &str) {
    assert_eq!(answer["outcome"], outcome, "{answer:#}");
    assert_eq!(answer["verdict"], verdict, "{answer:#}");
}

#[test]
fn there_is_no_way_back() {
    let Some((stage, _servers)) = set_up() else { return };
    let said = text(&stage, &["--from", "198.51.100.1%s0", "10.77.0.1:80"]);
    assert!(
        said.starts_with(
            "No: it would time out, it arrives, but the answer is stopped by the routing table: no route."
        ),
        "{said}"
    );
    // A client behind a router, with a way back.
    stage.server.sh("ip route add 198.51.100.0/24 via 10.77.0.2");
    let back = answer(&stage, &["--from", "198.51.100.1", "10.77.0.1:80"]);
    is(&back, "connected", "accepted");
    // Errors of the routing table that reach the client.
    stage.server.sh("ip route add prohibit 203.0.113.0/24");
    let prohibited = answer(&stage, &["203.0.113.1:80"]);
    assert_eq!(
        step(&prohibited, "route")["sentence"],
        "prohibited (EACCES)",
        "{prohibited:#}"
    );
}

#[test]
fn the_interface_is_down() {
    let Some((stage, _servers)) = set_up() else { return };
    stage.server.sh("ip link set s1 down");
    let down = answer(&stage, &["--from", "10.78.0.2%s1", "10.77.0.1:80"]);
    assert_eq!(down["outcome"], "timeout", "{down:#}");
    assert_eq!(step(&down, "interface")["sentence"], "s1 is down", "{down:#}");
    assert!(down["unknown_because"].as_array().unwrap().is_empty(), "{down:#}");
}

#[test]
fn the_listener_is_another_one() {
    let Some((stage, _servers)) = set_up() else { return };
    let kept = stage.server.inside(|| {
        [
            listener("[::]:91", 5, |socket| {
                sockopt::set_ipv6_v6only(socket, true).unwrap();
            }),
            listener("10.78.0.1:92", 5, |_| {}),
            listener("127.0.0.1:93", 5, |_| {}),
        ]
    });
    is(&answer(&stage, &["10.77.0.1:91"]), "refused", "v6only");
    is(&answer(&stage, &["[fd77::1]:91"]), "connected", "accepted");
    is(
        &answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:92"]),
        "refused",
        "other-address",
    );
    is(
        &answer(&stage, &["--from", "10.77.0.2", "10.78.0.1:92"]),
        "connected",
        "accepted",
    );
    is(
        &answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:93"]),
        "refused",
        "only-loopback",
    );
    is(&answer(&stage, &["10.77.0.1:94"]), "refused", "nothing-listens");
    let said = answer(&stage, &["10.77.0.1:91"]);
    assert_eq!(step(&said, "listener")["ok"], false, "{said:#}");
    drop(kept);
}

#[test]
fn the_listener_is_bound_to_a_device() {
    let Some((stage, _servers)) = set_up() else { return };
    let link = stage.server.run("ip", &["-o", "link", "show", "s1"], "").unwrap();
    let index = link.split(':').next().unwrap().parse().unwrap();
    let kept = stage.server.inside(|| {
        listener("0.0.0.0:95", 5, |socket| {
            crate::program::bind_to_device(socket, index);
        })
    });
    is(
        &answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:95"]),
        "refused",
        "other-device",
    );
    // It depends on the interface through which a client arrives, not on the address that it requests.
    is(
        &answer(&stage, &["--from", "10.78.0.2", "10.77.0.1:95"]),
        "connected",
        "accepted",
    );
    let met = stage.client.inside(|| TcpStream::connect("10.77.0.1:95").is_ok());
    let behind = stage
        .backend
        .inside(|| TcpStream::connect("10.77.0.1:95").is_ok());
    assert_eq!((met, behind), (false, true));
    drop(kept);
}

#[test]
fn queues_are_full() {
    let Some((stage, _servers)) = set_up() else { return };
    let kept = stage.server.inside(|| listener("0.0.0.0:96", 1, |_| {}));
    is(
        &answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:96"]),
        "connected",
        "accepted",
    );
    let clients = stage
        .client
        .inside(|| [0; 2].map(|_| TcpStream::connect("10.77.0.1:96").unwrap()));
    // The second one is in the queue when its last packet of the handshake has arrived.
    crate::attempts::eventually(|| {
        let full = answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:96"]);
        if full["verdict"] == "queue-full" {
            Ok(())
        } else {
            Err(format!("{full:#}"))
        }
    });
    let full = answer(&stage, &["--from", "10.77.0.2", "10.77.0.1:96"]);
    is(&full, "timeout", "queue-full");
    assert_eq!(
        step(&full, "accept queue")["sentence"],
        "2 waiting, the limit is 1",
        "{full:#}"
    );
    assert_eq!(step(&full, "accept queue")["ok"], false);
    assert!(
        step(&full, "SYN queue")["sentence"]
            .as_str()
            .unwrap()
            .contains("half open"),
        "{full:#}"
    );
    assert!(step(&full, "drops")["sentence"].is_string(), "{full:#}");
    drop((clients, kept));
}

/// A real queue of handshakes that the client never completes, because it drops the answers.
#[test]
fn the_syn_queue_is_full() {
    let Some((stage, servers)) = set_up() else { return };
    stage
        .client
        .run(
            "nft",
            &["-f", "-"],
            "table inet f { chain i { type filter hook prerouting priority -300; \
             tcp flags & (syn|ack) == syn|ack drop; }; }",
        )
        .unwrap();
    stage
        .server
        .sh("sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=4");
    let from_behind = || answer(&stage, &["--from", "10.78.0.2", "10.78.0.1:80"]);
    let met = || {
        let mut tries = [stage
            .backend
            .inside(|| Try::begin(true, place("10.78.0.1:80"), 0))];
        meet(&mut tries, &servers)[0]
    };
    let half_open = |count: usize, port: u16| {
        let begin = || Try::begin(true, SocketAddr::new("10.77.0.1".parse().unwrap(), port), 0);
        let kept: Vec<Try> = stage.client.inside(|| (0..count).map(|_| begin()).collect());
        kept
    };
    // A quarter of the four places is kept for clients that the server knows, but a fourth handshake still fits.
    let three = half_open(3, 80);
    crate::attempts::eventually(|| {
        queued(&from_behind(), "3 half open, the limit is 4, SYN cookies are off")
    });
    is(&from_behind(), "connected", "accepted");
    let fourth = half_open(1, 80);
    crate::attempts::eventually(|| {
        queued(&from_behind(), "4 half open, the limit is 4, SYN cookies are off")
    });
    let full = from_behind();
    is(&full, "unknown", "accepted");
    assert_eq!(step(&full, "SYN queue")["ok"], false, "{full:#}");
    assert_eq!(
        full["unknown_because"][0], "room in the SYN queue, which is full (4, and tcp_syncookies is 0)",
        "{full:#}"
    );
    assert_eq!(met(), Met::Timeout);
    let drops = from_behind();
    let drops = step(&drops, "drops")["sentence"].as_str().unwrap();
    assert!(
        drops.contains("TCPReqQFullDrop") || drops.contains("ListenDrops"),
        "{drops}"
    );
    // With cookies, the same queue keeps nobody out.
    stage.server.sh("sysctl -qw net.ipv4.tcp_syncookies=1");
    is(&from_behind(), "connected", "accepted");
    assert_eq!(met(), Met::Connected);
    drop((three, fourth));
    // The other limit: the listener's backlog.
    stage
        .server
        .sh("sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=4096");
    let kept = stage.server.inside(|| listener("0.0.0.0:97", 2, |_| {}));
    let two = half_open(2, 97);
    let from_behind = || answer(&stage, &["--from", "10.78.0.2", "10.78.0.1:97"]);
    crate::attempts::eventually(|| {
        queued(&from_behind(), "2 half open, the limit is 2, SYN cookies are off")
    });
    is(&from_behind(), "unknown", "accepted");
    drop((two, kept));
}

fn queued(answer: &Value, sentence: &str) -> Result<(), String> {
    if step(answer, "SYN queue")["sentence"] == sentence {
        Ok(())
    } else {
        Err(format!("{answer:#}"))
    }
}

/// All network namespaces share one limit of connection tracking, so a file is mounted over it: the count is real, the
/// limit is not.
#[test]
fn connection_tracking_is_full() {
    let Some((stage, _servers)) = set_up() else { return };
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; ct state new counter; }; }",
    );
    let connection = stage
        .client
        .inside(|| TcpStream::connect("10.77.0.1:80").unwrap());
    let script = "file=$(mktemp); echo 1 > $file; mount --bind $file /proc/sys/net/netfilter/nf_conntrack_max; rm $file; \
                  \"$0\" \"$@\" || true";
    let words = [
        "--mount",
        "sh",
        "-e",
        "-c",
        script,
        SOCKSTAT,
        "reach",
        "-j",
        "--from",
        "10.77.0.2",
        "10.77.0.1:80",
    ];
    let said = match stage.server.run("unshare", &words, "") {
        Ok(said) => said,
        Err(error) => {
            crate::skip::skip(&format!("nothing can be mounted over a sysctl: {}", error.trim()));
            return;
        }
    };
    let document: Value = serde_json::from_str(&said).unwrap();
    let full = &document["answers"][0];
    assert_eq!(full["outcome"], "unknown", "{full:#}");
    assert_eq!(step(full, "conntrack")["ok"], false, "{full:#}");
    assert!(
        full["unknown_because"][0]
            .as_str()
            .unwrap()
            .starts_with("room in the connection tracking table"),
        "{full:#}"
    );
    drop(connection);
}

#[test]
fn connections_that_hang_now_are_seen() {
    let Some((stage, _servers)) = set_up() else { return };
    stage
        .server
        .sh("ip neigh replace 10.77.0.99 dev s0 lladdr 02:00:00:00:00:99 nud permanent");
    let waiting = stage.server.inside(|| {
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::NONBLOCK,
            None,
        )
        .unwrap();
        let _ = connect(&socket, &place("10.77.0.99:80"));
        socket
    });
    let hanging = answer(&stage, &["10.77.0.99:80"]);
    let unanswered = step(&hanging, "unanswered")["sentence"].as_str().unwrap();
    assert!(unanswered.starts_with("1 in SYN-SENT to it, "), "{hanging:#}");
    let ports = step(&hanging, "local ports")["sentence"].as_str().unwrap();
    assert!(
        ports.starts_with("1 of ") && ports.ends_with("are in use towards it"),
        "{hanging:#}"
    );
    let said = text(&stage, &["10.77.0.99:80"]);
    assert!(said.contains("1 unanswered (SYN-SENT)"), "{said}");
    drop(waiting);
    // Towards this machine itself.
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; tcp dport 80 drop; }; }",
    );
    let waiting = stage.server.inside(|| {
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::NONBLOCK,
            None,
        )
        .unwrap();
        let _ = connect(&socket, &place("10.77.0.1:80"));
        socket
    });
    let own = answer(&stage, &["10.77.0.1:80"]);
    assert!(step(&own, "unanswered")["sentence"].is_string(), "{own:#}");
    drop(waiting);
}

#[test]
fn link_local_addresses_meet_the_rules_too() {
    let Some((stage, _servers)) = set_up() else { return };
    let link_local = |machine: &crate::stage::Machine, device: &str| {
        machine.sh(&format!(
            "ip addr add fe80::{} dev {device} nodad 2> /dev/null || true",
            if device == "s0" { "77" } else { "78" }
        ));
    };
    link_local(&stage.server, "s0");
    link_local(&stage.client, "c0");
    let from_there = ["--from", "fe80::78%s0", "[fe80::77%s0]:80"];
    is(&answer(&stage, &from_there), "connected", "accepted");
    is(&answer(&stage, &["[fe80::77%s0]:80"]), "connected", "accepted");
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; ip6 saddr fe80::78 tcp dport 80 drop; }; }",
    );
    let stopped = answer(&stage, &from_there);
    assert_eq!(stopped["outcome"], "timeout", "{stopped:#}");
    assert_eq!(
        stopped["culprit"]["rule"], "ip6 saddr fe80::78 tcp dport 80 drop",
        "{stopped:#}"
    );
    is(&answer(&stage, &["[fe80::77%s0]:80"]), "connected", "accepted");
    nft(
        &stage,
        "table inet f { chain o { type filter hook output priority 0; oifname \"s0\" tcp sport 80 reject with tcp reset; }; }",
    );
    is(&answer(&stage, &["[fe80::77%s0]:80"]), "connected", "accepted");
    assert_eq!(answer(&stage, &from_there)["outcome"], "timeout");
    nft(&stage, "");
    let met = stage.client.inside(|| {
        let index = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
        let line = index.lines().find(|line| line.ends_with("c0")).unwrap();
        let index = u32::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        let server = std::net::SocketAddrV6::new("fe80::77".parse().unwrap(), 80, 0, index);
        TcpStream::connect(server).is_ok()
    });
    assert!(met);
}

#[test]
fn the_source_of_a_names_addresses_is_shown() {
    let Some((stage, _servers)) = set_up() else { return };
    let _listener = stage.server.inside(|| TcpListener::bind("127.0.0.1:97").unwrap());
    let said = answer(&stage, &["localhost:97"]);
    let name = step(&said, "name")["sentence"].as_str().unwrap();
    assert!(
        name.starts_with("localhost is ") && name.contains("127.0.0.1"),
        "{name}"
    );
}
