//! Any bytes as names from the system's databases, processes and users: users, hosts, services, interfaces, cgroups,
//! programs and paths. Every output format shows them harmlessly on one line, and JSON and CSV have the same fields as
//! without them. Addresses from a host look-up are compared like any others.
//!
//! The first byte picks the row; names are separated by NUL.

#![no_main]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::LazyLock;

use clap::Parser as _;
use libfuzzer_sys::fuzz_target;
use sockstat::cli::ListArgs;
use sockstat::model::cgroup::Home;
use sockstat::model::process::program_name;
use sockstat::model::request::ResolvedNames;
use sockstat::model::{
    Context, Endpoints, Family, Holder, InetPair, Names, Namespace, OwnerStatus, Ownership, Process, Protocol, Row,
    Socket, State, UnixPair,
};
use sockstat::plan::{ListPlan, Output, Place};
use sockstat::query::{Expr, Match, Mode, parse};
use sockstat::render::groups::Groups;
use sockstat::render::safe::Safe;
use sockstat::render::{json, table};

const FORMS: [&str; 15] = [
    "-tuxanpre",
    "-tuxanpre --table",
    "-tuxanpreimoZ --table --wide",
    "-tuxanpreZz --plain",
    "-tuxanpre --jsonl",
    "-tuxanpreZz --json",
    "-tuxanpre --csv",
    "-tuxa --plain --columns process,user,unit,container,pod,cgroup,interface,path,owners",
    "-tuxa --by process",
    "-tuxa --by user,unit --csv",
    "-tuxa --by cgroup --json",
    "-tuxa --by container,interface --jsonl",
    "-tuxa --by path --table",
    "-tuxaT",
    "-N all -tuxanpre --table",
];

fn plan(options: &str) -> ListPlan {
    let words = std::iter::once("sockstat").chain(options.split(' '));
    let args = ListArgs::try_parse_from(words).expect("options");
    let filter = parse(&args.filter, Mode::List).expect("a filter");
    ListPlan::new(&args, filter, &Place::default()).expect("a plan")
}

static PLANS: LazyLock<Vec<ListPlan>> = LazyLock::new(|| FORMS.iter().map(|options| plan(options)).collect());

/// The filters that compare what was looked up.
static FILTERS: LazyLock<Vec<Expr>> = LazyLock::new(|| {
    let filters = ["dst web", "not src web:http", "user = mark", "dev = red", "process like 'a*'"];
    let expr = |text: &&str| parse(&[(*text).to_owned()], Mode::List).expect("a filter").expr;
    filters.iter().filter_map(expr).collect()
});

fn socket(choice: u8, name: &[u8], addresses: [IpAddr; 2]) -> Socket {
    let [local_address, peer_address] = addresses;
    let is_unix = choice & 1 == 1;
    let endpoints = if is_unix {
        Endpoints::Unix(UnixPair {
            name: Some(name.into()),
            ..UnixPair::default()
        })
    } else {
        Endpoints::Inet(InetPair {
            local_address,
            peer_address,
            local_port: 80,
            peer_port: 443,
            interface: NonZeroU32::new(2),
            v6only: None,
        })
    };
    Socket {
        protocol: if is_unix { Protocol::Unix } else { Protocol::Tcp },
        family: if is_unix { Family::Unix } else { Family::Inet6 },
        state: if choice & 2 == 2 { State::Listen } else { State::Established },
        endpoints,
        rqueue: Some(0),
        wqueue: Some(0),
        uid: Some(1000),
        inode: NonZeroU32::new(1),
        cgroup_id: NonZeroU64::new(77),
        ..Socket::BLANK
    }
}

/// The context of the row, made of these names.
fn context<'a>(mut name: impl FnMut() -> &'a [u8], addresses: [IpAddr; 2]) -> Context {
    let mut text = || String::from_utf8_lossy(name()).into_owned();
    let (user, interface, cgroup, host, service, namespace) = (text(), text(), text(), text(), text(), text());
    let (comm, exe): (Box<[u8]>, Box<[u8]>) = (name().into(), name().into());
    let cmdline: Vec<Box<[u8]>> = (0..3).map(|_| name().into()).collect();
    let process = Process {
        pid: 7,
        program: program_name(&comm, Some(&exe), Some(&cmdline)),
        comm,
        exe: Some(exe),
        cmdline: Some(cmdline.into()),
        uid: Some(1000),
        security_context: Some(name().into()),
        cgroup: Some(cgroup.as_bytes().into()),
        home: Home::of_path(&cgroup),
        ..Process::default()
    };
    Context {
        processes: BTreeMap::from([(7, process)]),
        names: Names {
            interfaces: BTreeMap::from([((0, 2), interface.into())]),
            users: BTreeMap::from([(1000, user.into())]),
            homes: BTreeMap::from([(77, Home::of_path(&cgroup))]),
            cgroups: BTreeMap::from([(77, cgroup.into())]),
            hosts: addresses.into_iter().map(|address| (address, host.as_str().into())).collect(),
            services: BTreeMap::from([((80, false), service.as_str().into()), ((443, false), service.into())]),
        },
        socket_contexts: BTreeMap::from([(1, name().into())]),
        namespaces: vec![Namespace {
            inode: Some(4_026_531_840),
            name: Some(namespace.into()),
        }],
        ..Context::default()
    }
}

/// The name of the row's user as JSON has it, and the number of fields.
fn read_json(bytes: &[u8]) -> (Option<String>, usize) {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).expect("an object");
    (row.get("user").and_then(|user| user.as_str()).map(str::to_owned), row.len())
}

/// Undoes the escapes, as docs/json.md describes it.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("digits");
                out.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits"));
                tail
            }
            (b'\\', _) => panic!("a backslash of its own: {text}"),
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    out
}

fn show(plan: &ListPlan, row: &Row<'_>) {
    let mut out = Vec::new();
    match &plan.output {
        Output::Lines(lines) => {
            lines.push_row(&mut out, row);
            let ends = out.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(ends, 1, "a row is a line: {}", String::from_utf8_lossy(&out));
        }
        Output::Json(fields) => {
            json::push_row(&mut out, row, fields);
            let (user, count) = read_json(&out);
            assert_eq!(count, fields.len());
            let expected = &row.context.names.users[&1000];
            assert!(user.is_none_or(|user| unescaped(&user) == expected.as_bytes()));
        }
        Output::Table(view) => out.extend(table::render(std::iter::once(*row), view).into_bytes()),
        Output::Groups(grouping) => {
            let mut groups = Groups::new(grouping.keys.clone(), grouping.form);
            groups.add(row);
            groups.push(&mut out, None, true);
        }
        _ => {}
    }
    let shown = Safe::document(&out);
    assert_eq!(
        String::from_utf8_lossy(shown.as_bytes()),
        String::from_utf8_lossy(&out),
        "only the last line of defence stops it"
    );
    assert!(!out.contains(&b'\x1b'), "no colour was asked for");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let mut parts = bytes.split(|byte| *byte == 0);
    let mut name = || parts.next().unwrap_or_default();
    let mut octets = [0; 16];
    let first = name();
    octets.iter_mut().zip(first).for_each(|(octet, byte)| *octet = *byte);
    let address = IpAddr::V6(Ipv6Addr::from(octets));
    let addresses = [address, address.to_canonical()];
    // The name of a unix socket may have any bytes.
    let socket = socket(*choice, bytes, addresses);
    let context = context(name, addresses);
    let holders = [Holder {
        inode: 1,
        pid: 7,
        fd: 3,
        tid: 0,
    }];
    let row = Row {
        socket: &socket,
        ownership: Ownership {
            status: OwnerStatus::Known,
            holders: &holders,
            may_be_more: false,
        },
        context: &context,
    };
    for plan in &*PLANS {
        show(plan, &row);
    }
    let found = ResolvedNames {
        hosts: BTreeMap::from([("web".to_owned(), addresses.to_vec())]),
        services: BTreeMap::from([("http".to_owned(), vec![80])]),
        users: BTreeMap::from([("mark".to_owned(), 1000)]),
        interfaces: BTreeMap::from([("red".to_owned(), 2)]),
        ..ResolvedNames::default()
    };
    for filter in &*FILTERS {
        let resolved = filter.clone().resolve(&found).expect("every name is known");
        let matched = resolved.matches(&row);
        let is_host = resolved.to_string().starts_with("dst");
        assert!(*choice & 1 == 1 || !is_host || matched == Match::Yes, "{resolved}");
    }
});
