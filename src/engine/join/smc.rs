//! Determines the IP family of SMC sockets. The kernel's dump does not report it, and a wildcard address does not show
//! it either.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use crate::model::{Endpoints, Family, InetPair, Socket};

/// Sets the IP family of wildcard sockets. The sockets must be in dump order, because the kernel lists IPv4 before
/// IPv6. Where the order decides nothing, the family is that of the only wildcard TCP socket on the port (`wildcards`),
/// else IPv4.
pub(in super::super) fn resolve_families(sockets: &mut [Socket], wildcards: &BTreeSet<(u16, Family)>) {
    let is_open = |socket: &Socket| socket.inet().is_some_and(InetPair::has_no_address);
    let last_v4 = sockets
        .iter()
        .rposition(|socket| !is_open(socket) && socket.family == Family::Inet);
    let first_v6 = sockets.iter().position(|socket| socket.family == Family::Inet6);
    for (index, socket) in sockets.iter_mut().enumerate() {
        if !is_open(socket) || last_v4.is_some_and(|last| index < last) {
            continue;
        }
        let port = socket.inet().map_or(0, |pair| pair.local_port);
        let has = |family| wildcards.contains(&(port, family));
        let after_v6 = first_v6.is_some_and(|first| index > first);
        if (after_v6 || (has(Family::Inet6) && !has(Family::Inet)))
            && let Endpoints::Inet(pair) = &mut socket.endpoints
        {
            socket.family = Family::Inet6;
            pair.local_address = Ipv6Addr::UNSPECIFIED.into();
            pair.peer_address = Ipv6Addr::UNSPECIFIED.into();
        }
    }
}

/// The ports and families of those TCP sockets that are bound to every address.
pub(in super::super) fn wildcards(sockets: &[Socket]) -> impl Iterator<Item = (u16, Family)> {
    let of_wildcard = |socket: &Socket| socket.inet().copied().filter(InetPair::has_no_address);
    let ports = move |socket: &Socket| of_wildcard(socket).map(|pair| (pair.local_port, socket.family));
    sockets.iter().filter_map(ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Protocol, State};
    use crate::query::samples::tcp;

    fn smc(local: &str, port: u16) -> Socket {
        Socket {
            protocol: Protocol::Smc,
            ..tcp(
                local,
                port,
                if local.contains(':') { "::" } else { "0.0.0.0" },
                0,
                State::Listen,
            )
        }
    }

    fn resolved(sockets: &[Socket], wildcards: &[(u16, Family)]) -> Vec<&'static str> {
        let mut sockets = sockets.to_vec();
        resolve_families(&mut sockets, &wildcards.iter().copied().collect());
        let family = |socket: &Socket| {
            let is_v6 = socket.inet().unwrap().local_address.is_ipv6();
            assert_eq!(is_v6, socket.family == Family::Inet6);
            socket.family.name()
        };
        sockets.iter().map(family).collect()
    }

    #[test]
    fn the_order_of_the_dump_shows_the_family() {
        let (any, v4, v6) = (smc("0.0.0.0", 80), smc("10.0.0.1", 81), smc("::1", 82));
        let [inet, inet6] = ["inet", "inet6"];
        let both = [(80, Family::Inet6)];
        assert_eq!(resolved(&[any.clone(), v4.clone()], &both), [inet, inet]);
        assert_eq!(resolved(&[v6.clone(), any.clone()], &[]), [inet6, inet6]);
        assert_eq!(resolved(&[any.clone(), v6], &[]), [inet, inet6]);
        assert_eq!(resolved(&[v4, any], &both), [inet, inet6]);
    }

    #[test]
    fn a_lone_wildcard_has_the_family_of_the_tcp_socket_inside() {
        let any = [smc("0.0.0.0", 80)];
        assert_eq!(resolved(&any, &[]), ["inet"]);
        assert_eq!(
            resolved(&any, &[(80, Family::Inet6), (81, Family::Inet)]),
            ["inet6"]
        );
        assert_eq!(
            resolved(&any, &[(80, Family::Inet6), (80, Family::Inet)]),
            ["inet"]
        );
        let tcp = [
            tcp("::", 80, "::", 0, State::Listen),
            tcp("::1", 81, "::", 0, State::Listen),
        ];
        assert_eq!(wildcards(&tcp).collect::<Vec<_>>(), [(80, Family::Inet6)]);
    }
}
