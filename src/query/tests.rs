//! The language as a whole: filters and the rows they select.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::samples::{self, holder, tcp, unix, with_owners};
use super::{Match, Mode, Parsed, Predicate, file_words, parse};
use crate::model::request::ResolvedNames;
use crate::model::{Endpoints, Holder, OwnerStatus, Protocol, Socket, State, StateSet, Timer, TimerKind};

fn read(filter: &str) -> Parsed {
    parse(&[filter.to_owned()], Mode::List).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn fails(filter: &str) -> String {
    match parse(&[filter.to_owned()], Mode::List) {
        Ok(parsed) => panic!("{filter} was understood: {parsed:?}"),
        Err(error) => error.render(),
    }
}

fn verdict(filter: &str, socket: &Socket, status: OwnerStatus, holders: &[Holder]) -> Match {
    let parsed = read(filter);
    if !parsed.states.is_none_or(|states| states.contains(socket.state)) {
        return Match::No;
    }
    let Some(expr) = parsed.expr else {
        return Match::Yes;
    };
    let expr = expr
        .resolve(&samples::names())
        .unwrap_or_else(|error| panic!("{}", error.render()));
    with_owners(socket, status, holders, |row| expr.matches(row))
}

/// A machine: a name for each socket, and its owner.
fn machine() -> Vec<(&'static str, Socket, Vec<Holder>)> {
    let web = Socket {
        rqueue: Some(129),
        wqueue: Some(128),
        ..tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen)
    };
    let conn = Socket {
        rqueue: Some(70_000),
        cookie: std::num::NonZeroU64::new(0x5b039),
        timer: Some(Timer {
            kind: TimerKind::Keepalive,
            expires_ms: Some(7200),
            retransmits: 0,
        }),
        ..tcp("10.0.0.1", 80, "10.0.0.9", 51234, State::Established)
    };
    let out = Socket {
        uid: Some(1000),
        mark: Some(0x15),
        socket_options: Some(0b100),
        ..tcp("::ffff:10.0.0.1", 40000, "::ffff:10.0.0.2", 443, State::CloseWait)
    };
    let ssh = tcp("::", 22, "::", 0, State::Listen);
    let rest = Socket {
        uid: None,
        ..tcp("2001:db8::1", 443, "2001:db8::9", 50000, State::TimeWait)
    };
    let mut dns = Socket {
        protocol: Protocol::Udp,
        ..tcp("127.0.0.53", 53, "0.0.0.0", 0, State::Unconnected)
    };
    if let Endpoints::Inet(pair) = &mut dns.endpoints {
        pair.interface = std::num::NonZeroU32::new(2);
    }
    let raw = Socket {
        protocol: Protocol::Raw,
        ..tcp("0.0.0.0", 1, "0.0.0.0", 0, State::Unconnected)
    };
    vec![
        ("web", web, vec![holder(812, 6)]),
        ("conn", conn, vec![holder(812, 9), holder(900, 4)]),
        ("out", out, vec![holder(900, 3)]),
        ("ssh", ssh, vec![]),
        ("rest", rest, vec![]),
        ("dns", dns, vec![]),
        ("raw", raw, vec![]),
        ("bus", unix(b"/run/Bus.sock"), vec![holder(900, 7)]),
        ("x11", unix(b"\0tmp/.X11"), vec![]),
    ]
}

/// The names of the sockets that match. `rest` has no owner, those without holders have hidden ones.
fn matched(filter: &str) -> String {
    let selected = machine().into_iter().filter_map(|(name, socket, holders)| {
        let status = match (name, holders.is_empty()) {
            ("rest", _) => OwnerStatus::None,
            (_, true) => OwnerStatus::Hidden,
            _ => OwnerStatus::Known,
        };
        (verdict(filter, &socket, status, &holders) == Match::Yes).then_some(name)
    });
    selected.collect::<Vec<_>>().join(" ")
}

#[test]
fn filters_select_rows() {
    for (filter, expected) in [
        // Words of ss: a missing port is 0, a missing peer the wildcard.
        ("sport = 80", "web conn"),
        ("sport=:80", "web conn"),
        ("sport http", "web conn"),
        ("dport != 443", "web conn ssh rest dns raw bus x11"),
        ("dport < 1000", "web out ssh dns raw"),
        ("dport = *", "web conn out ssh rest dns raw"),
        ("sport in (22, 80-443)", "web conn ssh rest"),
        ("src 10.0.0.1", "conn out"),
        ("src = 10/8 dst 10.0.0.2", "out"),
        ("src [::]", "ssh"),
        ("dst 0.0.0.0", "web dns raw"),
        ("dst [2001:db8::/32]:50000", "rest"),
        ("dst 2001:db8::/32", "rest"),
        ("src any", "web conn out ssh rest dns raw"),
        ("src inet6:*", "out ssh rest"),
        ("src /run/*", "bus"),
        ("src unix:@TMP*", "x11"),
        ("dev eth0", "dns"),
        ("dev != 2 and udp", ""),
        ("fwmark 5/0xf", "out"),
        ("autobound", "out"),
        ("sport 80 or sport 22 and dport 0", "web conn ssh"),
        ("( sport 80 or sport 22 ) and dport 0", "web ssh"),
        ("not ( sport 80 ) sport <= 443", "ssh rest dns raw"),
        ("! sport = 80 && sport le 443", "ssh rest dns raw"),
        // Fields: what is missing is null and equal to nothing.
        ("peer_port < 1000", "out"),
        ("peer_port != 443", "web conn ssh rest dns raw bus x11"),
        ("local_port = 1", ""),
        ("peer_address = 0.0.0.0/0", "conn out"),
        ("local_address = 10.0.0.0/8", "conn out"),
        ("local_address like '10.*'", "conn"),
        ("laddr = ::1 or raddr = 10.0.0.9", "conn"),
        ("recv_q gt 64k", "conn"),
        ("recv_q >= 70000", "conn"),
        ("accept_q > 128", "web"),
        ("backlog = 128", "web"),
        ("timer_expires gt 7s", "conn"),
        ("timer = keepalive", "conn"),
        ("uid = 1000", "out"),
        ("uid = mark", "out"),
        ("user = mark", "out"),
        ("user like 'ma?k'", "out"),
        ("uid != 0", "out rest bus x11"),
        ("sk = 5b039", "conn"),
        ("mark = 0x15", "out"),
        ("mark != 3", "out"),
        ("socket_options = freebind", "out"),
        ("interface = eth0", "dns"),
        ("protocol in (udp, raw)", "dns raw"),
        ("family = unix", "bus x11"),
        ("scope = all-v4", "web raw"),
        ("path = /run/Bus.sock", "bus"),
        ("path = /run/bus.sock", ""),
        ("path like /run/bus*", "bus"),
        ("path ~ '^@.*X1+$'", ""),
        ("path ~ /^@.*X1+$/", "x11"),
        ("path !~ /x11/i", "web conn out ssh rest dns raw bus"),
        ("has(path)", "bus x11"),
        ("has(peer_port) tcp", "conn out rest"),
        ("has(user) and not has(mark) and udp", "dns"),
        // States.
        ("state = listen", "web ssh bus x11"),
        ("state in (time-wait, LISTENING) and tcp", "web ssh rest"),
        ("state listen sport 22", "ssh"),
        ("sport 22 state listening", "ssh"),
        ("state listen state time-wait tcp", "web ssh rest"),
        ("exclude listen exclude time-wait tcp", "conn out"),
        ("listen time-wait tcp", "web ssh rest"),
        ("connected", "conn out rest"),
        ("synchronized and not time-wait", "conn out"),
        ("bucket", "rest"),
        ("listen and not sport 22 and tcp", "web"),
        ("listen sport 22 or time-wait", "ssh rest"),
        // Bare words.
        ("80", "web conn"),
        (":443", "out rest"),
        ("*:22", "ssh"),
        ("50000-52000", "conn rest"),
        ("53/udp", "dns"),
        ("53/tcp", ""),
        ("80 443", "web conn out rest"),
        ("80,443", "web conn out rest"),
        ("80 and 51234", "conn"),
        ("10.0.0.9", "conn"),
        ("10.0.0/24", "conn out"),
        ("10.0.0.0/24:443", "out"),
        ("[2001:db8::9]:50000", "rest"),
        ("2001:db8::1", "rest"),
        ("127.0.0.53%eth0:53", "dns"),
        ("0.0.0.0", "web raw"),
        ("/run/Bus.sock", "bus"),
        ("/run/*", "bus"),
        ("@tmp/.X11", "x11"),
        ("udp raw", "dns raw"),
        ("UDP", "dns"),
        ("nginx", "web conn"),
        ("NGIN*", "web conn"),
        ("app.py", "conn out bus"),
        ("python3 nginx", "web conn out bus"),
        ("80 443 nginx", "web conn"),
        ("tcp listen 22", "ssh"),
        ("'80'", ""),
        // Owners: any of them.
        ("pid = 812", "web conn"),
        ("pid != 812", "out rest bus"),
        ("pid in (800-850)", "web conn"),
        ("fd = 4", "conn"),
        ("process = nginx", "web conn"),
        ("process like python*", "conn out bus"),
        ("comm eq python3", "conn out bus"),
        ("exe like */python*", "conn out bus"),
        ("cmdline like '*--port 80'", "conn out bus"),
        ("owners.user = mark", "conn out bus"),
        ("owner.user like root", "web conn"),
        ("owner_status = none", "rest"),
        ("has(owners)", "web conn out bus"),
        ("has(tid)", ""),
        ("not has(pid) tcp", "ssh rest"),
        ("nginx or sport 22", "web conn ssh"),
        ("not nginx", "out rest bus"),
    ] {
        assert_eq!(matched(filter), expected, "{filter}");
    }
}

/// The cases of iproute2's own test of `ss`, over sockets like those of its capture.
#[test]
fn the_cases_of_ss_select_one_row_each() {
    let sockets = [
        tcp("0.0.0.0", 22, "0.0.0.0", 0, State::Listen),
        tcp("10.0.0.1", 22, "10.0.0.1", 36266, State::Established),
        tcp("10.0.0.1", 36266, "10.0.0.1", 22, State::Established),
        tcp("10.0.0.1", 22, "10.0.0.2", 50312, State::Established),
    ];
    for (filter, expected) in [
        ("dport = 22", 2),
        ("dport 22", 2),
        ("( dport = 22 )", 2),
        ("src = 0.0.0.0", 0),
        ("src 0.0.0.0", 0),
        ("src 0.0.0.0 sport = 22", 0),
        ("src 0.0.0.0 and sport = 22", 0),
        ("src 10.0.0.1 and sport = 22 and dport = 50312", 3),
        ("src 10.0.0.1 and sport = 22 and ( dport = 50312 )", 3),
        ("src 10.0.0.1 and ( sport = 22 and dport = 50312 )", 3),
        ("( src 10.0.0.1 and sport = 22 ) and dport = 50312", 3),
        ("( src 0.0.0.0 or src 10.0.0.1 ) and dst 10.0.0.2", 3),
    ] {
        let hits: Vec<usize> = (0..sockets.len())
            .filter(|index| verdict(filter, &sockets[*index], OwnerStatus::NotAsked, &[]) == Match::Yes)
            .collect();
        assert_eq!(hits, [expected], "{filter}");
    }
}

#[test]
fn hidden_owners_leave_a_row_undecided_only_where_they_matter() {
    let ssh = tcp("::", 22, "::", 0, State::Listen);
    for (filter, status, expected) in [
        ("nginx", OwnerStatus::Hidden, Match::OwnersUnknown),
        ("pid != 1", OwnerStatus::NotAsked, Match::OwnersUnknown),
        ("not nginx", OwnerStatus::Elsewhere, Match::OwnersUnknown),
        ("nginx", OwnerStatus::Kernel, Match::No),
        ("not nginx", OwnerStatus::None, Match::Yes),
        ("nginx and sport 80", OwnerStatus::Hidden, Match::No),
        ("nginx or sport 22", OwnerStatus::Hidden, Match::Yes),
        ("nginx or sport 80", OwnerStatus::Unknown, Match::OwnersUnknown),
        ("nginx", OwnerStatus::Queued, Match::OwnersUnknown),
        ("owner_status = hidden", OwnerStatus::Hidden, Match::Yes),
        ("mark = 1", OwnerStatus::Hidden, Match::No),
        ("mark != 1", OwnerStatus::Hidden, Match::No),
    ] {
        assert_eq!(
            verdict(filter, &ssh, status, &[]),
            expected,
            "{filter} {status:?}"
        );
    }
    let unread = verdict("nginx", &ssh, OwnerStatus::Known, &[holder(7777, 3)]);
    assert_eq!(
        unread,
        Match::OwnersUnknown,
        "the process vanished before its facts were read"
    );
    assert_eq!(
        verdict("pid = 7777", &ssh, OwnerStatus::Known, &[holder(7777, 3)]),
        Match::Yes
    );
}

#[test]
fn the_part_without_owners_drops_nothing_that_may_match() {
    let without = |filter: &str| {
        let expr = read(filter).expr.unwrap();
        expr.without_owners().map(|expr| format!("{expr:?}"))
    };
    let same = |filter: &str| read(filter).expr.map(|expr| format!("{expr:?}"));
    assert_eq!(without("nginx"), None);
    assert_eq!(without("nginx or sport = 22"), None);
    assert_eq!(without("nginx and sport = 22"), same("sport = 22"));
    assert_eq!(without("not (nginx or sport = 22)"), same("sport != 22"));
    assert_eq!(without("not (nginx and sport = 22)"), None);
    let needs = |filter: &str| {
        let expr = read(filter).expr.unwrap();
        (expr.needs_owners(), expr.needs_processes())
    };
    assert_eq!(needs("sport = 22"), (false, false));
    assert_eq!(needs("pid = 1"), (true, false));
    assert_eq!(needs("has(fd)"), (true, false));
    assert_eq!(needs("owner_status = known"), (true, false));
    assert_eq!(needs("nginx"), (true, true));
    assert_eq!(needs("owners.user = mark"), (true, true));
    assert_eq!(needs("user = mark"), (false, false));
    assert!(read("owners.user like m*").expr.unwrap().needs_owner_names());
}

#[test]
fn states_and_protocols_are_told_to_the_selection() {
    let states = |filter: &str| read(filter).states;
    assert_eq!(states("sport = 22"), None);
    assert_eq!(states("state listen"), StateSet::from_word("listen"));
    assert_eq!(states("sport 22 state = listen"), StateSet::from_word("listen"));
    assert_eq!(
        states("exclude listen"),
        Some(StateSet::ALL.without(StateSet::of(State::Listen)))
    );
    assert_eq!(states("listen or sport 22"), Some(StateSet::ALL));
    assert_eq!(states("state like l*"), Some(StateSet::ALL));
    assert_eq!(
        states("listen and sport 22 or bucket"),
        Some(StateSet::of_all(&[
            State::Listen,
            State::SynRecv,
            State::TimeWait
        ]))
    );
    let protocols = |filter: &str| {
        let set = read(filter).protocols?;
        Some(set.iter().map(Protocol::name).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(protocols("sport 22"), None);
    assert_eq!(protocols("unix"), Some("unix".to_owned()));
    assert_eq!(protocols("@x"), Some("unix".to_owned()));
    assert_eq!(protocols("53/udp or 80/tcp"), Some("tcp udp".to_owned()));
    assert_eq!(protocols("not tcp").map(|it| it.starts_with("udp")), Some(true));
    let words = read("nginx sport 22 wathc 'quoted'").words;
    assert_eq!(words, ["nginx", "wathc"]);
}

#[test]
fn a_port_to_kill_is_the_local_one() {
    let parsed = |filter: &str| parse(&[filter.to_owned()], Mode::Kill).unwrap().expr.unwrap();
    for (filter, same_as) in [
        ("3000", "local_port = 3000"),
        ("10.0.0.1:80", "local_address = 10.0.0.1:80"),
        ("/run/x", "path = /run/x"),
    ] {
        let expected = read(same_as).expr.unwrap();
        assert_eq!(
            format!("{:?}", parsed(filter)),
            format!("{expected:?}"),
            "{filter}"
        );
    }
}

#[test]
fn names_are_listed_and_then_replaced() {
    let expr = read("dst web:443 or dport = http or user = mark or dev eth0 or cgroup /app or autobound")
        .expr
        .unwrap();
    let wanted = expr.names();
    let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(list(&wanted.hosts), "web");
    assert_eq!(list(&wanted.services), "http");
    assert_eq!(list(&wanted.users), "mark");
    assert_eq!(list(&wanted.interfaces), "eth0");
    assert_eq!(list(&wanted.cgroups), "/app");
    assert!(wanted.local_port_range && !wanted.is_empty());
    let resolved = expr.resolve(&samples::names()).unwrap();
    assert!(resolved.names().is_empty());
    assert!(!resolved.any(|predicate| matches!(predicate, Predicate::Unresolved(_))));
    let error = |filter: &str| {
        read(filter)
            .expr
            .unwrap()
            .resolve(&samples::names())
            .unwrap_err()
            .render()
    };
    assert_eq!(
        error("sport 22 dst nosuch"),
        "error: no host 'nosuch' is known\n  sport 22 dst nosuch\n               ^^^^^^ give an address, or a name that the system can look up"
    );
    assert!(error("dport > twice").contains("'twice' has several ports: 80, 443"));
    assert!(
        read("dport = twice")
            .expr
            .unwrap()
            .resolve(&samples::names())
            .is_ok()
    );
}

#[test]
fn errors_point_at_the_fault() {
    for (filter, expected) in [
        (
            "state = listen and recvq > 0",
            "error: unknown field 'recvq'\n  state = listen and recvq > 0\n                     ^^^^^ did you mean 'recv_q'?",
        ),
        (
            "xyzzy = 1",
            "error: unknown field 'xyzzy'\n  xyzzy = 1\n  ^^^^^ 'sockstat columns' lists the fields",
        ),
        (
            "state lisen",
            "error: unknown state 'lisen'\n  state lisen\n        ^^^^^ did you mean 'listen'?",
        ),
        (
            "protocol = tpc",
            "error: 'tpc' is no value for 'protocol'\n  protocol = tpc\n             ^^^ did you mean 'tcp'?",
        ),
        (
            "dport =",
            "error: a value is missing behind 'dport'\n  dport =\n         ^ quote a value that has operators or blanks in it",
        ),
        (
            "dport = 99999",
            "error: '99999' is no value for 'dport'\n  dport = 99999\n          ^^^^^ a port is at most 65535",
        ),
        (
            "dport = (80)",
            "error: a value is missing behind 'dport'\n  dport = (80)\n          ^ a list goes with in, as in sport in (80, 443)",
        ),
        (
            "(sport 22",
            "error: a parenthesis is not closed\n  (sport 22\n  ^ the ) is missing",
        ),
        (
            "sport 22)",
            "error: ')' is not expected here\n  sport 22)\n          ^",
        ),
        ("()", "error: ')' is not expected here\n  ()\n   ^"),
        (
            "sport 22 or",
            "error: the filter ends too early\n  sport 22 or\n             ^ a condition is missing here",
        ),
        (
            "> 5",
            "error: '>' has no field before it\n  > 5\n  ^ as in recv_q > 0",
        ),
        (
            "pid 812",
            "error: 'pid' needs a comparison behind it\n  pid 812\n  ^^^ as in pid = X; a program of that name: process = pid",
        ),
        (
            "recv_q > 5q",
            "error: '5q' is no value for 'recv_q'\n  recv_q > 5q\n           ^^ expected a number of bytes, as in 1500 or 64k",
        ),
        (
            "path > 5",
            "error: 'path' has no order: only = != in and like compare it\n  path > 5\n         ^",
        ),
        (
            "process ~ /(/",
            "error: the regular expression is not valid: unclosed group\n  process ~ /(/\n            ^^^",
        ),
        (
            "sport = 80, 443",
            "error: a comma is not expected here\n  sport = 80, 443\n            ^ a list goes with in, as in sport in (80, 443)",
        ),
        (
            "process = 'x",
            "error: a quoted word does not end\n  process = 'x\n            ^^ the closing ' is missing",
        ),
        (
            "10.0.0.300",
            "error: '10.0.0.300' is no address\n  10.0.0.300\n  ^^^^^^^^^^ expected an address, as in 10.0.0.1, 10.0.0.0/8, ::1 or [::1]:443",
        ),
        (
            "exclude all",
            "error: no state is left to look for\n  exclude all\n  ^^^^^^^^^^^",
        ),
        (
            "53/upd",
            "error: unknown protocol 'upd'\n  53/upd\n  ^^^^^^ as in 53/udp or 80/tcp",
        ),
        (
            "owners = 5",
            "error: 'owners' is a list\n  owners = 5\n           ^ compare a part of it, as in pid = 812 or process = nginx",
        ),
        (
            "sport in ()",
            "error: the list is empty\n  sport in ()\n           ^^",
        ),
    ] {
        assert_eq!(fails(filter), expected);
    }
}

#[test]
fn big_filters_get_an_answer_or_a_clear_error() {
    let nested = |depth: usize| format!("{}sport 22{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(matched(&nested(100)), "ssh");
    assert!(fails(&nested(101)).starts_with("error: parentheses nest deeper than 100"));
    assert!(fails(&nested(500_000)).starts_with("error: parentheses nest deeper than 100"));
    assert_eq!(matched(&format!("{} sport 22", "not ".repeat(10_000))), "ssh");
    let ports: Vec<String> = (20..5020).map(|port| port.to_string()).collect();
    assert_eq!(
        matched(&format!("local_port in ({})", ports.join(", "))),
        "web conn ssh rest dns"
    );
    assert_eq!(matched(&ports.join(" ")), "web conn out ssh rest dns");
    let chain: Vec<String> = (20..5020).map(|port| format!("sport = {port}")).collect();
    assert_eq!(matched(&chain.join(" or ")), "web conn ssh rest dns");
    assert!(fails(&"x ".repeat(600_000)).contains("longer than 1 MiB"));
}

/// The number 1 for every name.
fn one<T: From<u16>>(names: BTreeSet<String>) -> impl Iterator<Item = (String, T)> {
    names.into_iter().map(|name| (name, T::from(1)))
}

/// Understood, every name found, and asked about a row.
fn works(words: &[String]) -> Result<(), String> {
    let parsed = parse(words, Mode::List).map_err(|error| error.render())?;
    let Some(expr) = parsed.expr else { return Ok(()) };
    let wanted = expr.names();
    let found = ResolvedNames {
        hosts: one(wanted.hosts)
            .map(|(name, _): (_, u16)| (name, vec![std::net::Ipv6Addr::LOCALHOST.into()]))
            .collect(),
        services: one(wanted.services)
            .map(|(name, port)| (name, vec![port]))
            .collect(),
        users: one(wanted.users).collect(),
        interfaces_by_name: false,
        interfaces: one(wanted.interfaces).collect(),
        cgroups: one(wanted.cgroups).collect(),
        local_port_range: None,
    };
    let expr = expr.resolve(&found).map_err(|error| error.render())?;
    let socket = tcp("10.0.0.1", 80, "10.0.0.2", 5, State::Established);
    with_owners(&socket, OwnerStatus::Known, &[holder(812, 3)], |row| {
        expr.matches(row)
    });
    Ok(())
}

/// Splits as a shell does, as far as the examples go.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '#') => break,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (Some(open), close) if open == close => quote = None,
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_example_in_the_documentation_works() {
    let text = include_str!("../../docs/filter.md");
    let mut tried = 0;
    for line in text.lines() {
        let examples: Vec<Vec<String>> = if let Some(command) = line.strip_prefix("sockstat ") {
            let options = |word: &String| word.starts_with('-') && word.len() > 1;
            vec![
                shell_words(command)
                    .into_iter()
                    .filter(|word| !options(word))
                    .collect(),
            ]
        } else if let Some(cells) = line.strip_prefix("| `") {
            // Every filter in the first column.
            let cell = cells.split(" |").next().unwrap_or_default();
            cell.trim_end_matches('`')
                .split("`, `")
                .map(|filter| vec![filter.to_owned()])
                .collect()
        } else {
            continue;
        };
        for words in examples {
            assert_eq!(works(&words), Ok(()), "{line}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} examples found");
    let shown = text
        .split("```text\n$ sockstat '")
        .nth(1)
        .and_then(|rest| rest.split("\n```").next())
        .unwrap();
    let (filter, error) = shown.split_once("'\n").unwrap();
    assert_eq!(fails(filter), error);
}

#[test]
fn a_filter_file_has_comments() {
    let words = file_words("# ports\nsport 22\n  # more\nor sport 80\n");
    assert_eq!(words, ["sport 22", "or sport 80"]);
    assert!(parse(&words, Mode::List).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_with_a_place(text in "\\PC{0,60}") {
        if let Err(error) = parse(std::slice::from_ref(&text), Mode::List) {
            prop_assert!(error.span.end <= text.len());
            error.render();
        }
    }

    #[test]
    fn any_run_of_tokens_is_understood_or_refused(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "(", ")", "and", "or", "not", "!", "=", "!=", "<", "~", "/", "in", "like", ",", "sport", "state", "listen", "80", "10/8",
            "nginx", "has", "'", "\\", "src", "::1", "[", "]", ":", "*", "pid", "0x", "-", "5k", "%", "dev", "exclude", "autobound",
        ]), 0..12),
        glue in proptest::sample::select(vec!["", " "]), kill: bool,
    ) {
        let mode = if kill { Mode::Kill } else { Mode::List };
        let text = parts.join(glue);
        match parse(std::slice::from_ref(&text), mode) {
            Err(error) => prop_assert!(error.span.end <= text.len()),
            Ok(parsed) => if let Some(expr) = parsed.expr {
                samples::with_row(&samples::tcp("10.0.0.1", 80, "10.0.0.2", 5, State::Established), |row| expr.matches(row));
            }
        }
    }

    /// Dropping sockets before their owners are known never loses one that matches, whoever owns it.
    #[test]
    fn the_part_without_owners_is_necessary(filter in samples::filter(), socket in samples::inet_socket(), known: bool) {
        let Some(expr) = parse(std::slice::from_ref(&filter), Mode::List).ok().and_then(|parsed| parsed.expr) else { return Ok(()) };
        let expr = expr.resolve(&samples::names()).unwrap();
        let (status, holders) = if known { (OwnerStatus::Known, vec![holder(812, 3)]) } else { (OwnerStatus::Hidden, vec![]) };
        let whole = with_owners(&socket, status, &holders, |row| expr.matches(row));
        if let Some(part) = expr.without_owners() {
            prop_assert!(!part.needs_owners());
            let part = with_owners(&socket, OwnerStatus::NotAsked, &[], |row| part.matches(row));
            prop_assert!(whole == Match::No || part == Match::Yes, "{}", filter);
        }
    }
}

#[test]
fn an_empty_filter_ends_and_closes_nothing() {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for blank in [&[][..], &[""], &[" "], &["", "\t"], &["\n"]] {
        let error = parse(&words(blank), Mode::Kill).unwrap_err();
        assert!(
            error.render().starts_with("error: the filter is empty\nhint: "),
            "{blank:?}: {}",
            error.render()
        );
        // A listing without a word shows everything; a blank word is a variable that is not set.
        assert_eq!(
            parse(&words(blank), Mode::List).is_err(),
            !blank.is_empty(),
            "{blank:?}"
        );
    }
    let asked = parse(&words(&["state", "all"]), Mode::Kill).unwrap();
    assert!(asked.states.is_some(), "every state, but by name");
}
