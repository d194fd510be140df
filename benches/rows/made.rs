//! The sockets of a busy server, built in memory: measuring needs no privilege and no kernel.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sockstat::model::request::Wanted;
use sockstat::model::{Context, Owners, Row};
use sockstat::model::{Holder, HolderTable, Namespace, Process, Protocol, Socket, State};
use sockstat::source::netlink::{inet, unix};

/// Sockets in each measurement: a batch or two, so that they stay in the processor's cache, as in a run.
pub(crate) const SOCKETS: u32 = 500;
/// Processes that share them.
const PROCESSES: u32 = 20;
const FIRST_PID: u32 = 1_000;
const FIRST_INODE: u32 = 5_000_000;

/// `struct inet_diag_msg` of socket `number`, without attributes: every tenth a listener, every second of IPv6.
fn inet_message(number: u32) -> Vec<u8> {
    let listens = number.is_multiple_of(10);
    let v6 = number.is_multiple_of(2);
    let state = if listens { 10 } else { 1 };
    let port = if listens { number } else { 40_000 + number };
    let mut message = vec![if v6 { 10 } else { 2 }, state, u8::from(!listens) * 2, 0];
    let [.., high, low] = port.to_be_bytes();
    let peer_port: u16 = if listens { 0 } else { 443 };
    message.extend([high, low]);
    message.extend(peer_port.to_be_bytes());
    let peer = Ipv4Addr::from_bits(0x0a00_0000 + number * 7);
    for address in [Ipv4Addr::new(10, 1, 2, 3), peer] {
        let bytes = if v6 {
            address.to_ipv6_mapped().octets()
        } else {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            bytes
        };
        message.extend(bytes);
    }
    let queue = number % 3 * 1_000;
    // Interface, cookie, timer, queues, uid, inode.
    for word in [0, number + 1, 7, 30_000, queue, 0, 1_000, FIRST_INODE + number] {
        message.extend(word.to_ne_bytes());
    }
    message
}

fn push_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).expect("a short value");
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// Answers as for `-tan`, with the attributes that the kernel sends unrequested, which are ignored.
pub(crate) fn inet_messages() -> Vec<Vec<u8>> {
    let with_attributes = |number| {
        let mut message = inet_message(number);
        // INET_DIAG_SHUTDOWN, MARK, CGROUP_ID and SOCKOPT (linux 6.18 include/uapi/linux/inet_diag.h).
        push_attribute(&mut message, 8, &[0]);
        push_attribute(&mut message, 15, &0u32.to_ne_bytes());
        push_attribute(&mut message, 21, &1u64.to_ne_bytes());
        push_attribute(&mut message, 22, &[1, 2]);
        message
    };
    (0..SOCKETS).map(with_attributes).collect()
}

/// `struct unix_diag_msg` with a name, queues and a user.
pub(crate) fn unix_messages() -> Vec<Vec<u8>> {
    let message = |number: u32| {
        let mut message = vec![1, 1, 10, 0];
        for word in [FIRST_INODE + number, number + 1, 9] {
            message.extend(word.to_ne_bytes());
        }
        push_attribute(&mut message, 0, format!("/run/app/{number}.sock").as_bytes());
        push_attribute(&mut message, 4, &[0; 8]);
        push_attribute(&mut message, 7, &0u32.to_ne_bytes());
        message
    };
    (0..SOCKETS).map(message).collect()
}

/// The sockets of all messages, and their owners: two processes hold each listener, one each connection.
pub(crate) struct Made {
    pub(crate) sockets: Vec<Socket>,
    pub(crate) owners: Owners,
    pub(crate) context: Context,
}

impl Made {
    pub(crate) fn new() -> Self {
        let mut sockets = Vec::new();
        for message in inet_messages() {
            let mut socket = Socket::BLANK;
            assert!(inet::decode(
                &message,
                Protocol::Tcp,
                Wanted::Attributes,
                &mut socket
            ));
            sockets.push(socket);
        }
        let context = Context {
            processes: (FIRST_PID..FIRST_PID + PROCESSES)
                .map(|pid| (pid, process(pid)))
                .collect(),
            namespaces: vec![Namespace {
                inode: Some(4_026_531_840),
                name: None,
            }],
            ..Context::default()
        };
        let owners = Owners::new(HolderTable::new(holders(&sockets)), BTreeMap::new(), Vec::new());
        Self {
            sockets,
            owners,
            context,
        }
    }

    pub(crate) fn row<'a>(&'a self, socket: &'a Socket) -> Row<'a> {
        Row {
            socket,
            ownership: self.owners.of(socket),
            context: &self.context,
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.sockets.iter().map(|socket| self.row(socket))
    }
}

fn process(pid: u32) -> Process {
    let bytes = |text: &str| text.as_bytes().into();
    Process {
        pid,
        comm: bytes("worker"),
        program: bytes("worker"),
        exe: Some(bytes("/usr/local/bin/worker")),
        cmdline: Some(vec![bytes("worker"), bytes("--listen"), bytes("0.0.0.0:443")].into()),
        uid: Some(1_000),
        ..Process::default()
    }
}

pub(crate) fn holders(sockets: &[Socket]) -> Vec<Holder> {
    let mut holders = Vec::new();
    for (number, socket) in (0..).zip(sockets) {
        let inode = socket.inode.map_or(0, std::num::NonZeroU32::get);
        let of_listener = u32::from(socket.state == State::Listen);
        for more in 0..=of_listener {
            holders.push(Holder {
                inode,
                pid: FIRST_PID + (number + more) % PROCESSES,
                fd: 10 + number,
                tid: 0,
            });
        }
    }
    holders
}

/// Checks that the messages decode as intended, so that nothing else is measured.
pub(crate) fn check() {
    let made = Made::new();
    let last = made.sockets.last().and_then(Socket::inet).expect("an IP socket");
    assert_eq!(last.peer_port, 443);
    assert_eq!(last.local_address, IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)));
    let mapped = made.sockets.get(2).and_then(Socket::inet).expect("an IP socket");
    assert_eq!(
        mapped.local_address,
        IpAddr::V6(Ipv4Addr::new(10, 1, 2, 3).to_ipv6_mapped())
    );
    assert_ne!(mapped.peer_address, IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    assert!(made.rows().all(|row| !row.ownership.holders.is_empty()));
    let mut slot = Socket::BLANK;
    assert!(
        unix_messages()
            .iter()
            .all(|message| unix::decode(message, &mut slot))
    );
}
