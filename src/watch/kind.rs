//! What the rows of the ports view have in common.

use std::ops::RangeInclusive;

use crate::model::{Protocol, Socket, State};

/// How sockets come to share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Sockets wait on the port.
    Waiting,
    /// A listener waits on the port, which the filter leaves out.
    LeftOut,
    /// The listener that accepted the connections on the port has closed.
    Closed,
    /// Connections opened from here.
    Opened,
    /// Connections opened from here or accepted: which of the two is unknown.
    Unclear,
}

impl Kind {
    /// Whether the row stands for connections on any port.
    pub fn is_of_many_ports(self) -> bool {
        matches!(self, Self::Opened | Self::Unclear)
    }
}

/// Ports of connections that share a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Those that have a row of their own, sorted.
    pub except: Vec<u16>,
    /// Only the ports that the kernel chooses, or only others; `None` for both.
    pub chosen: Option<(RangeInclusive<u16>, bool)>,
}

impl Ports {
    /// Whether a port is one of them.
    pub fn contains(&self, port: u16) -> bool {
        let is_of_range = |(range, is_in): &(RangeInclusive<u16>, bool)| range.contains(&port) == *is_in;
        self.except.binary_search(&port).is_err() && self.chosen.as_ref().is_none_or(is_of_range)
    }
}

/// Whether a socket waits for new connections or datagrams.
pub fn waits(socket: &Socket) -> bool {
    match socket.protocol {
        Protocol::Udp | Protocol::Udplite => socket.state == State::Unconnected,
        _ => matches!(socket.state, State::Listen | State::Bound),
    }
}
