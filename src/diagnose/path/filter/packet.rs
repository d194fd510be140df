//! A packet as far as it is known, and the bytes that rules load from it.

use std::net::IpAddr;

use super::value::{CLIENT_PORT, CLIENT_PORT_LOW, Cell, TIME_TO_LIVE, Tag, known};

/// `IPPROTO_TCP`.
pub const TCP: u8 = 6;
/// `IPPROTO_UDP`.
pub const UDP: u8 = 17;
/// `IPPROTO_ICMP`.
pub const ICMP: u8 = 1;
/// `IPPROTO_ICMPV6`.
pub const ICMP6: u8 = 58;
/// The TCP flags of a connection request.
pub const SYN: u8 = 0x02;
/// The TCP flags of an answer to SYN.
pub const SYN_ACK: u8 = 0x12;
/// The TCP flags of a refusal.
pub const RST_ACK: u8 = 0x14;
/// The TCP flags of the last packet of the handshake.
pub const ACK: u8 = 0x10;

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// It is known.
    Known(u16),
    /// The client's, which it chooses when it connects.
    Client,
    /// There is none (ICMP).
    None,
}

/// The state that connection tracking assigned to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// Connection tracking has not seen the packet yet.
    NotSeen,
    /// A rule exempts the packet from tracking.
    Untracked,
    /// Connection tracking considers the packet invalid.
    Invalid,
    /// The packet belongs to the connection.
    Tracked {
        /// Its role in the connection.
        state: CtState,
        /// Whether it goes from server to client.
        reply: bool,
    },
}

/// The state of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtState {
    /// The first one.
    New,
    /// After an answer.
    Established,
    /// An error about the connection.
    Related,
}

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its number: an unknown fact may differ from packet to packet.
    pub id: u8,
    /// IPv6.
    pub v6: bool,
    /// Its protocol.
    pub protocol: u8,
    /// Its source address; `None` if unknown.
    pub source: Option<IpAddr>,
    /// Where it goes.
    pub destination: Option<IpAddr>,
    /// Its source port.
    pub source_port: Port,
    /// Its destination port.
    pub destination_port: Port,
    /// TCP's flags.
    pub flags: u8,
    /// ICMP's type and code.
    pub icmp: (u8, u8),
    /// The interface through which it arrived.
    pub incoming: Option<u32>,
    /// The interface through which it leaves.
    pub outgoing: Option<u32>,
    /// Its mark.
    pub mark: [Cell; 4],
    /// The state that connection tracking assigned so far.
    pub tracking: Tracking,
    /// The state that connection tracking will assign.
    pub is: Tracking,
    /// Whether this machine sent it.
    pub from_here: bool,
}

impl Packet {
    /// The length of the network header.
    fn network_bytes(&self) -> u32 {
        if self.v6 { 40 } else { 20 }
    }

    /// A tag for an unknown byte of this packet.
    pub fn tag(&self, space: u8, offset: u32) -> Tag {
        1 << 40 | u64::from(self.id) << 36 | u64::from(space) << 32 | u64::from(offset)
    }

    /// Bytes of the network header and what follows it.
    pub fn network(&self, offset: u32, length: u32) -> Vec<Cell> {
        (offset..offset.saturating_add(length))
            .map(|at| self.network_byte(at))
            .collect()
    }

    /// Bytes of the transport header and what follows it.
    pub fn transport(&self, offset: u32, length: u32) -> Vec<Cell> {
        (offset..offset.saturating_add(length))
            .map(|at| self.transport_byte(at))
            .collect()
    }

    /// Whether a transport header is certainly that long.
    pub fn has_transport(&self, end: u32) -> bool {
        end <= if self.protocol == TCP { 20 } else { 8 }
    }

    fn network_byte(&self, at: u32) -> Cell {
        if at >= self.network_bytes() {
            return self.transport_byte(at - self.network_bytes());
        }
        let unknown = |mask| Cell::partly(0, mask, self.tag(1, at));
        let time_to_live = if self.from_here {
            unknown(0)
        } else {
            Cell::partly(0, 0, TIME_TO_LIVE)
        };
        if self.v6 {
            match at {
                0 => Cell::partly(0x60, 0xf0, self.tag(1, at)),
                6 => Cell::known(self.protocol),
                7 => time_to_live,
                8..24 => self.address_byte(self.source, at - 8, 2),
                24..40 => self.address_byte(self.destination, at - 24, 3),
                _ => unknown(0),
            }
        } else {
            match at {
                0 => Cell::known(0x45),
                // The reserved bit, "more fragments" and the offset are zero; "do not fragment" may be either.
                6 => unknown(0xbf),
                7 => Cell::known(0),
                8 => time_to_live,
                9 => Cell::known(self.protocol),
                12..16 => self.address_byte(self.source, at - 12, 2),
                16..20 => self.address_byte(self.destination, at - 16, 3),
                _ => unknown(0),
            }
        }
    }

    fn address_byte(&self, address: Option<IpAddr>, at: u32, space: u8) -> Cell {
        let byte = match address {
            Some(IpAddr::V4(v4)) => v4.octets().get(at as usize).copied(),
            Some(IpAddr::V6(v6)) => v6.octets().get(at as usize).copied(),
            None => None,
        };
        byte.map_or(Cell::partly(0, 0, self.tag(space, at)), Cell::known)
    }

    /// An address as a rule sees it.
    pub fn address(&self, address: Option<IpAddr>, space: u8) -> Vec<Cell> {
        let length = if self.v6 { 16 } else { 4 };
        (0..length)
            .map(|at| self.address_byte(address, at, space))
            .collect()
    }

    fn transport_byte(&self, at: u32) -> Cell {
        let unknown = |mask, value| Cell::partly(value, mask, self.tag(4, at));
        match (self.protocol, at) {
            (TCP | UDP, 0 | 1) => port_byte(self.source_port, at).unwrap_or_else(|| unknown(0, 0)),
            (TCP | UDP, 2 | 3) => port_byte(self.destination_port, at - 2).unwrap_or_else(|| unknown(0, 0)),
            // Whether a client requests ECN is unknown.
            (TCP, 13) => unknown(0x3f, self.flags),
            (ICMP | ICMP6, 0) => Cell::known(self.icmp.0),
            (ICMP | ICMP6, 1) => Cell::known(self.icmp.1),
            _ => unknown(0, 0),
        }
    }
}

fn port_byte(port: Port, at: u32) -> Option<Cell> {
    match port {
        Port::Known(number) => number.to_be_bytes().get(at as usize).copied().map(Cell::known),
        Port::Client => Some(Cell::partly(
            0,
            0,
            if at == 0 { CLIENT_PORT } else { CLIENT_PORT_LOW },
        )),
        Port::None => None,
    }
}

/// A port as two bytes.
pub fn port_cells(port: Port) -> Vec<Cell> {
    (0..2)
        .map(|at| port_byte(port, at).unwrap_or(Cell::known(0)))
        .collect()
}

/// A known number in the machine's byte order.
pub fn host_word(number: u32) -> Vec<Cell> {
    known(&number.to_ne_bytes())
}
