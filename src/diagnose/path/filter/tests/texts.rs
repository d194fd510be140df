//! How rules are printed, shown and cured.

use super::super::words::rule_text;
use super::*;

#[test]
fn the_culprit_is_named_and_its_cure_is_one_rule() {
    let rule = [
        load(Load::Meta(16)),
        is(&[6]),
        payload(2, 2, 2),
        is(&PORT_80),
        drop(),
    ];
    let filter = input(&[&rule]);
    let Some((Leg::Request, Cause::Rule(place, None))) = end(&filter, true).stopped else {
        panic!()
    };
    let passing = Passing {
        protocol: "tcp",
        to: "10.0.0.1:80".parse().unwrap(),
        from: None,
    };
    let culprit = name(&filter, place, Some(passing)).unwrap();
    assert_eq!(culprit.line(), "inet t c, rule handle 2: tcp dport 80 drop");
    assert_eq!(culprit.show.unwrap(), "sudo nft -a list chain inet t c");
    assert_eq!(
        culprit.cure.unwrap(),
        "sudo nft insert rule inet t c position 2 tcp dport 80 accept"
    );
}

#[test]
fn an_iptables_nft_rule_is_shown_and_cured_with_iptables() {
    let rule = [
        load(Load::Meta(16)),
        is(&[6]),
        payload(2, 2, 2),
        is(&PORT_80),
        Expression::NoEffect,
        drop(),
    ];
    let mut filter = input(&[&rule]);
    let table = &mut filter.tables[0];
    (table.family, table.name) = (Family::Ip, b"filter"[..].into());
    table.chains[0].name = b"INPUT"[..].into();
    let commands = |filter: &PacketFilter| {
        let Some((Leg::Request, Cause::Rule(place, None))) = end(filter, true).stopped else {
            panic!()
        };
        let passing = Passing {
            protocol: "tcp",
            to: "10.0.0.1:80".parse().unwrap(),
            from: None,
        };
        let culprit = name(filter, place, Some(passing)).unwrap();
        [culprit.show.unwrap(), culprit.cure.unwrap()]
    };
    assert_eq!(
        commands(&filter),
        [
            "sudo iptables-nft -t filter -L INPUT 1 -n -v",
            "sudo iptables-nft -t filter -I INPUT 1 -p tcp --dport 80 -j ACCEPT"
        ]
    );
    // The same names, but without the counter that iptables-nft gives to each rule.
    filter.tables[0].chains[0].rules[0].expressions.remove(4);
    assert!(commands(&filter)[0].starts_with("sudo nft"));
}

#[test]
fn a_range_in_a_rule_is_printed_with_both_ends() {
    let lookup = Expression::Lookup {
        set: (*b"s").into(),
        from: 0,
        to: None,
        inverted: false,
    };
    let rule = [load(Load::Meta(16)), is(&[6]), payload(2, 2, 2), lookup, drop()];
    let end_of = |key: &[u8]| Element {
        is_end: true,
        ..element(key)
    };
    let elements = vec![
        end_of(&[0, 91]),
        element(&[0, 90]),
        end_of(&[0, 82]),
        element(&[0, 80]),
    ];
    let set = set(Set::INTERVAL | Set::ANONYMOUS, 2, &[], elements);
    let filter = filter(vec![chain(Some(INPUT), &[&rule])], vec![set]);
    let table = &filter.tables[0];
    let text = rule_text(table, &table.chains[0].rules[0]);
    assert_eq!(text, "tcp dport { 80-81, 90 } drop");
}

#[test]
fn a_translation_is_printed_with_address_and_port() {
    let constant = |to: u8, bytes: &[u8]| Expression::Immediate {
        to: Some(to),
        data: Data::Value(bytes.into()),
    };
    let rule = [
        constant(16, &[10, 0, 0, 9]),
        constant(20, &[31, 144]),
        Expression::Nat {
            is_source: false,
            family: 2,
            address: Some((16, 16)),
            port: Some((20, 20)),
            flags: 0,
        },
    ];
    let filter = input(&[&rule]);
    let table = &filter.tables[0];
    let text = rule_text(table, &table.chains[0].rules[0]);
    assert_eq!(text, "dnat to 10.0.0.9:8080");
}

#[test]
fn facts_about_a_packet_have_the_words_of_nft() {
    for (key, value, text) in [
        (3, &1u32.to_ne_bytes()[..], "meta mark 1"),
        (4, &2u32.to_ne_bytes(), "iif 2"),
        (5, &2u32.to_ne_bytes(), "oif 2"),
        (6, b"eth0\0", "iifname \"eth0\""),
        (7, b"eth0\0", "oifname \"eth0\""),
        (10, &1000u32.to_ne_bytes(), "meta skuid 1000"),
        (15, &[2], "meta nfproto ipv4"),
        (16, &[17], "meta l4proto udp"),
        (21, &1u32.to_ne_bytes(), "iifgroup 1"),
        (22, &1u32.to_ne_bytes(), "oifgroup 1"),
    ] {
        let filter = input(&[&[load(Load::Meta(key)), is(value), drop()]]);
        let table = &filter.tables[0];
        let shown = rule_text(table, &table.chains[0].rules[0]);
        assert_eq!(shown, format!("{text} drop"), "key {key}");
    }
}

#[test]
fn a_family_and_a_protocol_are_printed_unless_another_condition_implies_them() {
    let family = || [load(Load::Meta(15)), is(&[2])];
    let tcp = || [load(Load::Meta(16)), is(&[6])];
    let address = || [payload(1, 12, 4), is(&[10, 0, 0, 2])];
    let port = || [payload(2, 2, 2), is(&PORT_80)];
    for (conditions, text) in [
        (vec![family(), address()], "ip saddr 10.0.0.2"),
        (vec![family(), tcp(), port()], "meta nfproto ipv4 tcp dport 80"),
        (vec![family(), tcp()], "meta nfproto ipv4 meta l4proto tcp"),
        (
            vec![family(), tcp(), address()],
            "meta l4proto tcp ip saddr 10.0.0.2",
        ),
    ] {
        let rule: Vec<Expression> = conditions.into_iter().flatten().chain([drop()]).collect();
        let filter = input(&[&rule]);
        let table = &filter.tables[0];
        let shown = rule_text(table, &table.chains[0].rules[0]);
        assert_eq!(shown, format!("{text} drop"));
    }
}
