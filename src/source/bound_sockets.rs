//! TCP sockets that are bound but neither listening nor connected, read through their descriptors. Before Linux 6.8, no
//! dump and no table lists them.
//!
//! Their facts are read from a copy of the descriptor, as in [`super::socket_options`].
#![allow(unsafe_code, reason = "rustix lacks some options of sockets")]

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use rustix::fs::fstat;
use rustix::net::{getpeername, getsockname, sockopt};

use super::disk;
use super::interfaces::any_socket;
use super::socket_options::{of_copy, on_copy};
use super::tape;
use super::tape::codec::recordable;
use crate::model::bind::SocketOptions;
use crate::model::{Backend, Endpoints, Family, Holder, InetPair, Protocol, Socket, SocketType, State};

/// What the descriptors of a socket that no dump lists show about it.
#[derive(Debug)]
pub enum Answer {
    /// It is bound.
    Bound(Box<Socket>, SocketOptions),
    /// It may be bound: it was connected once, and only some such sockets keep their port.
    MaybeBound(Box<Socket>),
    /// It is not bound, or belongs to another network namespace.
    NotBound,
    /// None of its descriptors could be copied.
    Unreadable,
}

/// What was read, as recordings store it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    is_bound: bool,
    was_connected: bool,
    v6: bool,
    address: IpAddr,
    port: u16,
    interface: u32,
    uid: u32,
    cookie: u64,
    reuseaddr: Option<bool>,
    reuseport: Option<bool>,
    v6only: Option<bool>,
}

recordable!(Facts {
    is_bound,
    was_connected,
    v6,
    address,
    port,
    interface,
    uid,
    cookie,
    reuseaddr,
    reuseport,
    v6only
});

/// Reads the first descriptor of `holders` that can be copied and is the socket with this inode.
pub fn ask(inode: NonZeroU32, protocol: Protocol, holders: &[Holder]) -> Answer {
    let facts = tape::fact(&format!("address of socket {inode}"), || read(inode, holders));
    match facts {
        None => Answer::Unreadable,
        Some(facts) if !facts.is_bound => Answer::NotBound,
        Some(facts) => {
            let (socket, options) = described(inode, protocol, &facts);
            let socket = Box::new(socket);
            if facts.was_connected {
                Answer::MaybeBound(socket)
            } else {
                Answer::Bound(socket, options)
            }
        }
    }
}

fn described(inode: NonZeroU32, protocol: Protocol, facts: &Facts) -> (Socket, SocketOptions) {
    let options = SocketOptions {
        reuseaddr: facts.reuseaddr,
        reuseport: facts.reuseport,
        v6only: facts.v6only,
    };
    let pair = InetPair {
        local_address: facts.address,
        local_port: facts.port,
        interface: NonZeroU32::new(facts.interface),
        v6only: facts.v6only,
        ..InetPair::UNSPECIFIED
    };
    let socket = Socket {
        protocol,
        family: if facts.v6 { Family::Inet6 } else { Family::Inet },
        kind: Some(SocketType::Stream),
        state: State::Bound,
        endpoints: Endpoints::Inet(pair),
        inode: Some(inode),
        cookie: NonZeroU64::new(facts.cookie),
        uid: Some(facts.uid),
        backend: Backend::Descriptor,
        ..Socket::BLANK
    };
    (socket, options)
}

fn read(inode: NonZeroU32, holders: &[Holder]) -> Option<Facts> {
    on_copy(holders, move |holder, copy| {
        // The descriptor may have been closed and reused since it was listed. Only a socket has a cookie; fstat of
        // another file could wait for its file system.
        let cookie = sockopt::socket_cookie(copy).ok()?;
        let stat = fstat(copy).ok()?;
        if stat.st_ino != u64::from(inode.get()) {
            return None;
        }
        let is_here = is_here(copy.as_fd(), holder)?;
        let local = getsockname(copy).ok().map(SocketAddr::try_from)?.ok()?;
        let v6 = local.is_ipv6();
        let (reuseaddr, reuseport, v6only) = of_copy(copy, v6);
        let is_in_a_dump = sockopt::socket_acceptconn(copy) == Ok(true) || getpeername(copy).is_ok();
        Some(Facts {
            is_bound: is_here && local.port() != 0 && !is_in_a_dump,
            was_connected: segments_out(copy.as_fd()) != 0,
            v6,
            address: local.ip(),
            port: local.port(),
            interface: option(copy.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX)
                .map_or(0, u32::from_ne_bytes),
            uid: stat.st_uid,
            cookie,
            reuseaddr,
            reuseport,
            v6only,
        })
    })
}

/// Whether a socket belongs to our network namespace; `None` if that cannot be read. Before 5.14, that of its process
/// is used instead.
fn is_here(copy: BorrowedFd<'_>, holder: &Holder) -> Option<bool> {
    let cookie = |fd| option::<8>(fd, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE);
    if let Some(its) = cookie(copy) {
        return Some(cookie(any_socket()?.as_fd())? == its);
    }
    let namespace = |path: &str| Some(disk::stat(path).ok()?.ino);
    let its = namespace(&format!("/proc/{}/ns/net", holder.pid))?;
    Some(its == namespace("/proc/thread-self/ns/net")?)
}

/// How many segments a TCP socket has sent; 0 if it was never connected.
fn segments_out(copy: BorrowedFd<'_>) -> u32 {
    const AT: usize = 136;
    let info = option::<{ AT + 4 }>(copy, libc::IPPROTO_TCP, libc::TCP_INFO);
    info.and_then(|info| info.last_chunk().copied())
        .map_or(0, u32::from_ne_bytes)
}

/// A socket option of exactly this length.
fn option<const BYTES: usize>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
) -> Option<[u8; BYTES]> {
    let mut value = [0; BYTES];
    let mut length = libc::socklen_t::try_from(BYTES).ok()?;
    // SAFETY: the kernel writes at most `length` bytes, which `value` has, and both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    (result == 0 && usize::try_from(length) == Ok(BYTES)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, bind, connect, listen, socket};

    fn answer(fd: &impl AsFd) -> Answer {
        let inode = u32::try_from(fstat(fd).unwrap().st_ino).unwrap();
        let holder = Holder {
            inode,
            pid: std::process::id(),
            fd: u32::try_from(fd.as_fd().as_raw_fd()).unwrap(),
            tid: 0,
        };
        ask(NonZeroU32::new(inode).unwrap(), Protocol::Tcp, &[holder])
    }

    #[test]
    fn our_own_socket_shows_whether_it_is_only_bound() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let fd = socket(AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
        assert!(matches!(answer(&fd), Answer::NotBound), "not bound yet");
        sockopt::set_socket_reuseaddr(&fd, true).unwrap();
        bind(&fd, &any).unwrap();
        let Answer::Bound(socket, options) = answer(&fd) else {
            panic!("it is bound")
        };
        let local = SocketAddr::try_from(getsockname(&fd).unwrap()).unwrap();
        let pair = socket.inet().unwrap();
        assert_eq!((pair.local_address, pair.local_port), (local.ip(), local.port()));
        assert_eq!(
            (options.reuseaddr, options.reuseport, options.v6only),
            (Some(true), Some(false), None)
        );
        assert_eq!(
            (socket.state, socket.uid, socket.cookie.map(NonZeroU64::get)),
            (
                State::Bound,
                Some(fstat(&fd).unwrap().st_uid),
                sockopt::socket_cookie(&fd).ok()
            )
        );
        listen(&fd, 1).unwrap();
        assert!(matches!(answer(&fd), Answer::NotBound), "it listens");
        let client = std::net::TcpStream::connect(local).unwrap();
        assert!(matches!(answer(&client), Answer::NotBound), "it is connected");
    }

    #[test]
    fn a_socket_that_was_connected_may_or_may_not_have_kept_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = socket(AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
        connect(&fd, &listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        // A reset: closed with SO_LINGER set to zero.
        sockopt::set_socket_linger(&server, Some(std::time::Duration::ZERO)).unwrap();
        drop(server);
        let mut byte = [0];
        assert!(rustix::net::recv(&fd, &mut byte[..], rustix::net::RecvFlags::empty()).is_err());
        assert!(matches!(answer(&fd), Answer::MaybeBound(_)), "{:?}", answer(&fd));
    }

    #[test]
    fn a_descriptor_that_is_not_the_socket_shows_nothing() {
        let fd = socket(AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
        let inode = u32::try_from(fstat(&fd).unwrap().st_ino).unwrap();
        let other = Holder {
            inode: inode ^ 1,
            pid: std::process::id(),
            fd: u32::try_from(fd.as_raw_fd()).unwrap(),
            tid: 0,
        };
        let answer = ask(NonZeroU32::new(inode ^ 1).unwrap(), Protocol::Tcp, &[other]);
        assert!(matches!(answer, Answer::Unreadable));
    }
}
