//! The floors: the cost of the kernel alone. Each floor is this program run again, so that process start-up counts in
//! all of them.
//!
//! `tcp18 STATES EXT [PORT]` is one legacy dump of both TCP families; `tcp20 …` one dump for each family; `unix` a
//! dump of unix sockets; `walk` one thread that reads every link of /proc/*/fd. All only count. Numbers are
//! hexadecimal, ports decimal. Requests: linux 6.18 `include/uapi/linux/inet_diag.h` and `unix_diag.h`.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// The first argument of a floor run.
pub(crate) const WORD: &str = "--floor";

const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const DUMP_REQUEST: u16 = 0x301;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const HEADER: usize = 16;
const TCP: u8 = 6;
const FAMILIES: [u8; 2] = [2, 10];
/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_PEER` and `UDIAG_SHOW_RQLEN`, which ss requests.
const UNIX_SHOW: u32 = 0x1 | 0x4 | 0x10;

/// Runs one floor and prints how many sockets it found.
pub(crate) fn main(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = match words.as_slice() {
        ["walk"] => walk()?,
        ["unix"] => dump(&[(SOCK_DIAG_BY_FAMILY, unix_request())])?,
        ["tcp18", rest @ ..] => dump(&[(TCPDIAG_GETSOCK, Tcp::parse(rest)?.legacy())])?,
        ["tcp20", rest @ ..] => {
            let tcp = Tcp::parse(rest)?;
            dump(&FAMILIES.map(|family| (SOCK_DIAG_BY_FAMILY, tcp.by_family(family))))?
        }
        _ => bail!("unknown floor {words:?}"),
    };
    println!("{count}");
    Ok(())
}

struct Tcp {
    states: u32,
    ext: u8,
    port: Option<u16>,
}

impl Tcp {
    fn parse(words: &[&str]) -> Result<Self> {
        let (states, ext, port) = match words {
            [states, ext] => (states, ext, None),
            [states, ext, port] => (states, ext, Some(port.parse().context("port")?)),
            _ => bail!("a TCP floor takes STATES EXT [PORT]"),
        };
        Ok(Self {
            states: u32::from_str_radix(states, 16)?,
            ext: u8::from_str_radix(ext, 16)?,
            port,
        })
    }

    /// `inet_diag_req`: family, two lengths, extensions, socket id (48 bytes), states, dbs.
    fn legacy(&self) -> Vec<u8> {
        let mut body = vec![FAMILIES[0], 0, 0, self.ext];
        body.extend([0; 48]);
        body.extend(self.states.to_ne_bytes());
        body.extend([0; 4]);
        self.with_filter(body)
    }

    /// `inet_diag_req_v2`: family, protocol, extensions, pad, states, socket id (48 bytes).
    fn by_family(&self, family: u8) -> Vec<u8> {
        let mut body = vec![family, TCP, self.ext, 0];
        body.extend(self.states.to_ne_bytes());
        body.extend([0; 48]);
        self.with_filter(body)
    }

    /// Appends `INET_DIAG_REQ_BYTECODE` with one `INET_DIAG_BC_S_EQ` if a local port is requested.
    fn with_filter(&self, mut body: Vec<u8>) -> Vec<u8> {
        if let Some(port) = self.port {
            const BYTECODE: u16 = 1;
            const SOURCE_PORT_IS: u8 = 11;
            body.extend(12_u16.to_ne_bytes());
            body.extend(BYTECODE.to_ne_bytes());
            body.extend([SOURCE_PORT_IS, 8]);
            body.extend(12_u16.to_ne_bytes());
            body.extend([0, 0]);
            body.extend(port.to_ne_bytes());
        }
        body
    }
}

/// `unix_diag_req`: family, protocol, pad, states, inode, show, cookie.
fn unix_request() -> Vec<u8> {
    let mut body = vec![1, 0, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.extend([0; 4]);
    body.extend(UNIX_SHOW.to_ne_bytes());
    body.extend([0; 8]);
    body
}

/// Sends the requests one after the other on one socket; returns the number of records.
fn dump(requests: &[(u16, Vec<u8>)]) -> Result<u64> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )
    .context("cannot open a sock_diag socket")?;
    let mut buffer = vec![0; 64 * 1024];
    let mut count = 0;
    for (kind, body) in requests {
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(u32::try_from(HEADER + body.len())?.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(DUMP_REQUEST.to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        send(&socket, &message, SendFlags::empty())?;
        loop {
            let (bytes, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            let (records, done) = count_records(buffer.get(..bytes).unwrap_or_default())?;
            count += records;
            if done {
                break;
            }
        }
    }
    Ok(count)
}

/// Counts the records of one batch; true when the dump ended with it.
fn count_records(mut batch: &[u8]) -> Result<(u64, bool)> {
    let mut count = 0;
    while let Some((header, _)) = batch.split_first_chunk::<HEADER>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        ensure!(
            length >= HEADER && length <= batch.len(),
            "a netlink message of impossible length {length}"
        );
        if kind == DONE || kind == ERROR {
            let code = batch
                .get(HEADER..HEADER + 4)
                .and_then(|code| code.try_into().ok())
                .map_or(0, i32::from_ne_bytes);
            ensure!(
                code == 0,
                "the kernel refused the dump: {}",
                std::io::Error::from_raw_os_error(-code)
            );
            return Ok((count, true));
        }
        count += 1;
        batch = batch.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok((count, false))
}

/// Counts the descriptors of all processes that are sockets, and skips what may not be read.
fn walk() -> Result<u64> {
    let proc = directory(CWD, c"/proc").context("cannot open /proc")?;
    let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
    let mut processes = RawDir::new(&proc, &mut buffer);
    let mut count = 0;
    while let Some(entry) = processes.next() {
        let entry = entry?;
        if entry
            .file_name()
            .to_bytes()
            .first()
            .is_some_and(u8::is_ascii_digit)
            && let Ok(process) = directory(proc.as_fd(), entry.file_name())
            && let Ok(descriptors) = directory(process.as_fd(), c"fd")
        {
            count += count_sockets(&descriptors);
        }
    }
    Ok(count)
}

fn count_sockets(descriptors: &OwnedFd) -> u64 {
    let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
    let mut entries = RawDir::new(descriptors, &mut buffer);
    let mut count = 0;
    while let Some(Ok(entry)) = entries.next() {
        let mut target = [MaybeUninit::uninit(); 64];
        if let Ok((target, _)) = readlinkat_raw(descriptors, entry.file_name(), &mut target)
            && target.starts_with(b"socket:[")
        {
            count += 1;
        }
    }
    count
}

fn directory(at: BorrowedFd<'_>, name: &std::ffi::CStr) -> rustix::io::Result<OwnedFd> {
    openat(
        at,
        name,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}
