//! Names chosen by an attacker affect at most their own cell, and never reach a terminal unescaped.

use super::sockets::Sockets;
use super::truth::EVERYTHING;

const SPECS: &[&str] = &[
    "comm:name=\\x1b[31mred\\x07",
    "comm:name=we)ird \\x22\\x2c(q",
    "comm:name=\\x0aUNCONN",
    "comm:name=\\xff\\xfe",
    "unix-listen:path={dir}/new\\x0aline",
    "unix-listen:path={dir}/\\x1b]0;title\\x07",
    "unix-listen:path={dir}/blank space",
    "unix-listen:path={dir}/long,long=108",
    "unix-listen:abstract=\\xff\\x00\\x80nul",
    "unix-dgram:abstract=\\xe2\\x80\\xaeright to left",
    "tcp-listen:port=4000",
];

#[test]
fn hostile_names_never_reach_the_terminal() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for form in ["--plain", "--table", "--json"] {
        let ran = sockets.run(&["-tuxlpe", form]);
        let text = ran.text();
        let bad: Vec<_> = text
            .chars()
            .filter(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c))
            .collect();
        assert!(bad.is_empty(), "{form}: {bad:?}");
        assert!(!ran.stderr.contains('\x1b'));
    }
}

#[test]
fn a_name_costs_no_other_row() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let ends = sockets.ends.len();
    let plain = sockets.run(&["-tuxlpH"]);
    assert_eq!(
        plain.text().lines().count(),
        ends,
        "a line for each socket:\n{}",
        plain.text()
    );
    let fields = plain
        .text()
        .lines()
        .map(|line| line.split_whitespace().count())
        .collect::<Vec<_>>();
    let tokens = |line: &str| line.find("users:((").is_some();
    assert!(
        plain.text().lines().all(tokens),
        "each has its owner:\n{}",
        plain.text()
    );
    assert!(fields.iter().all(|count| *count >= 7), "{fields:?}");
    // Other families have sockets of sockstat itself, and of the kernel.
    let document = sockets.run(EVERYTHING).json();
    let made = |row: &&serde_json::Value| {
        ["tcp", "unix"]
            .iter()
            .any(|protocol| row["protocol"] == *protocol)
    };
    assert_eq!(
        document["sockets"]
            .as_array()
            .unwrap()
            .iter()
            .filter(made)
            .count(),
        ends
    );
}

#[test]
fn names_can_be_read_back() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let rows = sockets.run(&["-tlp", "--json"]).json()["sockets"]
        .as_array()
        .unwrap()
        .clone();
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["owners"][0]["comm"].as_str().unwrap())
        .collect();
    for name in [
        "\\x1b[31mred\\x07",
        "we)ird \",(q",
        "\\x0aUNCONN",
        "\\xff\\xfe",
        "mksock",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}
