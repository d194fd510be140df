//! Which packets a rule's conditions match.

use super::*;

#[test]
fn comparisons_of_known_values_are_certain() {
    for (condition, matches) in [
        (vec![payload(2, 2, 2), is(&PORT_80)], true),
        (vec![payload(2, 2, 2), compare(1, &PORT_80)], false),
        (vec![payload(2, 2, 2), compare(2, &PORT_80)], false),
        (vec![payload(2, 2, 2), compare(3, &PORT_80)], true),
        (vec![payload(2, 2, 2), compare(4, &[0, 79])], true),
        (vec![payload(2, 2, 2), compare(5, &[0, 81])], false),
        (vec![payload(1, 12, 4), is(&[10, 0, 0, 2])], true),
        (vec![payload(1, 12, 3), is(&[10, 0, 0])], true),
        (vec![payload(1, 16, 4), is(&[10, 0, 0, 2])], false),
        (
            vec![
                payload(2, 13, 1),
                Expression::Bitwise {
                    from: 0,
                    to: 0,
                    mask: [0x12].into(),
                    xor: [0].into(),
                },
                is(&[2]),
            ],
            true,
        ),
        (vec![load(Load::Meta(16)), is(&[6])], true),
        (vec![load(Load::Meta(15)), is(&[10])], false),
        (vec![load(Load::Meta(6)), is(b"eth")], true),
        (vec![load(Load::Meta(6)), is(b"lo\0")], false),
        (vec![load(Load::Meta(4)), is(&CARD.to_ne_bytes())], true),
        (vec![load(Load::Meta(5)), is(&0u32.to_ne_bytes())], true),
        (vec![load(Load::Meta(3)), is(&0u32.to_ne_bytes())], true),
        (
            vec![
                load(Load::Connection {
                    key: 0,
                    direction: None,
                }),
                is(&8u32.to_ne_bytes()),
            ],
            true,
        ),
        (
            vec![
                load(Load::Connection {
                    key: 1,
                    direction: None,
                }),
                is(&[1]),
            ],
            false,
        ),
        (
            vec![
                load(Load::Connection {
                    key: 12,
                    direction: Some(0),
                }),
                is(&PORT_80),
            ],
            true,
        ),
        (
            vec![load(Load::Fib { result: 3, flags: 2 }), is(&2u32.to_ne_bytes())],
            true,
        ),
        (vec![payload(2, 0, 2), compare(5, &[4, 0])], true),
        (
            vec![
                payload(2, 2, 2),
                Expression::Range {
                    from: 0,
                    negated: false,
                    low: [0, 79].into(),
                    high: [0, 81].into(),
                },
            ],
            true,
        ),
        (
            vec![
                payload(2, 2, 2),
                Expression::Range {
                    from: 0,
                    negated: true,
                    low: [0, 79].into(),
                    high: [0, 81].into(),
                },
            ],
            false,
        ),
    ] {
        let rule = [condition.clone(), vec![drop()]].concat();
        let expected = if matches {
            Outcome::Timeout
        } else {
            Outcome::Connected
        };
        assert_eq!(outcome(&input(&[&rule])), expected, "{condition:?}");
    }
}

#[test]
fn sets_intervals_concatenations_and_maps() {
    let lookup = |to| Expression::Lookup {
        set: (*b"s").into(),
        from: 0,
        to,
        inverted: false,
    };
    let with = |set: Set| {
        let rule = [payload(2, 2, 2), lookup(None), drop()];
        outcome(&filter(vec![chain(Some(INPUT), &[&rule])], vec![set]))
    };
    assert_eq!(with(set(0, 2, &[], vec![element(&PORT_80)])), Outcome::Timeout);
    assert_eq!(with(set(0, 2, &[], vec![element(&[0, 81])])), Outcome::Connected);
    let end_of = |key: &[u8]| Element {
        is_end: true,
        ..element(key)
    };
    let interval = |low, high| {
        set(
            Set::INTERVAL,
            2,
            &[],
            vec![end_of(&[0, high]), element(&[0, low])],
        )
    };
    assert_eq!(with(interval(79, 81)), Outcome::Timeout);
    assert_eq!(
        with(interval(70, 80)),
        Outcome::Connected,
        "the end is not inside"
    );
    let range = Element {
        key_end: Some([0, 90].into()),
        ..element(&[0, 80])
    };
    assert_eq!(
        with(set(Set::INTERVAL | Set::CONCAT, 2, &[2], vec![range])),
        Outcome::Timeout
    );
    let incomplete = Set {
        complete: false,
        ..set(0, 2, &[], vec![element(&[0, 81])])
    };
    let rule = [payload(2, 2, 2), lookup(None), drop()];
    let cut = filter(vec![chain(Some(INPUT), &[&rule])], vec![incomplete]);
    assert!(matches!(
        predicted(&cut, from_there(), 6, true),
        Prediction::Unknown(_)
    ));
    let value = Element {
        data: Some(Data::Verdict(Verdict::Drop)),
        ..element(&PORT_80)
    };
    let catch_all = Element {
        is_catch_all: true,
        data: Some(Data::Verdict(Verdict::Accept)),
        ..element(&[])
    };
    let map = set(Set::MAP, 2, &[], vec![catch_all, value]);
    let rule = [payload(2, 2, 2), lookup(Some(None))];
    assert_eq!(
        outcome(&filter(vec![chain(Some(INPUT), &[&rule])], vec![map])),
        Outcome::Timeout
    );
}

#[test]
fn a_key_that_is_not_known_may_be_in_a_set() {
    let lookup = Expression::Lookup {
        set: (*b"s").into(),
        from: 0,
        to: None,
        inverted: false,
    };
    let rule = [payload(2, 0, 2), lookup, drop()];
    let with = |elements: Vec<Element>| {
        let filter = filter(vec![chain(Some(INPUT), &[&rule])], vec![set(0, 2, &[], elements)]);
        predicted(&filter, from_there(), 6, true)
    };
    let Prediction::Unknown(questions) = with(vec![element(&40_000u16.to_be_bytes())]) else {
        panic!("a client may have this port")
    };
    assert_eq!(questions[0].about, "the client's port");
    let never = with(vec![element(&80u16.to_be_bytes())]);
    assert!(matches!(never, Prediction::Certain(end) if end.outcome == Outcome::Connected));
}

#[test]
fn matches_of_x_tables() {
    let with = |name: &[u8], revision, info: &[u8]| {
        let extension = Extension {
            name: name.into(),
            revision,
            info: info.into(),
        };
        outcome(&input(&[&[Expression::Match(extension), drop()]])) == Outcome::Timeout
    };
    let ports = |low: u16, high: u16| -> Vec<u8> {
        let words = [0, u16::MAX, low, high].map(u16::to_ne_bytes).concat();
        [words, vec![0, 0, 0, 0]].concat()
    };
    assert!(with(b"tcp", 0, &ports(80, 80)) && !with(b"tcp", 0, &ports(81, 90)));
    let mut inverted = ports(80, 80);
    inverted[11] = 2;
    assert!(!with(b"tcp", 0, &inverted));
    let mut syn = ports(0, u16::MAX);
    (syn[9], syn[10]) = (0x17, 0x02);
    assert!(with(b"tcp", 0, &syn));
    assert!(!with(b"udp", 0, &ports(80, 80)[..10]));
    let mut many = vec![0; 48];
    (many[0], many[1]) = (1, 2);
    many[2..4].copy_from_slice(&79u16.to_ne_bytes());
    many[4..6].copy_from_slice(&81u16.to_ne_bytes());
    assert!(!with(b"multiport", 1, &many));
    // The two ports as a range.
    many[32] = 1;
    assert!(with(b"multiport", 1, &many));
    let mut state = vec![0; 168];
    state[146..148].copy_from_slice(&1u16.to_ne_bytes());
    state[150..152].copy_from_slice(&8u16.to_ne_bytes());
    assert!(with(b"conntrack", 3, &state), "new");
    state[150..152].copy_from_slice(&6u16.to_ne_bytes());
    let established = Extension {
        name: (*b"conntrack").into(),
        revision: 3,
        info: state.into(),
    };
    assert_eq!(
        outcome(&input(&[&[Expression::Match(established), drop()]])),
        Outcome::HalfOpen
    );
    assert!(with(b"state", 0, &8u32.to_ne_bytes()));
    let address_type = |mask: u16| [&[0, 0][..], &mask.to_ne_bytes(), &[0; 4]].concat();
    assert!(with(b"addrtype", 1, &address_type(1 << 2)) && !with(b"addrtype", 1, &address_type(1 << 1)));
    let of_v6 = |mask: u16| {
        let extension = Extension {
            name: (*b"addrtype").into(),
            revision: 1,
            info: address_type(mask).into(),
        };
        let filter = input(&[&[Expression::Match(extension), drop()]]);
        let client = Client::From {
            address: "fd00::2".parse().unwrap(),
            interface: CARD,
        };
        let Prediction::Certain(end) = predicted(&filter, client, 6, true) else {
            panic!()
        };
        end.outcome == Outcome::Timeout
    };
    assert!(of_v6(1 << 1), "every address but a multicast address is unicast");
    assert!(!of_v6(1 << 5));
    let mark =
        |value: u32, invert: u8| [&value.to_ne_bytes()[..], &u32::MAX.to_ne_bytes(), &[invert]].concat();
    assert!(
        with(b"mark", 1, &mark(0, 0)) && !with(b"mark", 1, &mark(0, 1)) && !with(b"mark", 1, &mark(1, 0))
    );
    assert!(with(b"connmark", 1, &mark(0, 0)));
    let mut range = vec![0; 68];
    range[..4].copy_from_slice(&[10, 0, 0, 0]);
    range[16..20].copy_from_slice(&[10, 0, 0, 9]);
    range[64] = 1;
    assert!(with(b"iprange", 1, &range));
    assert!(with(b"comment", 0, &[]) && with(b"pkttype", 0, &[0; 8]));
    assert!(!with(b"icmp", 0, &[8, 0, 255, 0]));
}

#[test]
fn a_packet_that_is_tracked_stays_so() {
    // `ct state untracked`, after a target of the raw table that comes too late.
    let untracked = [
        load(Load::Connection {
            key: 0,
            direction: None,
        }),
        is(&64u32.to_ne_bytes()),
        drop(),
    ];
    for (name, info) in [(&b"CT"[..], &[1, 0, 0, 0][..]), (b"NOTRACK", &[])] {
        let target = Expression::Target(Extension {
            name: name.into(),
            revision: 0,
            info: info.into(),
        });
        assert_eq!(outcome(&input(&[&[target], &untracked])), Outcome::Connected);
    }
}

#[test]
fn an_icmp_error_is_matched_by_its_type_in_both_families() {
    // The answer to a datagram for a closed port.
    let is_stopped = |name: &[u8], client: Client, kind: u8, code: u8| {
        let extension = Extension {
            name: name.into(),
            revision: 0,
            info: [kind, code, code, 0].into(),
        };
        let chains = vec![chain(Some(OUTPUT), &[&[Expression::Match(extension), drop()]])];
        match predicted(&filter(chains, Vec::new()), client, 17, false) {
            Prediction::Certain(end) => end.outcome != Outcome::Refused,
            Prediction::Unknown(questions) => panic!("{questions:?}"),
        }
    };
    let v6 = Client::From {
        address: "fd00::2".parse().unwrap(),
        interface: CARD,
    };
    assert!(is_stopped(b"icmp", from_there(), 3, 3) && !is_stopped(b"icmp", from_there(), 3, 1));
    assert!(is_stopped(b"icmp6", v6, 1, 4) && !is_stopped(b"icmp6", v6, 1, 3));
    assert!(!is_stopped(b"icmp6", from_there(), 3, 3));
}

#[test]
fn the_way_back_is_looked_up_in_the_routing_table() {
    const OIF: u32 = 1;
    const PRESENT: u32 = 32;
    let source = |result: u32, more: u32, expected: &[u8]| {
        let lookup = load(Load::Fib {
            result,
            flags: 1 | more,
        });
        outcome(&input(&[&[lookup, is(expected), drop()]])) == Outcome::Timeout
    };
    assert!(source(OIF, PRESENT, &[1]) && !source(OIF, PRESENT, &[0]));
    assert!(source(OIF, 0, &CARD.to_ne_bytes()) && !source(OIF, 0, &LOOPBACK.to_ne_bytes()));
}

#[test]
fn a_part_of_the_packet_that_cannot_be_known_is_unknown() {
    // The header inside the transport header (NFT_PAYLOAD_INNER_HEADER).
    let filter = input(&[&[payload(3, 0, 1), is(&[0]), drop()]]);
    assert!(matches!(
        predicted(&filter, from_there(), 6, true),
        Prediction::Unknown(_)
    ));
}

#[test]
fn a_target_of_x_tables_translates_to_one_address_but_no_network() {
    // struct nf_nat_range2: flags, both addresses, both ports.
    let translated = |flags: u32| {
        let mut info = vec![0; 44];
        info[..4].copy_from_slice(&flags.to_ne_bytes());
        info[4..8].copy_from_slice(&[10, 0, 0, 9]);
        info[20..24].copy_from_slice(&[10, 0, 0, 9]);
        let target = Expression::Target(Extension {
            name: (*b"DNAT").into(),
            revision: 2,
            info: info.into(),
        });
        let chain = Chain {
            kind: Kind::Nat,
            ..chain(Some(0), &[&[target]])
        };
        predicted(&filter(vec![chain], Vec::new()), from_there(), 6, true)
    };
    let to = "10.0.0.9:80".parse().unwrap();
    assert!(matches!(translated(1), Prediction::Certain(end) if end.outcome == Outcome::Forwarded(to)));
    assert!(matches!(translated(1 | 0x40), Prediction::Unknown(_)));
}
