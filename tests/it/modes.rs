//! The output formats agree: plain columns, which stream, JSON, which is collected, and the table show the same
//! sockets for the same options.

use serde_json::Value;

use crate::live::sockets::Sockets;

const SPECS: &[&str] = &[
    "tcp-listen:addr=0.0.0.0,queued=1",
    "tcp-listen:addr=::",
    "tcp-bound",
    "tcp-pair:unread=10",
    "syn-sent",
    "close-wait",
    "time-wait",
    "udp",
    "udp:addr=::,v6only=1",
    "udp-connected",
    "unix-listen:path={dir}/listen",
    "unix-pair",
    "unix-dgram:abstract=modes",
];

/// Selections and filters whose rows are compared.
const SELECTIONS: &[&[&str]] = &[
    &[],
    &["-tulpn"],
    &["-tan"],
    &["-uan"],
    &["-xan"],
    &["-ta4"],
    &["-ta6"],
    &["-f", "inet"],
    &["-f", "unix"],
    &["-A", "tcp,udp"],
    &["-A", "!tcp"],
    &["-B"],
    &["-tl"],
    // A run lists its own netlink socket, which differs from run to run.
    &["-a", "-A", "!netlink"],
    &["state", "established"],
    &["-ta", "exclude", "listening"],
    &["127.0.0.1"],
    &["mksock"],
    &["-xa", "@modes"],
    &["-tua", "recv_q gt 0"],
];

#[test]
fn plain_and_json_have_the_same_rows() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for selection in SELECTIONS {
        let with = |form: &[&'static str]| [selection.to_vec(), form.to_vec()].concat();
        let plain = sockets.run(&with(&["--plain", "-H", "-e"]));
        let mut plain: Vec<_> = plain.text().lines().map(identity_of_line).collect();
        let json = sockets.run(&with(&["--json", "-e"])).json();
        let mut json: Vec<_> = json["sockets"]
            .as_array()
            .unwrap()
            .iter()
            .map(identity_of_row)
            .collect();
        plain.sort();
        json.sort();
        assert_eq!(plain, json, "{selection:?}");
    }
}

#[test]
fn display_options_never_change_the_rows() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let count = |arguments: &[&str]| sockets.run(arguments).text().lines().count();
    for selection in ["-tan", "-uan", "-xan", "-tulpn"] {
        let expected = count(&[selection, "-H"]);
        assert!(expected > 0);
        for display in ["-p", "-T", "-e", "-o", "-Q", "-O", "-n"] {
            assert_eq!(
                count(&[selection, "-H", display]),
                expected,
                "{selection} {display}"
            );
        }
        // The table has a heading with a rule or without one, and a line of totals.
        let json = sockets.run(&[selection, "--json"]).json()["sockets"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(json, expected, "{selection} --json");
    }
}

#[test]
fn every_row_of_json_has_the_same_keys() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut all: Option<Vec<String>> = None;
    for options in [
        &["-tan", "--json"][..],
        &["-xanpe", "--json"],
        &["--json", "-uao"],
    ] {
        let document = sockets.run(options).json();
        assert_eq!(document["schema"], "sockstat/1");
        for row in document["sockets"].as_array().unwrap() {
            let expected = all.get_or_insert_with(|| keys(row));
            assert_eq!(&keys(row), expected);
        }
    }
    assert!(all.is_some());
}

#[test]
fn no_rows_are_a_valid_document_too() {
    let Some(sockets) = Sockets::make(&["udp"]) else {
        return;
    };
    let document = sockets.run(&["-tln", "--json"]).json();
    assert_eq!(document["sockets"], serde_json::json!([]));
    assert_eq!(document["complete"], true);
}

/// What names a socket in a plain row: ` sk:COOKIE`; for unix sockets, whose row has none, the inode in the place of the
/// port.
fn identity_of_line(line: &str) -> String {
    let fields: Vec<_> = line.split_whitespace().collect();
    match fields.iter().find(|field| field.starts_with("sk:")) {
        Some(cookie) => (*cookie).to_owned(),
        None => {
            let star = fields.iter().rposition(|field| *field == "*").unwrap();
            format!("inode:{}", fields[star - 1])
        }
    }
}

fn identity_of_row(row: &Value) -> String {
    if row["protocol"] == "unix" || row["cookie"].is_null() {
        format!("inode:{}", row["inode"])
    } else {
        format!("sk:{}", row["cookie"].as_str().unwrap())
    }
}

#[test]
fn no_time_zone_and_no_locale_changes_the_output() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    // Owners have times of their own; the document's is the one of the run.
    let without_time = |text: &str| match text.split_once("\"taken_at\":\"") {
        Some((before, after)) => {
            let (time, after) = after.split_once('"').unwrap();
            assert!(time.ends_with('Z') && time.len() == 20, "{time}");
            format!("{before}{after}")
        }
        None => text.to_owned(),
    };
    for form in ["--json", "--jsonl", "--csv", "--plain", "--table"] {
        let run = |environment: &[(&str, &str)]| {
            // Nothing here changes by itself, but for drops at a listener whose client asks again.
            let words = ["-tulxp", "--hide", "drops", "--sort", "default", form];
            let mut command = sockets.sockstat(&words);
            let ran = crate::run::Ran::of(command.envs(environment.iter().copied())).ended_with(0);
            without_time(ran.text())
        };
        let there = [
            ("TZ", "Pacific/Chatham"),
            ("LC_ALL", "de_DE.UTF-8"),
            ("LANG", "tr_TR.UTF-8"),
            ("LC_NUMERIC", "fr_FR"),
        ];
        assert_eq!(run(&there), run(&[("TZ", "UTC"), ("LC_ALL", "C")]), "{form}");
    }
}
