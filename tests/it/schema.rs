//! Is a document what docs/schema.json says? The keywords that our schema uses, and no others.

use serde_json::Value;

/// The schema as it is checked in.
pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/schema.json")).unwrap()
}

/// Fails unless `value` is valid under `rule`, a part of `schema`.
#[track_caller]
pub(crate) fn check(schema: &Value, rule: &Value, value: &Value, path: &str) {
    for (keyword, wanted) in rule.as_object().unwrap() {
        match keyword.as_str() {
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                assert!(
                    types.iter().any(|name| is(value, name.as_str().unwrap())),
                    "{path}: {value} is not {wanted}"
                );
            }
            "enum" => assert!(
                wanted.as_array().unwrap().contains(value),
                "{path}: {value} is none of {wanted}"
            ),
            "const" => assert_eq!(value, wanted, "{path}"),
            "minimum" => assert!(
                value.is_null() || value.as_u64() >= wanted.as_u64(),
                "{path}: {value}"
            ),
            "pattern" => {
                assert_eq!(wanted, "^[0-9a-f]+$");
                let hex =
                    |text: &str| !text.is_empty() && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
                assert!(value.as_str().is_none_or(hex), "{path}: {value}");
            }
            "required" => {
                for key in wanted.as_array().unwrap() {
                    let key = key.as_str().unwrap();
                    assert!(value.get(key).is_some(), "{path}: no {key}");
                }
            }
            "properties" => {
                for (key, rule) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(schema, rule, value, &format!("{path}.{key}"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(schema, wanted, item, &format!("{path}[{index}]"));
                }
            }
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                check(schema, schema.pointer(pointer).unwrap(), value, path);
            }
            "$schema" | "$defs" | "title" | "description" | "format" => {}
            other => panic!("the schema uses {other}, which this check does not know"),
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
