//! Waits until a socket has its state, according to the socket or the kernel's tables.
//!
//! If a descriptor reports the state, this waits for it. What only a table shows is polled, and each poll yields the
//! processor. Nothing here relies on elapsed time.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context as _, Result, bail};
use rustix::event::{Timespec, epoll};
use rustix::process::Pid;

use crate::end::End;
use crate::state::State;
use crate::sys;

/// How often to look for something before giving up.
const LOOKS: u32 = 100_000;
/// A socket that takes longer than this to change its state never will.
const HANGS_AFTER: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// Looks until `done` returns true; `what` completes the sentence "waited for …".
pub(crate) fn until(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..LOOKS {
        if done()? {
            return Ok(());
        }
        std::thread::yield_now();
    }
    bail!("waited in vain for {what}");
}

/// Waits until the first thread of a process has exited, which leaves it a zombie while others live.
pub(crate) fn until_zombie(pid: Pid) -> Result<()> {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    until("the first thread of a child to exit", || {
        let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Ok(stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z')))
    })
}

/// Waits until `TCP_INFO` of the socket shows the state.
pub(crate) fn until_state(fd: impl AsFd, state: State) -> Result<()> {
    let changes = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    // The kernel wakes whoever waits for the socket when its state changes, whatever can be read or written then.
    let each_change = epoll::EventFlags::ET | epoll::EventFlags::IN | epoll::EventFlags::OUT;
    epoll::add(&changes, &fd, epoll::EventData::new_u64(0), each_change)?;
    let mut events = Vec::with_capacity(1);
    while tcp_state(fd.as_fd())? != Some(state.number()) {
        events.clear();
        let woken = epoll::wait(
            &changes,
            rustix::buffer::spare_capacity(&mut events),
            Some(&HANGS_AFTER),
        )?;
        if woken == 0 {
            bail!("waited in vain for a TCP socket to be in {}", state.name());
        }
    }
    Ok(())
}

fn tcp_state(fd: BorrowedFd<'_>) -> Result<Option<u8>> {
    let mut info = [0; 8];
    let info = sys::get_option(fd, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info).context("TCP_INFO")?;
    Ok(info.first().copied())
}

/// Waits until every end is in its table under /proc, in its state and with its inode.
///
/// MPTCP sockets have no such table (their subflows have), and bound TCP sockets are in none.
pub(crate) fn until_listed(ends: &[End]) -> Result<()> {
    let mut missing = Vec::new();
    let waited = until("the sockets to be in the kernel's tables", || {
        let mut tables = BTreeMap::new();
        missing.clear();
        for end in ends.iter().filter(|end| has_table(end)) {
            if !is_listed(end, &mut tables)? {
                missing.push(format!("{} {}", end.role, end.to_json()));
            }
        }
        Ok(missing.is_empty())
    });
    waited.with_context(|| format!("not there: {}", missing.join("; ")))
}

/// VM and XDP sockets have no table, and netlink sockets without an address and bare ones are not in theirs.
fn has_table(end: &End) -> bool {
    let unbound = end.more.contains(&("portid", 0));
    let is_bare = end.role == "bare";
    !matches!(end.protocol, "mptcp" | "vsock" | "xdp") && end.state != State::Bound && !unbound && !is_bare
}

fn is_listed(end: &End, tables: &mut BTreeMap<String, Vec<u8>>) -> Result<bool> {
    let six = if end.family == "inet6" { "6" } else { "" };
    let path = format!("/proc/thread-self/net/{}{six}", end.protocol);
    if !tables.contains_key(&path) {
        let table = fs::read(&path).with_context(|| format!("reading {path}"))?;
        tables.insert(path.clone(), table);
    }
    let table = tables.get(&path).map_or(&[][..], Vec::as_slice);
    let mut lines = table.split(|&byte| byte == b'\n').map(String::from_utf8_lossy);
    Ok(lines.any(|line| {
        if matches!(end.family, "packet" | "netlink") {
            let inode = line.split_ascii_whitespace().last();
            inode.and_then(|inode| inode.parse().ok()) == end.inode
        } else if end.family == "unix" {
            unix_line(&line, end)
        } else {
            inet_line(&line, end)
        }
    }))
}

/// `Num: RefCount Protocol Flags Type St Inode Path`
fn unix_line(line: &str, end: &End) -> bool {
    line.split_ascii_whitespace()
        .nth(6)
        .and_then(|inode| inode.parse().ok())
        == end.inode
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
fn inet_line(line: &str, end: &End) -> bool {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [_, local, peer, state, _, _, _, _, _, inode, ..] = words[..] else {
        return false;
    };
    let no_peer = || end.local.map(|local| SocketAddr::new(unspecified(local.ip()), 0));
    address(local) == end.local
        && address(peer) == end.peer.or_else(no_peer)
        && u8::from_str_radix(state, 16) == Ok(end.state.number())
        && end.inode.is_none_or(|expected| inode.parse() == Ok(expected))
}

fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// An address of these tables: 32-bit words in the machine's order, in hexadecimal.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let mut octets = [0; 16];
    for (slot, index) in octets.chunks_exact_mut(4).zip((0..ip.len()).step_by(8)) {
        let word = u32::from_str_radix(ip.get(index..index + 8)?, 16).ok()?;
        slot.copy_from_slice(&word.to_ne_bytes());
    }
    let [a, b, c, d, ..] = octets;
    let ip = match ip.len() {
        8 => IpAddr::from([a, b, c, d]),
        32 => IpAddr::from(octets),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// The inode of the UDP socket on this local port, if the table has one.
pub(crate) fn udp_inode(port: u16) -> Result<Option<(SocketAddr, u64)>> {
    let table = fs::read_to_string("/proc/thread-self/net/udp").context("reading the UDP table")?;
    Ok(table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let local = address(words.nth(1)?).filter(|local| local.port() == port)?;
        Some((local, words.nth(7)?.parse().ok()?))
    }))
}
