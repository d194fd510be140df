//! Hand-made and random sockets, rows and filters for tests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;
use proptest::sample::select;

use crate::model::cgroup::Home;
use crate::model::request::ResolvedNames;
use crate::model::{Context, Ownership, Row};
use crate::model::{
    Endpoints, Family, Holder, InetPair, Names, Namespace, OwnerStatus, Process, Protocol, Socket, State,
    UnixPair,
};

/// A TCP socket; a port of 0 means none.
pub(crate) fn tcp(local: &str, local_port: u16, peer: &str, peer_port: u16, state: State) -> Socket {
    let pair = InetPair {
        local_address: local.parse().unwrap(),
        local_port,
        peer_address: peer.parse().unwrap(),
        peer_port,
        interface: None,
        v6only: None,
    };
    let family = if pair.local_address.is_ipv4() {
        Family::Inet
    } else {
        Family::Inet6
    };
    Socket {
        state,
        family,
        endpoints: Endpoints::Inet(pair),
        rqueue: Some(0),
        wqueue: Some(0),
        uid: Some(0),
        ..Socket::BLANK
    }
}

/// A unix stream listener with that name.
pub(crate) fn unix(name: &[u8]) -> Socket {
    Socket {
        protocol: Protocol::Unix,
        family: Family::Unix,
        state: State::Listen,
        endpoints: Endpoints::Unix(UnixPair {
            name: Some(name.into()),
            ..UnixPair::default()
        }),
        ..Socket::BLANK
    }
}

/// The names that the samples use: host `web` has two addresses, service `http` is 80, user `mark` 1000, interface
/// `eth0` 2, cgroup `/app` 77.
pub(crate) fn names() -> ResolvedNames {
    ResolvedNames {
        hosts: [(
            "web".to_owned(),
            vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        )]
        .into(),
        services: [("http".to_owned(), vec![80]), ("twice".to_owned(), vec![80, 443])].into(),
        users: [("mark".to_owned(), 1000)].into(),
        interfaces_by_name: false,
        late: false,
        interfaces: [("eth0".into(), 2)].into(),
        cgroups: [("/app".to_owned(), 77)].into(),
        files: BTreeMap::new(),
        local_port_range: Some((32768, 60999)),
    }
}

/// Processes 812 (nginx of root) and 900 (`python3.11 app.py` of mark).
pub(crate) fn context() -> Context {
    let process = |pid, comm: &str, program: &str, exe: Option<&str>, cmdline: &[&str], uid| Process {
        pid,
        comm: comm.as_bytes().into(),
        program: program.as_bytes().into(),
        exe: exe.map(|exe| exe.as_bytes().into()),
        cmdline: Some(cmdline.iter().map(|it| it.as_bytes().into()).collect()),
        uid: Some(uid),
        started_at: None,
        security_context: None,
        cgroup: None,
        home: Home::default(),
        parent: None,
        stop: None,
    };
    let nginx = process(
        812,
        "nginx",
        "nginx",
        Some("/usr/sbin/nginx"),
        &["nginx:", "master"],
        0,
    );
    let script = ["python3", "/srv/app.py", "--port", "80"];
    let app = process(
        900,
        "python3",
        "python3.11 app.py",
        Some("/usr/bin/python3.11"),
        &script,
        1000,
    );
    Context {
        processes: BTreeMap::from([(812, nginx), (900, app)]),
        names: Names {
            interfaces: BTreeMap::from([((0, 2), "eth0".into())]),
            users: BTreeMap::from([(0, "root".into()), (1000, "mark".into())]),
            cgroups: BTreeMap::from([(77, "/app".into())]),
            ..Names::default()
        },
        namespaces: vec![Namespace {
            inode: Some(4_026_531_840),
            name: Some("blue".into()),
        }],
        as_root: false,
        ..Context::default()
    }
}

pub(crate) fn holder(pid: u32, fd: u32) -> Holder {
    Holder {
        inode: 1,
        pid,
        fd,
        tid: 0,
    }
}

/// A row of the socket without known owners.
pub(crate) fn with_row<T>(socket: &Socket, ask: impl FnOnce(&Row<'_>) -> T) -> T {
    with_owners(socket, OwnerStatus::Hidden, &[], ask)
}

/// A row of the socket with these owners.
pub(crate) fn with_owners<T>(
    socket: &Socket,
    status: OwnerStatus,
    holders: &[Holder],
    ask: impl FnOnce(&Row<'_>) -> T,
) -> T {
    let ownership = Ownership {
        status,
        holders,
        may_be_more: false,
    };
    let context = context();
    ask(&Row {
        socket,
        ownership,
        context: &context,
    })
}

const ADDRESSES: &[&str] = &[
    "0.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "127.0.0.1",
    "::",
    "::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:0.0.0.0",
];
const PORTS: &[u16] = &[0, 1, 22, 80, 443, 8000, 40000, 65535];

/// IP sockets with few distinct values, so that filters match.
pub(crate) fn inet_socket() -> impl Strategy<Value = Socket> {
    let pair = (
        select(ADDRESSES),
        select(PORTS),
        select(ADDRESSES),
        select(PORTS),
        0u32..4,
    );
    let protocol = select(&[Protocol::Tcp, Protocol::Udp, Protocol::Raw, Protocol::Mptcp][..]);
    let facts = (0u64..3, proptest::option::of(0u32..20), 0u32..3);
    (pair, protocol, select(&State::ALL[..]), facts).prop_map(
        |(pair, protocol, state, (cgroup, mark, queue))| {
            let (local, local_port, peer, peer_port, interface) = pair;
            let local: IpAddr = local.parse().unwrap();
            // Both ends of a socket have its family.
            let peer = match (local, peer.parse().unwrap()) {
                (IpAddr::V4(_), IpAddr::V6(_)) => "10.0.0.1",
                (IpAddr::V6(_), IpAddr::V4(_)) => "::",
                _ => peer,
            };
            let mut socket = tcp(&local.to_string(), local_port, peer, peer_port, state);
            if let Endpoints::Inet(pair) = &mut socket.endpoints {
                pair.interface = NonZeroU32::new(interface);
            }
            socket.protocol = protocol;
            socket.cgroup_id = NonZeroU64::new(cgroup * 77);
            socket.mark = mark;
            socket.rqueue = Some(queue);
            socket
        },
    )
}

const CONDITIONS: &[&str] = &[
    "sport = 22",
    "dport != 80",
    "sport < 443",
    "dport > 80",
    "dport <= 0",
    "sport >= 8000",
    "local_port = 80",
    "peer_port < 1000",
    "peer_port = 0",
    "local_port in (1, 22-443)",
    "not peer_port in (0-22)",
    "dport = http",
    "dport ne twice",
    "src 10.0.0.1",
    "dst 10/8",
    "src 0.0.0.0/0",
    "dst [::/0]",
    "src [2001:db8::/32]:80",
    "src ::1",
    "dst web",
    "dst web:443",
    "local_address = 10.0.0.1",
    "peer_address = 0.0.0.0/0",
    "peer_address != ::/0",
    "dst = :443",
    "src *",
    "dst *:22",
    "src != 127.0.0.1",
    "dev eth0",
    "dev != 3",
    "interface = 0",
    "fwmark 5",
    "fwmark = 0x10/0xf0",
    "mark != 3",
    "mark > 3",
    "fwmark 0xff/0xf",
    "cgroup /app",
    "cgroup != /app",
    "state listen",
    "state = established",
    "state != connected",
    "exclude time-wait",
    "bucket",
    "tcp",
    "protocol = udp",
    "protocol in (tcp, raw)",
    "family = inet6",
    "family != inet",
    "recv_q gt 1",
    "recv_q = 0",
    "nginx",
    "pid = 812",
    "process like 'ngin*'",
    "has(owners)",
    "has(interface)",
    "has(peer_port)",
    "owner_status = hidden",
    "80",
    "8000-8100",
    ":443",
    "22/tcp",
    "1/raw",
    "10.0.0.1",
    "10/8:80",
    "::1",
    "/run/x",
    "local_port ~ /^4/",
    "path = /run/x",
    "inode = 5",
    "has(path)",
    "src inet6:::1",
    "src unix:*",
];

/// Random filters made of these conditions. Some leave no state to look for, which is an error.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let leaf = select(CONDITIONS).prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" or "))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}
