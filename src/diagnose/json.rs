//! Parts common to all JSON documents about diagnoses.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::model::Gap;
use crate::render::text::written;
use crate::render::{escape, json};

/// A sentence or a command in a document: the same text as on a terminal, in which names are already escaped.
pub(super) fn sentence(text: &str) -> String {
    escape::sentence(text)
}

/// A value written by one of the writers in `render`.
pub(super) fn raw(write: impl FnOnce(&mut Vec<u8>)) -> Box<RawValue> {
    RawValue::from_string(written(write)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The gaps, as JSON objects.
pub(crate) fn gaps(gaps: &[Gap]) -> Vec<Box<RawValue>> {
    gaps.iter()
        .map(|gap| raw(|out| json::push_gap(out, gap)))
        .collect()
}

/// An array with each element on a line of its own.
pub(super) fn lines<T: Serialize>(elements: impl IntoIterator<Item = T>) -> Box<RawValue> {
    raw(|out| {
        out.push(b'[');
        for (at, element) in elements.into_iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
            if let Ok(element) = to_raw_value(&element) {
                out.extend_from_slice(element.get().as_bytes());
            }
        }
        out.push(b']');
    })
}

/// The whole document, ending in a newline.
pub(super) fn document(document: &impl Serialize) -> Vec<u8> {
    // Cannot fail: keys are strings, and no serializer returns an error.
    let mut out = serde_json::to_vec(document).unwrap_or_default();
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[derive(Serialize)]
    struct Document {
        name: String,
        sentence: String,
        gaps: Vec<Box<RawValue>>,
        answers: Box<RawValue>,
    }

    #[test]
    fn a_document_has_its_keys_in_order_and_a_line_for_each_answer() {
        let written = document(&Document {
            name: Name::from("a\"b\u{1b}").to_string(),
            sentence: sentence("a\\x1b holds it"),
            gaps: gaps(&[Gap::note("a", "b")]),
            answers: lines(["x", "y"]),
        });
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "{\"name\":\"a\\\"b\\\\x1b\",\"sentence\":\"a\\\\x1b holds it\",\"gaps\":[{\"level\":\"note\",\"code\":\"a\",\"message\":\"b\",\"remedy\":null,\
             \"count\":null}],\"answers\":[\n\"x\",\n\"y\"]}\n"
        );
        assert_eq!(lines::<u8>([]).get(), "[]");
    }
}
