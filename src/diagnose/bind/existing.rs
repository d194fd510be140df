//! An existing socket, including options that a listing does not show.

use std::net::IpAddr;

use crate::model::bind::SocketOptions;
use crate::model::{Family, Protocol, Socket, State, TimerKind};

/// How a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Read from the kernel.
    Observed,
    /// Shown by a trial: binding a socket with the same options succeeded or failed.
    Proven,
    /// Taken from the listener that most likely accepted the connection. It may explain an answer but never decides it.
    Inferred,
}

impl How {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Proven => "proven",
            Self::Inferred => "inferred",
        }
    }
}

/// The value of a socket option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Whether it is set.
    pub set: bool,
    /// How that is known.
    pub how: How,
}

impl Flag {
    /// A flag that was read.
    pub const fn observed(set: bool) -> Self {
        Self {
            set,
            how: How::Observed,
        }
    }
}

/// A socket that may block an attempt. Options are `None` where they are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// What the kernel reports about it.
    pub socket: Socket,
    /// Its current `SO_REUSEADDR`.
    pub reuseaddr: Option<Flag>,
    /// Its current `SO_REUSEPORT`.
    pub reuseport: Option<Flag>,
    /// Its `IPV6_V6ONLY`, where the dump does not report it (connected sockets).
    pub v6only: Option<Flag>,
    /// Whether the port was assigned by the kernel or inherited from a listener, rather than requested with bind.
    pub port_was_given: Option<bool>,
}

impl Existing {
    /// A socket whose options are unknown.
    pub const fn new(socket: Socket) -> Self {
        Self {
            socket,
            reuseaddr: None,
            reuseport: None,
            v6only: None,
            port_was_given: None,
        }
    }

    /// Whether the kernel keeps only a stub: a socket in time-wait, or in fin-wait-2 after its program closed it. A
    /// stub has no owner.
    pub fn is_stub(&self) -> bool {
        let timed = self
            .socket
            .timer
            .is_some_and(|timer| timer.kind == TimerKind::TimeWait);
        match self.socket.state {
            State::TimeWait => true,
            State::FinWait2 => timed && self.socket.inode.is_none(),
            _ => false,
        }
    }

    /// Whether it holds its port at all. A half-open connection is not in the port table until the handshake is
    /// complete. A socket in syn-recv that a program holds (simultaneous open) is.
    pub fn holds_port(&self) -> bool {
        let half_open = self.socket.state == State::SynRecv && self.socket.inode.is_none();
        self.socket.inet().is_some_and(|pair| pair.local_port != 0) && !half_open
    }

    /// Whether its local address was, or may have been, assigned by a connection.
    pub fn is_connected(&self) -> bool {
        !matches!(
            self.socket.state,
            State::Listen | State::Bound | State::Unconnected
        )
    }

    /// The effective value of `IPV6_V6ONLY` in the port table, if it is known. Binding to a specific IPv6 address sets
    /// it.
    pub fn effective_v6only(&self) -> Option<Flag> {
        let pair = self.socket.inet()?;
        if self.socket.family == Family::Inet {
            return Some(Flag::observed(false));
        }
        let bound_to_address = match pair.local_address {
            IpAddr::V6(address) => {
                !self.is_connected() && !address.is_unspecified() && address.to_ipv4_mapped().is_none()
            }
            IpAddr::V4(_) => false,
        };
        if bound_to_address {
            return Some(Flag::observed(true));
        }
        pair.v6only.map(Flag::observed).or(self.v6only)
    }

    /// How much longer the kernel keeps a closed connection.
    pub fn time_left_ms(&self) -> Option<u32> {
        self.socket.timer.and_then(|timer| timer.expires_ms)
    }

    /// Fills in the options that were read, and keeps the others.
    pub fn set_options(&mut self, options: SocketOptions) {
        self.reuseaddr = options.reuseaddr.map(Flag::observed);
        self.reuseport = options.reuseport.map(Flag::observed);
        if self.socket.family == Family::Inet6 {
            self.v6only = options.v6only.map(Flag::observed);
        }
    }

    /// Whether it uses the same port space as `protocol`: MPTCP shares that of TCP.
    pub fn shares_ports_with(&self, protocol: Protocol) -> bool {
        let table = |protocol| match protocol {
            Protocol::Mptcp => Protocol::Tcp,
            other => other,
        };
        table(self.socket.protocol) == table(protocol)
    }
}
