//! Every socket that mksock created is a row, with the facts that the socket itself reported.

use serde_json::Value;

use super::sockets::{End, Sockets};

/// Families and states, unix names, and all ways to tear a connection down.
const SPECS: &[&str] = &[
    "tcp-listen",
    "tcp-listen:addr=0.0.0.0,backlog=7",
    "tcp-listen:addr=::,v6only=0",
    "tcp-listen:addr=::,v6only=1",
    "tcp-listen:addr=::1",
    "tcp-listen:addr=127.0.0.1,device=lo",
    "tcp-listen:queued=2",
    "tcp-listen:backlog=1,full=1",
    "tcp-listen:addr=::,mapped=1,queued=1",
    "tcp-bound",
    "tcp-bound:addr=::1",
    "tcp-pair:keepalive=1,unread=100,unacked=50",
    "tcp-pair:addr=::1",
    "tcp-pair:addr=::,mapped=1",
    "syn-sent",
    "syn-recv",
    "syn-recv:defer=1",
    "syn-recv:addr=::1",
    "fin-wait-1",
    "fin-wait-2",
    "close-wait",
    "last-ack",
    "closing",
    "time-wait",
    "time-wait:addr=::1",
    "orphan",
    "orphan:linger2=120",
    "orphan:state=closing",
    "mptcp-listen",
    "mptcp-pair",
    "udp",
    "udp:unread=512",
    "udp:addr=::,v6only=1",
    "udp:addr=::",
    "udp-connected",
    "udp-connected:addr=::1",
    "udplite",
    "raw",
    "raw:addr=::1,proto=58",
    "icmp",
    "unix-listen:path={dir}/listen",
    "unix-listen:path={dir}/queued,queued=2",
    "unix-listen:abstract=sockstat-it",
    "unix-seqpacket:path={dir}/seq",
    "unix-dgram:path={dir}/dgram",
    "unix-dgram",
    "unix-stream",
    "unix-pair",
    "unix-pair:type=dgram",
    "unix-stream-client:path={dir}/stream,unread=9",
];

/// Everything in every state with owners, as JSON.
pub(crate) const EVERYTHING: &[&str] = &["-a", "-p", "--json", "-A", "all"];

#[test]
fn every_socket_is_a_row_with_its_facts() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let rows = sockets.run(EVERYTHING).json()["sockets"]
        .as_array()
        .unwrap()
        .clone();
    let mut wrong = Vec::new();
    for end in &sockets.ends {
        match row_of(end, &rows) {
            None => wrong.push(format!("no row for {}: {}", end.role, end.said)),
            Some(row) => wrong.extend(differences(end, row)),
        }
    }
    assert!(wrong.is_empty(), "{}\n{rows:#?}", wrong.join("\n"));
}

#[test]
fn rows_name_the_network_namespace_and_are_in_the_stable_order() {
    let Some(sockets) = Sockets::make(&["udp", "tcp-pair:listener=1", "tcp-listen:port=9"]) else {
        return;
    };
    let rows = sockets.run(EVERYTHING).json()["sockets"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        rows.iter()
            .all(|row| row["netns"].as_u64() == Some(sockets.netns))
    );
    let order: Vec<_> = rows
        .iter()
        .filter(|row| row["protocol"] != "netlink")
        .map(|row| {
            let protocol = usize::from(row["protocol"] != "tcp");
            (protocol, row["state"] != "listen", row["local_port"].as_u64())
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");
}

/// The row of a socket: by inode, or by addresses and state where it has none.
pub(crate) fn row_of<'a>(end: &End, rows: &'a [Value]) -> Option<&'a Value> {
    let keys: &[&str] = if end.said["inode"].is_null() {
        &[
            "protocol",
            "state",
            "local_address",
            "local_port",
            "peer_address",
            "peer_port",
        ]
    } else if end.said["protocol"] == "raw" {
        &["protocol", "inode"]
    } else {
        // An MPTCP socket and its subflows share an inode.
        &["protocol", "inode", "local_port"]
    };
    rows.iter()
        .find(|row| keys.iter().all(|key| row[key] == end.said[key]))
}

/// The differences between the row and the socket.
fn differences(end: &End, row: &Value) -> Vec<String> {
    let keys = [
        "protocol",
        "family",
        "type",
        "state",
        "local_address",
        "local_port",
        "peer_address",
        "peer_port",
        "inode",
        "peer_inode",
        "cookie",
        "uid",
    ];
    let asked = keys
        .into_iter()
        .filter(|key| !end.said[key].is_null() || can_be_null(key));
    let mut differences: Vec<_> = asked
        .filter(|key| row[key_of(key, end)] != end.said[key])
        // Tables under /proc have no cookies: ICMP always comes from there, raw sockets sometimes.
        .filter(|key| *key != "cookie" || !row["cookie"].is_null() || !matches!(end.kind(), "icmp" | "raw"))
        .map(|key| {
            format!(
                "{} {}: {key} is {}, not {}",
                end.spec, end.role, end.said[key], row[key]
            )
        })
        .collect();
    let names = [&row["path"], &end.said["path"]].map(|name| name.as_str().map(bytes_of));
    if names[0] != names[1] {
        differences.push(format!(
            "{}: the name is {}, not {}",
            end.spec, end.said["path"], row["path"]
        ));
    }
    differences
}

/// getsockname of a raw socket gives its protocol as the port.
fn key_of<'a>(key: &'a str, end: &End) -> &'a str {
    if key == "local_port" && end.said["protocol"] == "raw" {
        "ip_protocol"
    } else {
        key
    }
}

/// The keys for which `null` means "nothing"; for others it means that the fact could not be read.
fn can_be_null(key: &str) -> bool {
    matches!(
        key,
        "local_address" | "local_port" | "peer_address" | "peer_port" | "inode"
    )
}

/// The bytes behind an escaped name; the `@` of an abstract one stands for NUL.
fn bytes_of(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match behind.strip_prefix('\\') {
            Some(_) => (b'\\', 1),
            None => (u8::from_str_radix(&behind[1..3], 16).unwrap(), 3),
        };
        bytes.push(byte);
        rest = &behind[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    if bytes.first() == Some(&b'@') {
        bytes[0] = 0;
    }
    bytes
}

#[test]
fn names_are_read_back() {
    assert_eq!(bytes_of("/a\\x0ab\\\\"), b"/a\nb\\");
    assert_eq!(bytes_of("@a\\xff"), b"\0a\xff");
    assert_eq!(bytes_of("\\x00a"), b"\0a");
}
