//! Names chosen by an attacker affect at most their own cell, and never reach a terminal unescaped.

use std::process::Command;

use super::container::Cgroup;
use super::sockets::{Sockets, example};
use super::truth::EVERYTHING;
use crate::run::{Ran, sockstat};

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

/// Fails if anything came out that a terminal obeys, that hides or reorders text, or that only the last line of defence
/// (render::safe) kept back.
#[track_caller]
fn assert_harmless(arguments: &[&str], ran: &Ran) {
    // Lines of CSV end as RFC 4180 has them.
    for text in [&ran.text().replace("\r\n", "\n"), &ran.stderr] {
        let is_bad = |c: &char| match c {
            // Plain columns have tabs of ss.
            '\n' | '\t' => false,
            // An error of the filter shows the filter in its own width.
            '\u{fffd}' if ran.status == Some(2) => false,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fffd}' => true,
            c => c.is_control(),
        };
        let bad: Vec<_> = text.chars().filter(is_bad).collect();
        assert!(bad.is_empty(), "{arguments:?}: {bad:?} in {text}");
        let forged = text.lines().any(|line| line.starts_with("forged"));
        assert!(!forged, "{arguments:?}: a line of its own in {text}");
    }
}

/// Every command and form, with a port and a path that somebody listens on.
const RUNS: &[&[&str]] = &[
    &["-tulpen"],
    &["-tulpeimoZ", "--table"],
    &["-tulpe", "--jsonl"],
    &["-tulpe", "--csv"],
    &["-tulpe", "--json"],
    &["-axp", "--table"],
    &["-axp", "--plain"],
    &["-axp", "--csv"],
    &["-tulpT"],
    &["-tl", "--by", "process"],
    &["-tl", "--by", "unit", "--json"],
    &[
        "-tlp",
        "--columns",
        "process,unit,container,cgroup,user,interface",
    ],
    &["-tulpe", "--explain-plan", "unit like '*'"],
    &["-N", "all", "-tulp"],
    &["-s"],
    &["why", "4000"],
    &["why", "-j", "4000"],
    &["why", "-u", "4000"],
    &["why", "--device", "\x1b[31mred\u{202e}", "4001"],
    &["why", "{dir}/new\nforged"],
    &["why", "-j", "{dir}/new\nforged"],
    &["reach", "127.0.0.1:4000"],
    &["reach", "-j", "127.0.0.1:4000"],
    &["reach", "{dir}/new\nforged"],
    &["free", "4000-4010"],
    &["wait", "4000"],
    &["wait", "--gone", "--timeout", "0s", "4000"],
    &["kill", "--dry-run", "4000"],
    &["kill", "--dry-run", "--json", "4000"],
    &["kill", "--dry-run", "--all", "-t", "state", "listen"],
    &["-K", "--dry-run", "state", "all"],
    &["-K", "--dry-run", "--json", "state", "all"],
];

#[test]
fn a_hostile_user_harms_no_form_of_any_command() {
    // cgroup names exclude only line breaks and slashes.
    let unit = "evil\t\x1b[31m\u{202e}$(reboot).service";
    let Some(group) = Cgroup::make(&format!(
        "sockstat-it-hostile-{}.slice/{unit}",
        std::process::id()
    )) else {
        return;
    };
    let specs = [
        SPECS,
        &[
            "unix-listen:path={dir}/new\\x0aforged",
            "tcp-listen:port=4002,addr=::",
        ],
    ]
    .concat();
    let Some(sockets) = Sockets::make_by(
        Command::new("sh")
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(group.directory().join("cgroup.procs"))
            .arg(example("mksock")),
        &specs,
    ) else {
        return;
    };
    // A user namespace lets anybody name interfaces; iproute2 may be missing.
    let _ = sockets
        .program("ip")
        .args(["link", "add", "name", "\x1b[31mred\u{202e}", "type", "dummy"])
        .output();
    let directory = sockets.directory().to_str().unwrap().to_owned();
    for run in RUNS {
        let arguments: Vec<_> = run.iter().map(|word| word.replace("{dir}", &directory)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        // One that hangs never ends the test.
        let ran = Ran::of(&mut sockets.sockstat(&arguments));
        assert!(matches!(ran.status, Some(0..=3)), "{arguments:?}: {}", ran.stderr);
        assert_harmless(&arguments, &ran);
        if let [.., "4000"] = arguments.as_slice()
            && arguments.first() == Some(&"why")
        {
            let told = ran.text();
            assert!(
                !told.contains("systemctl stop"),
                "a name with control characters: {told}"
            );
        }
    }
}

#[test]
fn arguments_come_back_escaped_in_errors() {
    let word = "x\x1b[31m\u{202e}\nforged";
    let path = format!("/nonexistent/{word}");
    for arguments in [
        &[word][..],
        &["--\x1b[31m\nforged"],
        &["-tl", word],
        &["-tl", "pid", "=", word],
        &["-tl", "user", "=", word],
        &["-tl", "dev", "=", word],
        &["-tl", "dst", word],
        &["state", word],
        &["-A", word],
        &["-f", word],
        &["-N", word],
        &["-F", &path],
        &["--limit", word],
        &["--sort", word],
        &["--by", word],
        &["--columns", word],
        &["--color", word],
        &["--record", &path],
        &["--replay", &path],
        &["--proc-root", &path],
        &["-D", &path],
        &["why", word],
        &["why", "--device", word, "80"],
        &["why", "80/\x1b\nforged"],
        &["why", &path],
        &["reach", word],
        &["reach", &path],
        &["reach", "--from", word, "127.0.0.1:1"],
        &["free", word],
        &["wait", "--timeout", "0s", word],
        &["wait", "--timeout", word, "80"],
        &["wait", "--state", word, "80"],
        &["kill", "--signal", word, ":1"],
        &["kill", "--dry-run", word],
        &["-K", "--dry-run", word],
        &["completions", word],
        &["help", word],
    ] {
        let ran = Ran::of(&mut sockstat(arguments));
        assert!(matches!(ran.status, Some(0..=3)), "{arguments:?}: {}", ran.stderr);
        assert_harmless(arguments, &ran);
    }
}

#[test]
fn hostile_names_never_reach_the_terminal() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for form in ["--plain", "--table", "--json"] {
        let ran = sockets.run(&["-tuxlpe", form]);
        assert_harmless(&[form], &ran);
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

#[test]
fn a_unix_name_is_found_by_what_json_shows_of_it() {
    let Some(sockets) = Sockets::make(&[
        "unix-listen:path={dir}/new\\x0aline",
        "unix-listen:path={dir}/back\\x5cslash",
        "unix-listen:path={dir}/quo'te",
        "unix-listen:abstract=\\xff\\x00\\x80nul",
        "unix-listen:abstract=\\xff@\\x80nul",
        "unix-listen:abstract=a\\x00b",
        "unix-listen:abstract=\\x00",
    ]) else {
        return;
    };
    let paths = |words: &[&str]| -> Vec<String> {
        let document = sockets.run(&[&["-xl", "--json"], words].concat()).json();
        let rows = document["sockets"].as_array().unwrap().iter();
        rows.map(|row| row["path"].as_str().unwrap().to_owned()).collect()
    };
    let all = paths(&[]);
    assert_eq!(all.len(), 7, "{all:?}");
    for path in &all {
        let found = paths(&[&format!("path = \"{path}\"")]);
        if path.contains("\\x") {
            assert_eq!(found, [path.as_str()]);
        } else {
            assert!(found.contains(path), "{path}: {found:?}");
        }
        let found = paths(&[path]);
        assert!(found.contains(path) || path.contains('\''), "{path}: {found:?}");
        let run = |words: &[&str]| Ran::of(&mut sockets.sockstat(&[words, &[path]].concat()));
        assert_eq!(run(&["wait", "--timeout", "0s"]).status, Some(0), "{path}");
        let why = run(&["why", "--json"]).ended_with(1).json();
        assert_eq!(why["answers"][0]["path"], path.as_str());
        let reach = run(&["reach", "--json"]).ended_with(0).json();
        assert_eq!(reach["answers"][0]["verdict"], "accepted", "{path}: {reach}");
    }
    assert_eq!(paths(&["path like '@a\\x00*'"]), ["@a\\x00b"]);
}
