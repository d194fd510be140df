//! One socket, as a dump or a /proc table tells it.

use std::num::{NonZeroU32, NonZeroU64};

use super::details::Details;
use super::{Endpoints, Family, InetPair, Protocol, SocketType, State, endpoint::Scope};

/// One socket. `None` means that the source did not say; it never stands for 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// What it speaks.
    pub protocol: Protocol,
    /// The socket's own family: a dual-stack socket that talks IPv4 is `inet6`.
    pub family: Family,
    /// `SOCK_STREAM` and so on; `None` for a type that is not known here.
    pub kind: Option<SocketType>,
    /// Its state.
    pub state: State,
    /// Both ends.
    pub endpoints: Endpoints,
    /// The sockfs inode, the number in `socket:[…]`. `None` where no program holds the socket: time-wait,
    /// half-open requests, orphans, connections that wait in an accept queue.
    pub inode: Option<NonZeroU32>,
    /// Unique for the socket since boot, also across its change to time-wait. `None` from /proc.
    pub cookie: Option<NonZeroU64>,
    /// The kernel's rqueue: unread bytes, or of a listener the connections ready to be accepted.
    pub rqueue: Option<u32>,
    /// The kernel's wqueue: bytes not acknowledged, or of a listener the limit of its accept queue. `None`
    /// for a listener read from /proc, which has no limit to tell.
    pub wqueue: Option<u32>,
    /// Owner uid of the socket, mapped into our user namespace. `None` for time-wait and half-open requests.
    pub uid: Option<u32>,
    /// The running timer.
    pub timer: Option<Timer>,
    /// `SO_MARK`; the kernel tells it with `CAP_NET_ADMIN` only.
    pub mark: Option<u32>,
    /// The v2 cgroup of the task that created the socket.
    pub cgroup_id: Option<NonZeroU64>,
    /// Which directions were shut down.
    pub shutdown: Option<Shutdown>,
    /// `INET_DIAG_SOCKOPT`: two bytes of option bits, the first byte low.
    pub socket_options: Option<u16>,
    /// The IP protocol that a raw socket takes (`INET_DIAG_PROTOCOL`).
    pub ip_protocol: Option<u8>,
    /// Packets dropped at this socket since it was made.
    pub drops: Option<u64>,
    /// Attributes beyond the row, as far as the plan asked for them.
    pub details: Details,
    /// Which interface of the kernel told all this.
    pub backend: Backend,
    /// Its network namespace: the place in [`crate::model::Context::namespaces`].
    pub netns: u32,
}

/// Where a socket was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A sock_diag netlink dump.
    SockDiag,
    /// A table under /proc/net.
    ProcNet,
    /// A descriptor of a process.
    Descriptor,
}

/// Directions that were shut down: bit 0 receive, bit 1 send (`INET_DIAG_SHUTDOWN`, a mask and not `SHUT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown(pub u8);

impl Shutdown {
    /// Whether nothing more will be read.
    pub const fn receive(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether nothing more will be sent.
    pub const fn send(self) -> bool {
        self.0 & 2 != 0
    }
}

/// A TCP timer (`idiag_timer`, linux 6.18 net/ipv4/inet_diag.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What will happen.
    pub kind: TimerKind,
    /// Milliseconds until then; `None` where the source has none.
    pub expires_ms: Option<u32>,
    /// Retransmits or probes so far.
    pub retransmits: u8,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// Retransmit, tail loss probe or early retransmit; also the SYN-ACK of a request.
    On,
    /// Keepalive.
    Keepalive,
    /// The end of time-wait (or of fin-wait-2 without a program).
    TimeWait,
    /// Zero window probe.
    Persist,
    /// Delayed ACK (kernels of 2026).
    Delack,
    /// SCTP: retransmission on the primary path; it tells no other.
    T3Rtx,
    /// A code newer than this program.
    Unknown,
}

impl TimerKind {
    /// The kind with this kernel code; `None` for 0, no timer.
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

    /// ss's word for it, which is the value of the field `timer` too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Keepalive => "keepalive",
            Self::TimeWait => "timewait",
            Self::Persist => "persist",
            Self::Delack => "delack",
            Self::T3Rtx => "T3_RTX",
            Self::Unknown => "unknown",
        }
    }
}

impl Socket {
    /// A socket with nothing known; what a buffer slot holds before a decoder fills it.
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

    /// The IP ends, if it is an IP socket.
    pub const fn inet(&self) -> Option<&InetPair> {
        match &self.endpoints {
            Endpoints::Inet(pair) => Some(pair),
            _ => None,
        }
    }

    /// The interface that it is bound to, by index.
    pub const fn interface(&self) -> Option<NonZeroU32> {
        match &self.endpoints {
            Endpoints::Inet(pair) => pair.interface,
            Endpoints::Packet(end) => end.interface,
            Endpoints::Xdp(end) => end.interface,
            Endpoints::Unix(_) | Endpoints::Netlink(_) | Endpoints::Vsock(_) | Endpoints::Undumped(_) => None,
        }
    }

    /// Whether the source itself says that the kernel made it for its own use: nobody has to be looked for.
    pub fn is_of_kernel(&self) -> bool {
        matches!(&self.endpoints, Endpoints::Netlink(pair) if pair.is_of_kernel())
    }

    /// Whether it accepts connections.
    pub fn is_listener(&self) -> bool {
        self.state == State::Listen
    }

    /// Unread bytes; `None` for a listener, whose queue holds connections.
    pub fn recv_q(&self) -> Option<u32> {
        self.rqueue.filter(|_| !self.is_listener())
    }

    /// Bytes not yet acknowledged; `None` for a listener.
    pub fn send_q(&self) -> Option<u32> {
        self.wqueue.filter(|_| !self.is_listener())
    }

    /// Connections ready to be accepted; listeners only.
    pub fn accept_q(&self) -> Option<u32> {
        self.rqueue.filter(|_| self.is_listener())
    }

    /// The limit of the accept queue; listeners only.
    pub fn backlog(&self) -> Option<u32> {
        self.wqueue.filter(|_| self.is_listener())
    }

    /// Whether the accept queue takes no more: the kernel drops once it holds more than the limit.
    pub fn accept_queue_is_full(&self) -> bool {
        matches!((self.accept_q(), self.backlog()), (Some(waiting), Some(limit)) if waiting > limit)
    }

    /// From where it can be reached, if it takes what arrives at its address: a listener, a bound TCP socket or
    /// an unconnected datagram socket with a port.
    pub fn scope(&self) -> Option<Scope> {
        let takes = matches!(self.state, State::Listen | State::Bound | State::Unconnected);
        match self.inet() {
            Some(pair) if takes && (pair.local_port != 0 || self.protocol == Protocol::Icmp) => {
                Some(Scope::of(pair.local_address, pair.v6only))
            }
            _ => None,
        }
    }

    /// The key that says whether two records of one capture are the same socket; `None` if that cannot be told
    /// (rows from /proc have no cookie, and an SCTP association has that of its endpoint).
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
