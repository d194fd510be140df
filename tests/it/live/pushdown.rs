//! Random filters on real sockets: pushed down to the kernel as far as possible, or checked only here, both select the
//! same rows; so does `ss`, for filters that it supports.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use sockstat::engine::Request;
use sockstat::model::Row;
use sockstat::model::State;
use sockstat::model::request::{Facts, Parts, Wanted};
use sockstat::query::{Expr, Parsed};

use super::normal::Version;
use super::sockets::Sockets;
use super::ss::installed;
use super::within::{filter, plan, rows, within};
use crate::run::Ran;

const SPECS: &[&str] = &[
    "tcp-listen:port=80",
    "tcp-listen:addr=0.0.0.0,port=8000,backlog=5,queued=1",
    "tcp-listen:addr=::,port=8080",
    "tcp-listen:addr=::,v6only=1,port=443",
    "tcp-listen:addr=127.0.0.2,port=4000,device=lo",
    "tcp-bound:port=81",
    "tcp-bound:addr=::1,port=82",
    "tcp-pair:port=22,listener=1,unread=3",
    "tcp-pair:addr=127.1.2.3,port=443,listener=1",
    "tcp-pair:addr=::1,port=80,unread=2000",
    "tcp-pair:addr=::,mapped=1,port=8443",
    "syn-sent",
    "syn-recv",
    "close-wait",
    "fin-wait-2",
    "time-wait",
    "orphan:linger2=120",
    "udp:port=53",
    "udp:addr=::,port=53,v6only=1",
    "udp-connected",
    "udp-connected:addr=::1",
    "udplite:port=80",
    "raw",
    "icmp",
    "unix-listen:abstract=pushdown",
    "unix-pair",
];

/// How often two runs may differ because a socket changed its state between them.
const ATTEMPTS: u32 = 50;
/// Filters in one run.
const CASES: u32 = 300;

/// A filter in our syntax; in that of ss, if it can express it; whether the kernel checks all of it; and the family of
/// its addresses, because ss reads only the family of the last one.
#[derive(Clone, Debug)]
struct Case {
    ours: String,
    ss: Option<String>,
    exact: bool,
    family: Option<char>,
}

/// Conditions that ss has too, in its syntax.
const SHARED: &[(&str, Option<char>)] = &[
    ("sport = :80", None),
    ("sport = :443", None),
    ("dport = :22", None),
    ("dport = :53", None),
    ("sport != :80", None),
    ("dport >= :443", None),
    ("dport < :1024", None),
    ("sport > :8000", None),
    ("sport <= :443", None),
    ("dport = :0", None),
    ("dev = lo", None),
    ("dev != lo", None),
    ("src 127.0.0.1", Some('4')),
    ("src 127.0.0.0/8", Some('4')),
    ("dst 127.0.0.0/30", Some('4')),
    ("dst 127.1.2.3:443", Some('4')),
    ("src 0.0.0.0:8000", Some('4')),
    ("dst 10.0.0.0/8", Some('4')),
    ("src [::1]", Some('6')),
    ("dst [::1]:80", Some('6')),
    ("src [::]:443", Some('6')),
    ("src [::ffff:127.0.0.1]", Some('6')),
    ("src [fe80::]/10", None),
];

/// Conditions that only we have, and whether the kernel can check them completely.
const OURS: &[(&str, bool)] = &[
    ("local_port = 80", true),
    ("local_port in (22, 80-443, 8080)", true),
    ("sport in (80, 443) ", true),
    ("dst 127/8 or dst ::1", true),
    ("src ::/0", true),
    ("src 0.0.0.0/0", true),
    ("peer_port != 443", false),
    ("peer_port < 1000", false),
    ("peer_address = 127.0.0.0/8", false),
    ("peer_address != ::1", false),
    ("local_address = 0.0.0.0", false),
    ("has(peer_port)", false),
    ("has(interface)", false),
    ("interface = 0", false),
    ("fwmark = 0", false),
    ("fwmark 0x10/0xf0", false),
    ("mark != 3", false),
    ("autobound", false),
    ("not autobound", false),
    ("listen", false),
    ("state established", false),
    ("state = time-wait", false),
    ("state != connected", false),
    ("exclude listen", false),
    ("bucket", false),
    ("syn-recv", false),
    ("state = bound", false),
    ("tcp", false),
    ("udp", false),
    ("protocol in (raw, icmp)", false),
    ("unix", false),
    ("family = inet6", false),
    ("family != inet", false),
    ("recv_q gt 0", false),
    ("recv_q = 0", false),
    ("accept_q ge 1", false),
    ("rtt gt 0us", false),
    ("mss lt 10k", false),
    ("has(tcp)", false),
    ("bytes_received = 3", false),
    ("backlog = 5", false),
    ("scope = all", false),
    ("v6only = true", false),
    ("has(inode)", false),
    ("uid = 0", false),
    ("80", false),
    ("8000-8100", false),
    ("53/udp", false),
    ("127.0.0.1:80", false),
    ("::1", false),
    ("@pushdown", false),
    ("path like '*down'", false),
    ("mksock", false),
    ("pid gt 1", false),
    ("owner_status = known", false),
    ("owner_status != queued", false),
    ("comm like 'mk*'", false),
];

fn leaf() -> impl Strategy<Value = Case> {
    let shared = select(SHARED).prop_map(|(text, family)| Case {
        ours: text.replace("]/10", "/10]"),
        ss: Some(text.replace("[fe80::]/10", "fe80::/10")),
        exact: true,
        family: if text.contains("fe80") { Some('6') } else { family },
    });
    let ours = select(OURS).prop_map(|(text, exact)| Case {
        ours: text.to_owned(),
        ss: None,
        exact,
        family: None,
    });
    prop_oneof![2 => shared, 1 => ours]
}

fn joined(parts: &[Case], word: &str) -> Case {
    let families: BTreeSet<_> = parts.iter().filter_map(|part| part.family).collect();
    let join = |texts: Vec<&str>| {
        let each: Vec<_> = texts.iter().map(|text| format!("( {text} )")).collect();
        each.join(&format!(" {word} "))
    };
    let theirs: Option<Vec<&str>> = parts.iter().map(|part| part.ss.as_deref()).collect();
    Case {
        ours: join(parts.iter().map(|part| &*part.ours).collect()),
        ss: theirs.filter(|_| families.len() < 2).map(join),
        exact: parts.iter().all(|part| part.exact),
        family: families.into_iter().next(),
    }
}

fn case() -> impl Strategy<Value = Case> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        let parts = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(|parts| joined(&parts, "and")),
            parts().prop_map(|parts| joined(&parts, "or")),
            inner.clone().prop_map(|part| Case {
                ours: format!("not ( {} )", part.ours),
                ss: part.ss.map(|text| format!("not ( {text} )")),
                ..part
            }),
        ]
    })
}

/// What identifies a socket: its cookie, or everything else if it has none.
fn tell(row: &Row<'_>) -> String {
    let socket = row.socket;
    match socket.cookie {
        Some(cookie) => format!("{cookie:x}"),
        None => format!("{:?} {:?}", socket.protocol, socket.endpoints),
    }
}

/// The same without what ss before 6.8 cannot see.
fn tell_unbound(row: &Row<'_>) -> String {
    if row.socket.state == State::Bound {
        String::new()
    } else {
        tell(row)
    }
}

/// Retries until both are equal; returns the last pair.
fn settled<T: PartialEq>(mut both: impl FnMut() -> (T, T)) -> (T, T) {
    for _ in 0..ATTEMPTS {
        let (a, b) = both();
        if a == b {
            return (a, b);
        }
    }
    both()
}

/// The options of the comparison in which every table is read.
const WIDE: &[&str] = &["-tuwxa"];

fn check(case: &Case, sockets: &Sockets, ss: Option<Version>) -> Result<(), TestCaseError> {
    let parsed = match filter(&case.ours) {
        Ok(parsed) => parsed,
        // Two sets of states with nothing in common.
        Err(error) if error.message.contains("leaves no state") => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(error.render())),
    };
    // Everything read and filtered here, and as planned.
    // State words are part of the selection, not conditions, so both have them.
    let everything = Parsed {
        expr: None,
        protocols: None,
        ..parsed.clone()
    };
    let mut slow = plan(WIDE, everything);
    slow.owners = parsed.expr.as_ref().is_some_and(Expr::needs_owners);
    slow.facts = Facts::Full;
    slow.filter.clone_from(&parsed.expr);
    let quick = plan(WIDE, parsed.clone());
    for dump in &mut slow.dumps {
        let like = quick.dumps.iter().find(|other| other.protocol == dump.protocol);
        dump.wanted = like.map_or(Wanted::Attributes, |other| other.wanted);
        dump.parts = like.map_or(Parts::NONE, |other| other.parts);
    }
    let (here, planned) = settled(|| (rows(&slow, tell).0, rows(&quick, tell).0));
    prop_assert_eq!(&here, &planned, "judged here, and as planned: {}", case.ours);

    // The kernel never lets through less, and exactly as much where it can check everything.
    let family = case.family.map_or_else(String::new, |family| family.to_string());
    let options = format!("-tua{family}");
    let options = &[&*options][..];
    let whole = plan(options, parsed);
    let pushed = Request {
        filter: None,
        ..whole.clone()
    };
    let (kernel, both) = settled(|| {
        let (both, _) = rows(&whole, tell);
        let (mut kernel, _) = rows(&pushed, tell);
        if !case.exact {
            kernel.retain(|row| both.contains(row));
        }
        (kernel, both)
    });
    prop_assert_eq!(
        &kernel,
        &both,
        "the kernel alone, and checked here too: {}",
        case.ours
    );

    if let (Some(version), Some(words)) = (ss, &case.ss) {
        let tell = if version < (6, 8) { tell_unbound } else { tell };
        let (theirs, ours) = settled(|| {
            let (mut ours, _) = rows(&whole, tell);
            ours.retain(|row| !row.is_empty());
            (cookies_of_ss(sockets, options[0], words), ours)
        });
        prop_assert_eq!(&theirs, &ours, "ss {}", words);
    }
    Ok(())
}

/// The cookies of the rows that ss shows for its filter, sorted.
fn cookies_of_ss(sockets: &Sockets, options: &str, words: &str) -> Vec<String> {
    let ran = Ran::of(sockets.program("ss").args([&format!("{options}neH"), words])).ended_with(0);
    let cookie = |line: &str| {
        let word = line.split_whitespace().find_map(|word| word.strip_prefix("sk:"));
        word.unwrap_or_else(|| panic!("no cookie: {line}")).to_owned()
    };
    let mut cookies: Vec<_> = ran.text().lines().map(cookie).collect();
    cookies.sort();
    cookies
}

#[test]
fn random_filters_select_the_same_rows_wherever_they_are_checked() {
    let version = installed();
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    within(&sockets, || {
        let config = Config {
            cases: CASES,
            max_shrink_iters: 40,
            failure_persistence: None,
            ..Config::default()
        };
        let ran = TestRunner::new(config).run(&case(), |case| check(&case, &sockets, version));
        // The smallest filter that fails is in the message.
        if let Err(error) = ran {
            panic!("{error}");
        }
    });
}
