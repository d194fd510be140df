//! Executes a table of iptables-legacy (linux 6.18 net/ipv4/netfilter/ip_tables.c, ipt_do_table).

use super::connection::Hook;
use super::effect::Effect;
use super::packet::Packet;
use super::place::RulePlace;
use super::rules::Passage;
use super::walk::{Stop, Walk};
use crate::model::packet_filter::{LegacyEntry, LegacyTarget};

/// Verdicts, as stored in a table: `-verdict - 1`.
const ACCEPT: i32 = -2;
const DROP: i32 = -1;
const QUEUE: i32 = -4;
const RETURN: i32 = -5;

/// Bits of `inverted`.
const IN: u8 = 0x01;
const OUT: u8 = 0x02;
const SOURCE: u8 = 0x08;
const DESTINATION: u8 = 0x10;
const FRAGMENT: u8 = 0x20;
const PROTOCOL: u8 = 0x40;
/// Bits of `flags`.
const FLAG_FRAGMENT: u8 = 1;
const FLAG_GOTO: u8 = 2;

impl Walk<'_> {
    /// Executes a table at a hook.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn legacy_table(&mut self, at: usize, packet: &mut Packet, hook: Hook) -> Result<Passage, Stop> {
        let filter = self.filter;
        let number = hook.number() as usize;
        let Some(table) = filter.legacy.get(at) else {
            return Ok(Passage::Passed);
        };
        let begin = table.begins.get(number).copied().unwrap_or(0);
        let policy = table.policies.get(number).copied().unwrap_or(0);
        let find = |walk: &Self, offset: u32| {
            let found = walk.index.legacy(at, offset);
            found.ok_or_else(|| walk.give_up("a jump to a missing rule"))
        };
        let mut stack: Vec<u32> = Vec::new();
        let mut next = begin;
        loop {
            let entry_at = find(self, next)?;
            let place = RulePlace::Legacy {
                table: at,
                entry: entry_at,
                hook: hook.number(),
            };
            self.at = Some(place);
            let Some(entry) = table.entries.get(entry_at) else {
                return Err(self.give_up("a jump to a missing rule"));
            };
            self.spend(2 + entry.matches.len() as u64)?;
            if !self.matches(entry, packet)? {
                next = entry.next;
                continue;
            }
            let effect = match &entry.target {
                LegacyTarget::Standard(RETURN) => {
                    // Returning from a built-in chain leads to its policy.
                    next = stack.pop().unwrap_or(policy);
                    continue;
                }
                LegacyTarget::Standard(ACCEPT) => Effect::Accept,
                LegacyTarget::Standard(DROP) => Effect::Drop,
                LegacyTarget::Standard(QUEUE) => {
                    return Err(self.give_up("a program that receives the packet (QUEUE)"));
                }
                LegacyTarget::Standard(jump) => {
                    let to = u32::try_from(*jump).map_err(|_| self.give_up("an unknown verdict"))?;
                    if to != entry.next && entry.flags & FLAG_GOTO == 0 {
                        if stack.len() >= table.entries.len() {
                            return Err(self.give_up("jumps that are nested too deeply"));
                        }
                        stack.push(entry.next);
                    }
                    next = to;
                    continue;
                }
                LegacyTarget::Begin(_) => return Err(self.give_up("the end of a table")),
                LegacyTarget::Extension(extension) => self.xt_target(extension, packet, hook)?,
            };
            match effect {
                Effect::Accept => return Ok(Passage::Passed),
                Effect::Drop => return Ok(Passage::Dropped(place)),
                Effect::Reject(refusal) => return Ok(Passage::Rejected(place, refusal)),
                _ => next = entry.next,
            }
        }
    }

    fn matches(&mut self, entry: &LegacyEntry, packet: &Packet) -> Result<bool, Stop> {
        let inverted = |bit: u8| entry.inverted & bit != 0;
        if entry.protocol != 0 && (u16::from(packet.protocol) == entry.protocol) == inverted(PROTOCOL) {
            return Ok(false);
        }
        // No packet of a prediction is a fragment.
        if entry.flags & FLAG_FRAGMENT != 0 && !inverted(FRAGMENT) {
            return Ok(false);
        }
        let [source, destination, source_mask, destination_mask] = &entry.addresses;
        if !self.address(packet.source, 2, source, source_mask, inverted(SOURCE), packet)?
            || !self.address(
                packet.destination,
                3,
                destination,
                destination_mask,
                inverted(DESTINATION),
                packet,
            )?
        {
            return Ok(false);
        }
        if let Some(interfaces) = &entry.interfaces {
            let [incoming, outgoing, in_mask, out_mask] = &**interfaces;
            let same = |index: Option<u32>, wanted: &[u8; 16], mask: &[u8; 16]| {
                let name = self.facts.name(index);
                let differs = name
                    .iter()
                    .zip(wanted)
                    .zip(mask)
                    .any(|((have, want), mask)| (have ^ want) & mask != 0);
                !differs
            };
            if same(packet.incoming, incoming, in_mask) == inverted(IN)
                || same(packet.outgoing, outgoing, out_mask) == inverted(OUT)
            {
                return Ok(false);
            }
        } else if inverted(IN) || inverted(OUT) {
            return Ok(false);
        }
        for extension in &entry.matches {
            if !self.xt_matches(extension, packet)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
