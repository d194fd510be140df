//! Fields as parts of a sentence.

use crate::model::Row;
use crate::query::field::{Field, Value};
use crate::render::text::written;
use crate::render::word::push_word;

pub(super) fn number(row: &Row<'_>, field: Field) -> Option<u64> {
    match field.value(row) {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

/// A field as one word, if it has a value.
pub(super) fn word(row: &Row<'_>, field: Field) -> Option<String> {
    let value = field.value(row);
    if matches!(value, Value::Null) {
        return None;
    }
    Some(written(|out| push_word(out, &value)))
}

/// Joins the parts that are present with commas.
pub(super) fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
