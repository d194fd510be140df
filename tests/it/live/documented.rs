//! Runs every example of docs/filter.md, and the examples of docs/json.md other than its recipes, as printed.

use std::path::Path;
use std::process::Command;

use super::sockets::Sockets;
use crate::run::Ran;

const FILTER: &str = include_str!("../../../docs/filter.md");
const JSON: &str = include_str!("../../../docs/json.md");

const SPECS: &[&str] = &[
    "tcp-listen:port=22",
    "tcp-pair:port=443,listener=1",
    "udp:port=53",
    "unix-listen:abstract=tmp/x",
];

/// Names in the examples that a machine may lack. Running the examples includes looking them up.
const NOT_HERE: &[&str] = &[
    "db.example",
    "eth0",
    "/system.slice/ssh.service",
    "postgres",
    "mark",
];

/// A shell in the namespace that finds the program under test.
fn shell(sockets: &Sockets, line: &str) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_sockstat")).parent().unwrap();
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut shell = sockets.program("bash");
    shell.args(["-o", "pipefail", "-c", line]).env("PATH", path);
    shell
}

/// The lines of all fenced blocks of a kind.
fn fenced<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let open = format!("```{kind}");
    let mut lines = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == open;
        } else if inside {
            lines.push(line);
        }
    }
    lines
}

/// The filters in the first column of every table.
fn in_tables(page: &str) -> Vec<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let cell = row.split(" |").next().unwrap_or_default();
        cell.trim_end_matches('`').split("`, `")
    })
    .collect()
}

/// Whether an example works: its run succeeded, or reported that one of the names above was not found.
#[track_caller]
fn assert_done(ran: &Ran, example: &str) {
    let not_here = NOT_HERE.iter().any(|name| {
        example.contains(name)
            && ran.stderr.contains(&format!("'{name}'"))
            && ran.stderr.starts_with("error: unknown ")
    });
    let expected = if not_here { 2 } else { 0 };
    assert_eq!(ran.status, Some(expected), "{example}\n{}", ran.stderr);
    assert!(
        not_here || !ran.stderr.contains("error"),
        "{example}\n{}",
        ran.stderr
    );
}

#[test]
fn every_command_line_of_the_filter_page_runs() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let commands = fenced(FILTER, "sh");
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        assert_done(&Ran::of(&mut shell(&sockets, command)), command);
    }
}

#[test]
fn every_filter_in_a_table_of_the_filter_page_runs() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let filters = in_tables(FILTER);
    assert!(filters.len() > 60, "{} filters", filters.len());
    for filter in filters {
        let ran = Ran::of(&mut sockets.sockstat(&["-A", "all", "-a", "--plain", filter]));
        assert_done(&ran, filter);
    }
}

#[test]
fn the_error_of_the_filter_page_is_printed_so() {
    let shown = fenced(FILTER, "text");
    let (command, expected) = shown.split_first().unwrap();
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let ran = Ran::of(&mut shell(&sockets, command.strip_prefix("$ ").unwrap())).ended_with(2);
    assert_eq!(ran.stderr.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_empty_document_is_printed_so() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let shown = fenced(JSON, "console").join("\n");
    let (command, expected) = shown.split_once('\n').unwrap();
    let ran = Ran::of(&mut shell(&sockets, command.strip_prefix("# ").unwrap())).ended_with(0);
    let (expected, _) = expected.split_once("\n$ ").unwrap();
    // The host and the time are those of another machine.
    let without = |text: &str| {
        let mut document: serde_json::Value = serde_json::from_str(text).unwrap();
        document["host"] = "here".into();
        document["taken_at"] = "now".into();
        document.to_string()
    };
    assert_eq!(without(ran.text()), without(expected));
    // In its layout, too.
    let lines = |text: &str| {
        text.lines()
            .map(|line| line.get(..12).unwrap_or(line).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(ran.text()), lines(expected));
}

#[test]
fn every_option_of_the_json_page_does_what_it_says() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    // Options in the text, outside of blocks: `--sort recv_q:desc,local_port`.
    let text: String = JSON.split("```").step_by(2).collect();
    let spans = text.split('`').skip(1).step_by(2);
    let options: Vec<_> = spans
        .filter(|span| span.starts_with("--") && span.contains(' '))
        .collect();
    assert!(options.len() >= 5, "{options:?}");
    for option in options {
        let option = option.replace(" N", " 1");
        for form in ["", "--json", "--jsonl", "--csv", "--table"] {
            let command = format!("sockstat -tua {option} {form}");
            let ran = Ran::of(&mut shell(&sockets, &command)).ended_with(0);
            assert!(!ran.stdout.is_empty(), "{command}");
        }
    }
}
