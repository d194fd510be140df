//! Protocols, address families and socket types, with their names in the output.

named! {
    /// The protocol of a socket. The names are the values of the field `protocol`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    pub enum Protocol {
        /// TCP, IPv4 or IPv6.
        Tcp => "tcp",
        /// UDP.
        Udp => "udp",
        /// UDP-Lite (RFC 3828).
        Udplite => "udplite",
        /// A raw IP socket; [`super::Socket::ip_protocol`] has its IP protocol.
        Raw => "raw",
        /// A "ping" datagram socket (`IPPROTO_ICMP` or `IPPROTO_ICMPV6` with `SOCK_DGRAM`).
        Icmp => "icmp",
        /// Multipath TCP (RFC 8684): the socket that the program holds, not its subflows.
        Mptcp => "mptcp",
        /// SCTP.
        Sctp => "sctp",
        /// DCCP (RFC 4340), which Linux 6.16 removed.
        Dccp => "dccp",
        /// A unix domain socket.
        Unix => "unix",
        /// A packet socket.
        Packet => "packet",
        /// A netlink socket.
        Netlink => "netlink",
        /// A VM socket.
        Vsock => "vsock",
        /// An `AF_XDP` socket.
        Xdp => "xdp",
        /// A TIPC socket.
        Tipc => "tipc",
        /// SMC (RFC 7609): the socket that the program holds, not the TCP socket inside.
        Smc => "smc",
        /// Any other protocol, known only through a descriptor; its name is in [`super::Endpoints::ProtocolOnly`].
        Other => "other",
    }
}

impl Protocol {
    /// Whether the kernel reports that such a socket was freed (linux 6.18 net/core/sock_diag.c,
    /// sock_diag_broadcast_destroy).
    pub const fn end_is_reported(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }

    /// Returns the protocol with this name. Case matters, as in `ss -A`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Returns whether the endpoints are IP addresses and ports.
    pub const fn is_inet(self) -> bool {
        self.family().is_none()
    }

    /// Returns whether its sockets have the states of TCP: a listener accepts connections, and these close step by step.
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Mptcp)
    }

    /// Returns the family of its sockets; `None` for protocols over both IPv4 and IPv6.
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Unix => Some(Family::Unix),
            Self::Packet => Some(Family::Packet),
            Self::Netlink => Some(Family::Netlink),
            Self::Vsock => Some(Family::Vsock),
            Self::Xdp => Some(Family::Xdp),
            Self::Tipc => Some(Family::Tipc),
            Self::Other => Some(Family::Other),
            Self::Tcp
            | Self::Udp
            | Self::Udplite
            | Self::Raw
            | Self::Icmp
            | Self::Mptcp
            | Self::Sctp
            | Self::Dccp
            | Self::Smc => None,
        }
    }
}

named! {
    /// An address family, under the names of `ss -f` (where `packet` is `link`; both are understood).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    pub enum Family {
        /// `AF_INET`.
        Inet => "inet",
        /// `AF_INET6`. Includes a dual-stack socket that uses IPv4, as in the kernel.
        Inet6 => "inet6",
        /// `AF_UNIX`.
        Unix => "unix",
        /// `AF_PACKET`.
        Packet => "packet",
        /// `AF_NETLINK`.
        Netlink => "netlink",
        /// `AF_VSOCK`.
        Vsock => "vsock",
        /// `AF_XDP`.
        Xdp => "xdp",
        /// `AF_TIPC`.
        Tipc => "tipc",
        /// A family without a dump: `AF_ALG`, `AF_CAN`, `AF_BLUETOOTH` and so on.
        Other => "other",
    }
}

impl Family {
    /// Returns the family with this name; `link` is ss's name for `packet`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "link" { "packet" } else { name };
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

named! {
    /// The socket's type (`SOCK_*`, linux 6.18 include/linux/net.h).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    pub enum SocketType {
        /// `SOCK_STREAM` (1).
        Stream => "stream",
        /// `SOCK_DGRAM` (2).
        Dgram => "dgram",
        /// `SOCK_RAW` (3).
        Raw => "raw",
        /// `SOCK_RDM` (4).
        Rdm => "rdm",
        /// `SOCK_SEQPACKET` (5).
        Seqpacket => "seqpacket",
        /// `SOCK_DCCP` (6).
        Dccp => "dccp",
        /// `SOCK_PACKET` (10), the obsolete way to open a packet socket.
        Packet => "packet",
    }
}

impl SocketType {
    /// Returns the type with this kernel number; `None` if unknown.
    pub const fn from_kernel(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Stream),
            2 => Some(Self::Dgram),
            3 => Some(Self::Raw),
            4 => Some(Self::Rdm),
            5 => Some(Self::Seqpacket),
            6 => Some(Self::Dccp),
            10 => Some(Self::Packet),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_kernel_number() {
        let numbers = (0..=u8::MAX).filter_map(|number| Some((number, SocketType::from_kernel(number)?)));
        let expected = [1, 2, 3, 4, 5, 6, 10].into_iter().zip(SocketType::ALL);
        assert_eq!(numbers.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
