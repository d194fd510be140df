//! The number of half-open connections (SYN-RECV) at each listener, which the kernel does not count itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Protocol, Socket};

/// A network namespace, an address and a port.
pub type Place = (u32, IpAddr, u16);

/// Half-open TCP connections per listener. Listeners that share an address (SO_REUSEPORT) share a count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HalfOpen {
    /// The counts by the listener's endpoint; `None` if not requested.
    counts: Option<BTreeMap<Place, u32>>,
}

impl HalfOpen {
    /// Creates the counts; a listener without an entry has no half-open connections.
    pub fn new(counts: BTreeMap<Place, u32>) -> Self {
        Self { counts: Some(counts) }
    }

    /// Returns the endpoint of a socket.
    pub fn place_of(socket: &Socket) -> Option<Place> {
        let pair = socket.inet()?;
        Some((socket.netns, pair.local_address.to_canonical(), pair.local_port))
    }

    /// Returns the count at `socket`; `None` if it is not a TCP listener or counts were not requested.
    pub fn of(&self, socket: &Socket) -> Option<u32> {
        let place =
            Self::place_of(socket).filter(|_| socket.is_listener() && socket.protocol == Protocol::Tcp)?;
        let counts = self.counts.as_ref()?;
        Some(counts.get(&place).copied().unwrap_or(0))
    }
}
