//! Compares predictions with real connections.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use sockstat::command::read::network::{Predictor, facts};
use sockstat::diagnose::path::filter::culprit;
use sockstat::diagnose::path::filter::journey::{Attempt, Cause, Client, End, Outcome};
use sockstat::diagnose::path::filter::place::RulePlace;
use sockstat::diagnose::path::filter::predict::Prediction;
use sockstat::model::packet_filter::Reading;
use sockstat::source::{packet_filter, system};

use crate::connect::{Met, Servers, Try, meet};
use crate::generate::{Dice, Rules, rules};
use crate::skip::skip;
use crate::stage::Stage;

/// Ports with a listener, and two without.
const OPEN: [u16; 2] = [80, 8080];
const PORTS: [u16; 4] = [80, 81, 8080, 8081];
const SERVER_ADDRESSES: [&str; 4] = ["10.77.0.1", "127.0.0.1", "fd77::1", "::1"];
const BACKEND_ADDRESSES: [&str; 2] = ["10.78.0.2", "fd78::2"];

/// The counts of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) right: usize,
    pub(crate) unknown: usize,
    pub(crate) wrong: Vec<String>,
    outcomes: BTreeMap<String, usize>,
    questions: BTreeMap<String, usize>,
}

/// What is predicted, given what listens where the connection arrives.
fn expected(open: &Prediction, closed: &Prediction) -> Result<End, Vec<String>> {
    let about = |prediction: &Prediction| match prediction {
        Prediction::Unknown(questions) => questions.iter().map(|question| question.about.clone()).collect(),
        Prediction::Certain(_) => Vec::new(),
    };
    match (open, closed) {
        (Prediction::Certain(open), Prediction::Certain(closed)) => {
            let place = open.lands_at.or(closed.lands_at);
            Ok(match place {
                Some(place) if !listens(place) => *closed,
                _ => *open,
            })
        }
        (one, other) => Err(about(one).into_iter().chain(about(other)).collect()),
    }
}

fn listens(place: SocketAddr) -> bool {
    OPEN.contains(&place.port())
}

/// Whether the result matches the prediction.
fn agrees(predicted: Outcome, met: Met) -> bool {
    match predicted {
        Outcome::Connected => met == Met::Connected,
        Outcome::HalfOpen => met == Met::HalfOpen,
        Outcome::Refused => met == Met::Refused,
        Outcome::Unreachable => met == Met::Unreachable,
        Outcome::Timeout => met == Met::Timeout,
        // The machine behind it has the same listeners.
        Outcome::Forwarded(to) => match met {
            Met::Connected | Met::HalfOpen => listens(to),
            Met::Refused => !listens(to),
            _ => false,
        },
        Outcome::Away => false,
    }
}

/// Removes every rule, and sets every policy to accept.
fn reset(stage: &Stage) {
    stage.server.run("nft", &["flush", "ruleset"], "").unwrap();
    let mut script = String::new();
    for (tool, list) in [
        ("iptables-legacy", "ip_tables_names"),
        ("ip6tables-legacy", "ip6_tables_names"),
    ] {
        let path = format!("/proc/self/net/{list}");
        let tables = stage.server.run("cat", &[&path], "").unwrap_or_default();
        for table in tables.split_whitespace() {
            let _ = writeln!(script, "{tool} -t {table} -F\n{tool} -t {table} -X");
            if table == "filter" {
                for chain in ["INPUT", "OUTPUT", "FORWARD"] {
                    let _ = writeln!(script, "{tool} -P {chain} ACCEPT");
                }
            }
        }
    }
    stage.server.sh(&script);
}

/// Creates the rules; false if one of the lines is not allowed.
pub(crate) fn apply(stage: &Stage, rules: &Rules) -> bool {
    rules.0.iter().all(|(program, arguments, input)| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = stage.server.run(program, &arguments, input);
        if let Err(error) = &ran
            && std::env::var_os("SOCKSTAT_REACH_SHOW").is_some()
        {
            eprintln!("{program} {}: {error}", arguments.join(" "));
        }
        // iptables may refuse single lines; the others still apply.
        ran.is_ok() || *program != "nft"
    })
}

/// Every connection that is made under one set of rules.
fn attempts(stage: &Stage) -> Vec<Attempt> {
    let places = |addresses: &[&str]| -> Vec<SocketAddr> {
        let of = |address: &&str| PORTS.map(|port| SocketAddr::new(address.parse().unwrap(), port));
        addresses.iter().flat_map(of).collect()
    };
    let link = stage.server.run("ip", &["-o", "link", "show", "s0"], "").unwrap();
    let interface = link.split(':').next().unwrap().parse().unwrap();
    let mut attempts = Vec::new();
    for protocol in [6, 17] {
        attempts.extend(places(&SERVER_ADDRESSES).into_iter().map(|server| Attempt {
            protocol,
            client: Client::Here,
            server,
            zone: None,
        }));
        attempts.extend(places(&["10.77.0.1", "fd77::1"]).into_iter().map(|server| {
            let address = if server.is_ipv4() { "10.77.0.2" } else { "fd77::2" };
            Attempt {
                protocol,
                client: Client::From {
                    address: address.parse().unwrap(),
                    interface,
                },
                server,
                zone: None,
            }
        }));
    }
    attempts
}

/// The prediction for each attempt, or the unknown facts on which it depends.
fn predict(stage: &Stage, attempts: &[Attempt]) -> Vec<Result<End, Vec<String>>> {
    stage.server.inside(|| {
        let Reading::Examined(filter) = packet_filter::read() else {
            panic!("the rules could not be read");
        };
        let mut predictor = Predictor::new(&filter, facts(&system::read()));
        let mut one = |attempt: &Attempt| {
            expected(
                &predictor.predict(*attempt, true),
                &predictor.predict(*attempt, false),
            )
        };
        attempts.iter().map(&mut one).collect()
    })
}

/// The real result of each attempt.
fn connect(stage: &Stage, servers: &[Servers], attempts: &[Attempt]) -> Vec<Met> {
    let begin = |client_is_here: bool| {
        let of = |(number, attempt): (usize, &Attempt)| {
            ((attempt.client == Client::Here) == client_is_here).then(|| {
                (
                    number,
                    Try::begin(attempt.protocol == 6, attempt.server, number as u64),
                )
            })
        };
        attempts.iter().enumerate().filter_map(of).collect::<Vec<_>>()
    };
    let mut all = stage.server.inside(|| begin(true));
    all.extend(stage.client.inside(|| begin(false)));
    let (numbers, mut tries): (Vec<usize>, Vec<Try>) = all.into_iter().unzip();
    let mut met: Vec<(usize, Met)> = numbers.into_iter().zip(meet(&mut tries, servers)).collect();
    met.sort_by_key(|(number, _)| *number);
    met.into_iter().map(|(_, met)| met).collect()
}

/// Compares every connection under one set of rules.
pub(crate) fn compare(stage: &Stage, servers: &[Servers], rules: &Rules, tally: &mut Tally) {
    let attempts = attempts(stage);
    let predictions = predict(stage, &attempts);
    let met = connect(stage, servers, &attempts);
    for ((attempt, prediction), met) in attempts.iter().zip(predictions).zip(met) {
        match prediction {
            Err(questions) => {
                tally.unknown += 1;
                for question in questions {
                    *tally.questions.entry(question).or_default() += 1;
                }
            }
            Ok(end) if agrees(end.outcome, met) => {
                tally.right += 1;
                *tally.outcomes.entry(format!("{met:?}")).or_default() += 1;
            }
            Ok(end) => tally.wrong.push(format!(
                "{attempt:?}: predicted {end:?}, met {met:?}\n{}",
                rules.text()
            )),
        }
    }
}

/// How many cases are compared: `SOCKSTAT_REACH_CASES`, from the seed `SOCKSTAT_REACH_SEED`.
fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// The machines and their servers; `None` if they cannot be created here.
#[track_caller]
pub(crate) fn set_up() -> Option<(Stage, [Servers; 2])> {
    for program in ["nft", "iptables-nft", "iptables-legacy"] {
        if std::process::Command::new(program)
            .arg("--version")
            .output()
            .is_err()
        {
            skip(&format!("no {program}"));
            return None;
        }
    }
    let stage = Stage::make()?;
    for (program, arguments) in [
        ("nft", "add table inet probe"),
        ("iptables-nft", "-S"),
        ("iptables-legacy", "-S"),
        ("ip6tables-legacy", "-S"),
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        if let Err(error) = stage.server.run(program, &arguments, "") {
            skip(&format!("{program}: {}", error.trim()));
            return None;
        }
    }
    let servers = [
        stage.server.inside(|| Servers::open(&OPEN, &SERVER_ADDRESSES)),
        stage.backend.inside(|| Servers::open(&OPEN, &BACKEND_ADDRESSES)),
    ];
    Some((stage, servers))
}

#[test]
fn predictions_agree_with_connections() {
    let Some((stage, servers)) = set_up() else { return };
    let cases = number("SOCKSTAT_REACH_CASES", 300);
    let mut seed = number("SOCKSTAT_REACH_SEED", 1) as u64;
    let mut tally = Tally::default();
    let mut done = 0;
    while done < cases {
        let rules = rules(&mut Dice::new(seed));
        seed += 1;
        reset(&stage);
        if !apply(&stage, &rules) {
            continue;
        }
        compare(&stage, &servers, &rules, &mut tally);
        done = tally.right + tally.unknown + tally.wrong.len();
    }
    eprintln!(
        "{done} cases: {} right, {} wrong, {} unknown; {:?}; {:?}",
        tally.right,
        tally.wrong.len(),
        tally.unknown,
        tally.outcomes,
        tally.questions
    );
    for wrong in tally.wrong.iter().take(number("SOCKSTAT_REACH_SHOW", 5)) {
        eprintln!("WRONG {wrong}");
    }
    assert!(
        tally.wrong.len() * 1000 <= done,
        "{} of {done} are wrong",
        tally.wrong.len()
    );
    assert!(
        tally.unknown * 20 <= done,
        "{} of {done} are unknown",
        tally.unknown
    );
}

/// The command that deletes the rule that stops a connection, if it is one of nftables.
fn deletion(stage: &Stage, end: &End) -> Option<Vec<String>> {
    let (_, Cause::Rule(place @ RulePlace::Rule { .. }, _)) = end.stopped? else {
        return None;
    };
    let reading = stage.server.inside(packet_filter::read);
    let Reading::Examined(filter) = reading else {
        return None;
    };
    let culprit = culprit::name(&filter, place, None)?;
    let handle = culprit.handle?.to_string();
    let words = [
        "delete",
        "rule",
        culprit.family,
        &culprit.table,
        &culprit.chain,
        "handle",
        &handle,
    ];
    Some(words.map(str::to_owned).to_vec())
}

#[test]
fn without_the_rule_that_is_named_something_else_happens() {
    let Some((stage, servers)) = set_up() else { return };
    let cases = number("SOCKSTAT_REACH_CULPRITS", 8);
    let mut seed = 1_000_000 + number("SOCKSTAT_REACH_SEED", 1) as u64;
    let (mut done, mut changed) = (0, 0);
    while done < cases {
        let rules = rules(&mut Dice::new(seed));
        seed += 1;
        reset(&stage);
        if !apply(&stage, &rules) {
            continue;
        }
        let attempts = attempts(&stage);
        let before = predict(&stage, &attempts);
        // One for each set of rules: after a deletion, another one would concern other rules.
        let named = attempts.iter().zip(&before).find_map(|(attempt, end)| {
            let end = end.as_ref().ok()?;
            Some((attempt, end, deletion(&stage, end)?))
        });
        let Some((attempt, before, delete)) = named else {
            continue;
        };
        let met_before = connect(&stage, &servers, &[*attempt])[0];
        let words: Vec<&str> = delete.iter().map(String::as_str).collect();
        stage.server.run("nft", &words, "").unwrap();
        let after = predict(&stage, &[*attempt]).remove(0);
        let met_after = connect(&stage, &servers, &[*attempt])[0];
        let context = format!(
            "{attempt:?}: {before:?}, then {after:?}; met {met_before:?}, then {met_after:?}\n{}",
            rules.text()
        );
        assert!(agrees(before.outcome, met_before), "{context}");
        if let Ok(after) = after {
            assert!(agrees(after.outcome, met_after), "{context}");
            // By handle: a set of rules may have the same rule twice, and the second moves to where the first was.
            let next = deletion(&stage, &after);
            assert!(
                after.outcome != before.outcome || next != Some(delete),
                "{context}"
            );
        }
        done += 1;
        changed += usize::from(met_before != met_after);
    }
    eprintln!("{done} rules deleted: {changed} times another outcome, otherwise another culprit");
    assert!(changed * 2 > done, "{changed} of {done}");
}
