//! Protocols, address families and socket types, with their names in the output.

/// The protocol of a socket. The names are the values of the field `protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// TCP, IPv4 or IPv6.
    Tcp,
    /// UDP.
    Udp,
    /// UDP-Lite (RFC 3828).
    Udplite,
    /// A raw IP socket; [`super::Socket::ip_protocol`] has its IP protocol.
    Raw,
    /// A "ping" datagram socket (`IPPROTO_ICMP` or `IPPROTO_ICMPV6` with `SOCK_DGRAM`).
    Icmp,
    /// Multipath TCP (RFC 8684): the socket that the program holds, not its subflows.
    Mptcp,
    /// SCTP.
    Sctp,
    /// A unix domain socket.
    Unix,
    /// A packet socket.
    Packet,
    /// A netlink socket.
    Netlink,
    /// A VM socket.
    Vsock,
    /// An `AF_XDP` socket.
    Xdp,
    /// Any other, known only by a descriptor; its name is in [`super::Endpoints::ProtocolOnly`].
    Other,
}

impl Protocol {
    /// Every protocol, in the order of the default sort.
    pub const ALL: [Self; 13] = [
        Self::Tcp,
        Self::Udp,
        Self::Udplite,
        Self::Raw,
        Self::Icmp,
        Self::Mptcp,
        Self::Sctp,
        Self::Unix,
        Self::Packet,
        Self::Netlink,
        Self::Vsock,
        Self::Xdp,
        Self::Other,
    ];

    /// Returns the name in JSON, filters and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Udplite => "udplite",
            Self::Raw => "raw",
            Self::Icmp => "icmp",
            Self::Mptcp => "mptcp",
            Self::Sctp => "sctp",
            Self::Unix => "unix",
            Self::Packet => "packet",
            Self::Netlink => "netlink",
            Self::Vsock => "vsock",
            Self::Xdp => "xdp",
            Self::Other => "other",
        }
    }

    /// Returns the protocol of that name. Case matters, as in `ss -A`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Returns whether the endpoints are IP addresses and ports.
    pub const fn is_inet(self) -> bool {
        matches!(
            self,
            Self::Tcp | Self::Udp | Self::Udplite | Self::Raw | Self::Icmp | Self::Mptcp | Self::Sctp
        )
    }

    /// Returns the family of its sockets; `None` for protocols over both IPv4 and IPv6.
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Unix => Some(Family::Unix),
            Self::Packet => Some(Family::Packet),
            Self::Netlink => Some(Family::Netlink),
            Self::Vsock => Some(Family::Vsock),
            Self::Xdp => Some(Family::Xdp),
            Self::Other => Some(Family::Other),
            Self::Tcp | Self::Udp | Self::Udplite | Self::Raw | Self::Icmp | Self::Mptcp | Self::Sctp => None,
        }
    }

    /// Returns whether sockets of this protocol accept connections in state `listen`.
    pub const fn has_listeners(self) -> bool {
        matches!(
            self,
            Self::Tcp | Self::Mptcp | Self::Sctp | Self::Unix | Self::Vsock
        )
    }
}

/// An address family, under the names of `ss -f` (where `packet` is `link`; both are understood).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`. Includes a dual-stack socket that uses IPv4, as in the kernel.
    Inet6,
    /// `AF_UNIX`.
    Unix,
    /// `AF_PACKET`.
    Packet,
    /// `AF_NETLINK`.
    Netlink,
    /// `AF_VSOCK`.
    Vsock,
    /// `AF_XDP`.
    Xdp,
    /// A family without a dump: `AF_ALG`, `AF_CAN`, `AF_BLUETOOTH` and so on.
    Other,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 8] = [
        Self::Inet,
        Self::Inet6,
        Self::Unix,
        Self::Packet,
        Self::Netlink,
        Self::Vsock,
        Self::Xdp,
        Self::Other,
    ];

    /// The name in JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
            Self::Unix => "unix",
            Self::Packet => "packet",
            Self::Netlink => "netlink",
            Self::Vsock => "vsock",
            Self::Xdp => "xdp",
            Self::Other => "other",
        }
    }

    /// Returns the family of that name; `link` is ss's word for `packet`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "link" { "packet" } else { name };
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

/// The socket's type (`SOCK_*`, linux 6.18 include/linux/net.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SocketType {
    /// `SOCK_STREAM` (1).
    Stream,
    /// `SOCK_DGRAM` (2).
    Dgram,
    /// `SOCK_RAW` (3).
    Raw,
    /// `SOCK_SEQPACKET` (5).
    Seqpacket,
    /// `SOCK_PACKET` (10), the obsolete way to open a packet socket.
    Packet,
}

impl SocketType {
    /// Every type.
    pub const ALL: [Self; 5] = [
        Self::Stream,
        Self::Dgram,
        Self::Raw,
        Self::Seqpacket,
        Self::Packet,
    ];

    /// The name in JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Dgram => "dgram",
            Self::Raw => "raw",
            Self::Seqpacket => "seqpacket",
            Self::Packet => "packet",
        }
    }

    /// Returns the type with this kernel number; `None` if unknown.
    pub const fn from_kernel(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Stream),
            2 => Some(Self::Dgram),
            3 => Some(Self::Raw),
            5 => Some(Self::Seqpacket),
            10 => Some(Self::Packet),
            _ => None,
        }
    }
}
