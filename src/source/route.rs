//! The route to an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::tape;

/// Returns the source address of packets to `address`; `None` without a route. Connecting a UDP socket looks up the
/// route and sends nothing.
pub fn source_address(address: IpAddr, port: u16) -> Option<IpAddr> {
    let any: SocketAddr = if address.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    tape::fact(&fact(address, port), || {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect((address, port)).ok()?;
        socket.local_addr().ok().map(|local| local.ip())
    })
}

/// Returns whether the route is unknown because the recording that is replayed lacks it.
pub fn is_unrecorded(address: IpAddr, port: u16) -> bool {
    tape::lacks(&fact(address, port))
}

fn fact(address: IpAddr, port: u16) -> String {
    format!("source towards {address} {port}")
}
