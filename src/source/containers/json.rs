//! As much JSON as it takes to find a few strings in the state files of container runtimes.
//!
//! It finds values by key and does not check the rest: what is not JSON gives nothing, or what was asked for. It neither
//! recurses nor allocates by what the text claims, so that a hostile file costs no more than its length.

/// The value of a key in an object, as text.
pub(super) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut rest = object.trim_start().strip_prefix('{')?;
    loop {
        let (name, behind) = split_value(rest)?;
        let (value, behind) = split_value(behind.trim_start().strip_prefix(':')?)?;
        if string(name)? == key {
            return Some(value);
        }
        rest = behind.trim_start().strip_prefix(',')?;
    }
}

/// The elements of an array, as texts.
pub(super) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut rest = array.trim_start().strip_prefix('[');
    std::iter::from_fn(move || {
        let (value, behind) = split_value(rest?)?;
        rest = behind.trim_start().strip_prefix(',');
        Some(value)
    })
}

/// The string that a value is.
pub(super) fn string(value: &str) -> Option<String> {
    let inner = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'u' => {
                let digits = chars.as_str().get(..4)?;
                let code = u32::from_str_radix(digits, 16).ok()?;
                // Half of a pair: no name of a container needs one.
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                chars = chars.as_str().get(4..)?.chars();
            }
            other => text.push(other),
        }
    }
    Some(text)
}

/// The first value of a text, without blanks around it, and what comes behind it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            if in_string || depth > 0 {
                continue;
            }
            return text.split_at_checked(at + 1);
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' if depth == 1 => return text.split_at_checked(at + 1),
            b'}' | b']' if depth > 1 => depth -= 1,
            b',' | b':' | b'}' | b']' if depth == 0 => {
                return text.split_at_checked(at).filter(|(value, _)| !value.is_empty());
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_are_found_at_their_own_level() {
        let text = r#" { "Labels" : {"Name": "\"no"}, "n": [1, {"Name": 2}], "Name" : "/web\u002d1\"}" } "#;
        let name = member(text, "Name").and_then(string);
        assert_eq!(name.as_deref(), Some("/web-1\"}"));
        assert_eq!(
            member(text, "Labels")
                .and_then(|it| member(it, "Name"))
                .and_then(string)
                .as_deref(),
            Some("\"no")
        );
        assert_eq!(member(text, "n"), Some(r#"[1, {"Name": 2}]"#));
        assert_eq!(
            (member(text, "x"), member("[1]", "x"), member("{\"x\"", "x")),
            (None, None, None)
        );
        assert_eq!(
            elements("[ \"a,]\" , {\"b\":1}, 3 ]").collect::<Vec<_>>(),
            ["\"a,]\"", "{\"b\":1}", "3 "]
        );
        assert_eq!(elements("[]").count() + elements("").count(), 0);
    }

    proptest! {
        #[test]
        fn what_a_serialiser_wrote_is_read_back(key in any::<String>(), value in any::<String>(), other in any::<String>()) {
            prop_assume!(key != other);
            let document = serde_json::json!({ &other: [value, { &key: 1 }], &key: value });
            let text = document.to_string();
            prop_assert_eq!(member(&text, &key).and_then(string), Some(value.clone()));
            let array = serde_json::json!([&other, { &key: &value }]).to_string();
            let read: Vec<_> = elements(&array).collect();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(string(read[0]), Some(other));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), json in r#"[\[\]{}",:\\u0-9a é]{0,40}"#) {
            for text in [&text, &json] {
                let _ = (member(text, "a"), string(text), elements(text).count());
            }
        }
    }
}
