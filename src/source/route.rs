//! The route to an address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::tape;

/// Returns the source address of packets to a destination, with its interface if it is link-local; `None` without a
/// route. Connecting a UDP socket looks up the route and sends nothing.
pub fn source_address(destination: SocketAddr) -> Option<SocketAddr> {
    let any: SocketAddr = if destination.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let source = tape::fact(&fact(destination), || {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(destination).ok()?;
        socket.local_addr().ok().map(|local| local.ip())
    })?;
    let mut source = SocketAddr::new(source, 0);
    if let (SocketAddr::V6(source), SocketAddr::V6(destination)) = (&mut source, destination)
        && source.ip().is_unicast_link_local()
    {
        source.set_scope_id(destination.scope_id());
    }
    Some(source)
}

/// Returns whether the route is unknown because the replayed recording lacks it.
pub fn is_unrecorded(destination: SocketAddr) -> bool {
    tape::lacks(&fact(destination))
}

fn fact(destination: SocketAddr) -> String {
    format!("source towards {}", place(destination))
}

/// A destination in the key of a recording.
pub(super) fn place(destination: SocketAddr) -> String {
    match destination {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{} {}", v6.ip(), v6.scope_id(), v6.port()),
        _ => format!("{} {}", destination.ip(), destination.port()),
    }
}
