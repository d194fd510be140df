//! The promise of docs/json.md: the output of earlier versions is still valid, and their schemas are part of today's.
//!
//! `tests/data/documents/VERSION/` holds the output of that version on a machine with sockets of many kinds, and its
//! schemas. They are kept for ever; a new version adds a directory and changes none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::live::sockets::Sockets;
use crate::live::tools::{has_python_package, through};
use crate::schema::{check, faults, schema, why_schema};
use crate::skip::skip;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/documents");

/// Every file of every version, sorted.
fn kept() -> Vec<PathBuf> {
    let list = |directory: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut files: Vec<_> = list(Path::new(KEPT))
        .iter()
        .flat_map(|version| list(version))
        .collect();
    files.sort();
    files
}

/// The values of a file, each with the part of today's schema that describes it.
fn described(path: &Path) -> Vec<(Value, Value, Value)> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    if let Some(name) = name.strip_suffix(".jsonl") {
        let schema = schema();
        let of_line = if name.starts_with("groups") {
            "group"
        } else {
            "socket"
        };
        let rule = schema["$defs"][of_line].clone();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        return lines.map(|line| (schema.clone(), rule.clone(), line)).collect();
    }
    let schema = if name.starts_with("why") {
        why_schema()
    } else {
        schema()
    };
    vec![(schema.clone(), schema, serde_json::from_str(&text).unwrap())]
}

fn is_schema(path: &Path) -> bool {
    path.file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .ends_with("schema.json")
}

#[test]
fn documents_of_earlier_versions_are_still_valid() {
    let mut seen = 0;
    for path in kept().iter().filter(|path| !is_schema(path)) {
        for (schema, rule, value) in described(path) {
            check(&schema, &rule, &value, &path.display().to_string());
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} documents and lines");
}

#[test]
fn schemas_only_ever_grow() {
    for path in kept().iter().filter(|path| is_schema(path)) {
        let old: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let new = if path.ends_with("why.schema.json") {
            why_schema()
        } else {
            schema()
        };
        let lost = lost(&old, &new, &path.display().to_string());
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    }
}

/// What the old schema has and the new one lacks: a key, a word, a type; and keys that are newly required,
/// which older documents lack.
fn lost(old: &Value, new: &Value, path: &str) -> Vec<String> {
    let mut lost = Vec::new();
    // A single type may have become one of several.
    if let (Some(each), None) = (new["anyOf"].as_array(), old.get("anyOf"))
        && each.iter().any(|new| self::lost(old, new, path).is_empty())
    {
        return lost;
    }
    for (key, old) in old.as_object().into_iter().flatten() {
        let place = format!("{path}.{key}");
        let Some(new) = new.get(key) else {
            lost.push(format!("{place} is gone"));
            continue;
        };
        match (key.as_str(), old) {
            ("description" | "title", _) => {}
            // A property may itself be called "type".
            ("enum" | "required" | "type", Value::Array(_) | Value::String(_)) => {
                let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                let new = list(new);
                let gone: Vec<_> = list(old).into_iter().filter(|word| !new.contains(word)).collect();
                lost.extend(gone.iter().map(|word| format!("{place} no longer has {word}")));
                let more = new
                    .iter()
                    .filter(|word| key == "required" && !list(old).contains(word));
                lost.extend(more.map(|word| format!("{place} has {word}, which older documents lack")));
            }
            (_, Value::Object(_)) => lost.extend(self::lost(old, new, &place)),
            _ if old == new => {}
            _ => lost.push(format!("{place} was {old} and is {new}")),
        }
    }
    lost
}

#[test]
fn lost_keys_are_noticed() {
    let old = schema();
    let state = "/$defs/socket/properties/state";
    for (pointer, change) in [
        (state, None),
        ("/$defs/socket/properties/state/enum/0", Some("open")),
        ("/$defs/socket/properties/local_port/type", Some("string")),
        ("/required/0", Some("other")),
    ] {
        let mut new = old.clone();
        match change {
            Some(word) => *new.pointer_mut(pointer).unwrap() = Value::from(word),
            None => drop(
                new["$defs"]["socket"]["properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("state"),
            ),
        }
        assert!(!lost(&old, &new, "").is_empty(), "{pointer}");
    }
    let mut more = old.clone();
    more["$defs"]["socket"]["properties"]["new"] = serde_json::json!({"type": "string"});
    more.pointer_mut(state).unwrap()["enum"]
        .as_array_mut()
        .unwrap()
        .push("new".into());
    assert_eq!(lost(&old, &more, ""), Vec::<String>::new());
}

/// Whether the Python package jsonschema accepts each value under its rule and schema. Skips and
/// returns `None` if the package is missing.
#[track_caller]
pub(crate) fn other_judge(cases: &[(Value, Value, Value)]) -> Option<Vec<bool>> {
    if !has_python_package("jsonschema") {
        skip("the Python package jsonschema is not installed");
        return None;
    }
    let program = "import json, sys\n\
        from jsonschema import Draft202012Validator as V\n\
        for line in sys.stdin:\n\
        \x20   case = json.loads(line)\n\
        \x20   V.check_schema(case['schema'])\n\
        \x20   rule = dict(case['rule'])\n\
        \x20   if '$defs' in case['schema']: rule['$defs'] = case['schema']['$defs']\n\
        \x20   print(V(rule).is_valid(case['value']))";
    let input: Vec<_> = cases
        .iter()
        .map(|(schema, rule, value)| {
            serde_json::json!({"schema": schema, "rule": rule, "value": value}).to_string()
        })
        .collect();
    let said = through("python3", &["-c", program], input.join("\n").as_bytes())?;
    Some(said.lines().map(|line| line == "True").collect())
}

#[test]
fn another_judge_agrees() {
    let mut cases: Vec<_> = kept()
        .iter()
        .filter(|path| !is_schema(path) && path.extension().is_some_and(|extension| extension == "json"))
        .flat_map(|path| described(path))
        .collect();
    let schema = schema();
    let rule = &schema["$defs"]["socket"];
    for row in [
        r#"{"local_port":"80"}"#,
        r#"{"state":"open"}"#,
        r#"{"owners":[{}]}"#,
        "{}",
    ] {
        cases.push((schema.clone(), rule.clone(), serde_json::from_str(row).unwrap()));
    }
    let ours: Vec<_> = cases
        .iter()
        .map(|(schema, rule, value)| faults(schema, rule, value, "").is_empty())
        .collect();
    if let Some(theirs) = other_judge(&cases) {
        assert_eq!(theirs, ours);
    }
}

/// With everything that can be requested, by both validators.
#[test]
fn the_current_output_is_valid() {
    let specs = [
        "tcp-listen:queued=1",
        "tcp-pair:unread=9,keepalive=1",
        "time-wait",
        "udp:addr=::",
        "raw",
        "unix-pair",
        "uid",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let schema = schema();
    let documents = [
        &["-A", "all", "-a", "-p", "-e", "-m", "-i", "-o", "--json"][..],
        &["-tua", "--json", "--by", "state,process"],
        &["-s", "--json"],
        &["--json", "--columns", "rtt_us,local_port,owners,memory", "-ta"],
    ];
    let cases: Vec<_> = documents
        .iter()
        .map(|options| {
            let document = sockets.run(options).json();
            check(&schema, &schema, &document, &options.join(" "));
            (schema.clone(), schema.clone(), document)
        })
        .collect();
    if let Some(said) = other_judge(&cases) {
        assert_eq!(said, vec![true; cases.len()]);
    }
}
