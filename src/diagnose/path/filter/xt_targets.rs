//! Targets of x_tables.

use super::connection::Hook;
use super::effect::{Effect, Refusal};
use super::nat::Wanted;
use super::packet::{Packet, Tracking};
use super::value::Cell;
use super::walk::{Stop, Walk};
use super::xt_matches::{changed_mark, mark_cells};
use crate::model::packet_filter::Extension;
use crate::render::escape;

/// Targets that only count, log, or change something that no prediction depends on.
const NO_EFFECT: &[&[u8]] = &[
    b"LOG",
    b"NFLOG",
    b"TCPMSS",
    b"CHECKSUM",
    b"CLASSIFY",
    b"TRACE",
    b"AUDIT",
    b"SECMARK",
    b"CONNSECMARK",
    b"DSCP",
    b"TOS",
    b"ULOG",
];

/// `NF_NAT_RANGE_*`.
const MAP_IPS: u32 = 1;
const PROTO_SPECIFIED: u32 = 2;
const NETMAP: u32 = 0x40;

impl Walk<'_> {
    /// Executes a target.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn xt_target(
        &mut self,
        extension: &Extension,
        packet: &mut Packet,
        hook: Hook,
    ) -> Result<Effect, Stop> {
        let info = &*extension.info;
        let word = |at: usize| {
            info.get(at..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |bytes| u32::from_ne_bytes(*bytes))
        };
        let byte = |at: usize| info.get(at).copied().unwrap_or(0);
        match (&*extension.name, extension.revision) {
            (name, _) if NO_EFFECT.contains(&name) => Ok(Effect::Next),
            (b"REJECT", 0) if info.len() >= 4 => self.reject_with(word(0), packet.v6),
            (b"MARK", 2) if info.len() >= 8 => {
                packet.mark = changed_mark(packet.mark, word(4), &mark_cells(word(0)));
                Ok(Effect::Next)
            }
            (b"CONNMARK", 1 | 2) if info.len() >= 13 => {
                let mode = byte(if extension.revision == 1 { 12 } else { 14 });
                if extension.revision == 2 && byte(13) != 0 {
                    return Err(self.give_up("a shifted mark"));
                }
                if matches!(packet.tracking, Tracking::Tracked { .. }) {
                    self.connmark(mode, (word(0), word(4), word(8)), packet);
                }
                Ok(Effect::Next)
            }
            (b"CT", 0..=2) if info.len() >= 4 => {
                const NOTRACK: u8 = 3;
                if byte(0) & !NOTRACK != 0 || byte(2) != 0 || byte(3) != 0 {
                    return Err(self.give_up("a connection tracking zone"));
                }
                if byte(0) & NOTRACK != 0 && packet.tracking == Tracking::NotSeen {
                    packet.tracking = Tracking::Untracked;
                }
                Ok(Effect::Next)
            }
            (b"NOTRACK", 0) => {
                if packet.tracking == Tracking::NotSeen {
                    packet.tracking = Tracking::Untracked;
                }
                Ok(Effect::Next)
            }
            (b"DNAT", 0..=2) => {
                let wanted = self.range(extension, packet.v6)?;
                self.set_destination(wanted, packet);
                Ok(Effect::Accept)
            }
            (b"REDIRECT", 0) => {
                let wanted = self.range(extension, packet.v6)?;
                let Some(address) = self.redirection(hook, packet) else {
                    return Ok(Effect::Drop);
                };
                let address = Some(address);
                self.set_destination(Wanted { address, ..wanted }, packet);
                Ok(Effect::Accept)
            }
            (b"SNAT", 0..=2) => {
                let wanted = self.range(extension, packet.v6)?;
                self.set_source(wanted.address.or(packet.source), wanted.port, packet);
                Ok(Effect::Accept)
            }
            (b"MASQUERADE", 0) => {
                self.set_source(self.masquerade(packet), None, packet);
                Ok(Effect::Accept)
            }
            _ => {
                let name = escape::text(&extension.name);
                Err(self.give_up(format!("the target '{name}'")))
            }
        }
    }

    fn reject_with(&self, with: u32, v6: bool) -> Result<Effect, Stop> {
        let refusal = match (v6, with) {
            (false, 7) | (true, 6) => Refusal::Reset,
            (false, 0..=3) => Refusal::Unreachable(u8::try_from(with).unwrap_or(3)),
            (false, 5) => Refusal::Unreachable(9),
            (false, 6) => Refusal::Unreachable(10),
            (false, 8) => Refusal::Unreachable(13),
            (true, 0..=4) => Refusal::Unreachable(u8::try_from(with).unwrap_or(4)),
            (true, 7) => Refusal::Unreachable(5),
            (true, 8) => Refusal::Unreachable(6),
            _ => return Err(self.give_up("an unknown kind of REJECT")),
        };
        Ok(Effect::Reject(refusal))
    }

    fn connmark(&mut self, mode: u8, (ct_mark, ct_mask, packet_mask): (u32, u32, u32), packet: &mut Packet) {
        const SET: u8 = 0;
        const SAVE: u8 = 1;
        let masked = |mark: [Cell; 4], mask: u32| -> Vec<Cell> {
            mark.iter()
                .zip(mask.to_ne_bytes())
                .map(|(cell, mask)| cell.masked(mask, 0))
                .collect()
        };
        match mode {
            SET => self.connection.mark = changed_mark(self.connection.mark, ct_mask, &mark_cells(ct_mark)),
            SAVE => {
                let set = masked(packet.mark, packet_mask);
                self.connection.mark = changed_mark(self.connection.mark, ct_mask, &set);
            }
            _ => {
                let set = masked(self.connection.mark, ct_mask);
                packet.mark = changed_mark(packet.mark, packet_mask, &set);
            }
        }
    }

    /// The address and port of a NAT rule: `struct nf_nat_ipv4_multi_range_compat` or `struct nf_nat_range`.
    fn range(&self, extension: &Extension, v6: bool) -> Result<Wanted, Stop> {
        let info = &*extension.info;
        // The older IPv4 layout begins with the number of ranges.
        let (at, length) = if !v6 && extension.revision == 0 {
            (4, 4)
        } else {
            (0, 16)
        };
        let part = |at: usize, length: usize| info.get(at..at + length);
        let cut = || self.give_up("a NAT rule with truncated options");
        let flags = part(at, 4)
            .and_then(|bytes| bytes.first_chunk())
            .map(|bytes| u32::from_ne_bytes(*bytes));
        let flags = flags.ok_or_else(cut)?;
        if flags & NETMAP != 0 {
            return Err(self.give_up("NAT of a whole network"));
        }
        let mut wanted = Wanted {
            address: None,
            port: None,
        };
        if flags & MAP_IPS != 0 {
            let (low, high) = (part(at + 4, length), part(at + 4 + length, length));
            if low != high {
                return Err(self.give_up("NAT to one of several addresses"));
            }
            wanted.address = Some(self.address_of(low.map(<[u8]>::to_vec), v6)?);
        }
        if flags & PROTO_SPECIFIED != 0 {
            let at = at + 4 + 2 * length;
            let (low, high) = (part(at, 2), part(at + 2, 2));
            if low != high {
                return Err(self.give_up("NAT to one of several ports"));
            }
            let port = low
                .and_then(|bytes| bytes.first_chunk())
                .map(|bytes| u16::from_be_bytes(*bytes));
            wanted.port = Some(port.ok_or_else(cut)?);
        }
        Ok(wanted)
    }
}
