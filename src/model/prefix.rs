//! Address prefixes, with the kernel's rule for which addresses are inside.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network prefix; a host is a prefix of full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// IPv4: the network, and the length in bits (0 to 32).
    V4(Ipv4Addr, u8),
    /// IPv6: the network, and the length in bits (0 to 128).
    V6(Ipv6Addr, u8),
}

impl Prefix {
    /// The prefix of that length around `address`; `None` if the length exceeds the address. Bits after the
    /// prefix are cleared.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        match address {
            IpAddr::V4(v4) if length <= 32 => {
                let network = u32::from(v4) & mask32(length);
                Some(Self::V4(network.into(), length))
            }
            IpAddr::V6(v6) if length <= 128 => {
                let network = u128::from(v6) & mask128(length);
                Some(Self::V6(network.into(), length))
            }
            _ => None,
        }
    }

    /// The prefix that contains only this address.
    pub fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::V4(v4, 32),
            IpAddr::V6(v6) => Self::V6(v6, 128),
        }
    }

    /// Whether the address is inside, by the rule of INET_DIAG_BC_S_COND (linux 6.18 net/ipv4/inet_diag.c): an IPv4
    /// prefix contains v4-mapped IPv6 addresses too, an IPv6 prefix only IPv6 addresses.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(network, length), IpAddr::V4(v4)) => in4(*network, *length, v4),
            (Self::V4(network, length), IpAddr::V6(v6)) => {
                v6.to_ipv4_mapped().is_some_and(|v4| in4(*network, *length, v4))
            }
            (Self::V6(network, length), IpAddr::V6(v6)) => {
                u128::from(v6) & mask128(*length) == u128::from(*network)
            }
            (Self::V6(..), IpAddr::V4(_)) => false,
        }
    }

    /// Whether the wildcard address of its own family is inside.
    pub fn contains_unspecified(&self) -> bool {
        match self {
            Self::V4(network, _) => network.is_unspecified(),
            Self::V6(network, _) => network.is_unspecified(),
        }
    }
}

fn in4(network: Ipv4Addr, length: u8, address: Ipv4Addr) -> bool {
    u32::from(address) & mask32(length) == u32::from(network)
}

fn mask32(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)
}

fn mask128(length: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(length.min(128)))
        .unwrap_or(0)
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address, 32) => write!(f, "{address}"),
            Self::V4(address, length) => write!(f, "{address}/{length}"),
            Self::V6(address, 128) => write!(f, "[{address}]"),
            Self::V6(address, length) => write!(f, "[{address}/{length}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_in_prefixes_of_both_families_and_wildcards_are_not() {
        let inside = |network: &str, length, address: &str| {
            Prefix::new(network.parse().unwrap(), length)
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(inside("10.1.2.3", 8, "10.9.9.9"));
        assert!(inside("10.0.0.0", 8, "::ffff:10.0.0.1"));
        assert!(inside("0.0.0.0", 0, "::ffff:1.2.3.4"));
        assert!(!inside("0.0.0.0", 0, "::"));
        assert!(inside("::", 0, "::ffff:1.2.3.4"));
        assert!(!inside("::", 0, "1.2.3.4"));
        assert!(!inside("::ffff:1.2.3.4", 128, "1.2.3.4"));
        assert!(inside("2001:db8::1", 32, "2001:db8:5::7"));
        assert!(!inside("2001:db8::1", 32, "2001:db9::7"));
    }

    #[test]
    fn a_length_beyond_the_address_is_rejected() {
        assert_eq!(Prefix::new("10.0.0.1".parse().unwrap(), 33), None);
        assert_eq!(Prefix::new("::1".parse().unwrap(), 129), None);
    }
}
