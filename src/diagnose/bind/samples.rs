//! Samples for the unit tests of this room.

use std::net::IpAddr;

use super::existing::{Existing, Flag};
use super::question::Question;
use crate::model::system::{SystemFacts, V4Network};
use crate::model::{Endpoints, Family, InetPair, Protocol, Socket, State};

/// A machine with IPv6 and the kernel's defaults.
pub(crate) fn system() -> SystemFacts {
    SystemFacts {
        unprivileged_port_start: 1024,
        local_port_range: 32_768..=60_999,
        reserved_ports: Vec::new(),
        nonlocal_bind_v4: false,
        nonlocal_bind_v6: false,
        autobind_reuse: false,
        bindv6only: false,
        ipv6: true,
        local_v4: vec![V4Network {
            address: [127, 0, 0, 0].into(),
            prefix: 8,
        }],
        local_v6: Vec::new(),
        interfaces: [(1, "lo".into())].into(),
        v4_links: Vec::new(),
        kernel: None,
    }
}

/// `sockstat why 3000`, run by user 1000.
pub(crate) fn question() -> Question {
    Question {
        addresses: None,
        scope: None,
        port: 3000,
        protocol: Protocol::Tcp,
        ipv4: false,
        ipv6: false,
        v6only: false,
        reuseaddr: None,
        reuseport: false,
        device: None,
        uid: 1000,
        net_bind_service: false,
        listen: true,
    }
}

/// A TCP socket of user 0 without options on a port.
pub(crate) fn socket(state: State, address: &str, port: u16) -> Existing {
    let address: IpAddr = address.parse().unwrap();
    let socket = Socket {
        protocol: Protocol::Tcp,
        family: if address.is_ipv4() {
            Family::Inet
        } else {
            Family::Inet6
        },
        state,
        uid: Some(0),
        inode: std::num::NonZeroU32::new(u32::from(port)),
        endpoints: Endpoints::Inet(InetPair {
            local_address: address,
            local_port: port,
            v6only: Some(false),
            ..InetPair::UNSPECIFIED
        }),
        ..Socket::BLANK
    };
    Existing {
        reuseaddr: Some(Flag::observed(false)),
        reuseport: Some(Flag::observed(false)),
        ..Existing::new(socket)
    }
}
