//! Decodes what a kernel (6.18) reported about rules made with nft 1.0.6, iptables-nft and iptables-legacy 1.8.9:
//! `samples/nft.bin` holds, for each reply, the type of the request (u16), its length (u32, both little-endian) and its
//! payload; `samples/legacy.bin` for each table its family (u8), two lengths (u32), `struct ipt_getinfo` and the entries.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};

use super::nft::{Tables, message, read};
use super::{legacy, set};
use crate::model::packet_filter::{
    Chain, Data, Expression, Family, Kind, LegacyTable, LegacyTarget, Load, ObjectOf, Rule, Set, Table,
    Verdict,
};

use crate::source::tape::format::Record;
use crate::source::tape::netlink::Answer;
use crate::source::tape::testing::{record, replaying, reply};

const NFT: &[u8] = include_bytes!("samples/nft.bin");
const LEGACY: &[u8] = include_bytes!("samples/legacy.bin");

fn word(bytes: &[u8]) -> usize {
    u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize
}

fn tables() -> Vec<Table> {
    let mut tables = Tables::default();
    let mut rest = NFT;
    while let [low, high, tail @ ..] = rest {
        let (payload, next) = tail[4..].split_at(word(tail));
        let kind = u16::from_le_bytes([*low, *high]);
        if kind == 13 {
            tables.take_elements(payload[0], &payload[4..]);
        } else {
            tables.take(kind, payload[0], &payload[4..]);
        }
        rest = next;
    }
    tables.tables
}

fn legacy_tables() -> Vec<LegacyTable> {
    let mut tables = Vec::new();
    let mut rest = LEGACY;
    while let [v6, tail @ ..] = rest {
        let (info, tail) = (word(tail), &tail[4..]);
        let (entries, tail) = (word(tail), &tail[4..]);
        let name = tail[..32].split(|byte| *byte == 0).next().unwrap();
        let table = legacy::decode(*v6 == 1, name, &tail[..info], &tail[info..info + entries]);
        tables.push(table.unwrap());
        rest = &tail[info + entries..];
    }
    tables
}

fn table<'a>(tables: &'a [Table], family: Family, name: &str) -> &'a Table {
    let is_it = |table: &&Table| table.family == family && &*table.name == name.as_bytes();
    tables.iter().find(is_it).unwrap()
}

fn chain<'a>(table: &'a Table, name: &str) -> &'a Chain {
    table
        .chains
        .iter()
        .find(|chain| &*chain.name == name.as_bytes())
        .unwrap()
}

fn set<'a>(table: &'a Table, name: &str) -> &'a Set {
    table
        .sets
        .iter()
        .find(|set| &*set.name == name.as_bytes())
        .unwrap()
}

fn commented<'a>(chain: &'a Chain, comment: &str) -> &'a Rule {
    let has = |rule: &&Rule| rule.comment.as_deref() == Some(comment.as_bytes());
    chain.rules.iter().find(has).unwrap()
}

#[test]
fn chains_have_their_hooks_policies_and_types() {
    let tables = tables();
    let filter = table(&tables, Family::Inet, "filter");
    let input = chain(filter, "input");
    let hook = input.hook.as_ref().unwrap();
    assert_eq!(
        (hook.number, hook.priority, input.drops, input.kind),
        (1, 0, true, Kind::Filter)
    );
    assert_eq!(chain(filter, "forw").hook.as_ref().unwrap().priority, 10);
    assert!(chain(filter, "other").hook.is_none());
    let nat = table(&tables, Family::Ip, "nat");
    assert_eq!(chain(nat, "pre").kind, Kind::Nat);
    assert_eq!(chain(nat, "pre").hook.as_ref().unwrap().priority, -100);
    let raw = table(&tables, Family::Ip, "raw");
    assert!(raw.dormant && !nat.dormant);
    assert_eq!(chain(raw, "r").kind, Kind::Route);
    let ingress = chain(table(&tables, Family::Netdev, "nd"), "ing");
    assert_eq!(ingress.hook.as_ref().unwrap().devices, [(*b"d0").into()]);
}

#[test]
fn a_rule_has_its_expressions_and_its_comment() {
    let tables = tables();
    let filter = table(&tables, Family::Inet, "filter");
    let rule = commented(chain(filter, "input"), "closed on purpose");
    let load = |to, what| Expression::Load { to, what };
    let equal = |data: &[u8]| Expression::Compare {
        from: 0,
        operation: 0,
        data: data.into(),
    };
    let port = Load::Payload {
        base: 2,
        offset: 2,
        bytes: 2,
    };
    assert_eq!(
        rule.expressions,
        [
            load(0, Load::Meta(16)),
            equal(&[6]),
            load(0, port),
            equal(&[0, 80]),
            Expression::Immediate {
                to: None,
                data: Data::Verdict(Verdict::Drop)
            },
        ]
    );
    let reset = commented(chain(filter, "other"), "no telnet");
    assert_eq!(
        reset.expressions.last(),
        Some(&Expression::Reject { kind: 1, code: 0 })
    );
}

#[test]
fn no_expression_of_the_sample_is_unknown() {
    for table in tables() {
        for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
            for expression in &rule.expressions {
                assert!(!matches!(expression, Expression::Other(_)), "{expression:?}");
            }
        }
    }
}

#[test]
fn every_kind_of_expression_is_in_the_sample() {
    let tables = tables();
    let rules = tables
        .iter()
        .flat_map(|table| table.chains.iter().flat_map(|chain| &chain.rules));
    let all: Vec<&Expression> = rules.flat_map(|rule| &rule.expressions).collect();
    let has = |test: &dyn Fn(&Expression) -> bool| assert!(all.iter().any(|one| test(one)));
    has(&|one| matches!(one, Expression::Bitwise { mask, .. } if mask.len() == 4));
    has(&|one| matches!(one, Expression::Compare { operation: 5, data, .. } if **data == [4, 0]));
    has(&|one| matches!(one, Expression::Lookup { to: Some(None), set, .. } if **set == *b"verdicts"));
    has(&|one| matches!(one, Expression::SetMeta { key: 3, .. }));
    has(&|one| matches!(one, Expression::SetConnection { key: 3, .. }));
    has(&|one| matches!(one, Expression::Update { is_limited: true, .. }));
    has(&|one| {
        matches!(
            one,
            Expression::Load {
                what: Load::Fib { result: 3, flags: 2 },
                ..
            }
        )
    });
    has(&|one| {
        let Expression::Object {
            of: ObjectOf::Fixed { kind, name },
        } = one
        else {
            return false;
        };
        *kind == 1 && **name == *b"hits"
    });
    has(&|one| {
        let Expression::Load {
            what: Load::Connection { direction, .. },
            ..
        } = one
        else {
            return false;
        };
        *direction == Some(0)
    });
    has(&|one| matches!(one, Expression::Undecidable("a rate limit")));
    has(&|one| matches!(one, Expression::Undecidable("a quota")));
    has(&|one| matches!(one, Expression::Reject { kind: 2, code: 3 }));
    has(&|one| {
        matches!(
            one,
            Expression::Nat {
                is_source: false,
                address: Some(_),
                port: Some(_),
                ..
            }
        )
    });
    has(&|one| {
        matches!(
            one,
            Expression::Nat {
                is_source: true,
                address: Some(_),
                port: None,
                ..
            }
        )
    });
    has(&|one| matches!(one, Expression::Redirect { port: Some(_) }));
    has(&|one| matches!(one, Expression::Masquerade));
    has(&|one| matches!(one, Expression::NoTrack));
    has(&|one| matches!(one, Expression::Match(extension) if *extension.name == *b"multiport"));
    has(&|one| matches!(one, Expression::Target(extension) if *extension.name == *b"REJECT"));
}

#[test]
fn sets_have_their_elements() {
    let tables = tables();
    let filter = table(&tables, Family::Inet, "filter");
    let addresses = set(filter, "addrs");
    assert!(addresses.has(Set::INTERVAL) && addresses.key_bytes == 4);
    let keys = |set: &Set| {
        set.elements
            .iter()
            .map(|one| (one.key.to_vec(), one.is_end))
            .collect::<Vec<_>>()
    };
    for start in [[10, 0, 0, 0], [192, 168, 1, 5]] {
        assert!(keys(addresses).contains(&(start.to_vec(), false)));
    }
    for end in [[11, 0, 0, 0], [192, 168, 1, 6]] {
        assert!(keys(addresses).contains(&(end.to_vec(), true)));
    }
    let both = set(filter, "both");
    assert_eq!(both.key_bytes, 8);
    assert!(keys(both).contains(&(vec![10, 0, 0, 1, 0, 80, 0, 0], false)));
    let ranges = set(filter, "ranges");
    assert_eq!(ranges.fields, [4, 2]);
    assert_eq!(
        ranges.elements[0].key_end.as_deref(),
        Some(&[10, 0, 0, 255, 0, 90, 0, 0][..])
    );
    let verdicts = &set(filter, "verdicts").elements;
    let jump = Data::Verdict(Verdict::Jump((*b"other").into()));
    assert!(
        verdicts
            .iter()
            .any(|one| *one.key == [0, 24] && one.data == Some(jump.clone()))
    );
    let map = table(&tables, Family::Ip, "nat")
        .sets
        .iter()
        .find(|set| set.has(Set::MAP))
        .unwrap();
    assert_eq!(
        map.elements[0].data,
        Some(Data::Value([10, 9, 0, 5, 0, 50, 0, 0].into()))
    );
    assert_eq!(filter.objects.len(), 2);
}

#[test]
fn legacy_tables_are_decoded() {
    let tables = legacy_tables();
    let names: Vec<_> = tables.iter().map(|table| (table.v6, &*table.name)).collect();
    for wanted in [
        (false, &b"filter"[..]),
        (false, b"nat"),
        (false, b"raw"),
        (false, b"mangle"),
        (true, b"filter"),
    ] {
        assert!(names.contains(&wanted), "{names:?}");
    }
    let filter = tables
        .iter()
        .find(|table| !table.v6 && &*table.name == b"filter")
        .unwrap();
    let at = |offset: u32| {
        filter
            .entries
            .iter()
            .find(|entry| entry.offset == offset)
            .unwrap()
    };
    let first = at(filter.begins[1]);
    assert_eq!((first.protocol, &*first.matches[0].name), (6, &b"tcp"[..]));
    assert_eq!(first.matches[0].info[4..8], [22, 0, 22, 0]);
    assert_eq!(first.target, LegacyTarget::Standard(-2));
    assert_eq!(at(filter.policies[1]).target, LegacyTarget::Standard(-1));
    let second = at(first.next);
    assert_eq!(
        (&*second.addresses[0], &*second.addresses[2]),
        (&[10, 0, 0, 0][..], &[255, 0, 0, 0][..])
    );
    assert_eq!(
        (second.inverted, &second.interfaces.as_ref().unwrap()[0][..3]),
        (1, &b"lo\0"[..])
    );
    let LegacyTarget::Standard(jump) = second.target else {
        panic!()
    };
    let called = at(u32::try_from(jump).unwrap());
    assert_eq!(&*called.matches[0].name, b"conntrack");
    let third = at(second.next);
    assert_eq!((third.protocol, third.flags), (17, 2));
    let is_begin = |entry: &&crate::model::packet_filter::LegacyEntry| {
        entry.target == LegacyTarget::Begin((*b"mine").into())
    };
    assert!(filter.entries.iter().any(|entry| is_begin(&entry)));
}

#[test]
fn truncated_tables_are_rejected_and_truncated_replies_do_not_panic() {
    let info = &LEGACY[9..9 + 84];
    let entries = &LEGACY[9 + 84..9 + 84 + word(&LEGACY[5..])];
    for length in (1..entries.len()).step_by(7) {
        let _ = legacy::decode(LEGACY[0] == 1, b"x", info, &entries[..length]);
    }
    let payload = &NFT[6..6 + word(&NFT[2..])];
    for length in 0..payload.len() {
        let _ = set::decode(&payload[..length]);
        Tables::default().take(1, 1, &payload[..length]);
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The recorded reply to a request: a datagram for each of these bodies, and the end.
fn answer(request: &[u8], bodies: &[Vec<u8>]) -> Record {
    let datagram = |kind: u16, payload: &[u8]| {
        let length = u32::try_from(payload.len() + 16).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0, 0]);
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    };
    let mut datagrams: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| datagram(0x0a00, &[&[1, 0, 0, 0][..], body].concat()))
        .collect();
    datagrams.push(datagram(3, &[0; 4]));
    let answer = Answer {
        sequence: 7,
        datagrams,
        channel_errno: 0,
    };
    reply(request, &answer)
}

#[test]
fn a_set_with_a_million_elements_is_read_partly_and_is_incomplete() {
    const MILLION: u32 = 1_000_000;
    const IN_ONE_MESSAGE: u32 = 2_000;
    let element = |key: u32| attribute(1, &attribute(1, &attribute(1, &key.to_be_bytes())));
    let elements = |first: u32| -> Vec<u8> {
        let list: Vec<u8> = (first..first + IN_ONE_MESSAGE).flat_map(element).collect();
        [attribute(1, b"t\0"), attribute(2, b"s\0"), attribute(3, &list)].concat()
    };
    let step = usize::try_from(IN_ONE_MESSAGE).unwrap();
    let elements: Vec<Vec<u8>> = (0..MILLION).step_by(step).map(elements).collect();
    let table = attribute(1, b"t\0");
    let set = [
        attribute(1, b"t\0"),
        attribute(2, b"s\0"),
        attribute(3, &0_u32.to_be_bytes()),
        attribute(5, &4_u32.to_be_bytes()),
    ]
    .concat();
    let dump = |kind, names: &[(u16, &[u8])]| message(kind, NLM_F_DUMP, u8::from(!names.is_empty()), names);
    let records = vec![
        record(crate::source::tape::format::Kind::Fact, "nfnetlink", &0_i32),
        answer(
            &message(16, NLM_F_ACK, 0, &[]),
            &[attribute(1, &1_u32.to_be_bytes())],
        ),
        answer(&dump(1, &[]), &[table]),
        answer(&dump(4, &[]), &[]),
        answer(&dump(7, &[]), &[]),
        answer(&dump(10, &[]), &[set]),
        answer(&dump(13, &[(1, b"t"), (2, b"s")]), &elements),
        answer(&dump(19, &[]), &[]),
    ];
    let tables = replaying(records, read).unwrap();
    let [table] = &*tables else { panic!("{tables:?}") };
    let [set] = &*table.sets else { panic!() };
    assert!(!set.complete);
    let read = set.elements.len();
    assert!((200_000..=210_000).contains(&read), "{read}");
}
