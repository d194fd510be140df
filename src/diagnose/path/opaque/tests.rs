//! Reasons found in simulated environments.

use super::*;
use crate::model::packet_filter::{Hook, Kind, Table};

/// br0 with the port eth0, which has a VLAN eth0.5; red is a VRF of eth1.
fn facts() -> Facts {
    let link = |index, name: &[u8], kind: &[u8]| Link {
        index,
        name: name.into(),
        kind: kind.into(),
        ..Link::default()
    };
    let mut facts = Facts {
        links: vec![
            Link {
                flags: Link::LOOPBACK,
                ..link(1, b"lo", b"")
            },
            Link {
                master: Some(4),
                ..link(2, b"eth0", b"")
            },
            Link {
                master: Some(6),
                ..link(3, b"eth1", b"")
            },
            link(4, b"br0", b"bridge"),
            Link {
                lower: Some(4),
                ..link(5, b"br0.5", b"vlan")
            },
            link(6, b"red", b"vrf"),
        ],
        ..Facts::default()
    };
    facts.addresses.push(crate::model::network::LinkAddress {
        interface: 3,
        address: "10.1.0.1".parse().unwrap(),
        prefix: 24,
        scope: 0,
        secondary: false,
        broadcast: None,
    });
    facts
}

fn base_chain(family: Family, number: u32, device: &[u8]) -> PacketFilter {
    PacketFilter {
        tables: vec![Table {
            family,
            name: (*b"t").into(),
            dormant: false,
            chains: vec![Chain {
                name: (*b"c").into(),
                hook: Some(Hook {
                    number,
                    priority: 0,
                    devices: vec![device.into()],
                }),
                drops: true,
                kind: Kind::Filter,
                rules: Vec::new(),
            }],
            sets: Vec::new(),
            objects: Vec::new(),
        }],
        legacy: Vec::new(),
    }
}

/// The first words of each reason.
fn reasons(
    filter: &PacketFilter,
    interface: u32,
    change: impl FnOnce(&mut Surroundings<'_>, &mut Facts),
) -> Vec<String> {
    let (mut of, facts_of_machine) = (facts(), facts());
    let devices: BTreeMap<u32, DeviceHooks> = (1..=6).map(|index| (index, DeviceHooks::default())).collect();
    let ipsec = Ipsec {
        read: true,
        ..Ipsec::default()
    };
    let mut surroundings = Surroundings {
        facts: &facts_of_machine,
        filter,
        devices: &devices,
        ipsec: &ipsec,
        bridges_call_ip: [false; 2],
        has_ebtables: false,
    };
    change(&mut surroundings, &mut of);
    let facts = of;
    texts(
        &Surroundings {
            facts: &facts,
            ..surroundings
        },
        interface,
    )
}

fn texts(surroundings: &Surroundings<'_>, interface: u32) -> Vec<String> {
    let reasons = surroundings.reasons(Passed {
        interface,
        ends: (Some("10.0.0.2".parse().unwrap()), "10.0.0.1".parse().unwrap()),
    });
    reasons.into_iter().map(|reason| reason.about).collect()
}

#[track_caller]
fn one(reasons: &[String], words: &str) {
    assert!(
        matches!(reasons, [one] if one.contains(words)),
        "no {words:?} alone in {reasons:?}"
    );
}

#[test]
fn a_plain_interface_and_a_plain_bridge_can_be_predicted() {
    let none = PacketFilter::default();
    for interface in [1, 4, 5] {
        assert_eq!(reasons(&none, interface, |_, _| {}), [""; 0]);
    }
}

#[test]
fn programs_on_a_lower_device_count() {
    let none = PacketFilter::default();
    for interface in [4, 5] {
        let xdp = reasons(&none, interface, |_, facts| facts.links[1].xdp = true);
        one(&xdp, "an XDP program on eth0");
    }
    let devices: BTreeMap<u32, DeviceHooks> = BTreeMap::from([(
        1,
        DeviceHooks {
            filter: Attached::Yes,
            ..DeviceHooks::default()
        },
    )]);
    let facts = facts();
    let ipsec = Ipsec::default();
    let surroundings = Surroundings {
        facts: &facts,
        filter: &none,
        devices: &devices,
        ipsec: &ipsec,
        bridges_call_ip: [false; 2],
        has_ebtables: false,
    };
    one(&texts(&surroundings, 1), "a tc filter on lo");
    let passed = Passed {
        interface: 3,
        ends: (None, "192.0.2.1".parse().unwrap()),
    };
    let unread = surroundings.reasons(passed);
    let unread = unread.iter().filter(|reason| !reason.seen);
    assert_eq!(unread.count(), 4, "neither that interface nor IPsec was queried");
}

#[test]
fn chains_of_devices_and_bridges_count_if_packets_pass_them() {
    let netdev = base_chain(Family::Netdev, 0, b"eth0");
    one(
        &reasons(&netdev, 4, |_, _| {}),
        "rules of the device eth0 (netdev t c)",
    );
    assert_eq!(reasons(&netdev, 1, |_, _| {}), [""; 0]);
    let bridge = base_chain(Family::Bridge, 1, b"");
    one(
        &reasons(&bridge, 4, |_, _| {}),
        "rules of the bridge br0 (bridge t c)",
    );
    assert_eq!(reasons(&bridge, 1, |_, _| {}), [""; 0]);
    let input = base_chain(Family::Inet, 1, b"");
    assert_eq!(reasons(&input, 4, |_, _| {}), [""; 0]);
    one(
        &reasons(&input, 4, |all, _| all.bridges_call_ip = [true, false]),
        "br_netfilter",
    );
    assert_eq!(
        reasons(&input, 4, |all, _| all.bridges_call_ip = [false, true]),
        [""; 0]
    );
    one(
        &reasons(&input, 4, |_, facts| facts.links[3].calls_ip = [true, false]),
        "br_netfilter",
    );
    one(&reasons(&input, 4, |all, _| all.has_ebtables = true), "ebtables");
}

#[test]
fn a_port_and_a_vrf_are_named() {
    let none = PacketFilter::default();
    one(&reasons(&none, 2, |_, _| {}), "br0, of which eth0 is a port");
    one(&reasons(&none, 3, |_, _| {}), "the VRF red");
    one(&reasons(&none, 6, |_, _| {}), "the VRF red");
    // The requested address belongs to the VRF, and the client is outside it.
    let of_vrf = reasons(&none, 1, |_, facts| {
        facts.addresses[0].address = "10.0.0.1".parse().unwrap();
    });
    one(&of_vrf, "the VRF red");
}

#[test]
fn ipsec_counts_for_its_addresses() {
    let none = PacketFilter::default();
    let policy = |source: &str, destination: &str| IpsecPolicy {
        source: (source.parse().unwrap(), 24),
        destination: (destination.parse().unwrap(), 32),
    };
    let with = |policies: Vec<IpsecPolicy>, interface| {
        let ipsec = Ipsec {
            policies,
            blocks: false,
            read: true,
        };
        let facts = facts();
        let devices: BTreeMap<u32, DeviceHooks> =
            (1..=6).map(|index| (index, DeviceHooks::default())).collect();
        let surroundings = Surroundings {
            facts: &facts,
            filter: &none,
            devices: &devices,
            ipsec: &ipsec,
            bridges_call_ip: [false; 2],
            has_ebtables: false,
        };
        texts(&surroundings, interface)
    };
    one(&with(vec![policy("10.0.0.77", "10.0.0.1")], 4), "an IPsec policy");
    one(&with(vec![policy("10.0.0.77", "10.0.0.2")], 4), "an IPsec policy");
    assert_eq!(with(vec![policy("10.0.9.0", "10.0.0.1")], 4), [""; 0]);
    assert_eq!(
        with(vec![policy("10.0.0.77", "10.0.0.1")], 1),
        [""; 0],
        "not over loopback"
    );
}

#[test]
fn prefixes_of_every_length_are_compared() {
    let within = |network: &str, length, address: &str| {
        contains((network.parse().unwrap(), length), address.parse().unwrap())
    };
    assert!(within("0.0.0.0", 0, "192.0.2.1") && within("::", 0, "2001:db8::1"));
    assert!(within("10.0.0.0", 8, "10.9.9.9") && !within("10.0.0.0", 8, "11.0.0.0"));
    assert!(within("2001:db8::1", 128, "2001:db8::1") && !within("2001:db8::1", 128, "2001:db8::2"));
    assert!(!within("::", 0, "10.0.0.1"));
}
