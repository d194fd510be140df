//! Interfaces, addresses, routes and neighbours of the network namespace of this thread, over rtnetlink. Needs no
//! privilege.

mod ipsec;
mod message;
mod traffic;

use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};

use super::netlink::channel::{Channel, DumpError};
use crate::model::network::{Link, LinkAddress, Neighbour, Route, RouteAnswer, RouteQuery};
pub use ipsec::read as ipsec;
use message::{Attributes, address, message, push, push_address, word};
pub use traffic::device_hooks;

/// `RTM_GETLINK` and so on (linux 6.18 include/uapi/linux/rtnetlink.h).
const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
const GET_ROUTE: u16 = 26;
const GET_NEIGHBOUR: u16 = 30;

/// Reads the interfaces.
///
/// # Errors
/// See [`DumpError`].
pub fn links() -> Result<Vec<Link>, DumpError> {
    let mut links = Vec::new();
    // struct ifinfomsg.
    dump(&mut message(GET_LINK, NLM_F_DUMP, &[0; 16]), |payload| {
        links.extend(link(payload));
    })?;
    Ok(links)
}

/// Reads the addresses of the interfaces, in the kernel's order.
///
/// # Errors
/// See [`DumpError`].
pub fn addresses() -> Result<Vec<LinkAddress>, DumpError> {
    let mut addresses = Vec::new();
    // struct ifaddrmsg.
    dump(&mut message(GET_ADDRESS, NLM_F_DUMP, &[0; 8]), |payload| {
        addresses.extend(link_address(payload));
    })?;
    Ok(addresses)
}

/// Reads the neighbours on every link.
///
/// # Errors
/// See [`DumpError`].
pub fn neighbours() -> Result<Vec<Neighbour>, DumpError> {
    let mut neighbours = Vec::new();
    // struct ndmsg.
    dump(&mut message(GET_NEIGHBOUR, NLM_F_DUMP, &[0; 12]), |payload| {
        neighbours.extend(neighbour(payload));
    })?;
    Ok(neighbours)
}

/// Queries the routing table, including ip rules.
pub fn route(query: &RouteQuery) -> RouteAnswer {
    let mut answer = None;
    let asked = dump(&mut route_request(query), |payload| {
        answer = answer.or(route_of(payload));
    });
    match (asked, answer) {
        (Ok(()), Some(route)) => RouteAnswer::Found(route),
        (Err(DumpError::Kernel(errno)), _) => RouteAnswer::Refused(errno),
        _ => RouteAnswer::Unread,
    }
}

fn dump(request: &mut [u8], take: impl FnMut(&[u8])) -> Result<(), DumpError> {
    Channel::open_route()?.dump(request, take, || ControlFlow::Continue(()))
}

/// `struct rtmsg` and its attributes.
fn route_request(query: &RouteQuery) -> Vec<u8> {
    let v6 = query.destination.is_ipv6();
    let bits = if v6 { 128 } else { 32 };
    let family = family_of(v6);
    let source_bits = if query.source.is_some() { bits } else { 0 };
    let mut bytes = message(
        GET_ROUTE,
        NLM_F_ACK,
        &[family, bits, source_bits, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    push_address(&mut bytes, 1, query.destination);
    if let Some(source) = query.source {
        push_address(&mut bytes, 2, source);
    }
    if let Some(incoming) = query.incoming {
        push(&mut bytes, 3, &incoming.to_ne_bytes());
    }
    if let Some(outgoing) = query.outgoing {
        push(&mut bytes, 4, &outgoing.to_ne_bytes());
    }
    if query.mark != 0 {
        push(&mut bytes, 16, &query.mark.to_ne_bytes());
    }
    if matches!(query.protocol, 6 | 17) && query.port != 0 {
        push(&mut bytes, 27, &[query.protocol]);
        push(&mut bytes, 29, &query.port.to_be_bytes());
    }
    bytes
}

const fn family_of(v6: bool) -> u8 {
    if v6 { 10 } else { 2 }
}

/// `struct rtmsg`: family, lengths, tos, table, protocol, scope, type, flags.
fn route_of(payload: &[u8]) -> Option<Route> {
    let mut route = Route {
        kind: *payload.get(7)?,
        interface: 0,
        source: None,
        gateway: None,
    };
    for (kind, value) in Attributes(payload.get(12..)?) {
        match kind {
            4 => route.interface = word(value),
            5 => route.gateway = address(value),
            7 => route.source = address(value),
            _ => {}
        }
    }
    Some(route)
}

/// `struct ifinfomsg`: family, pad, type (u16), index, flags, change.
fn link(payload: &[u8]) -> Option<Link> {
    let mut link = Link {
        device_type: u16::from_ne_bytes(*payload.get(2..)?.first_chunk()?),
        index: word(payload.get(4..)?),
        flags: word(payload.get(8..)?),
        ..Link::default()
    };
    let text = |value: &[u8]| value.split(|byte| *byte == 0).next().unwrap_or_default().into();
    let mut is_elsewhere = false;
    for (kind, value) in Attributes(payload.get(16..)?) {
        match kind {
            3 => link.name = text(value),
            5 => link.lower = Some(word(value)).filter(|lower| *lower != 0 && *lower != link.index),
            10 => link.master = Some(word(value)),
            18 => {
                for (kind, value) in Attributes(value) {
                    match kind {
                        1 => link.kind = text(value),
                        2 if *link.kind == *b"bridge" => link.calls_ip = bridge_calls_ip(value),
                        _ => {}
                    }
                }
            }
            27 => link.group = word(value),
            37 => is_elsewhere = true,
            43 => {
                let mode = Attributes(value).find(|(kind, _)| *kind == 2);
                link.xdp = mode.is_some_and(|(_, mode)| mode.first().is_some_and(|mode| *mode != 0));
            }
            _ => {}
        }
    }
    // The other end of a veth pair is not a lower device.
    if is_elsewhere || *link.kind == *b"veth" {
        link.lower = None;
    }
    Some(link)
}

/// `IFLA_BR_NF_CALL_IPTABLES` and `IFLA_BR_NF_CALL_IP6TABLES` (linux 6.18 include/uapi/linux/if_link.h).
fn bridge_calls_ip(data: &[u8]) -> [bool; 2] {
    [36, 37].map(|wanted| {
        let found = Attributes(data).find(|(kind, _)| *kind == wanted);
        found.is_some_and(|(_, value)| value.first().is_some_and(|value| *value != 0))
    })
}

/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
fn link_address(payload: &[u8]) -> Option<LinkAddress> {
    const SECONDARY: u32 = 1;
    let [_, prefix, flags, scope, ..] = *payload else {
        return None;
    };
    let interface = word(payload.get(4..)?);
    let (mut local, mut any, mut broadcast, mut flags) = (None, None, None, u32::from(flags));
    for (kind, value) in Attributes(payload.get(8..)?) {
        match kind {
            1 => any = address(value),
            2 => local = address(value),
            4 => {
                broadcast = match address(value) {
                    Some(IpAddr::V4(v4)) => Some(v4),
                    _ => None,
                }
            }
            8 => flags = word(value),
            _ => {}
        }
    }
    Some(LinkAddress {
        interface,
        // On a point-to-point link, IFA_ADDRESS is the other end.
        address: local.or(any)?,
        prefix,
        scope,
        secondary: flags & SECONDARY != 0,
        broadcast: broadcast.filter(|address| *address != Ipv4Addr::UNSPECIFIED),
    })
}

/// `struct ndmsg`: family, pads, index, state (u16).
fn neighbour(payload: &[u8]) -> Option<Neighbour> {
    let (_, value) = Attributes(payload.get(12..)?).find(|(kind, _)| *kind == 1)?;
    Some(Neighbour {
        interface: word(payload.get(4..)?),
        state: u16::from_ne_bytes(*payload.get(8..)?.first_chunk()?),
        address: address(value)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(destination: &str) -> RouteQuery {
        RouteQuery {
            destination: destination.parse().unwrap(),
            source: None,
            incoming: None,
            outgoing: None,
            mark: 0,
            protocol: 6,
            port: 80,
        }
    }

    #[test]
    fn loopback_exists_and_is_local() {
        let links = links().unwrap();
        let loopback = links.iter().find(|link| link.is_loopback()).unwrap();
        assert_eq!((&*loopback.name, loopback.device_type), (&b"lo"[..], 772));
        let RouteAnswer::Found(route) = route(&query("127.0.0.1")) else {
            panic!()
        };
        assert_eq!((route.kind, route.interface), (Route::LOCAL, loopback.index));
        assert!(
            addresses()
                .unwrap()
                .iter()
                .any(|one| one.address == IpAddr::from([127, 0, 0, 1]))
        );
        neighbours().unwrap();
    }

    #[test]
    fn a_request_has_everything_that_ip_rules_check() {
        let mut query = query("10.0.0.1");
        query.incoming = Some(3);
        query.mark = 7;
        let bytes = route_request(&query);
        let kinds: Vec<u16> = Attributes(&bytes[28..]).map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [1, 3, 16, 27, 29]);
        assert_eq!(bytes.len(), word(&bytes) as usize);
    }

    #[test]
    fn truncated_replies_do_not_panic() {
        let payload = route_request(&query("10.0.0.1"));
        for length in 0..payload.len() {
            let cut = &payload[..length];
            let _ = (link(cut), link_address(cut), neighbour(cut), route_of(cut));
        }
    }
}
