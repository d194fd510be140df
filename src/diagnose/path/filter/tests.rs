//! Predictions for handwritten rules. tests/reach compares many more with the kernel.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::culprit::{Passing, name};
use super::facts::Facts;
use super::index::Index;
use super::journey::{Attempt, Cause, Client, End, Leg, Outcome};
use super::predict::{Prediction, predict};
use crate::model::network::{Link, LinkAddress, Route, RouteAnswer, RouteQuery};
use crate::model::packet_filter::{
    Chain, Data, Element, Expression, Extension, Family, Hook, Kind, Load, PacketFilter, Rule, Set, Table,
    Verdict,
};

/// The server, and a neighbour of it.
const SERVER: &str = "10.0.0.1";
const SERVER_V6: &str = "fd00::1";
const CLIENT: &str = "10.0.0.2";
const LOOPBACK: u32 = 1;
const CARD: u32 = 2;

fn facts() -> Facts {
    let link = |index, name: &[u8], flags| Link {
        index,
        name: name.into(),
        device_type: 1,
        flags,
        ..Link::default()
    };
    Facts {
        links: vec![link(LOOPBACK, b"lo", 0x9), link(CARD, b"eth0", 0x1)],
        addresses: vec![LinkAddress {
            interface: CARD,
            address: SERVER.parse().unwrap(),
            prefix: 24,
            scope: 0,
            secondary: false,
            broadcast: None,
        }],
        routes: BTreeMap::new(),
        local_ports: (32_768, 60_999),
    }
}

/// The routing table: the server's address is local, everything else is on the card.
fn route(query: &RouteQuery) -> RouteAnswer {
    let server: IpAddr = if query.destination.is_ipv4() {
        SERVER
    } else {
        SERVER_V6
    }
    .parse()
    .unwrap();
    let is_local = query.destination == server || query.destination.is_loopback();
    RouteAnswer::Found(Route {
        kind: if is_local { Route::LOCAL } else { 1 },
        interface: if is_local { LOOPBACK } else { CARD },
        source: Some(if is_local { query.destination } else { server }),
        gateway: None,
    })
}

fn predicted(filter: &PacketFilter, client: Client, protocol: u8, open: bool) -> Prediction {
    let server = match client {
        Client::From { address, .. } if address.is_ipv6() => SERVER_V6,
        _ => SERVER,
    };
    predicted_at(server, filter, client, protocol, open)
}

fn predicted_at(server: &str, filter: &PacketFilter, client: Client, protocol: u8, open: bool) -> Prediction {
    /// Enough for every test, and quickly exhausted.
    const BUDGET: u64 = 200_000;
    let mut facts = facts();
    let index = Index::new(filter);
    let attempt = Attempt {
        protocol,
        client,
        server: SocketAddr::new(server.parse().unwrap(), 80),
        zone: None,
    };
    loop {
        match predict(&facts, filter, &index, attempt, open, BUDGET) {
            Ok(prediction) => return prediction,
            Err(query) => facts.routes.insert(query, route(&query)),
        };
    }
}

fn from_there() -> Client {
    Client::From {
        address: CLIENT.parse().unwrap(),
        interface: CARD,
    }
}

/// The result for a TCP client on the neighbour.
fn end(filter: &PacketFilter, open: bool) -> End {
    match predicted(filter, from_there(), 6, open) {
        Prediction::Certain(end) => end,
        Prediction::Unknown(questions) => panic!("{questions:?}"),
    }
}

fn outcome(filter: &PacketFilter) -> Outcome {
    end(filter, true).outcome
}

const INPUT: u32 = 1;
const OUTPUT: u32 = 3;

fn chain(hook: Option<u32>, rules: &[&[Expression]]) -> Chain {
    let rule = |(at, expressions): (usize, &&[Expression])| Rule {
        handle: at as u64 + 2,
        comment: None,
        expressions: expressions.to_vec(),
    };
    Chain {
        name: (*b"c").into(),
        hook: hook.map(|number| Hook {
            number,
            priority: 0,
            devices: Vec::new(),
        }),
        drops: false,
        kind: Kind::Filter,
        rules: rules.iter().enumerate().map(rule).collect(),
    }
}

fn filter(chains: Vec<Chain>, sets: Vec<Set>) -> PacketFilter {
    PacketFilter {
        tables: vec![Table {
            family: Family::Inet,
            name: (*b"t").into(),
            dormant: false,
            chains,
            sets,
            objects: Vec::new(),
        }],
        legacy: Vec::new(),
    }
}

/// An input chain with these rules.
fn input(rules: &[&[Expression]]) -> PacketFilter {
    filter(vec![chain(Some(INPUT), rules)], Vec::new())
}

fn verdict(verdict: Verdict) -> Expression {
    Expression::Immediate {
        to: None,
        data: Data::Verdict(verdict),
    }
}

fn drop() -> Expression {
    verdict(Verdict::Drop)
}

fn load(what: Load) -> Expression {
    Expression::Load { to: 0, what }
}

fn payload(base: u32, offset: u32, bytes: u8) -> Expression {
    load(Load::Payload { base, offset, bytes })
}

fn compare(operation: u32, data: &[u8]) -> Expression {
    Expression::Compare {
        from: 0,
        operation,
        data: data.into(),
    }
}

fn is(data: &[u8]) -> Expression {
    compare(0, data)
}

const PORT_80: [u8; 2] = [0, 80];

#[test]
fn without_rules_the_listener_decides() {
    let none = PacketFilter::default();
    assert_eq!(outcome(&none), Outcome::Connected);
    assert_eq!(end(&none, false).outcome, Outcome::Refused);
    let here = |protocol, open| match predicted(&none, Client::Here, protocol, open) {
        Prediction::Certain(end) => end.outcome,
        Prediction::Unknown(_) => panic!(),
    };
    assert_eq!(
        (here(6, true), here(6, false)),
        (Outcome::Connected, Outcome::Refused)
    );
    assert_eq!(
        (here(17, true), here(17, false)),
        (Outcome::Connected, Outcome::Refused)
    );
}

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
fn rejections_reach_the_client() {
    let refused = |kind, code| outcome(&input(&[&[Expression::Reject { kind, code }]]));
    assert_eq!(refused(1, 0), Outcome::Refused);
    assert_eq!(refused(0, 3), Outcome::Refused);
    assert_eq!(refused(2, 1), Outcome::Refused);
    assert_eq!(refused(2, 3), Outcome::Unreachable);
    // Unless another rule stops them.
    let both = filter(
        vec![
            chain(Some(INPUT), &[&[Expression::Reject { kind: 1, code: 0 }]]),
            chain(Some(OUTPUT), &[&[drop()]]),
        ],
        Vec::new(),
    );
    assert_eq!(outcome(&both), Outcome::Timeout);
    assert!(matches!(end(&both, true).stopped, Some((Leg::Error, _))));
}

#[test]
fn an_answer_or_the_last_packet_may_be_stopped_too() {
    let answer = filter(vec![chain(Some(OUTPUT), &[&[drop()]])], Vec::new());
    assert!(matches!(end(&answer, true).stopped, Some((Leg::Answer, _))));
    let flags = [
        payload(2, 13, 1),
        Expression::Bitwise {
            from: 0,
            to: 0,
            mask: [0x12].into(),
            xor: [0].into(),
        },
        is(&[0x10]),
        drop(),
    ];
    assert_eq!(outcome(&input(&[&flags])), Outcome::HalfOpen);
}

#[test]
fn an_unreadable_fact_makes_the_outcome_unknown_only_if_it_decides() {
    let limit = Expression::Undecidable("a rate limit");
    let open = input(&[&[limit.clone(), verdict(Verdict::Accept)]]);
    assert_eq!(outcome(&open), Outcome::Connected);
    let decides = input(&[&[limit, verdict(Verdict::Accept)], &[drop()]]);
    let Prediction::Unknown(questions) = predicted(&decides, from_there(), 6, true) else {
        panic!()
    };
    assert_eq!(questions[0].about, "a rate limit");
    let port = input(&[&[payload(2, 0, 2), is(&[0xc0, 0]), drop()]]);
    let Prediction::Unknown(questions) = predicted(&port, from_there(), 6, true) else {
        panic!()
    };
    assert_eq!(questions[0].about, "the client's port");
    let other = input(&[&[Expression::Other((*b"new").into())]]);
    assert!(matches!(
        predicted(&other, from_there(), 6, true),
        Prediction::Unknown(_)
    ));
}

fn set(flags: u32, key_bytes: usize, fields: &[usize], elements: Vec<Element>) -> Set {
    Set {
        name: (*b"s").into(),
        flags,
        key_bytes,
        fields: fields.to_vec(),
        elements,
        complete: true,
    }
}

fn element(key: &[u8]) -> Element {
    Element {
        key: key.into(),
        ..Element::default()
    }
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
    let text = super::words::rule_text(table, &table.chains[0].rules[0]);
    assert_eq!(text, "tcp dport { 80-81, 90 } drop");
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
fn a_packet_to_another_machine_has_the_source_that_its_route_gives() {
    let source_is = |last: u8| {
        let rule = [payload(1, 12, 4), is(&[10, 0, 0, last]), drop()];
        let filter = filter(vec![chain(Some(OUTPUT), &[&rule])], Vec::new());
        match predicted_at(CLIENT, &filter, Client::Here, 6, true) {
            Prediction::Certain(end) => end.outcome != Outcome::Connected,
            Prediction::Unknown(questions) => panic!("{questions:?}"),
        }
    };
    assert!(source_is(1) && !source_is(2));
}

#[test]
fn the_type_and_code_of_an_icmp_error_are_known() {
    let drops = |byte_at: u32, value: u8| {
        let rule = [
            load(Load::Meta(16)),
            is(&[1]),
            payload(2, byte_at, 1),
            is(&[value]),
            drop(),
        ];
        let filter = filter(vec![chain(Some(OUTPUT), &[&rule])], Vec::new());
        match predicted(&filter, from_there(), 17, false) {
            Prediction::Certain(end) => end.outcome != Outcome::Refused,
            Prediction::Unknown(questions) => panic!("{questions:?}"),
        }
    };
    assert!(drops(0, 3) && drops(1, 3), "port unreachable");
    assert!(!drops(0, 11) && !drops(1, 1));
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
fn of_chains_with_the_same_priority_the_later_one_comes_first() {
    let named = |name: &[u8]| Chain {
        name: name.into(),
        ..chain(Some(INPUT), &[&[drop()]])
    };
    let names: [&[u8]; 3] = [b"first", b"second", b"third"];
    let filter = filter(names.map(named).into(), Vec::new());
    let Some((Leg::Request, Cause::Rule(place, None))) = end(&filter, true).stopped else {
        panic!()
    };
    let line = name(&filter, place, None).unwrap().line();
    assert!(line.starts_with("inet t third,"), "{line}");
}

#[test]
fn a_target_with_too_few_bytes_is_given_up() {
    let with = |info: &[u8]| {
        let mark = Expression::Target(Extension {
            name: (*b"MARK").into(),
            revision: 2,
            info: info.into(),
        });
        let marked = [load(Load::Meta(3)), is(&1u32.to_ne_bytes()), drop()];
        predicted(&input(&[&[mark], &marked]), from_there(), 6, true)
    };
    let set_to_1 = [1u32.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat();
    assert!(matches!(with(&set_to_1), Prediction::Certain(end) if end.outcome == Outcome::Timeout));
    assert!(matches!(with(&set_to_1[..7]), Prediction::Unknown(_)));
}

#[test]
fn endless_jumps_make_the_prediction_give_up() {
    // Each of sixteen chains jumps to the next one many times: more paths than can be followed.
    let name = |at: usize| -> Box<[u8]> { format!("c{at}").into_bytes().into() };
    let mut chains = Vec::new();
    for at in 0..16 {
        let jump = [verdict(Verdict::Jump(name(at + 1)))];
        let rules: Vec<&[Expression]> = vec![&jump; 16];
        let mut one = chain((at == 0).then_some(INPUT), &rules);
        one.name = name(at);
        chains.push(one);
    }
    let mut last = chain(None, &[&[verdict(Verdict::Return)]]);
    last.name = name(16);
    chains.push(last);
    let Prediction::Unknown(questions) = predicted(&filter(chains, Vec::new()), from_there(), 6, true) else {
        panic!()
    };
    assert_eq!(questions[0].about, "more rules than can be followed");
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
