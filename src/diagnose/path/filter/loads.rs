//! What expressions load from a packet, its connection and the routing table (linux 6.18 net/netfilter/nft_meta.c,
//! nft_payload.c, nft_ct.c, nft_fib.c).

use super::connection::{Connection, Hook};
use super::packet::{Packet, Port, Tracking, host_word, port_cells};
use super::value::{Cell, computed, known};
use super::walk::{Stop, Walk};
use crate::model::network::{RouteAnswer, RouteQuery};
use crate::model::packet_filter::Load;

/// `NFT_META_*`.
mod meta {
    pub(super) const PROTOCOL: u32 = 1;
    pub(super) const MARK: u32 = 3;
    pub(super) const IIF: u32 = 4;
    pub(super) const OIF: u32 = 5;
    pub(super) const IIFNAME: u32 = 6;
    pub(super) const OIFNAME: u32 = 7;
    pub(super) const IIFTYPE: u32 = 8;
    pub(super) const OIFTYPE: u32 = 9;
    pub(super) const SKUID: u32 = 10;
    pub(super) const SKGID: u32 = 11;
    pub(super) const NFPROTO: u32 = 15;
    pub(super) const L4PROTO: u32 = 16;
    pub(super) const PKTTYPE: u32 = 19;
    pub(super) const IIFGROUP: u32 = 21;
    pub(super) const OIFGROUP: u32 = 22;
    pub(super) const CGROUP: u32 = 23;
    pub(super) const IIFKIND: u32 = 26;
    pub(super) const OIFKIND: u32 = 27;
}

/// `NFT_FIB_RESULT_*`, and the flags of a lookup.
const FIB_OIF: u32 = 1;
const FIB_OIFNAME: u32 = 2;
const FIB_TYPE: u32 = 3;
const FIB_SADDR: u32 = 1;
const FIB_DADDR: u32 = 2;
const FIB_IIF: u32 = 8;
const FIB_OUT: u32 = 16;
const FIB_PRESENT: u32 = 32;

/// The result of a load: bytes, or `None` if the rule ends without effect.
type Loaded = Option<Vec<Cell>>;

impl Walk<'_> {
    /// Loads something; `None` if the rule does not match (`NFT_BREAK`).
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn load_from(&mut self, what: Load, packet: &Packet, hook: Option<Hook>) -> Result<Loaded, Stop> {
        match what {
            Load::Payload { base, offset, bytes } => self.payload(base, offset, bytes, packet),
            Load::Meta(key) => self.meta(key, packet),
            Load::Connection { key, direction } => Ok(self.of_connection(key, direction, packet)),
            Load::Fib { result, flags } => self.fib(result, flags, packet, hook),
            Load::Unknown { what, bytes } => {
                let tag = computed(packet.tag(9, 0), tag_of(what.as_bytes()));
                Ok(Some(self.unknown(tag, what, usize::from(bytes))))
            }
        }
    }

    fn payload(&mut self, base: u32, offset: u32, bytes: u8, packet: &Packet) -> Result<Loaded, Stop> {
        let length = u32::from(bytes);
        let has_ports = matches!(packet.source_port, Port::Known(_) | Port::Client);
        match base {
            1 if offset.saturating_add(length) <= if packet.v6 { 40 } else { 20 } => {
                Ok(Some(packet.network(offset, length)))
            }
            2 if packet.has_transport(offset.saturating_add(length)) => {
                Ok(Some(packet.transport(offset, length)))
            }
            1 | 2 => {
                // Neither the length of the packet nor its content at that offset is known.
                let long = self.ask_here(packet.id, "the length of the packet")?;
                Ok(long.then(|| {
                    if base == 1 {
                        packet.network(offset, length)
                    } else {
                        packet.transport(offset, length)
                    }
                }))
            }
            0 => {
                // A packet from this machine has no link header yet.
                let there = self.ask_here(packet.id, "the link layer's header")?;
                let tag = packet.tag(8, offset);
                Ok(there.then(|| self.unknown(tag, "the link layer's header", usize::from(bytes))))
            }
            _ if has_ports => Err(self.give_up("a part of the packet that is not known in advance")),
            _ => Ok(None),
        }
    }

    fn meta(&mut self, key: u32, packet: &Packet) -> Result<Loaded, Stop> {
        let facts = self.facts;
        let (incoming, outgoing) = (packet.incoming, packet.outgoing);
        let link = |index: Option<u32>| index.and_then(|index| facts.link(index));
        let kind = |index: Option<u32>| {
            link(index).map(|link| {
                let mut padded = [0; 16];
                for (to, from) in padded.iter_mut().zip(link.kind.iter()) {
                    *to = *from;
                }
                known(&padded)
            })
        };
        Ok(match key {
            meta::PROTOCOL => Some(known(if packet.v6 { &[0x86, 0xdd] } else { &[0x08, 0x00] })),
            meta::MARK => Some(packet.mark.to_vec()),
            meta::IIF => Some(host_word(incoming.unwrap_or(0))),
            meta::OIF => Some(host_word(outgoing.unwrap_or(0))),
            meta::IIFNAME => Some(known(&facts.name(incoming))),
            meta::OIFNAME => Some(known(&facts.name(outgoing))),
            meta::IIFTYPE => link(incoming).map(|link| known(&link.device_type.to_ne_bytes())),
            meta::OIFTYPE => link(outgoing).map(|link| known(&link.device_type.to_ne_bytes())),
            meta::IIFGROUP => link(incoming).map(|link| host_word(link.group)),
            meta::OIFGROUP => link(outgoing).map(|link| host_word(link.group)),
            meta::IIFKIND => kind(incoming),
            meta::OIFKIND => kind(outgoing),
            meta::NFPROTO => Some(known(&[if packet.v6 { 10 } else { 2 }])),
            meta::L4PROTO => Some(known(&[packet.protocol])),
            // PACKET_HOST.
            meta::PKTTYPE => Some(known(&[0])),
            // A packet from another machine has no socket yet.
            meta::SKUID | meta::SKGID | meta::CGROUP if !packet.from_here => None,
            meta::SKUID | meta::SKGID | meta::CGROUP => {
                let there = self.ask_here(packet.id, "the user of the packet's socket")?;
                let tag = packet.tag(7, key);
                there.then(|| self.unknown(tag, "the user of the packet's socket", 4))
            }
            _ => {
                let there = self.ask_here(packet.id, "a property of the packet")?;
                let tag = packet.tag(7, key);
                there.then(|| self.unknown(tag, "a property of the packet", 16))
            }
        })
    }

    /// `None` for a key that only tracked packets have.
    fn of_connection(&mut self, key: u32, direction: Option<u8>, packet: &Packet) -> Loaded {
        const STATE: u32 = 0;
        if key == STATE {
            return Some(host_word(Connection::state_bit(packet.tracking)));
        }
        let Tracking::Tracked { reply, .. } = packet.tracking else {
            return None;
        };
        let (source, source_port, destination, destination_port) = self
            .connection
            .tuple(direction.map_or(reply, |direction| direction != 0));
        match key {
            1 => Some(known(&[u8::from(reply)])),
            2 => Some(self.connection.status()),
            3 => Some(self.connection.mark.to_vec()),
            7 => Some(known(&[if packet.v6 { 10 } else { 2 }])),
            10 => Some(known(&[if packet.source_port == Port::None {
                0
            } else {
                packet.protocol
            }])),
            // These keys exist for one family only.
            19..=22 if packet.v6 != (key > 20) => None,
            8 | 19 | 21 => Some(packet.address(source, 10)),
            9 | 20 | 22 => Some(packet.address(destination, 11)),
            11 => Some(port_cells(source_port)),
            12 => Some(port_cells(destination_port)),
            17 => Some(known(&0u16.to_ne_bytes())),
            _ => Some(self.unknown(packet.tag(12, key), "a property of the connection", 16)),
        }
    }

    fn fib(&mut self, result: u32, flags: u32, packet: &Packet, hook: Option<Hook>) -> Result<Loaded, Stop> {
        let address = if flags & FIB_SADDR != 0 {
            packet.source
        } else if flags & FIB_DADDR != 0 {
            packet.destination
        } else {
            None
        };
        let device = if flags & FIB_IIF != 0 {
            packet.incoming
        } else if flags & FIB_OUT != 0 {
            packet.outgoing
        } else {
            None
        };
        let Some(address) = address else {
            return Err(self.give_up("an address that is not known in advance"));
        };
        if result == FIB_TYPE {
            let mut kind = self.facts.address_type(address, device);
            if packet.v6 && kind == 1 {
                // IPv6 says "unreachable" where it has no route.
                kind = match self.route(query(address, device, packet))? {
                    RouteAnswer::Found(route) => route.kind,
                    RouteAnswer::Refused(_) => 7,
                    RouteAnswer::Unread => return Err(self.give_up("the routing table")),
                };
            }
            return Ok(Some(host_word(u32::from(kind))));
        }
        let index = if hook == Some(Hook::Prerouting) && packet.incoming == Some(self.facts.loopback()) {
            packet.incoming
        } else {
            match self.route(query(address, device, packet))? {
                RouteAnswer::Found(route) if route.kind == 1 => {
                    Some(route.interface).filter(|found| device.is_none_or(|device| device == *found))
                }
                RouteAnswer::Found(_) if flags & FIB_DADDR != 0 => {
                    return Err(self.give_up("the route to an address that is not another machine's"));
                }
                RouteAnswer::Found(_) | RouteAnswer::Refused(_) => None,
                RouteAnswer::Unread => return Err(self.give_up("the routing table")),
            }
        };
        Ok(Some(match result {
            _ if flags & FIB_PRESENT != 0 => known(&[u8::from(index.is_some())]),
            FIB_OIF => host_word(index.unwrap_or(0)),
            FIB_OIFNAME => known(&self.facts.name(index)),
            _ => return Err(self.give_up("a routing table lookup")),
        }))
    }
}

fn query(address: std::net::IpAddr, device: Option<u32>, packet: &Packet) -> RouteQuery {
    RouteQuery {
        destination: address,
        source: None,
        incoming: None,
        outgoing: device,
        mark: 0,
        protocol: packet.protocol,
        port: 0,
    }
}

fn tag_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |tag, byte| computed(tag, u64::from(*byte)))
}
