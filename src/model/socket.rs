//! One socket, as a dump or a /proc table reports it.

use std::num::{NonZeroU32, NonZeroU64};

use super::details::Details;
use super::{Endpoints, Family, InetPair, Protocol, SocketType, State, endpoint::Scope};

/// One socket. `None` means that the source did not report a value; it never means 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its protocol.
    pub protocol: Protocol,
    /// The socket's own family: a dual-stack socket that uses IPv4 is `inet6`.
    pub family: Family,
    /// `SOCK_STREAM` and so on; `None` for an unknown type.
    pub kind: Option<SocketType>,
    /// Its state.
    pub state: State,
    /// Both ends.
    pub endpoints: Endpoints,
    /// The sockfs inode, the number in `socket:[…]`. `None` if no program holds the socket: time-wait, half-open
    /// requests, orphans, connections that wait in an accept queue.
    pub inode: Option<NonZeroU32>,
    /// Unique since boot, and kept when the socket changes to time-wait. `None` from /proc.
    pub cookie: Option<NonZeroU64>,
    /// The kernel's rqueue: unread bytes, or for a listener the connections ready to be accepted.
    pub rqueue: Option<u32>,
    /// The kernel's wqueue: unacknowledged bytes, or for a listener the limit of its accept queue. `None` for a
    /// listener read from /proc, which lacks the limit.
    pub wqueue: Option<u32>,
    /// Owner uid of the socket, mapped into our user namespace. `None` for time-wait and half-open requests.
    pub uid: Option<u32>,
    /// The running timer.
    pub timer: Option<Timer>,
    /// `SO_MARK`; the kernel reports it only with `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
    /// The v2 cgroup of the task that created the socket.
    pub cgroup_id: Option<NonZeroU64>,
    /// Which directions were shut down.
    pub shutdown: Option<Shutdown>,
    /// `INET_DIAG_SOCKOPT`: two bytes of option bits, the low one first.
    pub socket_options: Option<u16>,
    /// The IP protocol that a raw socket receives (`INET_DIAG_PROTOCOL`).
    pub ip_protocol: Option<u8>,
    /// Packets dropped at this socket since it was created.
    pub drops: Option<u64>,
    /// Attributes beyond the row, if requested.
    pub details: Details,
    /// The kernel interface that reported the socket.
    pub backend: Backend,
    /// Its network namespace: the index in [`crate::model::Context::namespaces`].
    pub netns: u32,
}

/// The source of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A sock_diag netlink dump.
    SockDiag,
    /// A table under /proc/net.
    ProcNet,
    /// A descriptor of a process.
    Descriptor,
}

/// Directions that are shut down: bit 0 receive, bit 1 send (`INET_DIAG_SHUTDOWN`, a mask and not `SHUT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown(pub u8);

impl Shutdown {
    /// Returns whether receiving is shut down.
    pub const fn receive(self) -> bool {
        self.0 & 1 != 0
    }

    /// Returns whether sending is shut down.
    pub const fn send(self) -> bool {
        self.0 & 2 != 0
    }
}

/// A TCP timer (`idiag_timer`, linux 6.18 net/ipv4/inet_diag.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its kind.
    pub kind: TimerKind,
    /// Milliseconds until it fires; `None` if the source does not report it.
    pub expires_ms: Option<u32>,
    /// Retransmits or probes so far.
    pub retransmits: u8,
}

named! {
    /// What a timer is for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum TimerKind {
        /// Retransmit, tail loss probe or early retransmit; also the SYN-ACK of a request.
        On => "on",
        /// Keepalive.
        Keepalive => "keepalive",
        /// The end of time-wait (or of fin-wait-2 without a program).
        TimeWait => "timewait",
        /// Zero window probe.
        Persist => "persist",
        /// Delayed ACK (kernels of 2026).
        Delack => "delack",
        /// A code newer than this program.
        Unknown => "unknown",
        /// SCTP: retransmission on the primary path, the only timer that it reports.
        T3Rtx => "T3_RTX",
    }
}

impl TimerKind {
    /// Returns the kind with this kernel code; `None` for 0, no timer.
    pub const fn from_kernel(code: u8) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::On,
            2 => Self::Keepalive,
            3 => Self::TimeWait,
            4 => Self::Persist,
            5 => Self::Delack,
            _ => Self::Unknown,
        })
    }
}

impl Socket {
    /// A socket without known facts: the content of a buffer slot before a decoder fills it.
    pub const BLANK: Self = Self {
        protocol: Protocol::Tcp,
        family: Family::Inet,
        kind: None,
        state: State::Unconnected,
        endpoints: Endpoints::Inet(InetPair::UNSPECIFIED),
        inode: None,
        cookie: None,
        rqueue: None,
        wqueue: None,
        uid: None,
        timer: None,
        mark: None,
        cgroup_id: None,
        shutdown: None,
        socket_options: None,
        ip_protocol: None,
        drops: None,
        details: Details::NONE,
        backend: Backend::SockDiag,
        netns: 0,
    };

    /// Returns the IP endpoints, if it is an IP socket.
    pub const fn inet(&self) -> Option<&InetPair> {
        match &self.endpoints {
            Endpoints::Inet(pair) => Some(pair),
            _ => None,
        }
    }

    /// Returns the interface that it is bound to, by index.
    pub const fn interface(&self) -> Option<NonZeroU32> {
        match &self.endpoints {
            Endpoints::Inet(pair) => pair.interface,
            Endpoints::Packet(end) => end.interface,
            Endpoints::Xdp(end) => end.interface,
            Endpoints::Unix(_)
            | Endpoints::Netlink(_)
            | Endpoints::Vsock(_)
            | Endpoints::Tipc(_)
            | Endpoints::ProtocolOnly(_) => None,
        }
    }

    /// Returns whether the source marks it as the kernel's own, so that no search for an owner is needed.
    pub fn is_of_kernel(&self) -> bool {
        matches!(&self.endpoints, Endpoints::Netlink(pair) if pair.is_of_kernel())
    }

    /// Returns whether it accepts connections.
    pub fn is_listener(&self) -> bool {
        self.state == State::Listen
    }

    /// Returns the unread bytes; `None` for a listener, whose queue holds connections.
    pub fn recv_q(&self) -> Option<u32> {
        self.rqueue.filter(|_| !self.is_listener())
    }

    /// Returns the unacknowledged bytes; `None` for a listener.
    pub fn send_q(&self) -> Option<u32> {
        self.wqueue.filter(|_| !self.is_listener())
    }

    /// Returns the connections ready to be accepted; listeners only.
    pub fn accept_q(&self) -> Option<u32> {
        self.rqueue.filter(|_| self.is_listener())
    }

    /// Returns the limit of the accept queue; listeners only.
    pub fn backlog(&self) -> Option<u32> {
        self.wqueue.filter(|_| self.is_listener())
    }

    /// Returns whether the accept queue is full: the kernel drops once it holds more than the limit.
    pub fn accept_queue_is_full(&self) -> bool {
        matches!((self.accept_q(), self.backlog()), (Some(waiting), Some(limit)) if waiting > limit)
    }

    /// Returns where it is reachable from, if it receives what arrives at its address: a listener, a bound TCP
    /// socket or an unconnected datagram socket with a port.
    pub fn scope(&self) -> Option<Scope> {
        let takes = matches!(self.state, State::Listen | State::Bound | State::Unconnected);
        match self.inet() {
            Some(pair) if takes && (pair.local_port != 0 || self.protocol == Protocol::Icmp) => {
                Some(Scope::of(pair.local_address, pair.v6only))
            }
            _ => None,
        }
    }

    /// Returns a key that identifies the socket within a capture; `None` if there is none (rows from /proc have no
    /// cookie, and an SCTP association has that of its endpoint).
    pub fn identity(&self) -> Option<(Protocol, NonZeroU64)> {
        self.cookie
            .filter(|_| self.details.association().is_none())
            .map(|cookie| (self.protocol, cookie))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_of_a_listener_are_connections_and_of_others_bytes() {
        let mut socket = Socket {
            rqueue: Some(3),
            wqueue: Some(2),
            state: State::Listen,
            ..Socket::BLANK
        };
        assert_eq!((socket.recv_q(), socket.send_q()), (None, None));
        assert_eq!((socket.accept_q(), socket.backlog()), (Some(3), Some(2)));
        assert!(socket.accept_queue_is_full());
        socket.rqueue = Some(2);
        assert!(!socket.accept_queue_is_full(), "backlog + 1 connections fit");
        socket.state = State::Established;
        assert_eq!((socket.recv_q(), socket.accept_q()), (Some(2), None));
    }
}
