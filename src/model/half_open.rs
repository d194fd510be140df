//! How many connections are being opened at each listener: those in SYN-RECV, which the kernel counts nowhere.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Protocol, Socket};

/// A network namespace, an address and a port.
pub type Place = (u32, IpAddr, u16);

/// Half-open TCP connections by listener. Listeners that share an address (SO_REUSEPORT) have the count of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HalfOpen {
    /// The counts by the place of the listener; `None` if nobody asked.
    counts: Option<BTreeMap<Place, u32>>,
}

impl HalfOpen {
    /// These counts; a listener that is missing has none.
    pub fn new(counts: BTreeMap<Place, u32>) -> Self {
        Self { counts: Some(counts) }
    }

    /// The place of a socket.
    pub fn place_of(socket: &Socket) -> Option<Place> {
        let pair = socket.inet()?;
        Some((socket.netns, pair.local_address.to_canonical(), pair.local_port))
    }

    /// How many there are at `socket`; `None` unless it is a TCP listener and somebody asked.
    pub fn of(&self, socket: &Socket) -> Option<u32> {
        let place =
            Self::place_of(socket).filter(|_| socket.is_listener() && socket.protocol == Protocol::Tcp)?;
        let counts = self.counts.as_ref()?;
        Some(counts.get(&place).copied().unwrap_or(0))
    }
}
