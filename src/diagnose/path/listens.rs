//! Determines whether a socket receives traffic for given addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::judge::cover;
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::place::wants_family;
use crate::model::{Family, Socket};

/// A condition on addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Any of these; every address if empty.
    pub any_of: Vec<IpAddr>,
    /// IPv4 only. If both or neither of this and `ipv6` are set: both families.
    pub ipv4: bool,
    /// IPv6 only.
    pub ipv6: bool,
}

impl Addresses {
    /// Whether the socket receives traffic for one of them.
    pub fn are_taken_by(&self, socket: &Socket) -> bool {
        let Some(cover) = cover(socket) else { return false };
        let takes = |address: IpAddr| cover.overlaps(Cover::of(address, true));
        let of_family = [
            (Family::Inet, takes(Ipv4Addr::UNSPECIFIED.into())),
            (Family::Inet6, takes(Ipv6Addr::UNSPECIFIED.into())),
        ]
        .into_iter()
        .any(|(family, takes)| takes && wants_family(self.ipv4, self.ipv6, family));
        of_family && (self.any_of.is_empty() || self.any_of.iter().copied().any(takes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::samples::socket;
    use crate::model::State;

    fn taken(bound: &str, addresses: &Addresses) -> bool {
        addresses.are_taken_by(&socket(State::Listen, bound, 80).socket)
    }

    #[test]
    fn any_listener_matches_unless_addresses_are_named() {
        let any = Addresses::default();
        assert!(taken("127.0.0.1", &any) && taken("::1", &any) && taken("::", &any));
        let one = Addresses {
            any_of: vec!["10.0.0.1".parse().unwrap()],
            ..Addresses::default()
        };
        assert!(taken("0.0.0.0", &one) && taken("::", &one) && taken("10.0.0.1", &one));
        assert!(!taken("127.0.0.1", &one) && !taken("::1", &one));
    }

    #[test]
    fn the_family_is_that_of_the_traffic_that_the_socket_receives() {
        let only_v6 = Addresses {
            ipv6: true,
            ..Addresses::default()
        };
        assert!(taken("::", &only_v6) && !taken("0.0.0.0", &only_v6));
        let only_v4 = Addresses {
            ipv4: true,
            ..Addresses::default()
        };
        assert!(taken("::", &only_v4) && !taken("::1", &only_v4));
    }
}
