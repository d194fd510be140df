//! Interfaces, their addresses, and answers of the routing table.

use std::net::{IpAddr, Ipv4Addr};

use super::packet_filter::Name;

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: Name,
    /// The kind of a virtual one (`veth`, `bridge`), empty for others.
    pub kind: Name,
    /// Its group.
    pub group: u32,
    /// `ARPHRD_*`.
    pub device_type: u16,
    /// `IFF_*`.
    pub flags: u32,
    /// The interface that it is a port of (bridge, bond, VRF).
    pub master: Option<u32>,
    /// Whether an XDP program sees its packets first.
    pub xdp: bool,
    /// The interface of this namespace that it is made from (VLAN, macvlan).
    pub lower: Option<u32>,
    /// For a bridge: whether the traffic that it forwards passes the IPv4 rules, and the IPv6 rules.
    pub calls_ip: [bool; 2],
}

impl Link {
    /// `IFF_UP`.
    pub const UP: u32 = 0x1;
    /// `IFF_LOOPBACK`.
    pub const LOOPBACK: u32 = 0x8;
    /// `IFF_LOWER_UP`: it has a carrier.
    pub const LOWER_UP: u32 = 0x1_0000;

    /// Whether it is the loopback interface.
    pub const fn is_loopback(&self) -> bool {
        self.flags & Self::LOOPBACK != 0
    }
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    /// The interface.
    pub interface: u32,
    /// The address.
    pub address: IpAddr,
    /// The length of its prefix.
    pub prefix: u8,
    /// `RT_SCOPE_*`: 0 everywhere, 253 on the link, 254 on this machine.
    pub scope: u8,
    /// Whether another address of its network comes first (`IFA_F_SECONDARY`; IPv6: temporary).
    pub secondary: bool,
    /// Its broadcast address.
    pub broadcast: Option<Ipv4Addr>,
}

/// A query of the routing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteQuery {
    /// Where the packet goes.
    pub destination: IpAddr,
    /// Where it comes from, if that is already known.
    pub source: Option<IpAddr>,
    /// The interface through which it arrived; `None` for a packet from this machine.
    pub incoming: Option<u32>,
    /// The only interface through which it may leave.
    pub outgoing: Option<u32>,
    /// Its mark.
    pub mark: u32,
    /// Its protocol, which ip rules may match.
    pub protocol: u8,
    /// The destination port, which ip rules may match.
    pub port: u16,
}

/// The routing table's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAnswer {
    /// A route.
    Found(Route),
    /// The kernel's errno.
    Refused(i32),
    /// It could not be queried.
    Unread,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `RTN_*`: 1 unicast, 2 local, 3 broadcast, 5 multicast.
    pub kind: u8,
    /// The interface through which packets leave.
    pub interface: u32,
    /// The source address of these packets.
    pub source: Option<IpAddr>,
    /// The next router.
    pub gateway: Option<IpAddr>,
}

impl Route {
    /// `RTN_LOCAL`: the destination is this machine.
    pub const LOCAL: u8 = 2;
}

/// Whether something is attached to the path of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attached {
    /// Nothing is.
    #[default]
    No,
    /// Something is.
    Yes,
    /// This could not be read.
    Unread,
}

/// What handles the packets of an interface, besides the rules and XDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceHooks {
    /// A tc filter.
    pub filter: Attached,
    /// A tcx program.
    pub program: Attached,
    /// A queue that drops packets on purpose (netem).
    pub loss: Attached,
}

/// The addresses that an IPsec policy covers, in its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpsecPolicy {
    /// The source: an address and the length of its prefix.
    pub source: (IpAddr, u8),
    /// The destination.
    pub destination: (IpAddr, u8),
}

/// The IPsec policies of a network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipsec {
    /// Each policy.
    pub policies: Vec<IpsecPolicy>,
    /// Whether packets that no policy covers are blocked.
    pub blocks: bool,
    /// Whether they could be read.
    pub read: bool,
}

/// A neighbour on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The interface.
    pub interface: u32,
    /// Its address.
    pub address: IpAddr,
    /// `NUD_*`.
    pub state: u16,
}

impl Neighbour {
    /// `NUD_INCOMPLETE`: a request was sent but not answered yet.
    pub const INCOMPLETE: u16 = 0x01;
    /// `NUD_FAILED`: it did not answer.
    pub const FAILED: u16 = 0x20;
}
