//! The ends of packet, netlink, vsock, XDP and TIPC sockets, which have neither IP addresses nor names.

use std::num::NonZeroU32;

/// What a packet socket receives, and from where. It has no other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketEnd {
    /// The Ethernet protocol in host byte order; 3 for all, 0 while it receives nothing.
    pub ethertype: u16,
    /// The interface by index; `None` for all, or if the source does not report it.
    pub interface: Option<NonZeroU32>,
}

/// The ends of a netlink socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetlinkPair {
    /// `NETLINK_ROUTE` (0) and so on; at most 31.
    pub protocol: u8,
    /// The socket's address: 0 for the kernel's own end, often the process id of its creator.
    pub portid: u32,
    /// The port id of its peer.
    pub peer_portid: u32,
    /// The multicast group it was connected to; 0 for none.
    pub peer_group: u32,
    /// The multicast groups it has joined, by number from 1; empty for none.
    pub groups: Box<[u32]>,
}

impl NetlinkPair {
    /// Returns whether it is connected to anything but the kernel.
    pub const fn is_connected(&self) -> bool {
        self.peer_portid != 0 || self.peer_group != 0
    }

    /// Returns whether it is the kernel's own end. A program's socket without an address is listed only if it joined
    /// groups, and the kernel joins none (linux 6.18 net/netlink/diag.c, af_netlink.c).
    pub fn is_of_kernel(&self) -> bool {
        self.portid == 0 && self.groups.is_empty()
    }
}

/// The ends of a VM socket. A value of `u32::MAX` stands for any, or for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VsockPair {
    /// Our context id: 1 for local sockets, 2 for the host.
    pub local_cid: u32,
    /// Our port.
    pub local_port: u32,
    /// The other machine's context id.
    pub peer_cid: u32,
    /// Its port.
    pub peer_port: u32,
}

/// Where an XDP socket is bound. There is no other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XdpEnd {
    /// The interface by index; `None` while it is not bound.
    pub interface: Option<NonZeroU32>,
    /// The queue of that interface.
    pub queue_id: u32,
}

/// One end of a TIPC socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TipcEnd {
    /// The node; 0 before the node has an address.
    pub node: u32,
    /// The number of the socket on its node.
    pub reference: u32,
}

/// The ends of a TIPC socket, and its services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TipcPair {
    /// Our end.
    pub local: TipcEnd,
    /// The other end; `None` if it is not connected.
    pub peer: Option<TipcEnd>,
    /// Type and instance of the service by which it was connected.
    pub service: Option<[u32; 2]>,
    /// Whether services are bound to it. The kernel does not report which ones, and reports nothing for connected
    /// sockets.
    pub is_published: bool,
    /// Whether it waits for a link.
    pub is_link_congested: bool,
    /// Whether it waits for the other end to read.
    pub is_connection_congested: bool,
}

/// Returns a context id or port, unless it is the wildcard.
pub const fn vsock_number(number: u32) -> Option<u32> {
    if number == u32::MAX { None } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_id_0_is_the_kernels_only_without_groups() {
        let pair = |portid, groups: &[u32]| NetlinkPair {
            protocol: 0,
            portid,
            peer_portid: 0,
            peer_group: 0,
            groups: groups.into(),
        };
        assert!(pair(0, &[]).is_of_kernel());
        assert!(
            !pair(0, &[5]).is_of_kernel(),
            "a program that joined a group before bind"
        );
        assert!(!pair(812, &[]).is_of_kernel());
    }
}
