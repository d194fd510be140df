//! The states, protocols and names that a filter selects before any row is read.

use super::*;
use crate::model::StateSet;
use crate::model::request::ResolvedNames;
use crate::query::Predicate;

#[test]
fn states_and_protocols_are_passed_to_the_selection() {
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
        // The file does not exist.
        let found = ResolvedNames::default();
        assert_eq!(
            format!("{:?}", parsed(filter).resolve(&found).unwrap()),
            format!("{expected:?}"),
            "{filter}"
        );
    }
}

#[test]
fn only_a_whole_path_is_looked_up_as_a_file() {
    let files = |filter: &str| read(filter).expr.unwrap().names().files.len();
    assert_eq!(files("/run/app.sock"), 1);
    assert_eq!(files("/run/*.sock"), 0);
    assert_eq!(files("@app"), 0);
}

#[test]
fn names_are_collected_and_then_replaced() {
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
        "error: unknown host 'nosuch'\n  sport 22 dst nosuch\n               ^^^^^^ use an address, or a name that the system can resolve"
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
fn an_empty_filter_kills_and_closes_nothing() {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for blank in [&[][..], &[""], &[" "], &["", "\t"], &["\n"]] {
        let error = parse(&words(blank), Mode::Kill).unwrap_err();
        assert!(
            error.render().starts_with("error: the filter is empty\nhint: "),
            "{blank:?}: {}",
            error.render()
        );
        // A listing without words shows everything; an empty word is an unset variable.
        assert_eq!(
            parse(&words(blank), Mode::List).is_err(),
            !blank.is_empty(),
            "{blank:?}"
        );
    }
    let asked = parse(&words(&["state", "all"]), Mode::Kill).unwrap();
    assert!(asked.states.is_some(), "every state, but by name");
}
