//! The tools that scripts use (jq, Python, DuckDB, a shell) parse every output format of a namespace full of hostile
//! names, and recover the exact bytes by the rule of docs/json.md.

use std::collections::BTreeSet;
use std::fs;

use super::sockets::Sockets;
use super::tools::through;
use crate::live::truth::EVERYTHING;

/// Names of sockets and processes that CSV, JSON, SQL, terminals and shells trip over: quotes, commas, newlines,
/// escapes, blanks, NULs, brackets, bytes that are not UTF-8, text that reorders, the empty name and the longest path.
const HOSTILE: &[&str] = &[
    "unix-listen:abstract=plain",
    "unix-listen:abstract=",
    "unix-listen:abstract=a\"b'c",
    "unix-listen:abstract=\"\"",
    "unix-listen:abstract=x\\x20y\\x09?;#",
    "unix-listen:abstract=line\\x0abreak\\x0d",
    "unix-listen:abstract=\\x0d\\x0a",
    "unix-listen:abstract=\\x1b[2Jevil\\x5c",
    "unix-listen:abstract=\\x5cx41\\x5c\\x5cx42",
    "unix-listen:abstract=a\\x2cb\\xff\\xfe",
    "unix-listen:abstract=\\xff\\x00\\x80nul",
    "unix-listen:abstract={\"a\":[1]}",
    "unix-listen:abstract=null",
    "unix-listen:abstract=\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\xa6\\x80",
    "unix-dgram:abstract=\\xe2\\x80\\xaeright to left",
    "unix-listen:path={dir}/p,long=108",
    "unix-listen:path={dir}/new\\x0aline",
    "unix-listen:path={dir}/\\x1b]0;title\\x07",
    "unix-listen:path={dir}/blank space",
    "comm:name=\\x1b[31mred\\x07",
    "comm:name=we)ird \\x22\\x2c(q",
    "comm:name=\\x0aUNCONN",
    "comm:name=\\xff\\xfe",
    "comm:name=back\\x5cslash",
];

/// Names of sockets, and short names of the processes that hold TCP listeners.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    sockets: BTreeSet<Vec<u8>>,
    processes: BTreeSet<Vec<u8>>,
}

/// The names that mksock reported.
fn truth(sockets: &Sockets) -> Names {
    let names = sockets.ends.iter().filter_map(|end| end.said["path"].as_str());
    let processes = sockets.of_kind("comm").map(|end| {
        let (_, name) = end.spec.split_once("name=").unwrap();
        unescaped(name)
    });
    Names {
        sockets: names.map(unescaped).collect(),
        processes: processes.collect(),
    }
}

/// Undoes the escapes of mksock, which has only `\xHH`.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// The functions of docs/json.md that return the bytes, followed by more lines.
fn with_documented_functions(program: &str) -> String {
    let page = include_str!("../../../docs/json.md");
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (functions, _) = rest.split_once("```").unwrap();
    format!("{functions}\nimport csv, io, json, sys\n{program}")
}

/// Reads the names of one form with Python, by the documented functions.
fn by_python(reader: &str, input: &[u8]) -> Option<Names> {
    let program = format!(
        "data = sys.stdin.buffer.read().decode()\n\
         {reader}\n\
         for row in rows:\n\
         \x20   if row['path'] not in (None, ''): print('socket', unix_name_of(row['path']).hex())\n\
         \x20   elif row['owners']: print('process', bytes_of(row['owners'][0]['comm']).hex())\n"
    );
    let text = through("python3", &["-c", &with_documented_functions(&program)], input)?;
    let mut names = Names::default();
    for line in text.lines() {
        let (kind, hex) = line.split_once(' ').unwrap();
        let bytes = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        if kind == "socket" {
            names.sockets.insert(bytes);
        } else {
            names.processes.insert(bytes);
        }
    }
    Some(names)
}

const FORMS: [&str; 3] = ["--json", "--jsonl", "--csv"];

#[test]
fn python_gives_every_name_back() {
    let Some(sockets) = Sockets::make(HOSTILE) else {
        return;
    };
    let expected = truth(&sockets);
    assert!(
        expected.sockets.len() >= 18 && expected.processes.len() == 5,
        "{expected:?}"
    );
    let readers = [
        "rows = json.loads(data)['sockets']",
        "rows = [json.loads(line) for line in data.split('\\n') if line]",
        "rows = list(csv.DictReader(io.StringIO(data, newline=''), strict=True))\n\
         for row in rows: row['owners'] = json.loads(row['owners'])",
    ];
    for (form, reader) in FORMS.into_iter().zip(readers) {
        let output = sockets.run(&["-alxtp", form]);
        let Some(names) = by_python(reader, &output.stdout) else {
            return;
        };
        assert_eq!(names, expected, "{form}");
    }
}

#[test]
fn a_shell_gives_every_name_back() {
    let Some(sockets) = Sockets::make(HOSTILE) else {
        return;
    };
    let expected = truth(&sockets).sockets;
    let plain = sockets.run(&["-xl", "-a", "--plain", "-H", "--columns", "path,pid"]);
    let reader =
        "rows = [{'path': line.split(' ')[0], 'owners': None} for line in data.split('\\n') if line]";
    assert_eq!(
        by_python(reader, &plain.stdout).map(|names| names.sockets),
        Some(expected)
    );
}

#[test]
fn jq_reads_every_name() {
    let Some(sockets) = Sockets::make(HOSTILE) else {
        return;
    };
    let expected = truth(&sockets).sockets;
    for (form, program) in [("--json", ".sockets[].path"), ("--jsonl", ".path")] {
        let output = sockets.run(&["-xla", form]);
        // As text, one a line: no name has a line break of its own any more.
        let Some(read) = through("jq", &["-r", program], &output.stdout) else {
            return;
        };
        let names: BTreeSet<_> = read.lines().map(from_documented).collect();
        assert_eq!(names, expected, "{form}");
    }
}

/// The documented rule once more, in Rust.
fn from_documented(text: &str) -> Vec<u8> {
    let abstract_name = text.starts_with('@');
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        rest = if let Some(hex) = after.strip_prefix('x') {
            bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            &hex[2..]
        } else {
            bytes.push(b'\\');
            after.strip_prefix('\\').unwrap()
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    if abstract_name {
        bytes[0] = 0;
    }
    bytes
}

#[test]
fn duckdb_reads_the_same_values() {
    let Some(sockets) = Sockets::make(HOSTILE) else {
        return;
    };
    let expected = truth(&sockets);
    let queries = [
        "select s.path as path, s.owners as owners from (select unnest(sockets) as s from read_json('{}'))",
        "select path, owners from read_json('{}')",
        "select path, owners::json as owners from read_csv('{}')",
    ];
    let reader = "rows = [row for row in json.loads(data)]\n\
        for row in rows:\n\
        \x20   if isinstance(row['owners'], str): row['owners'] = json.loads(row['owners'])";
    for (form, query) in FORMS.into_iter().zip(queries) {
        let output = sockets.run(&["-alxtp", form]);
        // A file, not a pipe, because DuckDB reads it twice to detect quoting, types and line ends.
        let file = sockets.directory().join(&form[2..]);
        fs::write(&file, &output.stdout).unwrap();
        let query = query.replace("{}", file.to_str().unwrap());
        let Some(read) = through("duckdb", &["-json", "-c", &query], b"") else {
            return;
        };
        fs::remove_file(&file).unwrap();
        let Some(names) = by_python(reader, read.as_bytes()) else {
            return;
        };
        assert_eq!(names, expected, "{form}");
    }
}

#[test]
fn duckdb_sees_numbers_and_nulls() {
    let Some(sockets) = Sockets::make(&["tcp-listen:port=4000", "udp:port=4001", "unix-pair"]) else {
        return;
    };
    for form in ["jsonl", "csv"] {
        let output = sockets.run(&["-axtu", &format!("--{form}")]);
        let file = sockets.directory().join(form);
        fs::write(&file, &output.stdout).unwrap();
        let query = format!(
            "select sum(local_port)::bigint as ports, count(*) filter (path is null) as nulls, count(*) as rows from '{}'",
            file.to_str().unwrap()
        )
        .replace(&format!("/{form}'"), &format!("/file.{form}'"));
        fs::rename(&file, sockets.directory().join(format!("file.{form}"))).unwrap();
        let Some(read) = through("duckdb", &["-json", "-c", &query], b"") else {
            return;
        };
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        assert_eq!(
            read[0],
            serde_json::json!({"ports": 8001, "nulls": 4, "rows": 4}),
            "{form}"
        );
    }
}

#[test]
fn no_form_ever_holds_a_control_character() {
    let Some(sockets) = Sockets::make(HOSTILE) else {
        return;
    };
    let forms: [&[&str]; 5] = [
        &["--json"],
        &["--jsonl"],
        &["--csv"],
        &["--plain", "--columns", "path,owners,process"],
        &["--table", "--columns", "path,owners,process"],
    ];
    for form in forms {
        let arguments = [
            EVERYTHING
                .iter()
                .filter(|word| **word != "--json")
                .copied()
                .collect(),
            form.to_vec(),
        ]
        .concat();
        let ran = sockets.run(&arguments);
        let bad = ran
            .text()
            .chars()
            .find(|c| c.is_control() && !matches!(c, '\n' | '\r'));
        assert_eq!(bad, None, "{form:?}");
    }
}
