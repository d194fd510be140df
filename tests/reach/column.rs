//! The column `reachable`, for listeners on ports that rules close or leave open.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt as _;

use serde_json::Value;

use crate::compare::set_up;
use crate::single::{SOCKSTAT, nft};
use crate::stage::Stage;

/// Runs the listing, which must succeed.
fn list(stage: &Stage, arguments: &[&str]) -> String {
    stage.server.run(SOCKSTAT, arguments, "").unwrap()
}

/// The value for a socket.
fn reachable(rows: &Value, place: &str) -> Value {
    let place: SocketAddr = place.parse().unwrap();
    let rows = rows["sockets"].as_array().unwrap();
    let is_it = |row: &&Value| {
        row["local_port"] == place.port() && row["local_address"] == place.ip().to_string().as_str()
    };
    rows.iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{place}: {rows:#?}"))["reachable"]
        .clone()
}

#[test]
fn every_listener_has_an_answer_in_every_form() {
    let Some((stage, _servers)) = set_up() else { return };
    let (kept, device) = stage.server.inside(|| {
        let tcp = [
            "127.0.0.1:70",
            "[::1]:70",
            "10.77.0.1:71",
            "0.0.0.0:72",
            "0.0.0.0:73",
        ];
        let tcp = tcp.map(|place| TcpListener::bind(place).unwrap());
        let device = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        rustix::net::bind(&device, &"0.0.0.0:74".parse::<SocketAddr>().unwrap()).unwrap();
        ((tcp, UdpSocket::bind("0.0.0.0:73").unwrap()), device)
    });
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; policy drop; iifname \"lo\" accept; \
         ct state established,related accept; tcp dport { 71, 80 } accept; iifname \"s1\" udp dport 73 accept; \
         tcp dport 72 limit rate 1/minute accept; }; }",
    );
    let document = list(&stage, &["-tula", "-j", "--add", "reachable"]);
    let rows: Value = serde_json::from_str(&document).unwrap();
    for (place, answer) in [
        ("127.0.0.1:70", "loopback"),
        ("[::1]:70", "loopback"),
        ("10.77.0.1:71", "yes"),
        ("0.0.0.0:72", "unknown"),
        ("[::]:80", "yes"),
        ("[::]:8080", "filtered"),
    ] {
        assert_eq!(reachable(&rows, place), answer, "{place}");
    }
    assert!(rows["complete"].as_bool().unwrap(), "{rows:#}");
    let csv = list(
        &stage,
        &[
            "-tl",
            "--csv",
            "--columns",
            "local_port,reachable",
            "sport",
            "=",
            ":73",
        ],
    );
    assert_eq!(csv, "local_port,reachable\r\n73,filtered\r\n");
    let csv = list(
        &stage,
        &[
            "-ul",
            "--csv",
            "--columns",
            "local_port,reachable",
            "sport",
            "=",
            ":73",
        ],
    );
    assert_eq!(csv, "local_port,reachable\r\n73,yes\r\n");
    // As a filter, and as a group.
    let filtered = list(&stage, &["-tlH", "--columns", "local_port", "reachable = yes"]);
    let mut ports: Vec<&str> = filtered.lines().collect();
    ports.sort_unstable();
    assert_eq!(ports, ["71", "80"]);
    let groups = list(&stage, &["-tlH", "--by", "reachable"]);
    for word in ["loopback", "yes", "filtered", "unknown"] {
        assert!(groups.contains(word), "{groups}");
    }
    assert!(list(&stage, &["-tl", "--table", "--add", "reachable"]).contains("REACHABLE"));
    // A socket that is not a listener has no value, and without being requested the key is absent.
    let bound = list(
        &stage,
        &[
            "-ta",
            "-j",
            "--columns",
            "local_port,reachable",
            "sport",
            "=",
            ":74",
        ],
    );
    let bound: Value = serde_json::from_str(&bound).unwrap();
    assert!(bound["sockets"][0]["reachable"].is_null(), "{bound:#}");
    assert!(!list(&stage, &["-tl", "-j"]).contains("reachable"));
    drop((kept, device));
}

#[test]
fn each_namespace_is_judged_by_its_own_rules() {
    let Some((stage, _servers)) = set_up() else { return };
    nft(
        &stage,
        "table inet f { chain i { type filter hook input priority 0; iifname \"lo\" accept; tcp dport 80 drop; }; }",
    );
    let namespaces = [&stage.server, &stage.backend, &stage.client].map(|machine| machine.pid().to_string());
    let said = std::process::Command::new(SOCKSTAT)
        .args(["-tln", "-N", &namespaces.join(","), "--csv", "--columns"])
        .args([
            "netns,local_port,reachable",
            "sport = :80 and reachable != loopback",
        ])
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8(said.stdout).unwrap();
    let inode = |pid: &str| std::fs::metadata(format!("/proc/{pid}/ns/net")).unwrap().ino();
    let mut rows: Vec<&str> = text.lines().skip(1).collect();
    rows.sort_unstable();
    let mut expected = [
        format!("{},80,filtered", inode(&namespaces[0])),
        format!("{},80,yes", inode(&namespaces[1])),
    ];
    expected.sort_unstable();
    assert_eq!(rows, expected, "{text}");
}

#[test]
fn without_the_right_to_read_rules_nothing_but_loopback_is_known() {
    let Some((stage, _servers)) = set_up() else { return };
    let kept = stage.server.inside(|| TcpListener::bind("127.0.0.1:70").unwrap());
    let words = [
        "--bounding-set=-net_admin",
        "--inh-caps=-net_admin",
        SOCKSTAT,
        "-tl",
        "-j",
        "--add",
        "reachable",
    ];
    let rows: Value = serde_json::from_str(&stage.server.run("setpriv", &words, "").unwrap()).unwrap();
    assert_eq!(reachable(&rows, "127.0.0.1:70"), "loopback");
    assert_eq!(reachable(&rows, "[::]:80"), "unknown");
    let gaps = rows["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["code"] == "rules-unread"), "{gaps:#?}");
    drop(kept);
}

#[test]
fn only_the_listing_computes_it() {
    for words in [
        &["events", "--columns", "reachable"][..],
        &["kill", "reachable = yes"],
        &["-K", "reachable = yes"],
        &["snapshot", "reachable = yes"],
    ] {
        let output = std::process::Command::new(SOCKSTAT).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains("only in the listing"), "{words:?}: {said}");
    }
}
