//! The socket that a program wants to create.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::model::{Family, Protocol};

/// A socket with the options that its program would set, and the calls that follow: bind, and listen for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one socket option or permission, as the kernel has them"
)]
pub struct BindAttempt {
    /// TCP or UDP; each has its own ports.
    pub protocol: Protocol,
    /// The address given to bind. An IPv6 address, including `::ffff:a.b.c.d`, means an `AF_INET6` socket.
    pub address: IpAddr,
    /// In host byte order; 0 lets the kernel choose.
    pub port: u16,
    /// `IPV6_V6ONLY`, as set before bind. Ignored for an IPv4 address.
    pub v6only: bool,
    /// `SO_REUSEADDR`.
    pub reuseaddr: bool,
    /// `SO_REUSEPORT`.
    pub reuseport: bool,
    /// `SO_BINDTODEVICE`, by interface index.
    pub device: Option<NonZeroU32>,
    /// `sin6_scope_id`: the interface of a link-local address.
    pub scope_id: Option<NonZeroU32>,
    /// The uid that will own the socket: the file system uid of its creator, in our user namespace.
    pub uid: u32,
    /// Whether the creator has `CAP_NET_BIND_SERVICE` over the network namespace.
    pub net_bind_service: bool,
    /// Whether listen follows. Only TCP listens.
    pub listen: bool,
}

impl BindAttempt {
    /// Returns a server on this address without options, created by root, as a base for other sockets.
    pub const fn new(protocol: Protocol, address: IpAddr, port: u16) -> Self {
        Self {
            protocol,
            address,
            port,
            v6only: false,
            reuseaddr: false,
            reuseport: false,
            device: None,
            scope_id: None,
            uid: 0,
            net_bind_service: true,
            listen: matches!(protocol, Protocol::Tcp),
        }
    }

    /// The family of the socket.
    pub const fn family(&self) -> Family {
        match self.address {
            IpAddr::V4(_) => Family::Inet,
            IpAddr::V6(_) => Family::Inet6,
        }
    }

    /// The interface that the socket is tied to once it is bound: the scope of a link-local address replaces
    /// `SO_BINDTODEVICE` (linux 6.18 net/ipv6/af_inet6.c, __inet6_bind).
    pub fn bound_device(&self) -> Option<NonZeroU32> {
        match self.address {
            IpAddr::V6(address) if needs_scope(address) => self.scope_id.or(self.device),
            _ => self.device,
        }
    }
}

/// Returns whether an IPv6 address needs an interface, which bind then requires.
pub const fn needs_scope(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.octets();
    // ff01 and ff02, whatever the flags in the upper half of the second byte.
    let narrow_multicast = first == 0xff && matches!(second & 0x0f, 1 | 2);
    address.is_unicast_link_local() || narrow_multicast
}

/// Options of a socket that `sock_diag` does not report; `None` for one that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// `SO_REUSEADDR`.
    pub reuseaddr: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuseport: Option<bool>,
    /// `IPV6_V6ONLY`, of an IPv6 socket.
    pub v6only: Option<bool>,
}
