//! Really connects, many at once, and reports the result of each.
#![allow(unsafe_code, reason = "IP_RECVERR has no safe wrapper")]

use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

/// What connect() got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Connected,
    HalfOpen,
    Refused,
    Unreachable,
    Timeout,
}

/// How long to wait for an answer: longer than until the first retransmitted SYN, which gets errors that the first one
/// missed.
const PATIENCE: Duration = Duration::from_millis(1_350);

/// Listeners of one machine: TCP on every address, UDP on each, which sends back what it gets.
pub(crate) struct Servers {
    tcp: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
}

impl Servers {
    /// Opens them in the namespace of this thread.
    pub(crate) fn open(ports: &[u16], addresses: &[&str]) -> Self {
        let mut servers = Self {
            tcp: Vec::new(),
            udp: Vec::new(),
        };
        for port in ports {
            servers.tcp.push(TcpListener::bind(("::", *port)).unwrap());
            for address in addresses {
                let address: IpAddr = address.parse().unwrap();
                servers.udp.push(UdpSocket::bind((address, *port)).unwrap());
            }
        }
        for listener in &servers.tcp {
            listener.set_nonblocking(true).unwrap();
        }
        for socket in &servers.udp {
            socket.set_nonblocking(true).unwrap();
        }
        servers
    }

    /// Answers what has arrived; returns the clients of accepted connections.
    fn serve(&self) -> Vec<(SocketAddr, TcpStream)> {
        let mut accepted = Vec::new();
        for listener in &self.tcp {
            while let Ok((stream, peer)) = listener.accept() {
                accepted.push((peer, stream));
            }
        }
        let mut buffer = [0; 64];
        for socket in &self.udp {
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..length], peer);
            }
        }
        accepted
    }
}

/// A connection to make.
pub(crate) struct Try {
    pub(crate) is_tcp: bool,
    socket: OwnedFd,
    met: Option<Met>,
    mark: [u8; 8],
}

impl Try {
    /// Starts it in the namespace of this thread.
    pub(crate) fn begin(is_tcp: bool, server: SocketAddr, number: u64) -> Self {
        let family = if server.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let kind = if is_tcp {
            SocketType::STREAM
        } else {
            SocketType::DGRAM
        };
        let socket = socket_with(family, kind, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None).unwrap();
        let mark = number.to_le_bytes();
        let mut one = Self {
            is_tcp,
            socket,
            met: None,
            mark,
        };
        if !is_tcp {
            receive_errors(&one.socket, server.is_ipv4());
        }
        match connect(&one.socket, &server) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => one.met = Some(of_errno(error)),
        }
        if !is_tcp && one.met.is_none() {
            // EPERM: dropped on the way out, and perhaps answered with an error that must still be read.
            match rustix::net::send(&one.socket, &mark, rustix::net::SendFlags::empty()) {
                Ok(_) | Err(Errno::PERM) => {}
                Err(error) => one.met = Some(of_errno(error)),
            }
        }
        one
    }

    fn look(&mut self) {
        if self.met.is_some() {
            return;
        }
        let wanted = if self.is_tcp {
            PollFlags::OUT
        } else {
            PollFlags::IN
        };
        let mut polled = [PollFd::from_borrowed_fd(self.socket.as_fd(), wanted)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut polled, Some(&now)).unwrap();
        let flags = polled[0].revents();
        if flags.contains(PollFlags::ERR) {
            if let Err(error) = sockopt::socket_error(&self.socket).unwrap() {
                self.met = Some(of_errno(error));
            }
        } else if self.is_tcp && flags.contains(PollFlags::OUT) {
            self.met = Some(Met::Connected);
        } else if !self.is_tcp && flags.contains(PollFlags::IN) {
            let mut buffer = [0; 64];
            let mut stream = std::fs::File::from(self.socket.try_clone().unwrap());
            if stream
                .read(&mut buffer)
                .is_ok_and(|length| buffer[..length] == self.mark)
            {
                self.met = Some(Met::Connected);
            }
        }
    }

    fn local(&self) -> Option<SocketAddr> {
        rustix::net::getsockname(&self.socket).ok()?.try_into().ok()
    }
}

/// Makes the socket receive every ICMP error (IP_RECVERR).
fn receive_errors(socket: &OwnedFd, is_v4: bool) {
    let (level, name) = if is_v4 {
        (libc::IPPROTO_IP, libc::IP_RECVERR)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
    };
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).unwrap();
    // SAFETY: the descriptor is open, and the option is one integer, which the kernel only reads.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const on).cast(), length) };
    assert_eq!(result, 0);
}

fn of_errno(error: Errno) -> Met {
    match error {
        Errno::CONNREFUSED => Met::Refused,
        Errno::TIMEDOUT => Met::Timeout,
        _ => Met::Unreachable,
    }
}

/// Waits for every try, and serves the listeners meanwhile.
pub(crate) fn meet(tries: &mut [Try], servers: &[Servers]) -> Vec<Met> {
    let end = Instant::now() + PATIENCE;
    let mut accepted = Vec::new();
    loop {
        for one in servers {
            accepted.extend(one.serve());
        }
        for one in &mut *tries {
            one.look();
        }
        let now = Instant::now();
        if now >= end {
            break;
        }
        // Only those that wait for nothing else end early.
        if tries
            .iter()
            .all(|one| one.met.is_some_and(|met| met != Met::Connected || !one.is_tcp))
        {
            break;
        }
        let all_connected = tries.iter().filter(|one| one.met.is_none()).count() == 0;
        let all_accepted = tries
            .iter()
            .filter(|one| one.is_tcp && one.met == Some(Met::Connected))
            .all(|one| {
                one.local()
                    .is_none_or(|local| accepted.iter().any(|(peer, _)| peer.port() == local.port()))
            });
        if all_connected && all_accepted {
            break;
        }
        let pause = Timespec {
            tv_sec: 0,
            tv_nsec: 5_000_000,
        };
        let mut waits: Vec<PollFd<'_>> = Vec::new();
        for one in servers {
            waits.extend(
                one.tcp
                    .iter()
                    .map(|listener| PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)),
            );
            waits.extend(
                one.udp
                    .iter()
                    .map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)),
            );
        }
        let pending = tries.iter().filter(|one| one.met.is_none());
        waits.extend(pending.map(|one| {
            let wanted = if one.is_tcp { PollFlags::OUT } else { PollFlags::IN };
            PollFd::from_borrowed_fd(one.socket.as_fd(), wanted)
        }));
        poll(&mut waits, Some(&pause)).unwrap();
    }
    tries
        .iter()
        .map(|one| match one.met {
            Some(Met::Connected) if one.is_tcp => {
                let port = one.local().map(|local| local.port());
                // NAT may change the client's port, and then the accepted connection cannot be found by it.
                if accepted.iter().any(|(peer, _)| Some(peer.port()) == port) {
                    Met::Connected
                } else {
                    Met::HalfOpen
                }
            }
            Some(met) => met,
            None => Met::Timeout,
        })
        .collect()
}
