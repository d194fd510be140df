//! What handles a packet at a hook, in the kernel's order (linux 6.18 net/netfilter/core.c, nf_hook_entries_grow).

use super::connection::Hook;
use super::packet::{CtState, ICMP, ICMP6, Packet, Tracking};
use super::rules::Passage;
use super::walk::{Stop, Walk};
use crate::model::packet_filter::{Family, Kind};

/// A packet handler at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    /// Connection tracking.
    Tracking,
    /// Address translation, which runs the chains of type nat.
    Translation,
    /// A base chain of nf_tables.
    Chain { table: usize, chain: usize },
    /// A table of iptables-legacy.
    Legacy(usize),
}

impl Handler {
    /// Who registered it. Among handlers of one owner, the order is known.
    fn owner(self) -> String {
        match self {
            Self::Tracking => "conntrack".to_owned(),
            Self::Translation => "nat".to_owned(),
            Self::Chain { table, .. } => format!("table {table}"),
            Self::Legacy(table) => format!("legacy table {table}"),
        }
    }
}

/// Priorities of the kernel's own handlers (`NF_IP_PRI_*`).
const CONNTRACK: i32 = -200;
const NAT_DESTINATION: i32 = -100;
const NAT_SOURCE: i32 = 100;

/// The priorities of the iptables-legacy tables; that of nat depends on the hook.
fn legacy_priority(table: &[u8]) -> Option<i32> {
    match table {
        b"raw" => Some(-300),
        b"mangle" => Some(-150),
        b"filter" => Some(0),
        b"security" => Some(50),
        _ => None,
    }
}

/// A hook of a network device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceHook {
    /// On ingress.
    Ingress,
    /// On egress.
    Egress,
}

impl Walk<'_> {
    /// Passes a packet through an IP hook.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn hook(&mut self, hook: Hook, packet: &mut Packet) -> Result<Passage, Stop> {
        for station in self.handlers(hook, packet.v6)? {
            let passage = match station {
                Handler::Tracking => {
                    self.track(packet);
                    Passage::Passed
                }
                Handler::Translation => self.translation_at(hook, packet)?,
                Handler::Chain { table, chain } => self.base_chain(table, chain, packet, Some(hook))?,
                Handler::Legacy(table) => self.legacy_table(table, packet, hook)?,
            };
            if passage != Passage::Passed {
                return Ok(passage);
            }
        }
        if matches!(hook, Hook::Input | Hook::Postrouting) {
            self.connection.confirmed = true;
        }
        self.at = None;
        Ok(Passage::Passed)
    }

    /// Passes a packet through the hook of a device.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn device_hook(
        &mut self,
        hook: DeviceHook,
        device: u32,
        packet: &mut Packet,
    ) -> Result<Passage, Stop> {
        const INET_INGRESS: u32 = 5;
        let filter = self.filter;
        let name = self.facts.name_of(device);
        let mut found = Vec::new();
        for (table, one) in filter
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| !table.dormant)
        {
            for (chain, base) in one.chains.iter().enumerate() {
                let Some(at) = &base.hook else { continue };
                let is_here = match (one.family, hook) {
                    (Family::Netdev, DeviceHook::Ingress) => at.number == 0,
                    (Family::Netdev, DeviceHook::Egress) => at.number == 1,
                    (Family::Inet, DeviceHook::Ingress) => at.number == INET_INGRESS,
                    _ => false,
                };
                let of_device = |device: &[u8]| match device.strip_suffix(b"*") {
                    Some(prefix) => name.starts_with(prefix),
                    None => *device == *name,
                };
                if is_here && at.devices.iter().any(|device| of_device(device)) {
                    found.push((at.priority, Handler::Chain { table, chain }));
                }
            }
        }
        let number = match hook {
            DeviceHook::Ingress => 10,
            DeviceHook::Egress => 11,
        };
        for station in self.in_order(found, number)? {
            let Handler::Chain { table, chain } = station else {
                continue;
            };
            match self.base_chain(table, chain, packet, None)? {
                Passage::Passed => {}
                Passage::Rejected(..) => return Err(self.give_up("a reply that a device's rules send")),
                dropped @ Passage::Dropped(_) => return Ok(dropped),
            }
        }
        self.at = None;
        Ok(Passage::Passed)
    }

    fn handlers(&mut self, hook: Hook, v6: bool) -> Result<Vec<Handler>, Stop> {
        let mut found = Vec::new();
        if matches!(hook, Hook::Prerouting | Hook::Output) {
            found.push((CONNTRACK, Handler::Tracking));
        }
        if hook != Hook::Forward && self.has_nat(v6) {
            let priority = if hook.translates_destination() {
                NAT_DESTINATION
            } else {
                NAT_SOURCE
            };
            found.push((priority, Handler::Translation));
        }
        for (table, chain, priority, kind) in self.chains_at(hook, v6) {
            if kind != Kind::Nat && !self.is_idle(table, chain) {
                found.push((priority, Handler::Chain { table, chain }));
            }
        }
        for (at, table) in self.filter.legacy.iter().enumerate() {
            if table.v6 == v6
                && table.hooks & (1 << hook.number()) != 0
                && let Some(priority) = legacy_priority(&table.name)
            {
                found.push((priority, Handler::Legacy(at)));
            }
        }
        self.in_order(found, hook.number() | u32::from(v6) << 8)
    }

    /// Whether a chain has no rules and accepts everything.
    fn is_idle(&self, table: usize, chain: usize) -> bool {
        let chain = self
            .filter
            .tables
            .get(table)
            .and_then(|table| table.chains.get(chain));
        chain.is_some_and(|chain| chain.rules.is_empty() && !chain.drops)
    }

    /// The base chains at a hook: table, chain, priority and type.
    fn chains_at(&self, hook: Hook, v6: bool) -> Vec<(usize, usize, i32, Kind)> {
        let own = if v6 { Family::Ip6 } else { Family::Ip };
        let mut found = Vec::new();
        for (table, one) in self.filter.tables.iter().enumerate() {
            if one.dormant || (one.family != own && one.family != Family::Inet) {
                continue;
            }
            for (chain, base) in one.chains.iter().enumerate() {
                if let Some(at) = &base.hook
                    && at.number == hook.number()
                {
                    found.push((table, chain, at.priority, base.kind));
                }
            }
        }
        found
    }

    /// Whether anything translates addresses of this family. A single chain activates translation at all hooks.
    fn has_nat(&self, v6: bool) -> bool {
        let hooks = [Hook::Prerouting, Hook::Input, Hook::Output, Hook::Postrouting];
        hooks.into_iter().any(|hook| {
            self.chains_at(hook, v6)
                .iter()
                .any(|(.., kind)| *kind == Kind::Nat)
        }) || self
            .filter
            .legacy
            .iter()
            .any(|table| table.v6 == v6 && &*table.name == b"nat")
    }

    /// Sorts by priority. Of two handlers with the same priority, the one registered later comes first; between
    /// different owners the order is unknown.
    fn in_order(&mut self, mut found: Vec<(i32, Handler)>, hook: u32) -> Result<Vec<Handler>, Stop> {
        found.sort_by_key(|(priority, _)| *priority);
        let mut sorted: Vec<(i32, Handler)> = Vec::new();
        for (priority, station) in found {
            let mut at = sorted.len();
            while let Some((_, before)) = at
                .checked_sub(1)
                .and_then(|at| sorted.get(at))
                .filter(|(same, _)| *same == priority)
            {
                if !self.comes_before(station, *before, priority, hook)? {
                    break;
                }
                at -= 1;
            }
            sorted.insert(at, (priority, station));
        }
        Ok(sorted.into_iter().map(|(_, station)| station).collect())
    }

    /// Whether the first of two handlers with the same priority comes before the second.
    fn comes_before(&mut self, one: Handler, other: Handler, priority: i32, hook: u32) -> Result<bool, Stop> {
        if let (
            Handler::Chain { table, chain },
            Handler::Chain {
                table: same,
                chain: earlier,
            },
        ) = (one, other)
            && table == same
        {
            return Ok(chain > earlier);
        }
        self.at = None;
        let (one, other) = (one.owner(), other.owner());
        let key = format!("order {hook} {priority} {one} {other}");
        self.ask(
            key.into_bytes(),
            format!("the order of two tables with the same priority ({priority})"),
        )
    }

    fn track(&mut self, packet: &mut Packet) {
        if packet.tracking == Tracking::NotSeen {
            packet.tracking = packet.is;
        }
        if matches!(
            packet.tracking,
            Tracking::Tracked {
                reply: true,
                state: CtState::Established
            }
        ) {
            self.connection.answered = true;
        }
    }

    /// Translates at a hook: consults the rules for the first packet, and applies their decision to every packet.
    fn translation_at(&mut self, hook: Hook, packet: &mut Packet) -> Result<Passage, Stop> {
        let Tracking::Tracked { state, .. } = packet.tracking else {
            return Ok(Passage::Passed);
        };
        let done = |walk: &Self| {
            if hook.translates_destination() {
                walk.connection.destination_done
            } else {
                walk.connection.source_done
            }
        };
        let is_icmp_error = state == CtState::Related && matches!(packet.protocol, ICMP | ICMP6);
        if state != CtState::Established && !is_icmp_error && !done(self) {
            let mut found: Vec<(i32, Handler)> = self
                .chains_at(hook, packet.v6)
                .into_iter()
                .filter(|(.., kind)| *kind == Kind::Nat)
                .map(|(table, chain, priority, _)| (priority, Handler::Chain { table, chain }))
                .collect();
            let own = if hook.translates_destination() {
                NAT_DESTINATION
            } else {
                NAT_SOURCE
            };
            for (at, table) in self.filter.legacy.iter().enumerate() {
                if table.v6 == packet.v6 && &*table.name == b"nat" && table.hooks & (1 << hook.number()) != 0
                {
                    found.push((own, Handler::Legacy(at)));
                }
            }
            for station in self.in_order(found, 20 + hook.number())? {
                let passage = match station {
                    Handler::Chain { table, chain } => self.base_chain(table, chain, packet, Some(hook))?,
                    Handler::Legacy(table) => self.legacy_table(table, packet, hook)?,
                    Handler::Tracking | Handler::Translation => Passage::Passed,
                };
                if passage != Passage::Passed {
                    return Ok(passage);
                }
                if done(self) {
                    break;
                }
            }
            if hook.translates_destination() {
                self.connection.destination_done = true;
            } else {
                self.connection.source_done = true;
            }
        }
        self.connection.translate(hook, packet);
        Ok(Passage::Passed)
    }
}
