//! Every output format, parsed with the tools that scripts use, from a namespace of hostile names.

use serde_json::Value;

use super::sockets::Sockets;
use super::tools::through;
use crate::run::{Ran, sockstat};
use crate::schema::{check, schema};

/// Unix names that CSV, JSON, terminals and shells trip over: quotes, commas, newlines, escapes, blanks,
/// bytes that are not UTF-8, and the longest path.
const HOSTILE: &[&str] = &[
    "unix-listen:abstract=plain",
    "unix-listen:abstract=a\"b'c",
    "unix-listen:abstract=x\\x20y\\x09?;#",
    "unix-listen:abstract=line\\x0abreak\\x0d",
    "unix-listen:abstract=\\x1b[2Jevil\\x5c",
    "unix-listen:abstract=a\\x2cb\\xff\\xfe",
    "unix-listen:path={dir}/p,long=108",
    "tcp-listen",
];

fn hostile() -> Option<Sockets> {
    Sockets::make(HOSTILE)
}

fn rows(sockets: &Sockets, arguments: &[&str]) -> Vec<Value> {
    let text = sockets.run(arguments).text().to_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sorted_by_cookie(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| row["cookie"].to_string());
    rows
}

#[test]
fn json_lines_hold_the_same_rows_as_the_document() {
    let Some(sockets) = hostile() else { return };
    let lines = rows(&sockets, &["-ax", "-t", "--jsonl"]);
    let document = sockets.run(&["-ax", "-t", "--json"]).json();
    let document = document["sockets"].as_array().unwrap().clone();
    assert!(lines.len() >= 6, "{lines:?}");
    assert_eq!(sorted_by_cookie(lines), sorted_by_cookie(document));
}

#[test]
fn columns_are_exactly_those_named_in_every_form() {
    let Some(sockets) = hostile() else { return };
    let columns = "--columns=protocol,local_port,path,pid";
    for row in rows(&sockets, &["-ltx", "--jsonl", columns]) {
        let keys: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 4);
        assert_eq!(row["pid"], sockets.pid, "{row}");
    }
    let plain = sockets.run(&["-ltx", "--plain", columns]).text().to_owned();
    let mut lines = plain.lines();
    assert_eq!(lines.next(), Some("protocol local_port path pid"));
    for line in lines {
        assert_eq!(line.split_whitespace().count(), 4, "{line:?}");
    }
    let table = sockets.run(&["-ltx", "--table", columns]).text().to_owned();
    assert!(table.starts_with("PROTOCOL"), "{table}");
    assert!(table.lines().next().unwrap().ends_with("PID"), "{table}");
    let empty = sockets.run(&["-lt", "--table", "--columns=local_port,mark,path"]);
    assert!(
        empty.text().starts_with("LOCAL-PORT  MARK  PATH"),
        "{}",
        empty.text()
    );
    let hidden = sockets
        .run(&["-lt", "--csv", "--hide=pid,owners"])
        .text()
        .to_owned();
    assert!(
        !hidden
            .lines()
            .next()
            .unwrap()
            .split(',')
            .any(|name| name == "owners")
    );
}

#[test]
fn an_unknown_column_ends_with_the_nearest_name() {
    let ran = Ran::of(&mut sockstat(["--columns", "recvq"])).ended_with(2);
    assert!(ran.stdout.is_empty());
    assert!(ran.stderr.contains("did you mean 'recv_q'?"), "{}", ran.stderr);
}

#[test]
fn csv_is_read_by_python_as_json_lines_say() {
    let Some(sockets) = hostile() else { return };
    let csv = sockets.run(&["-ltxp", "--csv"]);
    let program = "import csv,io,json,sys\n\
        text=sys.stdin.buffer.read().decode()\n\
        print(json.dumps(list(csv.DictReader(io.StringIO(text, newline=''), strict=True))))";
    let Some(read) = through("python3", &["-c", program], &csv.stdout) else {
        return;
    };
    let read: Vec<Value> = serde_json::from_str(&read).unwrap();
    let lines = rows(&sockets, &["-ltxp", "--jsonl"]);
    assert_eq!(read.len(), lines.len());
    for (cells, row) in sorted_by_cookie(read).iter().zip(&sorted_by_cookie(lines)) {
        for (key, value) in row.as_object().unwrap() {
            let cell = cells[key].as_str().unwrap();
            match value {
                Value::Null => assert_eq!(cell, "", "{key}"),
                Value::String(text) => assert_eq!(cell, text, "{key}"),
                Value::Array(_) => assert_eq!(&serde_json::from_str::<Value>(cell).unwrap(), value),
                _ => assert_eq!(cell, value.to_string(), "{key}"),
            }
        }
    }
}

#[test]
fn jq_reads_json_and_json_lines() {
    let Some(sockets) = hostile() else { return };
    for (form, program) in [("--json", ".sockets[].path"), ("--jsonl", ".path")] {
        let output = sockets.run(&["-lx", form]);
        let Some(read) = through("jq", &["-c", program], &output.stdout) else {
            return;
        };
        assert!(read.contains(r#""@line\\x0abreak\\x0d""#), "{read}");
        assert!(read.contains(r#""@a\"b'c""#), "{read}");
    }
}

#[test]
fn every_document_and_line_matches_the_schema() {
    let Some(sockets) = hostile() else { return };
    let schema = schema();
    let document = sockets.run(&["-axtup", "--json"]).json();
    check(&schema, &schema, &document, "document");
    // Some fields are shown only when they are named.
    let columns = Ran::of(&mut sockstat(["columns"])).ended_with(0);
    let of_every_row = |line: &&str| {
        line.split_whitespace()
            .any(|word| word == "all" || word == "all,")
    };
    let mut all: Vec<_> = columns
        .text()
        .lines()
        .filter(of_every_row)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    all.sort_unstable();
    let described = schema["$defs"]["socket"]["properties"].as_object().unwrap();
    assert!(
        all.len() > 30 && all.iter().all(|name| described.contains_key(*name)),
        "{all:?}"
    );
    for row in rows(&sockets, &["-axtup", "--jsonl"]) {
        check(&schema, &schema["$defs"]["socket"], &row, "line");
        let keys: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, all, "every row has every key, and no other");
    }
}

#[test]
fn columns_and_schema_are_printed() {
    let columns = Ran::of(&mut sockstat(["columns"])).ended_with(0);
    assert!(columns.text().lines().any(|line| line.starts_with("recv_q ")));
    let printed = Ran::of(&mut sockstat(["schema"])).ended_with(0).json();
    assert_eq!(printed, schema());
}
