//! What handles packets besides the rules and cannot be predicted: programs, queues that lose packets, IPsec, bridges,
//! VRFs. Each is named; with any of them, no connection is certain to arrive.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::filter::facts::Facts;
use crate::model::network::{Attached, DeviceHooks, Ipsec, IpsecPolicy, Link};
use crate::model::packet_filter::{Chain, Family, PacketFilter};
use crate::render::escape;

/// The facts from which reasons are derived.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Interfaces and addresses.
    pub facts: &'a Facts,
    /// The rules.
    pub filter: &'a PacketFilter,
    /// What is attached to interfaces; interfaces that are missing were not queried.
    pub devices: &'a BTreeMap<u32, DeviceHooks>,
    /// The IPsec policies.
    pub ipsec: &'a Ipsec,
    /// Whether traffic that bridges forward passes the IPv4 rules, and the IPv6 rules (br_netfilter).
    pub bridges_call_ip: [bool; 2],
    /// Whether a table of ebtables-legacy may exist, which is not read.
    pub has_ebtables: bool,
}

/// A reason why the outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it depends on, in words.
    pub about: String,
    /// Whether it exists; otherwise this could not be read.
    pub seen: bool,
}

impl Reason {
    /// A reason that was found.
    pub const fn seen(about: String) -> Self {
        Self { about, seen: true }
    }

    /// A reason that may exist.
    pub const fn unread(about: String) -> Self {
        Self { about, seen: false }
    }
}

/// An interface through which packets arrive or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its index.
    pub interface: u32,
    /// The client and the server; the client's address may be unknown.
    pub ends: (Option<IpAddr>, IpAddr),
}

/// An interface and the lower devices through which its packets pass: ports of a bridge or a bond, the parent of a
/// VLAN.
pub fn with_lower(facts: &Facts, interface: u32) -> Vec<u32> {
    let mut found = vec![interface];
    let mut at = 0;
    while let Some(upper) = found.get(at).copied() {
        at += 1;
        let lower = facts.link(upper).and_then(|link| link.lower);
        // A VRF only chooses a routing table.
        let is_vrf = facts.link(upper).is_some_and(|link| *link.kind == *b"vrf");
        let ports = facts
            .links
            .iter()
            .filter(|link| link.master == Some(upper) && !is_vrf);
        for index in ports.map(|link| link.index).chain(lower) {
            if !found.contains(&index) {
                found.push(index);
            }
        }
    }
    found
}

impl Surroundings<'_> {
    /// What makes packets that pass an interface unpredictable.
    pub fn reasons(&self, passed: Passed) -> Vec<Reason> {
        let all = with_lower(self.facts, passed.interface);
        let mut reasons = Vec::new();
        for index in &all {
            self.of_device(*index, &mut reasons);
        }
        for index in all.iter().filter(|index| **index != passed.interface) {
            reasons.extend(self.device_chain(*index));
        }
        self.of_bridges(&all, passed, &mut reasons);
        self.of_master(passed.interface, &mut reasons);
        let (_, server) = passed.ends;
        let owner = self.facts.addresses.iter().find(|one| one.address == server);
        if let Some(owner) = owner.filter(|owner| owner.interface != passed.interface) {
            reasons.extend(self.vrf_of(owner.interface));
        }
        // Loopback has neither policies nor transformations (linux 6.18 net/ipv4/devinet.c, inetdev_event).
        if !self.facts.link(passed.interface).is_some_and(Link::is_loopback) {
            reasons.extend(self.of_ipsec(passed));
        }
        reasons
    }

    fn name(&self, index: u32) -> String {
        escape::text(&self.facts.name_of(index))
    }

    fn of_device(&self, index: u32, reasons: &mut Vec<Reason>) {
        let Some(link) = self.facts.link(index) else {
            return;
        };
        let name = self.name(index);
        if link.xdp {
            reasons.push(Reason::seen(format!(
                "an XDP program on {name}, which cannot be predicted"
            )));
        }
        match &*link.kind {
            b"openvswitch" => reasons.push(Reason::seen(format!(
                "Open vSwitch on {name}, which is not examined"
            ))),
            b"netkit" => reasons.push(Reason::seen(format!(
                "the BPF programs of {name} (netkit), which cannot be predicted"
            ))),
            b"xfrm" | b"vti" | b"vti6" => {
                reasons.push(Reason::seen(format!("IPsec on {name}, which is not examined")));
            }
            _ => {}
        }
        let hooks = self.devices.get(&index).copied().unwrap_or(DeviceHooks {
            filter: Attached::Unread,
            program: Attached::Unread,
            loss: Attached::Unread,
        });
        for (attached, what) in [
            (hooks.filter, "a tc filter on"),
            (hooks.program, "a BPF program of tcx on"),
            (hooks.loss, "netem, which can lose packets, on"),
        ] {
            match attached {
                Attached::No => {}
                Attached::Yes => {
                    reasons.push(Reason::seen(format!("{what} {name}, which cannot be predicted")));
                }
                Attached::Unread => reasons.push(Reason::unread(format!(
                    "{what} {name}, if there is one: it could not be listed"
                ))),
            }
        }
    }

    /// A chain that sees the packets of a lower device. The chains of the interface itself are predicted.
    fn device_chain(&self, index: u32) -> Option<Reason> {
        const INET_INGRESS: u32 = 5;
        let device = self.facts.name_of(index);
        let is_of_device = |name: &[u8]| match name.strip_suffix(b"*") {
            Some(prefix) => device.starts_with(prefix),
            None => *name == *device,
        };
        self.chain(|family, chain| {
            let hook = chain.hook.as_ref();
            hook.is_some_and(|hook| {
                (family == Family::Netdev || (family == Family::Inet && hook.number == INET_INGRESS))
                    && hook.devices.iter().any(|name| is_of_device(name))
            })
        })
        .map(|chain| {
            Reason::seen(format!(
                "rules of the device {} ({chain}), which are not followed",
                self.name(index)
            ))
        })
    }

    /// The first base chain that does something, by name.
    fn chain(&self, is_wanted: impl Fn(Family, &Chain) -> bool) -> Option<String> {
        let tables = self.filter.tables.iter().filter(|table| !table.dormant);
        tables
            .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)))
            .find(|(table, chain)| {
                let does_something = !chain.rules.is_empty() || chain.drops;
                chain.hook.is_some() && does_something && is_wanted(table.family, chain)
            })
            .map(|(table, chain)| {
                let (name, of) = (escape::text(&chain.name), escape::text(&table.name));
                format!("{} {of} {name}", table.family.name())
            })
    }

    fn of_bridges(&self, all: &[u32], passed: Passed, reasons: &mut Vec<Reason>) {
        let links = all.iter().filter_map(|index| self.facts.link(*index));
        let mut bridges = links.filter(|link| *link.kind == *b"bridge");
        let Some(bridge) = bridges.next() else { return };
        let name = self.name(bridge.index);
        if let Some(chain) = self.chain(|family, _| family == Family::Bridge) {
            reasons.push(Reason::seen(format!(
                "rules of the bridge {name} ({chain}), which are not followed"
            )));
        }
        if self.has_ebtables {
            reasons.push(Reason::seen(format!(
                "ebtables rules of the bridge {name}, which are not read"
            )));
        }
        let family = usize::from(passed.ends.1.is_ipv6());
        let calls_ip = [self.bridges_call_ip, bridge.calls_ip]
            .into_iter()
            .any(|calls| calls.get(family).copied().unwrap_or(true));
        if calls_ip && !self.filter.is_empty() {
            reasons.push(Reason::seen(format!(
                "the rules that the bridge {name} calls (br_netfilter), which are not followed"
            )));
        }
    }

    /// The reason that follows from belonging to another interface.
    fn of_master(&self, index: u32, reasons: &mut Vec<Reason>) {
        reasons.extend(self.vrf_of(index));
        let Some(master) = self.facts.link(index).and_then(|link| link.master) else {
            return;
        };
        let kind = self.facts.link(master).map(|link| &*link.kind);
        if kind != Some(b"vrf") {
            let (port, master) = (self.name(index), self.name(master));
            reasons.push(Reason::seen(format!(
                "{master}, of which {port} is a port: packets come in through {master}"
            )));
        }
    }

    fn vrf_of(&self, index: u32) -> Option<Reason> {
        let is_vrf = |link: &&Link| *link.kind == *b"vrf";
        let link = self.facts.link(index)?;
        let master = link.master.and_then(|master| self.facts.link(master));
        let vrf = Some(link).filter(is_vrf).or_else(|| master.filter(is_vrf))?;
        Some(Reason::seen(format!(
            "the VRF {}, which is not examined",
            self.name(vrf.index)
        )))
    }

    fn of_ipsec(&self, passed: Passed) -> Option<Reason> {
        let (client, server) = passed.ends;
        if !self.ipsec.read {
            let about = "IPsec policies, if there are any: they could not be read";
            return Some(Reason::unread(about.to_owned()));
        }
        let is_about = |policy: &IpsecPolicy| {
            let ends = [
                (policy.source, policy.destination),
                (policy.destination, policy.source),
            ];
            ends.into_iter().any(|(one, other)| {
                contains(one, server) && client.is_none_or(|client| contains(other, client))
            })
        };
        if self.ipsec.policies.iter().any(is_about) {
            let about = "an IPsec policy for these addresses, which is not examined";
            return Some(Reason::seen(about.to_owned()));
        }
        let blocks = "IPsec, which blocks what no policy covers";
        self.ipsec.blocks.then(|| Reason::seen(blocks.to_owned()))
    }
}

fn contains((network, length): (IpAddr, u8), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            (network.to_bits() ^ address.to_bits()) & mask == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(length.min(128)))
                .unwrap_or(0);
            (network.to_bits() ^ address.to_bits()) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
