//! The two ends of a socket, packed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use super::bytes::{put32, take, take32};
use super::{FILE, INTERFACE, NAME, PEER_INODE, PENDING, UNIX, V4_LOCAL, V4_PEER, V6ONLY, V6ONLY_SET};
use crate::model::endpoint::UnixFile;
use crate::model::other_ends::{NetlinkPair, PacketEnd, TipcEnd, TipcPair, VsockPair, XdpEnd};
use crate::model::{Endpoints, InetPair, UnixPair};

pub(super) fn put_inet(out: &mut Vec<u8>, pair: &InetPair) -> u32 {
    let mut flags = 0;
    for (address, v4) in [(pair.local_address, V4_LOCAL), (pair.peer_address, V4_PEER)] {
        match address {
            IpAddr::V4(address) => {
                flags |= v4;
                out.extend_from_slice(&address.octets());
            }
            IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
        }
    }
    out.extend_from_slice(&pair.local_port.to_ne_bytes());
    out.extend_from_slice(&pair.peer_port.to_ne_bytes());
    if let Some(interface) = pair.interface {
        flags |= INTERFACE;
        put32(out, interface.get());
    }
    match pair.v6only {
        Some(true) => flags | V6ONLY | V6ONLY_SET,
        Some(false) => flags | V6ONLY,
        None => flags,
    }
}

pub(super) fn take_inet(input: &mut &[u8], flags: u32) -> InetPair {
    let address = |input: &mut &[u8], v4| {
        if flags & v4 != 0 {
            IpAddr::V4(Ipv4Addr::from(take::<4>(input)))
        } else {
            IpAddr::V6(Ipv6Addr::from(take::<16>(input)))
        }
    };
    InetPair {
        local_address: address(input, V4_LOCAL),
        peer_address: address(input, V4_PEER),
        local_port: u16::from_ne_bytes(take(input)),
        peer_port: u16::from_ne_bytes(take(input)),
        interface: (flags & INTERFACE != 0)
            .then(|| take32(input))
            .and_then(NonZeroU32::new),
        v6only: (flags & V6ONLY != 0).then_some(flags & V6ONLY_SET != 0),
    }
}

pub(super) fn put_unix(out: &mut Vec<u8>, pair: &UnixPair) -> u32 {
    let mut flags = UNIX;
    if let Some(name) = &pair.name {
        flags |= NAME;
        put32(out, u32::try_from(name.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(name);
    }
    if let Some(inode) = pair.peer_inode {
        flags |= PEER_INODE;
        put32(out, inode.get());
    }
    if !pair.pending.is_empty() {
        flags |= PENDING;
        put32(out, u32::try_from(pair.pending.len()).unwrap_or(u32::MAX));
        for inode in &pair.pending {
            put32(out, *inode);
        }
    }
    if let Some(file) = pair.file {
        flags |= FILE;
        put32(out, file.inode);
        put32(out, file.device);
    }
    flags
}

pub(super) fn take_unix(input: &mut &[u8], flags: u32) -> UnixPair {
    let name = (flags & NAME != 0).then(|| {
        let length = take32(input) as usize;
        let (name, rest) = input.split_at_checked(length).unwrap_or_default();
        *input = rest;
        name.into()
    });
    let peer_inode = (flags & PEER_INODE != 0)
        .then(|| take32(input))
        .and_then(NonZeroU32::new);
    let pending = if flags & PENDING != 0 {
        let count = take32(input);
        (0..count).map(|_| take32(input)).collect()
    } else {
        Vec::new()
    };
    let file = (flags & FILE != 0).then(|| UnixFile {
        inode: take32(input),
        device: take32(input),
    });
    UnixPair {
        name,
        peer_inode,
        pending,
        file,
    }
}

/// A byte for the family, then its fields.
pub(super) fn put_other(out: &mut Vec<u8>, endpoints: &Endpoints) {
    match endpoints {
        Endpoints::Packet(end) => {
            out.push(0);
            put32(out, end.ethertype.into());
            put32(out, end.interface.map_or(0, NonZeroU32::get));
        }
        Endpoints::Netlink(pair) => {
            out.extend_from_slice(&[1, pair.protocol]);
            put32(out, pair.portid);
            put32(out, pair.peer_portid);
            put32(out, pair.peer_group);
            put32(out, u32::try_from(pair.groups.len()).unwrap_or(u32::MAX));
            pair.groups.iter().for_each(|group| put32(out, *group));
        }
        Endpoints::Vsock(pair) => {
            out.push(2);
            for number in [pair.local_cid, pair.local_port, pair.peer_cid, pair.peer_port] {
                put32(out, number);
            }
        }
        Endpoints::Xdp(end) => {
            out.push(3);
            put32(out, end.interface.map_or(0, NonZeroU32::get));
            put32(out, end.queue_id);
        }
        Endpoints::Tipc(pair) => {
            let flags = u8::from(pair.peer.is_some())
                | u8::from(pair.service.is_some()) << 1
                | u8::from(pair.is_published) << 2
                | u8::from(pair.is_link_congested) << 3
                | u8::from(pair.is_connection_congested) << 4;
            out.extend_from_slice(&[5, flags]);
            for end in [Some(pair.local), pair.peer].into_iter().flatten() {
                put32(out, end.node);
                put32(out, end.reference);
            }
            for number in pair.service.into_iter().flatten() {
                put32(out, number);
            }
        }
        Endpoints::ProtocolOnly(name) => {
            out.push(4);
            put32(out, u32::try_from(name.len()).unwrap_or(u32::MAX));
            out.extend_from_slice(name.as_bytes());
        }
        Endpoints::Inet(_) | Endpoints::Unix(_) => {}
    }
}

pub(super) fn take_other(input: &mut &[u8]) -> Endpoints {
    match take::<1>(input) {
        [0] => Endpoints::Packet(PacketEnd {
            ethertype: u16::try_from(take32(input)).unwrap_or(0),
            interface: NonZeroU32::new(take32(input)),
        }),
        [1] => Endpoints::Netlink(NetlinkPair {
            protocol: take::<1>(input)[0],
            portid: take32(input),
            peer_portid: take32(input),
            peer_group: take32(input),
            groups: {
                let count = take32(input);
                (0..count).map(|_| take32(input)).collect()
            },
        }),
        [2] => Endpoints::Vsock(VsockPair {
            local_cid: take32(input),
            local_port: take32(input),
            peer_cid: take32(input),
            peer_port: take32(input),
        }),
        [3] => Endpoints::Xdp(XdpEnd {
            interface: NonZeroU32::new(take32(input)),
            queue_id: take32(input),
        }),
        [5] => {
            let [flags] = take::<1>(input);
            let end = |input: &mut &[u8]| TipcEnd {
                node: take32(input),
                reference: take32(input),
            };
            Endpoints::Tipc(TipcPair {
                local: end(input),
                peer: (flags & 1 != 0).then(|| end(input)),
                service: (flags & 2 != 0).then(|| [take32(input), take32(input)]),
                is_published: flags & 4 != 0,
                is_link_congested: flags & 8 != 0,
                is_connection_congested: flags & 16 != 0,
            })
        }
        _ => {
            let length = take32(input) as usize;
            let (name, rest) = input.split_at_checked(length).unwrap_or_default();
            *input = rest;
            Endpoints::ProtocolOnly(String::from_utf8_lossy(name).into())
        }
    }
}
