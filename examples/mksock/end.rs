//! One socket end and its JSON line.
//!
//! Keys: `spec role protocol family type state local_address local_port peer_address peer_port path inode peer_inode
//! cookie uid pid tid fd holders`. A value is `null` if it does not apply or cannot be known; `holders` is
//! `[[pid,tid,fd],…]`, empty for a socket that no descriptor refers to; `pid`, `tid` and `fd` are those of the first
//! holder. `path` is the name of a unix socket without the terminator, an abstract one with its leading NUL, as text
//! with `\xHH` for a backslash and for everything that is not printable ASCII. `cookie` is hexadecimal.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use anyhow::{Context as _, Result};
use rustix::net::{getpeername, getsockname, sockopt};

use crate::state::State;
use crate::sys;

/// A descriptor that refers to the socket.
#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) pid: i32,
    pub(crate) tid: i32,
    pub(crate) fd: i32,
}

impl Holder {
    /// A descriptor of the calling thread; `tid` is `pid` if the thread uses the file table of the process.
    pub(crate) fn in_process(fd: i32) -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self { pid, tid: pid, fd }
    }
}

/// What is known about one socket.
#[derive(Clone)]
pub(crate) struct End {
    pub(crate) spec: String,
    pub(crate) role: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) family: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) state: State,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) inode: Option<u64>,
    pub(crate) peer_inode: Option<u64>,
    pub(crate) cookie: Option<u64>,
    pub(crate) uid: Option<u32>,
    pub(crate) holders: Vec<Holder>,
    /// Further keys with numbers, for some kinds only.
    pub(crate) more: Vec<(&'static str, u64)>,
}

impl End {
    /// Queries the socket itself; the state is the one into which the caller brought it.
    pub(crate) fn of(spec: &str, role: &'static str, fd: BorrowedFd<'_>, state: State) -> Result<Self> {
        let stat = rustix::fs::fstat(fd).context("fstat of the socket")?;
        let (family, protocol, kind) = identity(fd)?;
        let is_unix = family == "unix";
        let is_inet = matches!(family, "inet" | "inet6");
        let local = if is_inet {
            getsockname(fd).context("getsockname")?.try_into().ok()
        } else {
            None
        };
        let peer = if is_inet {
            getpeername(fd).ok().flatten()
        } else {
            None
        };
        Ok(Self {
            spec: spec.to_owned(),
            role,
            protocol,
            family,
            kind,
            state,
            local,
            peer: peer.and_then(|address| address.try_into().ok()),
            path: if is_unix { unix_path(fd)? } else { None },
            inode: Some(stat.st_ino),
            peer_inode: None,
            cookie: sockopt::socket_cookie(fd).ok(),
            uid: Some(stat.st_uid),
            holders: vec![Holder::in_process(fd.as_raw_fd())],
            more: Vec::new(),
        })
    }

    /// The same connection seen from a socket that has no descriptor: no inode, no cookie, no owner.
    pub(crate) fn without_descriptor(&self, role: &'static str, state: State) -> Self {
        Self {
            role,
            state,
            inode: None,
            cookie: None,
            uid: None,
            holders: Vec::new(),
            ..self.clone()
        }
    }

    /// The other end of this connection before it is accepted: a socket of `family`.
    pub(crate) fn mirrored(&self, role: &'static str, family: &'static str, state: State) -> Self {
        let seen = |address: Option<SocketAddr>| match address {
            Some(SocketAddr::V4(v4)) if family == "inet6" => {
                Some(SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()))
            }
            other => other,
        };
        let other = self.without_descriptor(role, state);
        Self {
            family,
            local: seen(self.peer),
            peer: seen(self.local),
            ..other
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let ip = |address: Option<SocketAddr>| or_null(address.map(|a| format!("\"{}\"", a.ip())));
        let port = |address: Option<SocketAddr>| or_null(address.map(|a| a.port()));
        let first = self.holders.first();
        let holders: Vec<_> = self
            .holders
            .iter()
            .map(|h| format!("[{},{},{}]", h.pid, h.tid, h.fd))
            .collect();
        let pairs = [
            ("spec", json_string(&self.spec)),
            ("role", json_string(self.role)),
            ("protocol", json_string(self.protocol)),
            ("family", json_string(self.family)),
            ("type", json_string(self.kind)),
            ("state", json_string(self.state.name())),
            ("local_address", ip(self.local)),
            ("local_port", port(self.local)),
            ("peer_address", ip(self.peer)),
            ("peer_port", port(self.peer)),
            (
                "path",
                or_null(self.path.as_ref().map(|path| json_string(&escape(path)))),
            ),
            ("inode", or_null(self.inode)),
            ("peer_inode", or_null(self.peer_inode)),
            (
                "cookie",
                or_null(self.cookie.map(|cookie| format!("\"{cookie:x}\""))),
            ),
            ("uid", or_null(self.uid)),
            ("pid", or_null(first.map(|h| h.pid))),
            ("tid", or_null(first.map(|h| h.tid))),
            ("fd", or_null(first.map(|h| h.fd))),
            ("holders", format!("[{}]", holders.join(","))),
        ];
        let more = self.more.iter().map(|(key, value)| (*key, value.to_string()));
        let pairs: Vec<_> = pairs
            .into_iter()
            .chain(more)
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    }
}

/// Family, protocol and type, as the output names them.
fn identity(fd: BorrowedFd<'_>) -> Result<(&'static str, &'static str, &'static str)> {
    let ask = |name| sys::get_int(fd, libc::SOL_SOCKET, name).context("asking a socket what it is");
    let family = match ask(libc::SO_DOMAIN)? {
        libc::AF_UNIX => "unix",
        libc::AF_INET6 => "inet6",
        libc::AF_PACKET => "packet",
        libc::AF_NETLINK => "netlink",
        libc::AF_VSOCK => "vsock",
        libc::AF_XDP => "xdp",
        libc::AF_INET => "inet",
        _ => "other",
    };
    let kind = match ask(libc::SO_TYPE)? {
        libc::SOCK_STREAM => "stream",
        libc::SOCK_DGRAM => "dgram",
        libc::SOCK_SEQPACKET => "seqpacket",
        10 => "packet",
        _ => "raw",
    };
    let protocol = match (family, kind, ask(libc::SO_PROTOCOL)?) {
        ("inet" | "inet6", "raw", _) => "raw",
        ("unix" | "packet" | "netlink" | "vsock" | "xdp" | "other", ..) => family,
        (_, _, libc::IPPROTO_UDPLITE) => "udplite",
        (_, _, libc::IPPROTO_UDP) => "udp",
        (_, _, libc::IPPROTO_MPTCP) => "mptcp",
        (_, _, libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6) => "icmp",
        _ => "tcp",
    };
    Ok((family, protocol, kind))
}

fn unix_path(fd: BorrowedFd<'_>) -> Result<Option<Vec<u8>>> {
    let mut path = sys::unix_name(fd).context("getsockname")?;
    if path.first() != Some(&0) {
        while path.last() == Some(&0) {
            path.pop();
        }
    }
    Ok(Some(path).filter(|path| !path.is_empty()))
}

fn or_null(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

/// Bytes as text: a backslash and everything that is not printable ASCII become `\xHH`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A JSON string with exactly this text.
pub(crate) fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => {
                // Writing into a String cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
    json
}
