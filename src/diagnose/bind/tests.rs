//! Tests of the text about a bind and its cures. The wording may change: the tests pin the verdict, the names in it,
//! and the commands.

use std::time::SystemTime;

use super::cure::{Cure, Harm};
use super::cures::cures;
use super::diagnose::diagnose;
use super::existing::{Existing, Flag};
use super::headline::headline;
use super::holders::Holders;
use super::owner::Owner;
use super::report::{Answer, Report};
use super::samples::{socket, system};
use super::sentence::sentence;
use crate::model::bind::BindAttempt;
use crate::model::{Endpoints, OwnerStatus, Protocol, State, Timer, TimerKind};

fn nginx() -> Holders {
    Holders {
        status: OwnerStatus::Known,
        owners: vec![Owner {
            program: b"nginx".to_vec(),
            pid: 7,
            uid: Some(33),
            ..Owner::default()
        }],
        user: Some("www".into()),
        ..Holders::default()
    }
}

/// The attempts of user 1000 on an address, without and with `SO_REUSEADDR`, and their results.
fn report_on(address: &str, port: u16, existing: Vec<Existing>) -> Report {
    report_changed(address, port, existing, |_| {})
}

fn report_changed(address: &str, port: u16, existing: Vec<Existing>, change: impl Fn(&mut Report)) -> Report {
    let mut report = Report {
        protocol: Protocol::Tcp,
        port,
        device: None,
        answers: Vec::new(),
        holders: vec![nginx(); existing.len()],
        existing,
        elsewhere: Vec::new(),
        system: system(),
        user: "mark".into(),
        free_port: None,
        notes: Vec::new(),
        gaps: Vec::new(),
        taken_at: SystemTime::UNIX_EPOCH,
        sudo: None,
    };
    change(&mut report);
    for reuseaddr in [false, true] {
        let attempt = BindAttempt {
            uid: 1000,
            net_bind_service: false,
            reuseaddr,
            ..BindAttempt::new(report.protocol, address.parse().unwrap(), port)
        };
        let verdict = diagnose(&report.existing, &attempt, &report.system, None);
        report.answers.push(Answer {
            attempt,
            verdict,
            cures: Vec::new(),
        });
    }
    report
}

fn listener() -> Existing {
    socket(State::Listen, "0.0.0.0", 3000)
}

fn resting(reuseaddr: bool) -> Existing {
    let mut one = socket(State::TimeWait, "10.0.0.1", 3000);
    one.socket.inode = None;
    one.socket.timer = Some(Timer {
        kind: TimerKind::TimeWait,
        expires_ms: Some(29_100),
        retransmits: 0,
    });
    one.reuseaddr = Some(Flag::observed(reuseaddr));
    if let Endpoints::Inet(pair) = &mut one.socket.endpoints {
        pair.peer_address = "10.0.0.2".parse().unwrap();
        pair.peer_port = 50_000;
    }
    one
}

#[track_caller]
fn holds(text: &str, start: &str, words: &[&str], none_of: &[&str]) {
    assert!(text.starts_with(start), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    for word in none_of {
        assert!(!text.contains(word), "{word:?} in: {text}");
    }
}

#[test]
fn the_first_line_has_the_verdict_the_place_and_the_error() {
    let free = headline(&report_on("0.0.0.0", 3000, vec![]));
    holds(&free, "Yes", &["3000/tcp"], &["No", "SO_REUSEADDR"]);
    let taken = headline(&report_on("0.0.0.0", 3000, vec![listener()]));
    holds(
        &taken,
        "No",
        &["3000/tcp", "EADDRINUSE", "SO_REUSEADDR"],
        &["Yes"],
    );
    let one_address = headline(&report_on("127.0.0.1", 3000, vec![listener()]));
    holds(&one_address, "No", &["127.0.0.1:3000/tcp"], &[]);
    let low = headline(&report_on("0.0.0.0", 80, vec![]));
    holds(
        &low,
        "No",
        &["80/tcp", "EACCES", "CAP_NET_BIND_SERVICE", "mark", "1024"],
        &["EADDRINUSE"],
    );
    let both = headline(&report_on(
        "0.0.0.0",
        80,
        vec![socket(State::Listen, "0.0.0.0", 80)],
    ));
    holds(
        &both,
        "No",
        &["80/tcp is taken, and needs CAP_NET_BIND_SERVICE", "mark"],
        &[],
    );
    let foreign = headline(&report_on("192.0.2.1", 3000, vec![]));
    holds(&foreign, "No", &["192.0.2.1", "EADDRNOTAVAIL"], &["EADDRINUSE"]);
    let automatic = headline(&report_on("0.0.0.0", 0, vec![]));
    holds(&automatic, "Yes", &["28232 ports", "32768-60999", "0.0.0.0"], &[]);
}

#[test]
fn sharing_a_port_is_a_yes_that_names_the_other_and_what_is_shared() {
    let said = |protocol: Protocol| {
        let mut other = listener();
        other.socket.protocol = protocol;
        other.socket.uid = Some(1000);
        other.reuseport = Some(Flag::observed(true));
        let mut report = report_changed("0.0.0.0", 3000, vec![other], |report| report.protocol = protocol);
        report.answers.truncate(1);
        let attempt = BindAttempt {
            reuseport: true,
            ..report.answers[0].attempt.clone()
        };
        report.answers[0].verdict = diagnose(&report.existing, &attempt, &report.system, None);
        report.answers[0].attempt = attempt;
        headline(&report)
    };
    holds(
        &said(Protocol::Tcp),
        "Yes, alongside another socket (--reuseport)",
        &["3000/tcp", "nginx", "share of its connections"],
        &[],
    );
    holds(
        &said(Protocol::Udp),
        "Yes, alongside",
        &["3000/udp", "share of its datagrams"],
        &[],
    );
}

#[test]
fn a_closed_connection_is_reported_with_its_time_and_the_effect_of_reuseaddr() {
    let helps = headline(&report_on("0.0.0.0", 3000, vec![resting(true)]));
    holds(
        &helps,
        "No",
        &["with SO_REUSEADDR", "TIME-WAIT", "30 s"],
        &["would not help"],
    );
    let in_vain = headline(&report_on("0.0.0.0", 3000, vec![resting(false)]));
    holds(
        &in_vain,
        "No",
        &["30 s", "TIME-WAIT", "SO_REUSEADDR would not help"],
        &[],
    );
    let flags = Existing {
        reuseaddr: Some(Flag::observed(true)),
        ..socket(State::Bound, "0.0.0.0", 3000)
    };
    let shared = headline(&report_on("0.0.0.0", 3000, vec![flags]));
    holds(&shared, "No", &["with SO_REUSEADDR", "3000/tcp"], &["TIME-WAIT"]);
}

#[test]
fn an_unreadable_option_is_undecidable_and_root_can_read_it() {
    let unread = || Existing {
        reuseaddr: None,
        ..socket(State::Bound, "0.0.0.0", 3000)
    };
    let as_root = headline(&report_on("0.0.0.0", 3000, vec![unread()]));
    assert!(
        as_root.contains("Cannot tell") && !as_root.contains("sudo"),
        "{as_root}"
    );
    let asked = report_changed("0.0.0.0", 3000, vec![unread()], |report| {
        report.sudo = Some("sudo sockstat why 3000".to_owned());
    });
    let text = headline(&asked);
    assert!(
        text.contains("Cannot tell") && text.contains("sudo sockstat why 3000"),
        "{text}"
    );
}

#[test]
fn users_of_the_port_in_other_namespaces_are_added_to_a_yes() {
    let with = |count: usize| {
        headline(&report_changed("0.0.0.0", 3000, vec![], |report| {
            report.elsewhere = (0..count).flat_map(|_| nginx().owners).collect();
        }))
    };
    assert!(!with(0).contains("namespace"));
    holds(&with(1), "Yes", &["nginx 7 ", "namespace"], &[" more"]);
    holds(&with(3), "Yes", &["nginx 7, nginx 7, nginx 7 "], &[" more"]);
    holds(&with(5), "Yes", &["nginx 7, nginx 7, nginx 7 and 2 more"], &[]);
}

/// The sentence about the only socket.
fn about(one: Existing, change: impl Fn(&mut Report)) -> String {
    let port = one.socket.inet().unwrap().local_port;
    let report = report_changed("0.0.0.0", port, vec![one], change);
    let findings = &report.answers[0].verdict.findings;
    sentence(&report, &findings[0])
}

#[test]
fn each_role_of_a_socket_has_its_sentence() {
    let listens = about(listener(), |_| {});
    holds(&listens, "nginx 7 listens on 0.0.0.0:3000", &[], &["dual-stack"]);
    let mut dual = socket(State::Listen, "::", 3000);
    dual.v6only = Some(Flag::observed(false));
    holds(
        &about(dual, |_| {}),
        "nginx 7 listens on [::]:3000",
        &["dual-stack"],
        &[],
    );
    let bound = || socket(State::Bound, "0.0.0.0", 3000);
    holds(
        &about(bound(), |_| {}),
        "nginx 7 has bound 0.0.0.0:3000",
        &["neither"],
        &[],
    );
    let mut datagrams = socket(State::Unconnected, "0.0.0.0", 3000);
    datagrams.socket.protocol = Protocol::Udp;
    let udp = about(datagrams, |report| report.protocol = Protocol::Udp);
    holds(&udp, "nginx 7 has bound 0.0.0.0:3000", &[], &["neither"]);
    let rests = about(resting(false), |_| {});
    holds(
        &rests,
        "",
        &["10.0.0.1:3000", "10.0.0.2:50000", "TIME-WAIT"],
        &["nginx"],
    );
    let nobody = about(bound(), |report| {
        report.holders = vec![Holders {
            status: OwnerStatus::Hidden,
            owners: Vec::new(),
            ..nginx()
        }];
    });
    holds(&nobody, "A process of user www", &["0.0.0.0:3000"], &["nginx"]);
}

#[test]
fn a_connection_is_described_by_how_it_got_its_port() {
    let connected = |port, given| {
        let mut one = socket(State::Established, "10.0.0.1", port);
        one.port_was_given = given;
        if let Endpoints::Inet(pair) = &mut one.socket.endpoints {
            pair.peer_address = "10.0.0.2".parse().unwrap();
            pair.peer_port = 443;
        }
        one
    };
    let ends = ["10.0.0.1:40000", "10.0.0.2:443", "32768-60999"];
    let [chosen, perhaps] = [Some(true), None].map(|given| about(connected(40_000, given), |_| {}));
    holds(&chosen, "nginx 7 has a connection", &ends, &[]);
    holds(&perhaps, "nginx 7 has a connection", &ends, &[]);
    assert_ne!(chosen, perhaps);
    let own = about(connected(3000, None), |_| {});
    holds(&own, "nginx 7 has a connection", &["10.0.0.1:3000"], &["32768"]);
}

#[test]
fn a_closed_connection_is_attributed_to_its_listener() {
    let listener = socket(State::Listen, "10.0.0.1", 3000);
    let report = report_on("0.0.0.0", 3000, vec![resting(false), listener]);
    let findings = &report.answers[0].verdict.findings;
    let rests = findings.iter().find(|finding| finding.socket == 0).unwrap();
    holds(
        &sentence(&report, rests),
        "",
        &["nginx 7", "TIME-WAIT"],
        &["unknown"],
    );
}

/// The cures of the attempt without `SO_REUSEADDR`.
fn helps(report: &Report) -> Vec<Cure> {
    cures(report, &report.answers[0])
}

fn commands(cures: &[Cure]) -> Vec<&str> {
    cures.iter().filter_map(|cure| cure.command.as_deref()).collect()
}

#[test]
fn success_needs_no_cure_and_the_least_harmful_cure_comes_first() {
    assert!(helps(&report_on("0.0.0.0", 3000, vec![])).is_empty());
    let taken = report_changed("127.0.0.1", 3000, vec![listener()], |report| {
        report.free_port = Some(3001);
    });
    let found = helps(&taken);
    assert_eq!(commands(&found), ["sockstat kill :3000"]);
    assert!(found[0].sentence.contains("127.0.0.1:3001"), "{found:?}");
    assert_eq!(found.last().unwrap().harm, Harm::EndsProgram);
    assert!(found.is_sorted_by_key(|cure| cure.harm));
    assert!(!found.iter().any(|cure| cure.sentence.contains("127.0.0.2")));
    let udp = report_changed("0.0.0.0", 3000, vec![], |report| {
        report.protocol = Protocol::Udp;
        let mut one = socket(State::Unconnected, "0.0.0.0", 3000);
        one.socket.protocol = Protocol::Udp;
        report.existing = vec![one];
        report.holders = vec![nginx()];
        report.free_port = Some(3001);
    });
    let found = helps(&udp);
    assert_eq!(commands(&found), ["sockstat kill -u :3000"]);
    assert!(
        found.iter().any(|cure| cure.sentence.contains(": 3001 is")),
        "{found:?}"
    );
}

#[test]
fn another_loopback_address_is_offered_where_it_is_free() {
    let on_loopback = || vec![socket(State::Listen, "127.0.0.1", 3000)];
    let offers = |address, existing| {
        let found = helps(&report_on(address, 3000, existing));
        found.iter().any(|cure| cure.sentence.contains("127.0.0.2:3000"))
    };
    assert!(offers("127.0.0.1", on_loopback()));
    assert!(!offers("0.0.0.0", on_loopback()), "not a loopback address");
    assert!(!offers(
        "127.0.0.2",
        vec![socket(State::Listen, "127.0.0.2", 3000)]
    ));
}

#[test]
fn a_refusal_is_cured_by_privileges_sysctls_or_another_address() {
    let low = helps(&report_on("0.0.0.0", 80, vec![]));
    let expected = [
        "setcap cap_net_bind_service=+ep PROGRAM",
        "sysctl -w net.ipv4.ip_unprivileged_port_start=80",
    ];
    assert_eq!(commands(&low), expected);
    assert!(low[0].sentence.contains("1024"), "{low:?}");
    for (address, any, family) in [("192.0.2.1", "0.0.0.0", "ipv4"), ("2001:db8::1", "[::]", "ipv6")] {
        let foreign = helps(&report_on(address, 3000, vec![]));
        let sysctl = format!("sysctl -w net.{family}.ip_nonlocal_bind=1");
        assert_eq!(commands(&foreign), [sysctl]);
        assert!(foreign[0].sentence.contains(any), "{foreign:?}");
    }
    let no_v6 = report_changed("::1", 3000, vec![], |report| report.system.ipv6 = false);
    assert!(helps(&no_v6)[0].sentence.contains("IPv4"));
}

#[test]
fn the_cures_for_a_closed_connection_are_to_wait_or_to_forget_it() {
    let found = helps(&report_on("0.0.0.0", 3000, vec![resting(false)]));
    let all = commands(&found);
    assert_eq!(all[0], "sleep 30");
    assert!(
        all[1].starts_with("sockstat -K state time-wait") && all[1].ends_with(":3000"),
        "{all:?}"
    );
    assert!(!all.iter().any(|command| command.contains("kill")), "{all:?}");
    let advice = |found: &[Cure]| {
        found
            .iter()
            .position(|cure| cure.sentence.contains("SO_REUSEADDR"))
    };
    assert!(advice(&found).is_some_and(|at| at > 0), "only for the next time");
    let now = helps(&report_on("0.0.0.0", 3000, vec![resting(true)]));
    assert_eq!(advice(&now), Some(0), "{now:?}");
    assert_eq!(advice(&now[1..]), None, "not again for the next time");
    let with_listener = helps(&report_on("0.0.0.0", 3000, vec![resting(false), listener()]));
    assert_eq!(commands(&with_listener), ["sockstat kill :3000"]);
}

#[test]
fn a_client_on_the_port_is_ended_by_its_pid_and_the_port_is_reserved() {
    let mut client = socket(State::Established, "10.0.0.1", 40_000);
    client.port_was_given = Some(true);
    if let Endpoints::Inet(pair) = &mut client.socket.endpoints {
        (pair.peer_address, pair.peer_port) = ("10.0.0.2".parse().unwrap(), 443);
    }
    let report = report_changed("0.0.0.0", 40_000, vec![client], |report| {
        report.system.reserved_ports = vec![8000..=8010, 9000..=9000];
    });
    let all = helps(&report);
    let reserve = "sysctl -w net.ipv4.ip_local_reserved_ports=8000-8010,9000,40000";
    assert_eq!(commands(&all), [reserve, "kill 7"]);
}
