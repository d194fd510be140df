//! Parses /proc/net/packet and /proc/net/netlink (linux 6.18 net/packet/af_packet.c `packet_seq_show`,
//! net/netlink/af_netlink.c `netlink_native_seq_show`): the fallback where sock_diag does not list these families.

use std::num::NonZeroU32;

use super::fdinfo::{hex, number};
use crate::model::other_ends::{NetlinkPair, PacketEnd};
use crate::model::{Backend, Endpoints, Family, Protocol, Socket, SocketType, State};

/// One line of the packet table: `sk RefCnt Type Proto Iface R Rmem User Inode`.
pub fn packet_line(line: &[u8]) -> Option<Socket> {
    let [_, _, kind, ethertype, index, _, rmem, uid, inode] = columns(line)?;
    Some(Socket {
        protocol: Protocol::Packet,
        family: Family::Packet,
        kind: SocketType::from_kernel(u8::try_from(number(kind)?).ok()?),
        state: State::Unconnected,
        endpoints: Endpoints::Packet(PacketEnd {
            ethertype: u16::try_from(hex(ethertype)?).ok()?,
            interface: NonZeroU32::new(word(index)?),
        }),
        inode: NonZeroU32::new(word(inode)?),
        rqueue: Some(word(rmem)?),
        uid: Some(word(uid)?),
        backend: Backend::ProcNet,
        ..Socket::BLANK
    })
}

/// One line of the netlink table: `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`. It has only the first 32
/// groups, and omits sockets without an address.
pub fn netlink_line(line: &[u8]) -> Option<Socket> {
    let [_, protocol, portid, groups, rmem, wmem, _, _, drops, inode] = columns(line)?;
    let groups = u32::try_from(hex(groups)?).ok()?;
    Some(Socket {
        protocol: Protocol::Netlink,
        family: Family::Netlink,
        state: State::Unconnected,
        endpoints: Endpoints::Netlink(NetlinkPair {
            protocol: u8::try_from(number(protocol)?).ok()?,
            portid: word(portid)?,
            peer_portid: 0,
            peer_group: 0,
            groups: (1..=32).filter(|group| groups >> (group - 1) & 1 != 0).collect(),
        }),
        inode: NonZeroU32::new(word(inode)?),
        rqueue: Some(word(rmem)?),
        wqueue: Some(word(wmem)?),
        drops: Some(number(drops)?),
        backend: Backend::ProcNet,
        ..Socket::BLANK
    })
}

/// The first `N` columns, if there are that many.
fn columns<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let mut columns = line
        .split(u8::is_ascii_whitespace)
        .filter(|column| !column.is_empty());
    let mut found = [&b""[..]; N];
    for slot in &mut found {
        *slot = columns.next()?;
    }
    Some(found)
}

fn word(column: &[u8]) -> Option<u32> {
    u32::try_from(number(column)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_lines_are_read() {
        let line = b"00000000f2083b69 3      2    0806   1     1 1280   1000   39253086";
        let socket = packet_line(line).unwrap();
        let interface = NonZeroU32::new(1);
        let ethertype = 0x806;
        assert_eq!(
            socket.endpoints,
            Endpoints::Packet(PacketEnd { ethertype, interface })
        );
        assert_eq!((socket.kind, socket.uid), (Some(SocketType::Dgram), Some(1000)));
        assert_eq!(
            (socket.rqueue, socket.inode),
            (Some(1280), NonZeroU32::new(39_253_086))
        );
        assert_eq!(packet_line(b"sk RefCnt Type Proto Iface R Rmem User Inode"), None);
        assert_eq!(packet_line(b"0 3 2 0806 1 1 0 0"), None);
    }

    #[test]
    fn netlink_lines_are_read() {
        let line = b"0000000078ac8aca 15  4294967000 80000005 64 3 0 2 7 39253090";
        let socket = netlink_line(line).unwrap();
        let Endpoints::Netlink(pair) = &socket.endpoints else {
            unreachable!()
        };
        assert_eq!(
            (pair.protocol, pair.portid, &*pair.groups),
            (15, 4_294_967_000, &[1, 3, 32][..])
        );
        assert_eq!(
            (socket.rqueue, socket.wqueue, socket.drops),
            (Some(64), Some(3), Some(7))
        );
        let kernel = netlink_line(b"0 0 0 00000000 0 0 0 2 0 39252712").unwrap();
        assert!(kernel.is_of_kernel());
        assert_eq!(netlink_line(b"0 256 0 0 0 0 0 2 0 1"), None);
    }
}
