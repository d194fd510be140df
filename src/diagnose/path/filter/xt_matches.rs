//! Matches of x_tables (linux 6.18 include/uapi/linux/netfilter/xt_*.h, net/netfilter/xt_*.c).

use std::net::IpAddr;

use super::connection::Connection;
use super::packet::{ICMP, ICMP6, Packet, Port, TCP, Tracking, UDP, port_cells};
use super::value::{Cell, between, equal, known};
use super::walk::{Stop, Walk};
use crate::model::packet_filter::Extension;
use crate::render::escape;

/// Reads the options of a match.
struct Info<'a>(&'a [u8]);

impl Info<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn short(&self, at: usize) -> u16 {
        self.0
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u16::from_ne_bytes(*bytes))
    }

    fn word(&self, at: usize) -> u32 {
        self.0
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    fn part(&self, at: usize, length: usize) -> &[u8] {
        self.0.get(at..at + length).unwrap_or_default()
    }
}

impl Walk<'_> {
    /// Whether a packet matches.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn xt_matches(&mut self, extension: &Extension, packet: &Packet) -> Result<bool, Stop> {
        let info = Info(&extension.info);
        match (&*extension.name, extension.revision) {
            (b"comment", _) => Ok(true),
            (b"tcp", 0) if extension.info.len() >= 12 => self.tcp(&info, packet),
            (b"udp", 0) if extension.info.len() >= 9 => Ok(packet.protocol == UDP
                && self.port(
                    packet.source_port,
                    (info.short(0), info.short(2)),
                    info.byte(8) & 1 != 0,
                )?
                && self.port(
                    packet.destination_port,
                    (info.short(4), info.short(6)),
                    info.byte(8) & 2 != 0,
                )?),
            (b"multiport", 1) if extension.info.len() >= 48 => self.multiport(&info, packet),
            (b"conntrack", 3) if extension.info.len() >= 162 => self.conntrack(&info, packet),
            (b"state", 0) if extension.info.len() >= 4 => {
                Ok(info.word(0) & Connection::state_bit(packet.tracking) != 0)
            }
            (b"addrtype", 1) if extension.info.len() >= 8 => self.addrtype(&info, packet),
            (b"mark", 1) if extension.info.len() >= 9 => {
                self.mark(&packet.mark, info.word(0), info.word(4), info.byte(8) != 0)
            }
            (b"connmark", 1) if extension.info.len() >= 9 => match packet.tracking {
                Tracking::Tracked { .. } => {
                    let mark = self.connection.mark;
                    self.mark(&mark, info.word(0), info.word(4), info.byte(8) != 0)
                }
                _ => Ok(false),
            },
            (b"iprange", 1) if extension.info.len() >= 65 => self.iprange(&info, packet),
            (b"icmp", 0) if packet.protocol == ICMP => Ok(icmp(&info, packet)),
            (b"icmp6", 0) if packet.protocol == ICMP6 => Ok(icmp(&info, packet)),
            (b"icmp" | b"icmp6", 0) => Ok(false),
            // None of the packets has these headers. Inverted or not, the matches apply only to packets that have one
            // (linux 6.18 net/ipv6/netfilter/ip6t_rt.c and the like).
            (b"rt" | b"frag" | b"hbh" | b"dst", 0) if packet.v6 => Ok(false),
            // PACKET_HOST, in both directions.
            (b"pkttype", 0) if extension.info.len() >= 8 => Ok((info.word(0) == 0) != (info.word(4) != 0)),
            _ => {
                let name = escape::text(&extension.name);
                self.ask_here(packet.id, &format!("the match '{name}'"))
            }
        }
    }

    /// Whether a port, in host byte order, lies in a range.
    fn port(&mut self, port: Port, (low, high): (u16, u16), inverted: bool) -> Result<bool, Stop> {
        let cells = port_cells(port);
        let (low, high) = (low.to_be_bytes(), high.to_be_bytes());
        let truth = between(&cells, &low, &high, self.limits);
        Ok(self.decide(truth, &cells, &[&b"in"[..], &low, &high].concat())? != inverted)
    }

    fn tcp(&mut self, info: &Info<'_>, packet: &Packet) -> Result<bool, Stop> {
        let inverted = info.byte(11);
        if packet.protocol != TCP
            || !self.port(
                packet.source_port,
                (info.short(0), info.short(2)),
                inverted & 1 != 0,
            )?
            || !self.port(
                packet.destination_port,
                (info.short(4), info.short(6)),
                inverted & 2 != 0,
            )?
        {
            return Ok(false);
        }
        let (mask, wanted) = (info.byte(9), info.byte(10));
        let cell: Vec<Cell> = packet
            .transport(13, 1)
            .into_iter()
            .map(|cell| cell.masked(mask, 0))
            .collect();
        let truth = equal(&cell, &[wanted], self.limits);
        if self.decide(truth, &cell, &[b'=', wanted])? == (inverted & 4 != 0) {
            return Ok(false);
        }
        if info.byte(8) != 0 {
            let there = self.ask_here(packet.id, "an option of the packet")?;
            return Ok(there != (inverted & 8 != 0));
        }
        Ok(true)
    }

    fn multiport(&mut self, info: &Info<'_>, packet: &Packet) -> Result<bool, Stop> {
        if !matches!(packet.protocol, TCP | UDP) {
            // Only rules about other protocols with ports get here.
            return Ok(false);
        }
        let count = usize::from(info.byte(1)).min(15);
        let inverted = info.byte(47) != 0;
        let mut at = 0;
        while at < count {
            let port = |at: usize| info.short(2 + 2 * at);
            let range = if info.byte(32 + at) != 0 {
                at += 1;
                (port(at - 1), port(at))
            } else {
                (port(at), port(at))
            };
            at += 1;
            let is_in = match info.byte(0) {
                0 => self.port(packet.source_port, range, false)?,
                1 => self.port(packet.destination_port, range, false)?,
                _ => {
                    self.port(packet.destination_port, range, false)?
                        || self.port(packet.source_port, range, false)?
                }
            };
            if is_in {
                return Ok(!inverted);
            }
        }
        Ok(inverted)
    }

    fn conntrack(&mut self, info: &Info<'_>, packet: &Packet) -> Result<bool, Stop> {
        const STATE: u16 = 1;
        const PROTO: u16 = 2;
        const STATUS: u16 = 1 << 6;
        const EXPIRES: u16 = 1 << 7;
        const DIRECTION: u16 = 1 << 12;
        let (flags, inverted) = (info.short(146), info.short(148));
        let has = |flag: u16| flags & flag != 0;
        let not = |flag: u16| inverted & flag != 0;
        let connection = self.connection.clone();
        if has(STATE) {
            let mut state = match packet.tracking {
                Tracking::Untracked => 0x100,
                tracking => Connection::state_bit(tracking),
            };
            if matches!(packet.tracking, Tracking::Tracked { .. }) {
                state |= u32::from(connection.new_source.is_some()) << 6;
                state |= u32::from(connection.new_destination.is_some()) << 7;
            }
            if (u32::from(info.short(150)) & state != 0) == not(STATE) {
                return Ok(false);
            }
        }
        let Tracking::Tracked { reply, .. } = packet.tracking else {
            return Ok(has(STATE));
        };
        if has(DIRECTION) && reply != not(DIRECTION) {
            return Ok(false);
        }
        if has(PROTO) && (info.short(136) == u16::from(packet.protocol)) == not(PROTO) {
            return Ok(false);
        }
        let (source, source_port, destination, destination_port) = connection.tuple(false);
        let (from, from_port, to, to_port) = connection.tuple(true);
        let length = if packet.v6 { 16 } else { 4 };
        for (at, address) in [source, destination, from, to].into_iter().enumerate() {
            let flag = 4 << at;
            let (wanted, mask) = (info.part(32 * at, length), info.part(32 * at + 16, length));
            if has(flag) && !self.address(address, 10, wanted, mask, not(flag), packet)? {
                return Ok(false);
            }
        }
        for (at, port) in [source_port, destination_port, from_port, to_port]
            .into_iter()
            .enumerate()
        {
            let flag = 0x100 << at;
            if has(flag)
                && !self.port(
                    port,
                    (info.short(138 + 2 * at), info.short(154 + 2 * at)),
                    not(flag),
                )?
            {
                return Ok(false);
            }
        }
        if has(STATUS) {
            let mask = u32::from(info.short(152)).to_ne_bytes();
            let cells: Vec<Cell> = connection
                .status()
                .into_iter()
                .zip(mask)
                .map(|(cell, mask)| cell.masked(mask, 0))
                .collect();
            let truth = equal(&cells, &[0; 4], self.limits).not();
            if self.decide(truth, &cells, b"status")? == not(STATUS) {
                return Ok(false);
            }
        }
        if has(EXPIRES) {
            return self.ask_here(packet.id, "how long the connection has been tracked");
        }
        Ok(true)
    }

    /// Whether an address, after masking, equals the wanted one.
    ///
    /// # Errors
    /// If too many questions were asked.
    pub fn address(
        &mut self,
        address: Option<IpAddr>,
        space: u8,
        wanted: &[u8],
        mask: &[u8],
        inverted: bool,
        packet: &Packet,
    ) -> Result<bool, Stop> {
        let cells = packet.address(address, space);
        let masked: Vec<Cell> = cells
            .iter()
            .zip(mask)
            .map(|(cell, mask)| cell.masked(*mask, 0))
            .collect();
        let wanted: Vec<u8> = wanted.iter().zip(mask).map(|(byte, mask)| byte & mask).collect();
        let truth = equal(&masked, &wanted, self.limits);
        Ok(self.decide(truth, &masked, &wanted)? != inverted)
    }

    fn addrtype(&mut self, info: &Info<'_>, packet: &Packet) -> Result<bool, Stop> {
        let (source, destination, flags) = (info.short(0), info.short(2), info.word(4));
        let device = if flags & 4 != 0 {
            packet.incoming
        } else if flags & 8 != 0 {
            packet.outgoing
        } else {
            None
        };
        let limited = flags & 0xc != 0;
        for (address, mask, invert) in [(packet.source, source, 1), (packet.destination, destination, 2)] {
            if mask == 0 {
                continue;
            }
            let Some(address) = address else {
                if !self.ask_here(packet.id, "the type of an address that is not known in advance")? {
                    return Ok(false);
                }
                continue;
            };
            if limited && packet.v6 {
                return Err(self.give_up("the type of an IPv6 address on one interface"));
            }
            let matches = match address {
                IpAddr::V6(v6) => {
                    const UNICAST: u16 = 1 << 1;
                    const LOCAL: u16 = 1 << 2;
                    const MULTICAST: u16 = 1 << 5;
                    // This is about the kind of address, not its use: a local address is unicast.
                    let form = (mask & UNICAST == 0 || !v6.is_multicast())
                        && (mask & MULTICAST == 0 || v6.is_multicast());
                    let others = mask & !(UNICAST | MULTICAST);
                    if others & !LOCAL != 0 {
                        self.ask_here(packet.id, "the type of an IPv6 address")?
                    } else {
                        form && (others == 0 || self.facts.is_local(address, None))
                    }
                }
                IpAddr::V4(_) => {
                    let kind = self.facts.address_type(address, device);
                    u32::from(mask) & (1u32 << (kind & 31)) != 0
                }
            };
            if matches == (flags & invert != 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn mark(&mut self, mark: &[Cell; 4], wanted: u32, mask: u32, inverted: bool) -> Result<bool, Stop> {
        let masked: Vec<Cell> = mark
            .iter()
            .zip(mask.to_ne_bytes())
            .map(|(cell, mask)| cell.masked(mask, 0))
            .collect();
        let wanted = wanted.to_ne_bytes();
        let truth = equal(&masked, &wanted, self.limits);
        Ok(self.decide(truth, &masked, &wanted)? != inverted)
    }

    fn iprange(&mut self, info: &Info<'_>, packet: &Packet) -> Result<bool, Stop> {
        let flags = info.byte(64);
        let length = if packet.v6 { 16 } else { 4 };
        let sides = [
            (packet.source, 0, 0x01, 0x10),
            (packet.destination, 32, 0x02, 0x20),
        ];
        for (space, (address, at, flag, invert)) in (2..).zip(sides) {
            if flags & flag == 0 {
                continue;
            }
            let cells = packet.address(address, space);
            let (low, high) = (info.part(at, length), info.part(at + 16, length));
            let truth = between(&cells, low, high, self.limits);
            if self.decide(truth, &cells, &[&b"in"[..], low, high].concat())? == (flags & invert != 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn icmp(info: &Info<'_>, packet: &Packet) -> bool {
    const ANY: u8 = 0xff;
    let (kind, code) = packet.icmp;
    let matches = info.byte(0) == ANY && packet.protocol == ICMP
        || info.byte(0) == kind && (info.byte(1)..=info.byte(2)).contains(&code);
    matches != (info.byte(3) & 1 != 0)
}

/// The mark after a rule changed it: `(mark & !clear) ^ set`.
pub(super) fn changed_mark(mark: [Cell; 4], clear: u32, set: &[Cell]) -> [Cell; 4] {
    let mut changed = mark;
    for (at, cell) in changed.iter_mut().enumerate() {
        let clear = clear.to_ne_bytes().get(at).copied().unwrap_or(0);
        let set = set.get(at).copied().unwrap_or(Cell::known(0));
        *cell = if set.known == 0xff {
            cell.masked(!clear, set.value)
        } else if clear == 0xff {
            set
        } else {
            Cell::partly(0, 0, super::value::computed(cell.tag, set.tag))
        };
    }
    changed
}

/// A known mark.
pub(super) fn mark_cells(mark: u32) -> Vec<Cell> {
    known(&mark.to_ne_bytes())
}
