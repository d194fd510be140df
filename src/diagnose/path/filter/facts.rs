//! The input of a prediction besides the rules: interfaces, addresses, and the routes queried so far.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::network::{Link, LinkAddress, RouteAnswer, RouteQuery};
use crate::model::packet_filter::Name;

/// The facts.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The interfaces.
    pub links: Vec<Link>,
    /// Their addresses, in the kernel's order.
    pub addresses: Vec<LinkAddress>,
    /// The routing table's answers so far. A prediction that needs another one asks for it.
    pub routes: BTreeMap<RouteQuery, RouteAnswer>,
    /// The range from which this machine chooses ports.
    pub local_ports: (u16, u16),
}

impl Facts {
    /// The interface with this index.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The name of an interface, padded as the kernel compares it; zero for none.
    pub fn name(&self, index: Option<u32>) -> [u8; 16] {
        let mut padded = [0; 16];
        if let Some(link) = index.and_then(|index| self.link(index)) {
            for (to, from) in padded.iter_mut().zip(link.name.iter()) {
                *to = *from;
            }
        }
        padded
    }

    /// The index of the loopback interface.
    pub fn loopback(&self) -> u32 {
        self.links
            .iter()
            .find(|link| link.is_loopback())
            .map_or(1, |link| link.index)
    }

    /// The addresses of an interface, of one family.
    pub fn addresses_of(&self, index: u32, v6: bool) -> impl Iterator<Item = &LinkAddress> {
        self.addresses
            .iter()
            .filter(move |address| address.interface == index && address.address.is_ipv6() == v6)
    }

    /// Whether the interface, or any interface if `index` is `None`, has the address.
    pub fn is_local(&self, address: IpAddr, index: Option<u32>) -> bool {
        let loopback = matches!(address, IpAddr::V4(v4) if v4.is_loopback());
        (loopback && index.is_none_or(|index| index == self.loopback()))
            || self
                .addresses
                .iter()
                .any(|one| one.address == address && index.is_none_or(|index| one.interface == index))
    }

    /// The type of an address (`RTN_*`), judged by the addresses of one interface or of all.
    pub fn address_type(&self, address: IpAddr, index: Option<u32>) -> u8 {
        const UNICAST: u8 = 1;
        const LOCAL: u8 = 2;
        const BROADCAST: u8 = 3;
        const MULTICAST: u8 = 5;
        let is_broadcast = |v4: std::net::Ipv4Addr| {
            v4.is_broadcast()
                || v4.is_unspecified()
                || self
                    .addresses
                    .iter()
                    .any(|one| index.is_none_or(|index| one.interface == index) && one.broadcast == Some(v4))
        };
        match address {
            _ if address.is_multicast() => MULTICAST,
            _ if self.is_local(address, index) => LOCAL,
            IpAddr::V4(v4) if is_broadcast(v4) => BROADCAST,
            _ => UNICAST,
        }
    }

    /// The name of the interface with this index, for text.
    pub fn name_of(&self, index: u32) -> Name {
        self.link(index)
            .map_or_else(Name::default, |link| link.name.clone())
    }
}
