//! Addresses to which no connection can be made, or that do not belong to a single machine.

use std::net::IpAddr;

use crate::model::Name;
use crate::model::Protocol;
use crate::model::system::SystemFacts;

/// An interface that was named with an address (`%eth0`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// As it was typed.
    pub name: Name,
    /// Its index; `None` if the interface does not exist.
    pub index: Option<u32>,
}

/// Why an address is not that of a single machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Link-local, and no interface was named: `EINVAL` (linux 6.18 net/ipv6/tcp_ipv6.c, tcp_v6_connect).
    NoZone,
    /// The interface does not exist: `ENODEV`.
    NoDevice,
    /// A multicast group: `ENETUNREACH` for TCP.
    Multicast,
    /// A broadcast address: `ENETUNREACH` for TCP.
    Broadcast,
}

impl Special {
    /// What the address is; `None` if it can be that of a machine.
    pub fn of(address: IpAddr, zone: Option<&Zone>, system: &SystemFacts) -> Option<Self> {
        let is_link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        match (zone, address.to_canonical()) {
            (Some(Zone { index: None, .. }), _) => Some(Self::NoDevice),
            (_, address) if address.is_multicast() => Some(Self::Multicast),
            (_, IpAddr::V4(address)) if system.is_broadcast(address) => Some(Self::Broadcast),
            (None, _) if is_link_local => Some(Self::NoZone),
            _ => None,
        }
    }

    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoZone => "no-interface",
            Self::NoDevice => "unknown-interface",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
        }
    }

    /// Whether a program may receive what is sent there: over UDP, members of a group may.
    pub fn may_arrive(self, protocol: Protocol) -> bool {
        protocol == Protocol::Udp && matches!(self, Self::Multicast | Self::Broadcast)
    }

    /// The answer in one line.
    pub(super) fn sentence(
        self,
        address: IpAddr,
        zone: Option<&Zone>,
        port: u16,
        protocol: Protocol,
    ) -> String {
        match self {
            Self::NoZone => format!(
                "No: {address} is link-local and needs an interface (EINVAL): [{address}%INTERFACE]:{port}."
            ),
            Self::NoDevice => {
                let name = zone.map_or_else(String::new, |zone| format!(" {}", zone.name));
                format!("No: there is no interface{name} here (ENODEV).")
            }
            Self::Multicast if protocol == Protocol::Udp => format!(
                "Cannot tell: {address} is a multicast group, and every member receives the datagram."
            ),
            Self::Broadcast if protocol == Protocol::Udp => format!(
                "Cannot tell: {address} is a broadcast address. A socket with SO_BROADCAST reaches every machine of the network."
            ),
            Self::Multicast => {
                format!("No: {address} is a multicast group, which takes no connections (ENETUNREACH).")
            }
            Self::Broadcast => {
                format!("No: {address} is a broadcast address, which takes no connections (ENETUNREACH).")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::samples::system;

    #[test]
    fn each_kind_is_known_by_the_address_and_the_interface() {
        let zone = |index| Zone {
            name: "card".into(),
            index,
        };
        let of = |address: &str, zone: Option<Zone>| {
            Special::of(address.parse().unwrap(), zone.as_ref(), &system())
        };
        assert_eq!(of("fe80::1", None), Some(Special::NoZone));
        assert_eq!(of("fe80::1", Some(zone(Some(2)))), None);
        assert_eq!(of("fe80::1", Some(zone(None))), Some(Special::NoDevice));
        for address in ["224.0.0.1", "::ffff:224.0.0.1", "ff02::1"] {
            assert_eq!(of(address, None), Some(Special::Multicast), "{address}");
        }
        assert_eq!(of("255.255.255.255", None), Some(Special::Broadcast));
        for address in ["127.0.0.1", "::1", "fd00::1", "10.0.0.1"] {
            assert_eq!(of(address, None), None, "{address}");
        }
    }
}
