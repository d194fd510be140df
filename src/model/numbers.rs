//! Names of well-known numbers: Ethernet protocols, netlink families, IP protocols.
//!
//! Only numbers that occur on sockets are listed. Others are shown as numbers.

/// Ethernet protocols (linux 6.18 include/uapi/linux/if_ether.h) under the names of tc-u32(8) and ss.
const ETHERTYPES: &[(u16, &str)] = &[
    (0x0003, "all"),
    (0x0800, "ip"),
    (0x0806, "arp"),
    (0x8035, "rarp"),
    (0x8100, "802.1q"),
    (0x86dd, "ipv6"),
    (0x8809, "slow"),
    (0x8847, "mpls_uc"),
    (0x8848, "mpls_mc"),
    (0x8863, "ppp_disc"),
    (0x8864, "ppp_ses"),
    (0x888e, "eapol"),
    (0x88a2, "aoe"),
    (0x88a8, "802.1ad"),
    (0x88ca, "tipc"),
    (0x88cc, "lldp"),
    (0x88e5, "macsec"),
    (0x88f7, "ptp"),
];

/// Netlink families by number (linux 6.18 include/uapi/linux/netlink.h) under the names of ss; one without a name
/// is shown as its number.
pub const NETLINK_PROTOCOLS: [&str; 32] = [
    "rtnl",
    "unused",
    "usersock",
    "fw",
    "tcpdiag",
    "nflog",
    "xfrm",
    "selinux",
    "iscsi",
    "audit",
    "fiblookup",
    "connector",
    "nft",
    "ip6fw",
    "dec-rt",
    "uevent",
    "genl",
    "17",
    "scsi-trans",
    "ecryptfs",
    "rdma",
    "crypto",
    "smc",
    "23",
    "24",
    "25",
    "26",
    "27",
    "28",
    "29",
    "30",
    "31",
];

/// IP protocols (IANA Assigned Internet Protocol Numbers), under the names of /etc/protocols.
const IP_PROTOCOLS: &[(u8, &str)] = &[
    (0, "ip"),
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipencap"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (94, "ipip"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (255, "raw"),
];

/// Returns the name of an Ethernet protocol.
pub fn ethertype_name(number: u16) -> Option<&'static str> {
    let found = ETHERTYPES.iter().find(|(known, _)| *known == number);
    found.map(|(_, name)| *name)
}

/// Returns the Ethernet protocol of that name, ignoring case.
pub fn ethertype_from_name(name: &str) -> Option<u16> {
    let found = ETHERTYPES
        .iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(name));
    found.map(|(number, _)| *number)
}

/// Returns the name of a netlink family.
pub fn netlink_protocol_name(number: u8) -> Option<&'static str> {
    NETLINK_PROTOCOLS.get(usize::from(number)).copied()
}

/// Returns the name of an IP protocol.
pub fn ip_protocol_name(number: u8) -> Option<&'static str> {
    let found = IP_PROTOCOLS.iter().find(|(known, _)| *known == number);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_their_numbers() {
        for (number, name) in ETHERTYPES {
            assert_eq!(ethertype_from_name(&name.to_uppercase()), Some(*number));
            assert_eq!(ethertype_name(*number), Some(*name));
        }
        assert_eq!(netlink_protocol_name(16), Some("genl"));
        assert_eq!(netlink_protocol_name(31), Some("31"));
        assert_eq!(netlink_protocol_name(32), None);
        assert_eq!(ip_protocol_name(58), Some("ipv6-icmp"));
    }
}
