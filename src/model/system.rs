//! The facts about the machine that a diagnosis needs. One value describes one network namespace.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use super::Name;
use super::kernel::KernelVersion;

/// Facts about a network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one sysctl")]
pub struct SystemFacts {
    /// net.ipv4.ip_unprivileged_port_start: the first port that needs no capability.
    pub unprivileged_port_start: u16,
    /// net.ipv4.ip_local_port_range: the range from which the kernel chooses ports, also for IPv6.
    pub local_port_range: RangeInclusive<u16>,
    /// net.ipv4.ip_local_reserved_ports: ports that it never chooses.
    pub reserved_ports: Vec<RangeInclusive<u16>>,
    /// net.ipv4.ip_nonlocal_bind.
    pub nonlocal_bind_v4: bool,
    /// net.ipv6.ip_nonlocal_bind.
    pub nonlocal_bind_v6: bool,
    /// net.ipv4.ip_autobind_reuse.
    pub autobind_reuse: bool,
    /// net.ipv6.bindv6only: the default of `IPV6_V6ONLY`.
    pub bindv6only: bool,
    /// Whether the kernel has IPv6.
    pub ipv6: bool,
    /// The local addresses according to the routing table, including broadcast addresses.
    pub local_v4: Vec<V4Network>,
    /// The IPv6 addresses of the interfaces.
    pub local_v6: Vec<V6Address>,
    /// Interface index to name.
    pub interfaces: BTreeMap<u32, Name>,
    /// The IPv4 networks on a link, with the interface's name.
    pub v4_links: Vec<(V4Network, Name)>,
    /// The kernel version; `None` if the release does not contain one.
    pub kernel: Option<KernelVersion>,
}

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V4Network {
    /// Its first address.
    pub address: Ipv4Addr,
    /// The length of its prefix, at most 32.
    pub prefix: u8,
}

impl V4Network {
    /// Whether the address is in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix.min(32)))
            .unwrap_or(0);
        (address.to_bits() ^ self.address.to_bits()) & mask == 0
    }

    /// Whether the address is the network's broadcast address, or the network address (all host bits 0), which kernels
    /// before 5.14 also list as a broadcast address (linux 5.10 net/ipv4/fib_frontend.c, fib_add_ifaddr).
    pub fn is_broadcast(self, address: Ipv4Addr) -> bool {
        self.prefix < 31 && (address == self.last() || address == self.first())
    }

    /// Its first address.
    fn first(self) -> Ipv4Addr {
        let network_bits = !u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
        Ipv4Addr::from_bits(self.address.to_bits() & network_bits)
    }

    /// Its last address, which is its broadcast address.
    fn last(self) -> Ipv4Addr {
        let host_bits = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
        Ipv4Addr::from_bits(self.address.to_bits() | host_bits)
    }
}

/// An IPv6 address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V6Address {
    /// The address.
    pub address: Ipv6Addr,
    /// The interface that has it.
    pub interface: u32,
    /// Not usable yet: duplicate address detection is in progress or failed (`IFA_F_TENTATIVE`, not optimistic).
    pub tentative: bool,
}

impl SystemFacts {
    /// Returns whether bind accepts the IPv4 address as local; multicast and broadcast addresses count.
    pub fn is_local_v4(&self, address: Ipv4Addr) -> bool {
        address.is_unspecified()
            || address.is_multicast()
            || address.is_broadcast()
            || self.local_v4.iter().any(|network| network.contains(address))
    }

    /// Returns whether it is the broadcast address of one of this machine's networks, or 255.255.255.255.
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        let host = V4Network { address, prefix: 32 };
        let is_last = match self.v4_links.iter().find(|(link, _)| link.contains(address)) {
            Some((link, _)) => link.is_broadcast(address),
            None => address.is_loopback() && matches!(address.octets()[3], 0 | 255),
        };
        address.is_broadcast() || is_last && self.local_v4.contains(&host)
    }

    /// Returns whether bind accepts the IPv6 address as local, for a socket tied to `device`. A link-local or
    /// host-local address must be on that device (linux 6.18 net/ipv6/addrconf.c, ipv6_chk_addr).
    pub fn is_local_v6(&self, address: Ipv6Addr, device: Option<NonZeroU32>) -> bool {
        let narrow = address.is_loopback() || address.is_unicast_link_local();
        self.local_v6.iter().any(|local| {
            local.address == address
                && !local.tentative
                && (!narrow || device.is_none_or(|device| device.get() == local.interface))
        })
    }

    /// Returns the addresses that a program could bind, in text form, with their interface: loopback first,
    /// link-local last.
    pub fn own_addresses(&self) -> Vec<String> {
        let v4 = self.local_v4.iter().filter(|network| network.prefix == 32);
        let v4 = v4.filter_map(|network| {
            let address = network.address;
            let link = self.v4_links.iter().find(|(link, _)| link.contains(address));
            (!self.is_broadcast(address)).then_some((IpAddr::V4(address), link.map(|(_, name)| name)))
        });
        let v6 = self
            .local_v6
            .iter()
            .map(|local| (IpAddr::V6(local.address), self.interfaces.get(&local.interface)));
        let mut own: Vec<_> = v4.chain(v6).collect();
        let link_local = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        own.sort_by_key(|(address, _)| (!address.is_loopback(), link_local(address), *address));
        own.into_iter()
            .map(|(address, interface)| match interface {
                Some(name) if !address.is_loopback() => format!("{address} ({name})"),
                _ => address.to_string(),
            })
            .collect()
    }

    /// Returns the index of an interface that is given by name or index.
    pub fn interface_index(&self, name: &str) -> Option<u32> {
        let by_name = self.interfaces.iter().find(|(_, known)| **known == *name);
        let by_index = || {
            name.parse()
                .ok()
                .filter(|index| self.interfaces.contains_key(index))
        };
        by_name.map(|(index, _)| *index).or_else(by_index)
    }

    /// Returns whether the kernel never chooses the port.
    pub fn is_reserved(&self, port: u16) -> bool {
        self.reserved_ports.iter().any(|range| range.contains(&port))
    }

    /// Returns whether the kernel may choose the port for a socket that requests none.
    pub fn is_automatic(&self, port: u16) -> bool {
        self.local_port_range.contains(&port) && !self.is_reserved(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_and_broadcast_addresses_are_not_our_own() {
        let host = |text: &str| V4Network {
            address: text.parse().unwrap(),
            prefix: 32,
        };
        let addresses = [
            "127.0.0.0",
            "127.0.0.1",
            "127.255.255.255",
            "10.1.0.0",
            "10.1.0.7",
            "10.1.255.255",
        ];
        let link = V4Network {
            prefix: 16,
            ..host("10.1.0.0")
        };
        let system = SystemFacts {
            unprivileged_port_start: 1024,
            local_port_range: 32_768..=60_999,
            reserved_ports: Vec::new(),
            nonlocal_bind_v4: false,
            nonlocal_bind_v6: false,
            autobind_reuse: false,
            bindv6only: false,
            ipv6: false,
            local_v4: addresses.map(host).to_vec(),
            local_v6: Vec::new(),
            interfaces: BTreeMap::new(),
            v4_links: vec![(link, "eth0".into())],
            kernel: None,
        };
        assert_eq!(system.own_addresses(), ["127.0.0.1", "10.1.0.7 (eth0)"]);
        let is_broadcast = |text: &str| system.is_broadcast(text.parse().unwrap());
        for address in ["10.1.255.255", "127.255.255.255", "255.255.255.255"] {
            assert!(is_broadcast(address), "{address}");
        }
        for address in ["10.1.0.7", "127.0.0.1", "127.1.2.255", "10.2.255.255"] {
            assert!(!is_broadcast(address), "{address}");
        }
    }

    #[test]
    fn a_network_contains_the_addresses_in_its_prefix() {
        let network = |text: &str, prefix| V4Network {
            address: text.parse().unwrap(),
            prefix,
        };
        let host: Ipv4Addr = "127.1.2.3".parse().unwrap();
        assert!(network("127.0.0.0", 8).contains(host));
        assert!(!network("127.0.0.0", 16).contains(host));
        assert!(network("127.1.2.3", 32).contains(host));
        assert!(!network("127.1.2.4", 32).contains(host));
        assert!(network("0.0.0.0", 0).contains(host));
    }
}
