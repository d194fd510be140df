//! Address translations that rules request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::connection::Hook;
use super::packet::{Packet, Port, Tracking};
use super::walk::{Stop, Walk};

/// The source or destination that a rule requests for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The address; `None` keeps it.
    pub address: Option<IpAddr>,
    /// The port; `None` keeps it.
    pub port: Option<u16>,
}

impl Walk<'_> {
    /// Sets the destination of the packet's connection.
    pub fn set_destination(&mut self, wanted: Wanted, packet: &Packet) {
        if !matches!(packet.tracking, Tracking::Tracked { .. }) || self.connection.destination_done {
            return;
        }
        self.connection.destination_done = true;
        let address = wanted.address.or(packet.destination);
        let port = wanted.port.map_or(packet.destination_port, Port::Known);
        if let Some(address) = address
            && (Some(address), port) != (packet.destination, packet.destination_port)
        {
            self.connection.new_destination = Some((address, port));
        }
    }

    /// Sets the source of the packet's connection; `address` may be unknown.
    pub fn set_source(&mut self, address: Option<IpAddr>, port: Option<u16>, packet: &Packet) {
        if !matches!(packet.tracking, Tracking::Tracked { .. }) || self.connection.source_done {
            return;
        }
        self.connection.source_done = true;
        let port = port.map_or(packet.source_port, Port::Known);
        if (address, port) != (packet.source, packet.source_port) || address.is_none() {
            self.connection.new_source = Some((address, port));
        }
    }

    /// The address of a redirection: this machine's own (linux 6.18 net/netfilter/nf_nat_redirect.c). `None` drops the
    /// packet.
    pub fn redirection(&self, hook: Hook, packet: &Packet) -> Option<IpAddr> {
        if hook == Hook::Output {
            return Some(if packet.v6 {
                Ipv6Addr::LOCALHOST.into()
            } else {
                Ipv4Addr::LOCALHOST.into()
            });
        }
        let incoming = packet.incoming?;
        let mut own = self.facts.addresses_of(incoming, packet.v6);
        if packet.v6 {
            // Link-local addresses have RT_SCOPE_LINK.
            let is_link_local =
                |address: IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
            let wanted = packet.destination.is_some_and(is_link_local);
            return own
                .map(|one| one.address)
                .find(|address| is_link_local(*address) == wanted);
        }
        own.find(|one| !one.secondary).map(|one| one.address)
    }

    /// The source address that masquerading gives a packet; `None` if it is not certain.
    pub fn masquerade(&self, packet: &Packet) -> Option<IpAddr> {
        const SCOPE_UNIVERSE: u8 = 0;
        let outgoing = packet.outgoing?;
        let mut own = self
            .facts
            .addresses_of(outgoing, packet.v6)
            .filter(|one| one.scope == SCOPE_UNIVERSE && !one.secondary);
        let first = own.next()?;
        own.next().is_none().then_some(first.address)
    }

    /// Decodes an address from the bytes of registers.
    ///
    /// # Errors
    /// If it is unknown in advance.
    pub fn address_of(&self, bytes: Option<Vec<u8>>, v6: bool) -> Result<IpAddr, Stop> {
        let bytes = bytes.ok_or_else(|| self.give_up("the address that a NAT rule chooses"))?;
        let address = if v6 {
            bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes))
        } else {
            bytes.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes))
        };
        address.ok_or_else(|| self.give_up("the address that a NAT rule chooses"))
    }
}
