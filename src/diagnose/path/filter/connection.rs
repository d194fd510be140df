//! A connection as connection tracking sees it, with its address translations.

use std::net::IpAddr;

use super::packet::{CtState, ICMP, ICMP6, Packet, Port, Tracking};
use super::value::{Cell, known};

/// The netfilter hooks (`NF_INET_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// Before the route is chosen.
    Prerouting,
    /// To this machine.
    Input,
    /// Through this machine.
    Forward,
    /// From this machine.
    Output,
    /// After routing, before a packet leaves.
    Postrouting,
}

impl Hook {
    /// The kernel's number.
    pub const fn number(self) -> u32 {
        match self {
            Self::Prerouting => 0,
            Self::Input => 1,
            Self::Forward => 2,
            Self::Output => 3,
            Self::Postrouting => 4,
        }
    }

    /// The nft keyword.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        }
    }

    /// Whether the hook translates destinations; the others translate sources.
    pub const fn translates_destination(self) -> bool {
        matches!(self, Self::Prerouting | Self::Output)
    }
}

/// A connection.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a bit of its status")]
pub struct Connection {
    /// Where its first packet came from.
    pub source: Option<IpAddr>,
    /// Its destination before any translation.
    pub destination: Option<IpAddr>,
    /// Its ports.
    pub source_port: Port,
    /// The destination port before any translation.
    pub destination_port: Port,
    /// The destination after translation.
    pub new_destination: Option<(IpAddr, Port)>,
    /// The source after translation; the address may be unknown.
    pub new_source: Option<(Option<IpAddr>, Port)>,
    /// Whether its destination is final: NAT rules are consulted only once.
    pub destination_done: bool,
    /// Whether its source is final.
    pub source_done: bool,
    /// Whether it is confirmed: its first packet has arrived or left.
    pub confirmed: bool,
    /// Whether a reply was seen.
    pub answered: bool,
    /// Its mark.
    pub mark: [Cell; 4],
}

impl Connection {
    /// The connection that a packet opens.
    pub fn of(packet: &Packet) -> Self {
        Self {
            source: packet.source,
            destination: packet.destination,
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            new_destination: None,
            new_source: None,
            destination_done: false,
            source_done: false,
            confirmed: false,
            answered: false,
            mark: [Cell::known(0); 4],
        }
    }

    /// `IPS_*` with the bits that are known.
    pub fn status(&self) -> Vec<Cell> {
        const KNOWN: u32 = 0x3b;
        let status = u32::from(self.answered) << 1
            | u32::from(self.confirmed) << 3
            | u32::from(self.new_source.is_some()) << 4
            | u32::from(self.new_destination.is_some()) << 5;
        let mut cells = known(&status.to_ne_bytes());
        for (at, (cell, mask)) in cells.iter_mut().zip(KNOWN.to_ne_bytes()).enumerate() {
            *cell = Cell::partly(cell.value, mask, (1 << 41) + at as u64);
        }
        cells
    }

    /// The tuple of a direction: source address and port, destination address and port.
    pub fn tuple(&self, reply: bool) -> (Option<IpAddr>, Port, Option<IpAddr>, Port) {
        if !reply {
            return (
                self.source,
                self.source_port,
                self.destination,
                self.destination_port,
            );
        }
        let (from, from_port) = match self.new_destination {
            Some((address, port)) => (Some(address), port),
            None => (self.destination, self.destination_port),
        };
        let (to, to_port) = self.new_source.unwrap_or((self.source, self.source_port));
        (from, from_port, to, to_port)
    }

    /// Rewrites a packet according to the connection's translations (linux 6.18 net/netfilter/nf_nat_core.c,
    /// nf_nat_packet).
    pub fn translate(&self, hook: Hook, packet: &mut Packet) {
        let Tracking::Tracked { reply, .. } = packet.tracking else {
            return;
        };
        let has_ports = !matches!(packet.protocol, ICMP | ICMP6);
        if hook.translates_destination() {
            let to = match (reply, self.new_destination, self.new_source) {
                (false, Some((address, port)), _) => (Some(address), port),
                (true, _, Some(_)) => (self.source, self.source_port),
                _ => return,
            };
            packet.destination = to.0;
            if has_ports {
                packet.destination_port = to.1;
            }
        } else {
            let from = match (reply, self.new_destination, self.new_source) {
                (false, _, Some(from)) => from,
                (true, Some(_), _) => (self.destination, self.destination_port),
                _ => return,
            };
            packet.source = from.0;
            if has_ports {
                packet.source_port = from.1;
            }
        }
    }

    /// The bit of a packet's state: invalid 1, established 2, related 4, new 8, untracked 64.
    pub const fn state_bit(tracking: Tracking) -> u32 {
        match tracking {
            Tracking::NotSeen | Tracking::Invalid => 1,
            Tracking::Untracked => 64,
            Tracking::Tracked { state, .. } => match state {
                CtState::Established => 2,
                CtState::Related => 4,
                CtState::New => 8,
            },
        }
    }
}
