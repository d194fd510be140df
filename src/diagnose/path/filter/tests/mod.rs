//! Predictions for handwritten rules. tests/reach compares many more with the kernel.

mod conditions;
mod texts;

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
fn an_answer_goes_back_to_the_source_before_its_translation() {
    let snat = [
        Expression::Immediate {
            to: Some(16),
            data: Data::Value([10, 0, 0, 7].into()),
        },
        Expression::Nat {
            is_source: true,
            family: 2,
            address: Some((16, 16)),
            port: None,
            flags: 0,
        },
    ];
    let answer_to = |last: u8| {
        let translates = Chain {
            kind: Kind::Nat,
            name: (*b"nat").into(),
            ..chain(Some(INPUT), &[&snat])
        };
        let stops = chain(
            Some(OUTPUT),
            &[&[payload(1, 16, 4), is(&[10, 0, 0, last]), drop()]],
        );
        outcome(&filter(vec![translates, stops], Vec::new()))
    };
    assert_eq!(answer_to(2), Outcome::Timeout);
    assert_eq!(answer_to(7), Outcome::Connected);
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
