//! Validates a document against a schema in docs/. It supports only the keywords that our schemas use;
//! [`crate::documents`] checks with the Python package jsonschema as well.

use serde_json::Value;

/// The schema of `--json`, as it is checked in.
pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/schema.json")).unwrap()
}

/// The schema of `why --json`.
pub(crate) fn why_schema() -> Value {
    serde_json::from_str(include_str!("../../docs/why.schema.json")).unwrap()
}

/// Fails unless `value` is valid under `rule`, a part of `schema`.
#[track_caller]
pub(crate) fn check(schema: &Value, rule: &Value, value: &Value, path: &str) {
    let faults = faults(schema, rule, value, path);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The errors in `value`, one per line.
pub(crate) fn faults(schema: &Value, rule: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, wanted) in rule.as_object().unwrap() {
        match keyword.as_str() {
            "required" => {
                let keys = wanted.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                let missing = keys.filter(|key| value.is_object() && value.get(key).is_none());
                faults.extend(missing.map(|key| format!("{path}: no {key}")));
            }
            "properties" => {
                for (key, rule) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        faults.extend(self::faults(schema, rule, value, &format!("{path}.{key}")));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(schema, wanted, item, &format!("{path}[{index}]")));
                }
            }
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                faults.extend(self::faults(
                    schema,
                    schema.pointer(pointer).unwrap(),
                    value,
                    path,
                ));
            }
            "anyOf" => {
                let each = wanted.as_array().unwrap().iter();
                let each: Vec<_> = each.map(|rule| self::faults(schema, rule, value, path)).collect();
                if each.iter().all(|faults| !faults.is_empty()) {
                    faults.extend(each.concat());
                }
            }
            _ if holds(keyword, wanted, value) => {}
            _ => faults.push(format!("{path}: {value} is not {keyword} {wanted}")),
        }
    }
    faults
}

/// Keywords that look at one value alone.
fn holds(keyword: &str, wanted: &Value, value: &Value) -> bool {
    match keyword {
        "type" => {
            let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
            types.iter().any(|name| is(value, name.as_str().unwrap()))
        }
        "enum" => wanted.as_array().unwrap().contains(value),
        "const" => value == wanted,
        "minimum" => !value.is_number() || value.as_u64() >= wanted.as_u64(),
        "maximum" => !value.is_number() || value.as_u64() <= wanted.as_u64(),
        "pattern" => {
            assert_eq!(wanted, "^[0-9a-f]+$");
            let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
            value.as_str().is_none_or(hex)
        }
        "$schema" | "$defs" | "title" | "description" | "format" => true,
        other => panic!("the schema uses {other}, which this check does not know"),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let schema = schema();
    let rule = &schema["$defs"]["socket"];
    for row in [
        r#"{"local_port":"80"}"#,
        r#"{"state":"open"}"#,
        r#"{"cookie":"XY"}"#,
        r#"{"owners":[{}]}"#,
        r#"{"recv_q":-1}"#,
        "[]",
    ] {
        let row: Value = serde_json::from_str(row).unwrap();
        assert!(!faults(&schema, rule, &row, "row").is_empty(), "{row}");
    }
}
