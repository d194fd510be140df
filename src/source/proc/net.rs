//! Parses the tables under /proc/net, for where sock_diag is not available: old or cut-down kernels, gVisor, seccomp,
//! SELinux, always for ICMP sockets, and with `--proc-root`.
//!
//! They are parsed as bytes, line by line: only malformed lines are skipped. They report less than sock_diag: no
//! cookies, interfaces, v6only flags or backlogs, and no TCP sockets that are only bound. A unix name with newlines can
//! forge lines here; only sock_diag is immune to that.
//!
//! Formats: proc_pid_net(5); linux 6.18 net/ipv4/tcp_ipv4.c (`get_tcp4_sock`), net/ipv4/udp.c, net/unix/af_unix.c.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::path::Path;

use super::ProcRoot;
use super::families::{netlink_line, packet_line};
use super::fdinfo::{hex, number};
use crate::model::request::Dump;
use crate::model::{
    Backend, Endpoints, Family, InetPair, Protocol, Socket, SocketType, State, Timer, TimerKind, UnixPair,
};
use crate::source::disk;
use crate::source::netlink::dump::Emit;
use crate::source::uapi::SO_ACCEPTCON;

/// `USER_HZ`: the clock tick of user space, on every architecture that matters here.
const TICK_MS: u64 = 10;
/// Number of sockets passed on together.
const BATCH: usize = 256;

/// The result of reading a protocol's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Tables that exist.
    pub read: u32,
    /// Malformed lines.
    pub odd_lines: u32,
}

/// Reads the sockets that `dump` wants from the tables below `root`, and passes them on in batches.
///
/// # Errors
/// If a table exists but cannot be read. A missing table (the kernel lacks the protocol) is not an error.
pub fn read(root: &ProcRoot, dump: &Dump, emit: &mut Emit<'_>) -> io::Result<Tables> {
    let mut tables = Tables::default();
    for (name, family) in files(dump) {
        let Some(text) = read_if_there(&root.net(name))? else {
            continue;
        };
        tables.read += 1;
        let mut batch = Vec::with_capacity(BATCH);
        for line in text
            .split(|byte| *byte == b'\n')
            .skip(1)
            .filter(|line| !line.is_empty())
        {
            let socket = match family {
                Family::Unix => unix_line(line),
                Family::Packet => packet_line(line),
                Family::Netlink => netlink_line(line),
                family => inet_line(line, dump.protocol, family),
            };
            match socket {
                Some(socket) if dump.wants(&socket) => batch.push(socket),
                Some(_) => {}
                None => tables.odd_lines += 1,
            }
            if batch.len() == BATCH {
                if emit(&mut batch).is_break() {
                    return Ok(tables);
                }
                batch.clear();
            }
        }
        if !batch.is_empty() && emit(&mut batch).is_break() {
            return Ok(tables);
        }
    }
    Ok(tables)
}

/// The files that hold a protocol's sockets.
fn files(dump: &Dump) -> Vec<(&'static str, Family)> {
    let names = match dump.protocol {
        Protocol::Tcp => ["tcp", "tcp6"],
        Protocol::Udp => ["udp", "udp6"],
        Protocol::Udplite => ["udplite", "udplite6"],
        Protocol::Raw => ["raw", "raw6"],
        Protocol::Icmp => ["icmp", "icmp6"],
        Protocol::Unix => return vec![("unix", Family::Unix)],
        Protocol::Packet => return vec![("packet", Family::Packet)],
        Protocol::Netlink => return vec![("netlink", Family::Netlink)],
        _ => return Vec::new(),
    };
    names
        .into_iter()
        .zip([(dump.v4, Family::Inet), (dump.v6, Family::Inet6)])
        .filter(|(_, (wanted, _))| *wanted)
        .map(|(name, (_, family))| (name, family))
        .collect()
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match disk::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// One line of an IP table: `sl local remote st tx:rx tr:when retrnsmt uid timeout inode ref pointer … [drops]`.
pub fn inet_line(line: &[u8], protocol: Protocol, family: Family) -> Option<Socket> {
    let mut columns = line
        .split(u8::is_ascii_whitespace)
        .filter(|column| !column.is_empty());
    let mut column = || columns.next();
    column()?;
    let (local_address, local_port) = endpoint(column()?, family)?;
    let (peer_address, peer_port) = endpoint(column()?, family)?;
    let tcp = protocol == Protocol::Tcp;
    // Closed TCP sockets are not in this table, so 7 does not mean bound.
    let state = State::from_kernel(u8::try_from(hex(column()?)?).ok()?, false)?;
    let (wqueue, rqueue) = split_hex(column()?)?;
    let (timer, when) = split_hex(column()?)?;
    let retransmits = hex(column()?)?;
    let uid = u32::try_from(number(column()?)?).ok()?;
    column()?;
    let inode = u32::try_from(number(column()?)?).ok()?;
    let drops = columns.next_back().filter(|_| !tcp).and_then(number);
    let timer = TimerKind::from_kernel(u8::try_from(timer).ok()?)
        .filter(|_| tcp)
        .map(|kind| Timer {
            kind,
            expires_ms: u32::try_from(when * TICK_MS).ok(),
            retransmits: u8::try_from(retransmits).unwrap_or(u8::MAX),
        });
    let minisock = matches!(state, State::TimeWait | State::SynRecv);
    Some(Socket {
        protocol,
        family,
        kind: Some(match protocol {
            Protocol::Tcp => SocketType::Stream,
            Protocol::Raw => SocketType::Raw,
            _ => SocketType::Dgram,
        }),
        state,
        endpoints: Endpoints::Inet(InetPair {
            local_address,
            local_port,
            peer_address,
            peer_port,
            interface: None,
            v6only: None,
        }),
        inode: NonZeroU32::new(inode),
        rqueue: u32::try_from(rqueue).ok(),
        wqueue: if tcp && state == State::Listen {
            None
        } else {
            u32::try_from(wqueue).ok()
        },
        uid: (!minisock).then_some(uid),
        timer,
        ip_protocol: (protocol == Protocol::Raw).then(|| local_port.to_le_bytes()[0]),
        drops,
        backend: Backend::ProcNet,
        ..Socket::BLANK
    })
}

/// One line of the unix table: `Num RefCount Protocol Flags Type St Inode Path`.
pub fn unix_line(line: &[u8]) -> Option<Socket> {
    let mut rest = line;
    let mut column = || {
        let trimmed = rest.trim_ascii_start();
        let end = memchr::memchr(b' ', trimmed).unwrap_or(trimmed.len());
        let (column, tail) = trimmed.split_at_checked(end)?;
        rest = tail;
        (!column.is_empty()).then_some(column)
    };
    let address = column()?;
    hex(address.strip_suffix(b":")?)?;
    column()?;
    column()?;
    let flags = hex(column()?)?;
    let kind = u8::try_from(hex(column()?)?).ok()?;
    let connected = hex(column()?)? == 3;
    let inode = u32::try_from(number(column()?)?).ok()?;
    let name = rest
        .strip_prefix(b" ")
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut name: Box<[u8]> = name.into();
            if let Some(first @ b'@') = name.first_mut() {
                *first = 0;
            }
            name
        });
    Some(Socket {
        protocol: Protocol::Unix,
        family: Family::Unix,
        kind: SocketType::from_kernel(kind),
        state: if flags & SO_ACCEPTCON != 0 {
            State::Listen
        } else if connected {
            State::Established
        } else {
            State::Unconnected
        },
        endpoints: Endpoints::Unix(UnixPair {
            name,
            ..UnixPair::default()
        }),
        inode: NonZeroU32::new(inode),
        backend: Backend::ProcNet,
        ..Socket::BLANK
    })
}

/// `ADDRESS:PORT` in hexadecimal; the address is printed as 32-bit words in host byte order.
fn endpoint(column: &[u8], family: Family) -> Option<(IpAddr, u16)> {
    let colon = memchr::memchr(b':', column)?;
    let (address, port) = column.split_at_checked(colon)?;
    let port = u16::try_from(hex(port.get(1..)?)?).ok()?;
    let word = |at: usize| Some(u32::try_from(hex(address.get(at..at + 8)?)?).ok()?.to_ne_bytes());
    let address = match (family, address.len()) {
        (Family::Inet, 8) => Ipv4Addr::from(word(0)?).into(),
        (Family::Inet6, 32) => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let mut octets = [0; 16];
            for (chunk, word) in octets.chunks_exact_mut(4).zip(words) {
                chunk.copy_from_slice(&word);
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some((address, port))
}

fn split_hex(column: &[u8]) -> Option<(u64, u64)> {
    let colon = memchr::memchr(b':', column)?;
    let (left, right) = column.split_at_checked(colon)?;
    Some((hex(left)?, hex(right.get(1..)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StateSet;
    use std::ops::ControlFlow;

    fn tcp(line: &str) -> Option<Socket> {
        inet_line(line.as_bytes(), Protocol::Tcp, Family::Inet)
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_with_a_timer_is_read() {
        let socket = tcp("   1: 0100007F:1F90 0200007F:C350 01 0000000A:00000003 01:00000016 00000002  1000        0 15840 2 0000000000000000 20 4 24 10 -1").unwrap();
        let pair = *socket.inet().unwrap();
        assert_eq!(
            (pair.local_address.to_string().as_str(), pair.local_port),
            ("127.0.0.1", 8080)
        );
        assert_eq!(
            (pair.peer_address.to_string().as_str(), pair.peer_port),
            ("127.0.0.2", 50000)
        );
        assert_eq!(
            (socket.rqueue, socket.wqueue, socket.uid),
            (Some(3), Some(10), Some(1000))
        );
        assert_eq!(
            socket.timer,
            Some(Timer {
                kind: TimerKind::On,
                expires_ms: Some(220),
                retransmits: 2
            })
        );
        assert_eq!(
            (socket.inode.map(NonZeroU32::get), socket.cookie),
            (Some(15840), None)
        );
        assert_eq!(socket.drops, None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_listener_has_no_known_limit_and_time_wait_no_user() {
        let listener = tcp("0: 00000000:0016 00000000:0000 0A 00000000:00000002 00:00000000 00000000 0 0 20 1 0 100 0 0 10 0").unwrap();
        assert_eq!((listener.accept_q(), listener.backlog()), (Some(2), None));
        let resting =
            tcp("9: 0100007F:0016 0100007F:0017 06 00000000:00000000 03:00000F00 00000000 0 0 0 3 0")
                .unwrap();
        assert_eq!((resting.uid, resting.inode), (None, None));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv6_udp_and_raw_lines_are_read() {
        let line = b"  5: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000500 00:00000000 00000000     0        0 77 2 0000000000000000 14";
        let socket = inet_line(line, Protocol::Udp, Family::Inet6).unwrap();
        assert_eq!(
            socket.inet().unwrap().local_address,
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        );
        assert_eq!(
            (socket.state, socket.rqueue, socket.drops),
            (State::Unconnected, Some(1280), Some(14))
        );
        let raw = inet_line(
            b"1: 00000000:0001 00000000:0000 07 0:0 00:0 0 0 0 5 2 0 0",
            Protocol::Raw,
            Family::Inet,
        )
        .unwrap();
        assert_eq!(raw.ip_protocol, Some(1));
    }

    #[test]
    fn unix_names_keep_blanks_and_arbitrary_bytes() {
        let name = |line: &[u8]| match unix_line(line).unwrap().endpoints {
            Endpoints::Unix(pair) => pair.name.map(Vec::from),
            _ => unreachable!(),
        };
        assert_eq!(
            name(b"ffff888000000000: 00000002 00000000 00010000 0001 01 20000 /run/a b  c"),
            Some(b"/run/a b  c".to_vec())
        );
        assert_eq!(
            name(b"0000000000000000: 00000002 00000000 00000000 0002 01   201 @\xff\xfe"),
            Some(b"\0\xff\xfe".to_vec())
        );
        assert_eq!(
            name(b"0000000000000000: 00000003 00000000 00000000 0001 03 20100"),
            None
        );
    }

    #[test]
    fn unix_states_come_from_flags_and_the_connection_state() {
        let state = |line: &str| unix_line(line.as_bytes()).map(|socket| (socket.state, socket.kind));
        assert_eq!(
            state("0: 2 0 00010000 0001 01 5 /x"),
            Some((State::Listen, Some(SocketType::Stream)))
        );
        assert_eq!(
            state("0: 3 0 00000000 0005 03 5"),
            Some((State::Established, Some(SocketType::Seqpacket)))
        );
        assert_eq!(
            state("0: 2 0 00000000 0002 01 5"),
            Some((State::Unconnected, Some(SocketType::Dgram)))
        );
    }

    #[test]
    fn a_malformed_line_is_skipped_alone() {
        let root = std::env::temp_dir().join(format!("sockstat-net-{}", std::process::id()));
        std::fs::create_dir_all(root.join("net")).unwrap();
        let table = b"Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 00010000 0001 01 5 /run/new\nline\n0: 2 0 00010000 0001 01 6 /run/b\n\xff\xfe\n";
        std::fs::write(root.join("net/unix"), table).unwrap();
        let mut inodes = Vec::new();
        let dump = Dump::new(Protocol::Unix, StateSet::ALL);
        let tables = read(&ProcRoot::given(root.clone()), &dump, &mut |sockets| {
            inodes.extend(
                sockets
                    .iter()
                    .filter_map(|socket| socket.inode)
                    .map(NonZeroU32::get),
            );
            ControlFlow::Continue(())
        });
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            tables.unwrap(),
            Tables {
                read: 1,
                odd_lines: 2
            }
        );
        assert_eq!(inodes, [5, 6]);
    }

    #[test]
    fn malformed_lines_are_rejected() {
        for line in [
            "",
            "0:",
            "0: 0100007F 0 0 0",
            "0: 0100007F:99999 0100007F:1 01 0:0 0:0 0 0 0 0",
            "0: ZZ:1 ZZ:1 01",
        ] {
            assert_eq!(tcp(line), None, "{line}");
        }
        assert_eq!(unix_line(b"ffff 2 0 0 1 1 5"), None);
    }
}
