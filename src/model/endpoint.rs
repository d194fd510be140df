//! The two ends of a socket, per family.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use super::other_ends::{NetlinkPair, PacketEnd, TipcPair, VsockPair, XdpEnd};

/// The local and the peer end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// IP addresses and ports.
    Inet(InetPair),
    /// A name in the file system or the abstract name space, and the other end's inode.
    Unix(UnixPair),
    /// What a packet socket receives.
    Packet(PacketEnd),
    /// A netlink family and port ids.
    Netlink(NetlinkPair),
    /// Context ids and ports of a VM socket.
    Vsock(VsockPair),
    /// An interface's queue.
    Xdp(XdpEnd),
    /// Nodes and socket numbers of TIPC.
    Tipc(TipcPair),
    /// A socket that is in no dump. Only the name of its protocol (`TCPv6`, `ALG`) is known, from its descriptor.
    ProtocolOnly(Box<str>),
}

/// The ends of an IP socket. A port of 0 means none, an unspecified peer address means not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InetPair {
    /// Where the socket is bound; unspecified for a wildcard.
    pub local_address: IpAddr,
    /// In host byte order. For raw sockets the kernel puts the IP protocol number here.
    pub local_port: u16,
    /// The peer's address.
    pub peer_address: IpAddr,
    /// In host byte order.
    pub peer_port: u16,
    /// The interface the socket is bound to (`SO_BINDTODEVICE` or a link-local bind), by index.
    pub interface: Option<NonZeroU32>,
    /// `IPV6_V6ONLY`; the kernel reports it only for IPv6 sockets in state listen or closed.
    pub v6only: Option<bool>,
}

impl InetPair {
    /// Neither bound nor connected: the content of a buffer slot before it is filled.
    pub const UNSPECIFIED: Self = Self {
        local_address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        local_port: 0,
        peer_address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        peer_port: 0,
        interface: None,
        v6only: None,
    };

    /// Returns whether neither end has an address, as with an unconnected socket bound to all addresses.
    pub fn has_no_address(&self) -> bool {
        self.local_address.is_unspecified() && self.peer_address.is_unspecified()
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Our end.
    Local,
    /// The other end.
    Peer,
}

/// The ends of a unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnixPair {
    /// The bound name in the kernel's form: a path without its final NUL, or an abstract name that starts with a NUL.
    /// At most 108 arbitrary bytes; `None` for an unnamed socket.
    pub name: Option<Box<[u8]>>,
    /// The inode of the connected peer; `None` if there is none, or it is not accepted yet.
    pub peer_inode: Option<NonZeroU32>,
    /// Listeners only: the inodes of clients that wait to be accepted.
    pub pending: Vec<u32>,
    /// The bound file, by inode number (its low 32 bits) and device number, as VFS knows it.
    pub file: Option<UnixFile>,
}

/// The file that a unix socket is bound to (`UNIX_DIAG_VFS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixFile {
    /// The low 32 bits of the file's inode number.
    pub inode: u32,
    /// The device in the kernel's own encoding: major << 20 | minor.
    pub device: u32,
}

named! {
    /// Where a listening or bound socket is reachable from.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Scope {
        /// This machine only.
        Loopback => "loopback",
        /// The same link only.
        LinkLocal => "link-local",
        /// An address of a private network (RFC 1918, RFC 4193, RFC 6598).
        Private => "private",
        /// An address that is routed everywhere.
        Public => "public",
        /// Every IPv4 address of the machine.
        AllV4 => "all-v4",
        /// Every IPv6 address of the machine.
        AllV6 => "all-v6",
        /// Every address of the machine, IPv4 and IPv6.
        All => "all",
    }
}

impl Scope {
    /// Returns the scope of a socket bound to `address`. An IPv6 wildcard covers IPv4 unless `v6only` is known to
    /// be set, as by the kernel's default (net.ipv6.bindv6only = 0).
    pub fn of(address: IpAddr, v6only: Option<bool>) -> Self {
        match address {
            IpAddr::V4(v4) if v4.is_unspecified() => Self::AllV4,
            IpAddr::V6(v6) if v6.is_unspecified() => {
                if v6only == Some(true) {
                    Self::AllV6
                } else {
                    Self::All
                }
            }
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                if v4.is_loopback() {
                    Self::Loopback
                } else if v4.is_link_local() {
                    Self::LinkLocal
                } else if v4.is_private() || (a == 100 && (64..128).contains(&b)) {
                    Self::Private
                } else {
                    Self::Public
                }
            }
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => Self::of(IpAddr::V4(v4), None),
                None if v6.is_loopback() => Self::Loopback,
                None if v6.is_unicast_link_local() => Self::LinkLocal,
                None if v6.is_unique_local() => Self::Private,
                None => Self::Public,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_says_who_can_reach_a_listener() {
        let scope = |text: &str, v6only| Scope::of(text.parse().unwrap(), v6only).name();
        assert_eq!(scope("127.8.8.8", None), "loopback");
        assert_eq!(scope("::1", None), "loopback");
        assert_eq!(scope("::ffff:127.0.0.1", None), "loopback");
        assert_eq!(scope("0.0.0.0", None), "all-v4");
        assert_eq!(scope("::", Some(false)), "all");
        assert_eq!(scope("::", None), "all");
        assert_eq!(scope("::", Some(true)), "all-v6");
        assert_eq!(scope("::ffff:0.0.0.0", None), "all-v4");
        assert_eq!(scope("10.0.0.1", None), "private");
        assert_eq!(scope("100.64.0.1", None), "private");
        assert_eq!(scope("100.128.0.1", None), "public");
        assert_eq!(scope("fd00::1", None), "private");
        assert_eq!(scope("169.254.1.1", None), "link-local");
        assert_eq!(scope("fe80::1", None), "link-local");
        assert_eq!(scope("192.0.2.1", None), "public");
        assert_eq!(scope("2001:db8::1", None), "public");
    }
}
