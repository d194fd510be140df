//! Runs captured bytes through the decoders and writers and compares the text, for kernels and families that this
//! machine lacks, and for replies that no kernel should send.

mod bytes;
mod contexts;
mod dump;
mod hostile;
mod kernels;
mod keys;
mod proc;

use sockstat::model::request::Wanted;
use sockstat::model::{Context, Owners, Row};
use sockstat::model::{Protocol, Socket};
use sockstat::query::field::FIELDS;
use sockstat::render::json;
use sockstat::render::plain::Plain;
use sockstat::source::netlink::channel::{DumpError, replay};
use sockstat::source::netlink::{inet, smc, tipc, unix};

use bytes::{Inet, SEQUENCE, attribute, done};

/// The sockets of a recorded answer, and how it ended.
fn decode(protocol: Protocol, datagram: &[u8]) -> (Vec<Socket>, Result<(), DumpError>) {
    let mut sockets = Vec::new();
    let ended = replay(datagram, SEQUENCE, |payload| {
        let mut slot = Socket::BLANK;
        let decoded = match protocol {
            Protocol::Unix => unix::decode(payload, &mut slot),
            Protocol::Tipc => tipc::decode(payload, &mut slot),
            Protocol::Smc => smc::decode(payload, &mut slot),
            protocol => inet::decode(payload, protocol, Wanted::Details, &mut slot),
        };
        if decoded {
            sockets.push(slot);
        }
    });
    (sockets, ended)
}

fn with_rows(sockets: &[Socket], mut write: impl FnMut(&Row<'_>)) {
    let (owners, context) = (Owners::not_asked(), Context::default());
    for socket in sockets {
        write(&Row {
            socket,
            ownership: owners.of(socket),
            context: &context,
        });
    }
}

/// The plain lines with `-e` and `-o`, their blanks reduced to one.
fn plain(sockets: &[Socket]) -> Vec<String> {
    let form = Plain {
        netid: true,
        state: true,
        queues: true,
        timer: true,
        extended: true,
        ..Plain::default()
    };
    let mut out = Vec::new();
    with_rows(sockets, |row| form.push_row(&mut out, row));
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn json(sockets: &[Socket]) -> Vec<serde_json::Value> {
    let fields: Vec<_> = FIELDS.iter().map(|info| info.field).collect();
    let mut rows = Vec::new();
    with_rows(sockets, |row| {
        let mut out = Vec::new();
        json::push_row(&mut out, row, &fields);
        rows.push(serde_json::from_slice(&out).unwrap());
    });
    rows
}

#[test]
fn tcp_in_all_its_states() {
    let listener = Inet {
        rqueue: 2,
        wqueue: 128,
        uid: 33,
        ..Inet::between("0.0.0.0:80", "0.0.0.0:0", 10, 1)
    };
    let established = Inet {
        timer: 2,
        expires: 7_140_000,
        rqueue: 5,
        wqueue: 9,
        uid: 1000,
        interface: 7,
        ..Inet::between("10.0.0.2:4000", "192.0.2.1:443", 1, 2)
    };
    let retransmitting = Inet {
        timer: 1,
        retrans: 3,
        expires: 9_501,
        ..Inet::between("10.0.0.2:4001", "192.0.2.1:443", 4, 3)
    };
    let time_wait = Inet {
        timer: 3,
        expires: 59_000,
        ..Inet::between("10.0.0.2:4002", "192.0.2.1:443", 6, 0)
    };
    let v6 = Inet::between("[::]:22", "[::]:0", 10, 4);
    let mapped = Inet::between("[::ffff:10.0.0.2]:22", "[::ffff:192.0.2.1]:5000", 8, 5);
    // Newer kernels send attributes that are not known here, and longer ones than are: 250, and a SHUTDOWN of two bytes.
    let datagram = [
        listener.message(&[attribute(8, &[0])]),
        established.message(&[
            attribute(8, &[1, 0xff]),
            attribute(15, &0x2au32.to_ne_bytes()),
            attribute(250, b"future"),
        ]),
        retransmitting.message(&[attribute(8, &[2])]),
        time_wait.message(&[]),
        v6.message(&[attribute(8, &[0]), attribute(11, &[1])]),
        v6.message(&[attribute(8, &[0]), attribute(11, &[0])]),
        mapped.message(&[attribute(8, &[3])]),
        done(0),
    ]
    .concat();
    let (sockets, ended) = decode(Protocol::Tcp, &datagram);
    assert_eq!(ended, Ok(()));
    assert_eq!(
        plain(&sockets),
        [
            "tcp LISTEN 2 128 0.0.0.0:80 0.0.0.0:* uid:33 ino:1 sk:1001 <->",
            "tcp ESTAB 5 9 10.0.0.2%if7:4000 192.0.2.1:443 timer:(keepalive,119min,0) uid:1000 ino:2 sk:1002 fwmark:0x2a -->",
            "tcp FIN-WAIT-1 0 0 10.0.0.2:4001 192.0.2.1:443 timer:(on,9.501sec,3) ino:3 sk:1003 <--",
            "tcp TIME-WAIT 0 0 10.0.0.2:4002 192.0.2.1:443 timer:(timewait,59sec,0) ino:0 sk:1000",
            "tcp LISTEN 0 0 [::]:22 [::]:* ino:4 sk:1004 v6only:1 <->",
            "tcp LISTEN 0 0 *:22 *:* ino:4 sk:1004 v6only:0 <->",
            "tcp CLOSE-WAIT 0 0 [::ffff:10.0.0.2]:22 [::ffff:192.0.2.1]:5000 ino:5 sk:1005 ---",
        ]
    );
    let rows = json(&sockets);
    assert_eq!(rows[0]["accept_q"], 2);
    assert_eq!(rows[0]["backlog"], 128);
    assert!(rows[0]["recv_q"].is_null() && rows[0]["peer_port"].is_null());
    assert_eq!(rows[1]["recv_q"], 5);
    assert_eq!(rows[1]["cookie"], "1002");
    assert_eq!(rows[1]["mark"], 0x2a);
    assert_eq!(rows[1]["timer_expires_ms"], 7_140_000);
    assert_eq!(rows[2]["retransmits"], 3);
    assert!(
        rows[3]["uid"].is_null() && rows[3]["inode"].is_null(),
        "0 means nothing here: {}",
        rows[3]
    );
    assert_eq!(rows[4]["v6only"], true);
    assert_eq!(rows[4]["scope"], "all-v6");
    assert_eq!(rows[5]["scope"], "all");
}

#[test]
fn protocols_that_this_kernel_may_lack() {
    let udplite = Inet {
        rqueue: 512,
        ..Inet::between("127.0.0.1:5000", "0.0.0.0:0", 7, 1)
    }
    .message(&[]);
    let mptcp = Inet::between("10.0.0.2:80", "192.0.2.1:4000", 1, 2).message(&[]);
    let raw = Inet::between("0.0.0.0:1", "0.0.0.0:0", 7, 3).message(&[attribute(10, &[1])]);
    let of = |protocol, message: &[u8]| decode(protocol, &[message, &done(0)].concat()).0;
    assert_eq!(
        plain(&of(Protocol::Udplite, &udplite)),
        ["udplite UNCONN 512 0 127.0.0.1:5000 0.0.0.0:* ino:1 sk:1001"]
    );
    assert_eq!(
        plain(&of(Protocol::Mptcp, &mptcp)),
        ["mptcp ESTAB 0 0 10.0.0.2:80 192.0.2.1:4000 ino:2 sk:1002"]
    );
    assert_eq!(json(&of(Protocol::Raw, &raw))[0]["ip_protocol"], 1);
}

#[test]
fn unix_names_of_all_sorts() {
    let named = |kind, state, inode, name: &[u8]| bytes::unix(kind, state, inode, &[attribute(0, name)]);
    let queued = [10u32, 11].map(u32::to_ne_bytes).concat();
    let datagram = [
        bytes::unix(
            1,
            10,
            1,
            &[
                attribute(0, b"/run/app.sock\0"),
                attribute(
                    1,
                    &[77u32.to_ne_bytes(), (254u32 << 20 | 3).to_ne_bytes()].concat(),
                ),
                attribute(3, &queued),
                attribute(4, &[2u32.to_ne_bytes(), 128u32.to_ne_bytes()].concat()),
                attribute(6, &[0]),
                attribute(7, &1000u32.to_ne_bytes()),
            ],
        ),
        bytes::unix(1, 1, 2, &[attribute(2, &9u32.to_ne_bytes())]),
        named(2, 7, 3, b"\0abstract\xff\x1b"),
        named(5, 7, 4, b"/run/a b\nc\0"),
        named(2, 7, 5, &[b'x'; 108]),
        done(0),
    ]
    .concat();
    let (sockets, ended) = decode(Protocol::Unix, &datagram);
    assert_eq!(ended, Ok(()));
    let lines = plain(&sockets);
    assert_eq!(
        lines[0],
        "u_str LISTEN 2 128 /run/app.sock 1 * 0 <-> ino:77 dev:254/3 peers: 10 11"
    );
    assert_eq!(lines[1], "u_str ESTAB 0 0 * 2 * 9");
    assert_eq!(lines[2], r"u_dgr UNCONN 0 0 @abstract\xff\x1b 3 * 0");
    assert_eq!(lines[3], r"u_seq UNCONN 0 0 /run/a\x20b\x0ac 4 * 0");
    assert_eq!(lines[4], format!("u_dgr UNCONN 0 0 {} 5 * 0", "x".repeat(108)));
    assert_eq!(json(&sockets)[0]["uid"], 1000);
    assert_eq!(json(&sockets)[3]["path"], r"/run/a b\x0ac");
}

#[test]
fn short_and_damaged_answers_cost_only_themselves() {
    let good = Inet::between("127.0.0.1:1", "127.0.0.1:2", 1, 1).message(&[]);
    let short = bytes::message(20, &[2, 1, 0, 0, 0, 80]);
    let strange_family = bytes::message(20, &[&[99, 1, 0, 0][..], &[0; 68]].concat());
    let strange_state = bytes::message(20, &[&[2, 200, 0, 0][..], &[0; 68]].concat());
    // An attribute that claims to be longer than the message, and one that claims no length at all.
    let mut overlong =
        Inet::between("127.0.0.1:3", "127.0.0.1:4", 1, 2).message(&[attribute(15, &[1, 0, 0, 0])]);
    let at = overlong.len() - 8;
    overlong[at..at + 2].copy_from_slice(&500u16.to_ne_bytes());
    let mut empty =
        Inet::between("127.0.0.1:5", "127.0.0.1:6", 1, 3).message(&[attribute(15, &[1, 0, 0, 0])]);
    let at = empty.len() - 8;
    empty[at..at + 2].copy_from_slice(&0u16.to_ne_bytes());
    let datagram = [
        good,
        short,
        strange_family,
        strange_state,
        overlong,
        empty,
        done(0),
    ]
    .concat();
    let (sockets, ended) = decode(Protocol::Tcp, &datagram);
    assert_eq!(ended, Ok(()));
    let inodes: Vec<_> = sockets
        .iter()
        .filter_map(|socket| socket.inode)
        .map(std::num::NonZeroU32::get)
        .collect();
    assert_eq!(inodes, [1, 2, 3]);
}

#[test]
fn the_end_of_a_dump_is_reported() {
    let socket = Inet::between("127.0.0.1:1", "127.0.0.1:2", 1, 1).message(&[]);
    let missing_handler = decode(Protocol::Mptcp, &done(libc::ENOENT));
    assert_eq!(
        missing_handler,
        (Vec::new(), Err(DumpError::Kernel(libc::ENOENT)))
    );
    let (sockets, ended) = decode(Protocol::Tcp, &[&socket[..], &done(libc::ENOMEM)].concat());
    assert_eq!(
        (sockets.len(), ended),
        (1, Err(DumpError::Kernel(libc::ENOMEM))),
        "what came before counts"
    );
    let (sockets, ended) = decode(Protocol::Tcp, &socket);
    assert_eq!(
        (sockets.len(), ended),
        (1, Err(DumpError::Lost)),
        "no end was seen"
    );
}
