//! Reads facts about our network namespace. Everything here is readable without privilege.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::model::Name;
use crate::model::system::{SystemFacts, V4Network, V6Address};
use crate::source::proc::ProcRoot;
use crate::source::tape;
use crate::source::{disk, machine};

/// The kernel's default of ip_local_port_range.
pub const LOCAL_PORTS: RangeInclusive<u16> = 32_768..=60_999;

/// Reads what is available. If a file is missing (on older kernels), the kernel's default is used.
pub fn read() -> SystemFacts {
    let ipv6 = tape::fact("IPv6", || {
        let kind = SocketType::DGRAM;
        socket_with(AddressFamily::INET6, kind, SocketFlags::CLOEXEC, None).is_ok()
    });
    let routes = net("route");
    SystemFacts {
        unprivileged_port_start: number("ipv4/ip_unprivileged_port_start").unwrap_or(1024),
        local_port_range: sysctl("ipv4/ip_local_port_range")
            .and_then(|text| range(&text))
            .unwrap_or(LOCAL_PORTS),
        reserved_ports: sysctl("ipv4/ip_local_reserved_ports")
            .map(|text| text.trim().split(',').filter_map(port_range).collect())
            .unwrap_or_default(),
        nonlocal_bind_v4: number("ipv4/ip_nonlocal_bind") == Some(1),
        nonlocal_bind_v6: number("ipv6/ip_nonlocal_bind") == Some(1),
        autobind_reuse: number("ipv4/ip_autobind_reuse") == Some(1),
        bindv6only: number("ipv6/bindv6only") == Some(1),
        ipv6,
        local_v4: local_v4(&net("fib_trie"), &["LOCAL", "BROADCAST"]),
        local_v6: net("if_inet6").lines().filter_map(v6_address).collect(),
        interfaces: interfaces(&net("dev")),
        v4_links: routes.lines().skip(1).filter_map(link).collect(),
        kernel: machine::kernel_version(),
    }
}

/// Returns whether nothing is known about the network namespace because the replayed recording lacks it.
pub fn is_unrecorded() -> bool {
    tape::lacks("IPv6")
}

/// Returns the range in which the kernel chooses ports (net.ipv4.ip_local_port_range).
pub fn local_port_range(root: &ProcRoot) -> Option<RangeInclusive<u16>> {
    let text = disk::read_to_string(root.join("sys/net/ipv4/ip_local_port_range")).ok()?;
    range(&text)
}

/// Returns the addresses in the network namespace of these tables that other machines may use, which excludes loopback
/// and link-local ones.
pub fn addresses(root: &ProcRoot) -> Vec<IpAddr> {
    let table = |name: &str| disk::read_to_string(root.net(name)).unwrap_or_default();
    let v4 = local_v4(&table("fib_trie"), &["LOCAL"]);
    let v4 = v4.iter().filter(|network| network.prefix == 32);
    let v4 = v4.map(|network| network.address);
    let table = table("if_inet6");
    let v6 = table.lines().filter_map(v6_address).map(|v6| v6.address);
    v4.filter(|v4| !v4.is_loopback() && !v4.is_link_local())
        .map(IpAddr::from)
        .chain(
            v6.filter(|v6| !v6.is_loopback() && !v6.is_unicast_link_local())
                .map(IpAddr::from),
        )
        .collect()
}

/// The path of a table of this thread's network namespace.
fn net(table: &str) -> String {
    disk::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default()
}

/// /proc/sys/net shows the network namespace of the thread that opens it.
fn sysctl(name: &str) -> Option<String> {
    disk::read_to_string(format!("/proc/sys/net/{name}")).ok()
}

fn number(name: &str) -> Option<u16> {
    sysctl(name)?.trim().parse().ok()
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut words = text.split_ascii_whitespace().map(str::parse);
    Some(words.next()?.ok()?..=words.next()?.ok()?)
}

fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    match text.split_once('-') {
        Some((from, to)) => Some(from.parse().ok()?..=to.parse().ok()?),
        None => text.parse().ok().map(|port| port..=port),
    }
}

/// Returns the prefixes of these types, `LOCAL` or `BROADCAST`, in /proc/net/fib_trie: a line `|-- address`, then one `/prefix
/// scope TYPE` for each route to it (linux 6.18 net/ipv4/fib_trie.c, fib_trie_seq_show).
fn local_v4(text: &str, types: &[&str]) -> Vec<V4Network> {
    let mut address = None;
    let mut networks = Vec::new();
    for line in text.lines().skip_while(|line| *line != "Local:") {
        let line = line.trim_start();
        if let Some(leaf) = line.strip_prefix("|-- ") {
            address = leaf.trim().parse::<Ipv4Addr>().ok();
        } else if let (Some(address), Some(rest)) = (address, line.strip_prefix('/')) {
            let mut words = rest.split_ascii_whitespace();
            let prefix = words.next().and_then(|word| word.parse().ok());
            let kind = words.nth(1);
            if let (Some(prefix), Some(kind)) = (prefix, kind)
                && types.contains(&kind)
            {
                networks.push(V4Network { address, prefix });
            }
        }
    }
    networks.dedup();
    networks
}

/// A line of /proc/net/if_inet6: address, interface index, prefix length, scope and flags in hexadecimal, name.
fn v6_address(line: &str) -> Option<V6Address> {
    let mut words = line.split_ascii_whitespace();
    let address = u128::from_str_radix(words.next()?, 16).ok()?;
    let interface = u32::from_str_radix(words.next()?, 16).ok()?;
    let flags = u32::from_str_radix(words.nth(2)?, 16).ok()?;
    Some(V6Address {
        address: Ipv6Addr::from_bits(address),
        interface,
        tentative: flags & libc::IFA_F_TENTATIVE != 0 && flags & libc::IFA_F_OPTIMISTIC == 0,
    })
}

/// The names in /proc/net/dev, each with the index that the kernel gives for it.
fn interfaces(text: &str) -> BTreeMap<u32, Name> {
    let found = tape::fact("interfaces", || indexes(text));
    found
        .into_iter()
        .map(|(index, name)| (index, name.into()))
        .collect()
}

fn indexes(text: &str) -> BTreeMap<u32, String> {
    let names = text.lines().filter_map(|line| line.split_once(':'));
    names
        .map(|(name, _)| name.trim())
        .filter_map(|name| Some((super::interfaces::index_of(name)?, name.to_owned())))
        .collect()
}

/// A line of /proc/net/route for a directly connected network: interface, destination, gateway (0), …, mask, as words
/// of the machine's byte order in hexadecimal.
fn link(line: &str) -> Option<(V4Network, Name)> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(words.get(at)?, 16).ok();
    let address = |bits: u32| Ipv4Addr::from(bits.to_ne_bytes());
    let (destination, gateway, mask) = (number(1)?, number(2)?, number(7)?);
    let prefix = u8::try_from(mask.count_ones()).ok()?;
    (gateway == 0 && mask != 0).then(|| {
        let network = V4Network {
            address: address(destination),
            prefix,
        };
        (network, words.first().copied().unwrap_or_default().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_table_is_read_from_the_trie() {
        let text = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.0\n        /24 link UNICAST\n\
            Local:\n  +-- 127.0.0.0/8 2 0 2\n     |-- 127.0.0.0\n        /8 host LOCAL\n     |-- 127.0.0.1\n        \
            /32 host LOCAL\n     |-- 10.0.0.255\n        /32 link BROADCAST\n     |-- 10.0.0.0\n        /24 link UNICAST\n";
        let found = local_v4(text, &["LOCAL", "BROADCAST"]);
        let texts: Vec<_> = found
            .iter()
            .map(|n| format!("{}/{}", n.address, n.prefix))
            .collect();
        assert_eq!(texts, ["127.0.0.0/8", "127.0.0.1/32", "10.0.0.255/32"]);
    }

    #[test]
    fn addresses_that_are_not_usable_yet_are_marked() {
        let line = |flags: &str| format!("fe800000000000000000000000000005 02 40 20 {flags}     eth0");
        let read = |flags| v6_address(&line(flags)).unwrap();
        assert_eq!(read("80").address.to_string(), "fe80::5");
        assert_eq!(read("80").interface, 2);
        assert!(!read("80").tentative && read("c0").tentative && !read("c4").tentative);
    }

    #[test]
    fn ranges_of_reserved_ports() {
        assert_eq!(port_range("80-90"), Some(80..=90));
        assert_eq!(port_range("80"), Some(80..=80));
        assert_eq!(port_range(""), None);
    }
}
