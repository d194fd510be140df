//! Real sockets, and the facts about them that this test knows because it created them.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Gid, Uid};
use rustix::net::{self, AddressFamily, SocketAddrAny, SocketFlags, SocketType, sockopt};
use sockstat::command::read::snapshot::local_ports;
use sockstat::diagnose::bind::{Existing, Flag};
use sockstat::engine::read_tables;
use sockstat::model::bind::BindAttempt;
use sockstat::model::request::Dump;
use sockstat::model::{Endpoints, Family, InetPair, Protocol, Socket, State, StateSet, Timer, TimerKind};

/// Options of a socket under test. The port is the test's choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    pub(crate) address: IpAddr,
    pub(crate) v6only: bool,
    pub(crate) reuseaddr: bool,
    pub(crate) reuseport: bool,
    pub(crate) device: Option<u32>,
    pub(crate) uid: u32,
}

/// A TCP socket without options, created by root.
pub(crate) fn tcp(address: IpAddr) -> Options {
    Options {
        protocol: Protocol::Tcp,
        address,
        v6only: false,
        reuseaddr: false,
        reuseport: false,
        device: None,
        uid: 0,
    }
}

impl Options {
    pub(crate) fn attempt(&self, port: u16) -> BindAttempt {
        BindAttempt {
            v6only: self.v6only,
            reuseaddr: self.reuseaddr,
            reuseport: self.reuseport,
            device: self.device.and_then(NonZeroU32::new),
            uid: self.uid,
            ..BindAttempt::new(self.protocol, self.address, port)
        }
    }

    /// A socket with these options, not bound yet.
    pub(crate) fn open(&self) -> OwnedFd {
        let family = match self.address {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let kind = match self.protocol {
            Protocol::Udp => SocketType::DGRAM,
            _ => SocketType::STREAM,
        };
        let fd = net::socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        if family == AddressFamily::INET6 {
            sockopt::set_ipv6_v6only(&fd, self.v6only).unwrap();
        }
        sockopt::set_socket_reuseaddr(&fd, self.reuseaddr).unwrap();
        sockopt::set_socket_reuseport(&fd, self.reuseport).unwrap();
        if let Some(device) = self.device {
            bind_to_device(&fd, device);
        }
        own(&fd, self.uid);
        fd
    }

    /// Bound to the port, which must be free.
    pub(crate) fn bound(&self, port: u16) -> OwnedFd {
        let fd = self.open();
        net::bind(&fd, &SocketAddr::new(self.address, port)).unwrap();
        fd
    }

    /// Listening on the port, which must be free.
    pub(crate) fn listening(&self, port: u16) -> OwnedFd {
        let fd = self.bound(port);
        net::listen(&fd, 8).unwrap();
        fd
    }

    /// What is known about `fd`, created with these options.
    pub(crate) fn record(&self, fd: &OwnedFd, state: State) -> Existing {
        let local = local(fd);
        let family = match local {
            SocketAddr::V4(_) => Family::Inet,
            SocketAddr::V6(_) => Family::Inet6,
        };
        let v6only = (family == Family::Inet6).then(|| sockopt::ipv6_v6only(fd).unwrap());
        let told = matches!(state, State::Listen | State::Bound | State::Unconnected);
        let stub = state == State::TimeWait;
        let pair = InetPair {
            local_address: local.ip(),
            local_port: local.port(),
            interface: self.device.and_then(NonZeroU32::new),
            v6only: v6only.filter(|_| told),
            ..InetPair::UNSPECIFIED
        };
        let timer = Timer {
            kind: TimerKind::TimeWait,
            expires_ms: Some(60_000),
            retransmits: 0,
        };
        Existing {
            reuseaddr: Some(Flag::observed(self.reuseaddr)),
            reuseport: Some(Flag::observed(self.reuseport)),
            v6only: v6only.map(Flag::observed),
            ..Existing::new(Socket {
                protocol: self.protocol,
                family,
                state,
                endpoints: Endpoints::Inet(pair),
                inode: NonZeroU32::new(u32::from(!stub)),
                uid: (!stub).then_some(self.uid),
                timer: stub.then_some(timer),
                ..Socket::BLANK
            })
        }
    }
}

/// The local end.
pub(crate) fn local(fd: &OwnedFd) -> SocketAddr {
    let address: SocketAddrAny = net::getsockname(fd).unwrap();
    address.try_into().unwrap()
}

/// The next connection of a listener.
pub(crate) fn accept(listener: &OwnedFd) -> OwnedFd {
    net::accept_with(listener, SocketFlags::CLOEXEC).unwrap()
}

/// Gives the socket another owner.
pub(crate) fn own(fd: &OwnedFd, uid: u32) {
    rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), None::<Gid>).unwrap();
}

fn bind_to_device(fd: &OwnedFd, index: u32) {
    let index = i32::try_from(index).unwrap();
    // SAFETY: the value is an int, as SO_BINDTOIFINDEX wants, and lives through the call.
    #[allow(unsafe_code, reason = "rustix has no call for SO_BINDTOIFINDEX")]
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            (&raw const index).cast(),
            4,
        )
    };
    assert_eq!(result, 0, "SO_BINDTOIFINDEX {index}");
}

/// The loopback address that reaches a server on `address`; for a dual-stack one, over IPv4 if `v4`.
pub(crate) fn way_to(address: IpAddr, v4: bool) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.is_unspecified() && !v4 => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(mapped) => way_to(mapped.into(), true),
            None if v6.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            None => address,
        },
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V4(_) => address,
    }
}

/// Waits until the TCP socket is in `state`.
pub(crate) fn wait_for(fd: &OwnedFd, state: State) {
    until(|| tcp_state(fd) == state as u8, state.name());
}

/// Waits until a TCP socket that no program holds any more is in `state` on that local port.
pub(crate) fn wait_for_left_over(port: u16, state: State) {
    let dump = Dump {
        condition: Some(local_ports(port, port)),
        ..Dump::new(Protocol::Tcp, StateSet::of(state))
    };
    let there = || {
        let mut found = false;
        read_tables(std::slice::from_ref(&dump), &mut |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    };
    until(there, state.name());
}

/// How often to look for it before giving up.
const ATTEMPTS: u32 = 100_000;

fn until(mut there: impl FnMut() -> bool, what: &str) {
    // Over loopback, a segment has usually arrived when the call that sends it returns.
    for _ in 0..ATTEMPTS {
        if there() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("no socket comes to {what}");
}

/// The first byte of `struct tcp_info`.
fn tcp_state(fd: &OwnedFd) -> u8 {
    let (mut state, mut length) = (0u8, 1);
    // SAFETY: the kernel writes at most the one byte that `length` says.
    #[allow(unsafe_code, reason = "rustix has no call for TCP_INFO")]
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut length,
        )
    };
    assert_eq!(result, 0, "TCP_INFO");
    state
}

thread_local! {
    static NEXT_PORT: Cell<u16> = const { Cell::new(2000) };
}

/// A port that nothing in this namespace has used yet, below the automatic range.
pub(crate) fn fresh_port() -> u16 {
    let port = NEXT_PORT.get();
    assert!(port < 32_000, "ports used up");
    NEXT_PORT.set(port + 1);
    port
}
