//! JSON: one envelope, and rows with the keys of the registry.
//!
//! Written by hand, straight into the output buffer: a serialiser would build each row first. Strings are
//! escaped as [`escape`] does and then as JSON demands, so that any bytes can be read back.

use std::sync::LazyLock;
use std::time::SystemTime;

use super::lines::push_scalar;
use super::text::{push_address, push_list, push_number, push_start};
use super::{escape, human};
use crate::model::Row;
use crate::model::summary::Summary;
use crate::model::{Gap, Holder, Process};
use crate::query::field::{FIELDS, Field, FieldInfo, Struct, Value, part_value, socket_option_words};

/// The version of the shape of the output. Within it keys are only ever added.
pub const SCHEMA: &str = "sockstat/1";

/// What the envelope says beside the rows.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// This program's version.
    pub version: &'a str,
    /// The machine's host name.
    pub host: &'a str,
    /// When the capture was begun.
    pub taken_at: SystemTime,
    /// Whether nothing is missing.
    pub complete: bool,
    /// What is missing, or came another way.
    pub gaps: &'a [Gap],
}

impl Envelope<'_> {
    /// Appends everything up to the first row.
    pub fn push_start(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"schema\":\"");
        out.extend_from_slice(SCHEMA.as_bytes());
        out.extend_from_slice(b"\",\"version\":");
        push_string(out, self.version.as_bytes());
        out.extend_from_slice(b",\"host\":");
        push_string(out, self.host.as_bytes());
        out.extend_from_slice(b",\"taken_at\":\"");
        out.extend_from_slice(human::rfc3339(self.taken_at).as_bytes());
        out.extend_from_slice(b"\",\"complete\":");
        out.extend_from_slice(if self.complete { b"true" } else { b"false" });
        out.extend_from_slice(b",\"gaps\":[");
        for (index, gap) in self.gaps.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_gap(out, gap);
        }
        out.extend_from_slice(b"],\"sockets\":[");
    }

    /// Appends everything behind the last row.
    pub fn push_end(out: &mut Vec<u8>, summary: Option<&Summary>) {
        out.extend_from_slice(b"\n],\"groups\":null,\"summary\":");
        match summary {
            Some(summary) => super::summary::push_json(out, summary),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}\n");
    }

    /// The same where rows were counted by groups and there is no row: `groups` are objects with commas between.
    pub fn push_end_with_groups(out: &mut Vec<u8>, groups: &[u8]) {
        out.extend_from_slice(b"],\"groups\":[\n");
        out.extend_from_slice(groups);
        out.extend_from_slice(b"\n],\"summary\":null}\n");
    }
}

pub(crate) fn push_gap(out: &mut Vec<u8>, gap: &Gap) {
    out.extend_from_slice(b"{\"level\":\"");
    out.extend_from_slice(gap.level.name().as_bytes());
    out.extend_from_slice(b"\",\"code\":\"");
    out.extend_from_slice(gap.code.as_bytes());
    out.extend_from_slice(b"\",\"message\":");
    push_string(out, gap.message.as_bytes());
    out.extend_from_slice(b",\"remedy\":");
    push_optional(out, gap.remedy.as_deref().map(str::as_bytes));
    out.extend_from_slice(b",\"count\":");
    match gap.count {
        Some(count) => push_number(out, count),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

/// What stands in front of each field's value, by [`Field`]: a comma and the key, and how long both are. The most
/// usual value of all, null, stands behind them.
static KEYS: LazyLock<Vec<([u8; KEY_BYTES], usize)>> = LazyLock::new(|| {
    let key = |info: &FieldInfo| {
        let mut text = vec![b','];
        push_key(&mut text, info.name);
        let length = text.len();
        text.extend_from_slice(NULL);
        text.resize(KEY_BYTES, 0);
        (*text.first_chunk().unwrap_or(&[0; KEY_BYTES]), length)
    };
    FIELDS.iter().map(key).collect()
});

/// Room for the longest key and null.
const KEY_BYTES: usize = 40;
const NULL: &[u8] = b"null";

/// Appends one row as an object with exactly these fields.
pub fn push_row(out: &mut Vec<u8>, row: &Row<'_>, fields: &[Field]) {
    let start = out.len();
    for field in fields {
        let Some((key, length)) = KEYS.get(*field as usize) else {
            continue;
        };
        match field.value(row) {
            Value::Null => push_start(out, key, length + NULL.len()),
            value => {
                push_start(out, key, *length);
                push_value(out, &value);
            }
        }
    }
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

pub(super) fn push_key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a value as JSON.
pub(crate) fn push_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => push_number(out, *number),
        Value::Word(word) => push_word(out, word),
        Value::Text(text) => push_string(out, text),
        Value::UnixName(name) => push_quoted(out, |out| escape::push_unix_name(out, name, |_| false)),
        Value::Address(address) => {
            out.push(b'"');
            push_address(out, *address);
            out.push(b'"');
        }
        Value::Hex(_) | Value::Subnet(..) => {
            out.push(b'"');
            push_scalar(out, value);
            out.push(b'"');
        }
        Value::SocketOptions(bits) => {
            out.push(b'[');
            for (index, word) in socket_option_words(*bits).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_word(out, word);
            }
            out.push(b']');
        }
        Value::Numbers(numbers) => {
            out.push(b'[');
            push_list(out, numbers);
            out.push(b']');
        }
        Value::Texts(list) => {
            out.push(b'[');
            for (index, text) in list.texts().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_string(out, text.as_bytes());
            }
            out.push(b']');
        }
        Value::Struct(parts) => push_struct(out, parts),
        Value::Owners(row) => {
            out.push(b'[');
            for (index, holder) in row.ownership.holders.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_owner(out, row, holder);
            }
            out.push(b']');
        }
    }
}

/// A word of the vocabulary: nothing in it has to be escaped.
fn push_word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// The parts of a structure by name; null for those that it does not have.
fn push_struct(out: &mut Vec<u8>, structure: &Struct<'_>) {
    for (index, part) in structure.parts().iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        push_key(out, part.key);
        let value = part
            .part
            .map_or(Value::Null, |place| part_value(&place, structure));
        push_value(out, &value);
    }
    out.push(b'}');
}

/// One owner: the descriptor, and what is known of its process.
fn push_owner(out: &mut Vec<u8>, row: &Row<'_>, holder: &Holder) {
    let process = row.process(holder);
    out.extend_from_slice(b"{\"pid\":");
    push_number(out, holder.pid);
    out.extend_from_slice(b",\"tid\":");
    match holder.tid {
        0 => out.extend_from_slice(b"null"),
        tid => push_number(out, tid),
    }
    out.extend_from_slice(b",\"fd\":");
    push_number(out, holder.fd);
    let bytes = |pick: fn(&Process) -> Option<&[u8]>| process.and_then(pick);
    out.extend_from_slice(b",\"comm\":");
    push_optional(out, bytes(|process| Some(&process.comm)));
    out.extend_from_slice(b",\"program\":");
    push_optional(out, bytes(|process| Some(&process.program)));
    out.extend_from_slice(b",\"exe\":");
    push_optional(out, bytes(|process| process.exe.as_deref()));
    out.extend_from_slice(b",\"cmdline\":");
    match process.and_then(|process| process.cmdline.as_ref()) {
        Some(arguments) => {
            out.push(b'[');
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_string(out, argument);
            }
            out.push(b']');
        }
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"user\":");
    let user = process
        .and_then(|process| process.uid)
        .and_then(|uid| row.context.names.users.get(&uid));
    push_optional(out, user.map(String::as_bytes));
    out.extend_from_slice(b",\"started_at\":");
    let started = process.and_then(|process| process.started_at).map(human::rfc3339);
    push_optional(out, started.as_deref().map(str::as_bytes));
    out.extend_from_slice(b",\"context\":");
    push_optional(out, bytes(|process| process.security_context.as_deref()));
    out.extend_from_slice(b",\"cgroup\":");
    push_optional(out, bytes(|process| process.cgroup.as_deref()));
    out.extend_from_slice(b",\"unit\":");
    push_optional(
        out,
        bytes(|process| Some(process.home.unit.as_deref()?.as_bytes())),
    );
    out.extend_from_slice(b",\"container\":");
    push_optional(
        out,
        bytes(|process| Some(process.home.container.as_ref()?.title().as_bytes())),
    );
    out.push(b'}');
}

pub(crate) fn push_optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => push_string(out, bytes),
        None => out.extend_from_slice(b"null"),
    }
}

pub(crate) fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    push_quoted(out, |out| escape::push(out, bytes));
}

/// Quotes what `write` appends. It leaves no control characters, so only quotes and backslashes remain to be
/// escaped.
pub(crate) fn push_quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    let start = out.len();
    write(out);
    let written = out.get(start..).unwrap_or_default();
    if memchr::memchr2(b'"', b'\\', written).is_some() {
        let plain = written.to_vec();
        out.truncate(start);
        for byte in plain {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_key_has_room() {
        for info in FIELDS {
            assert!(info.name.len() + ",\"\":null".len() <= KEY_BYTES, "{}", info.name);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_make_a_valid_string(bytes: Vec<u8>) {
            let mut out = Vec::new();
            push_string(&mut out, &bytes);
            let read: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, escape::text(&bytes));
        }
    }

    #[test]
    fn the_envelope_is_one_valid_document_however_few_rows() {
        let gaps = [Gap::loss("owners-hidden", "1 owner \"hidden\"")
            .with_remedy("sudo \\ x")
            .with_count(1)];
        let envelope = Envelope {
            version: "0",
            host: "h",
            taken_at: SystemTime::UNIX_EPOCH,
            complete: false,
            gaps: &gaps,
        };
        let mut out = Vec::new();
        envelope.push_start(&mut out);
        Envelope::push_end(&mut out, None);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["schema"], "sockstat/1");
        assert_eq!(read["taken_at"], "1970-01-01T00:00:00Z");
        assert_eq!(read["gaps"][0]["count"], 1);
        assert_eq!(
            read["gaps"][0]["remedy"], "sudo \\\\ x",
            "a backslash is doubled before JSON escapes it"
        );
        assert_eq!(read["sockets"], serde_json::json!([]));
        assert!(read["groups"].is_null() && read["summary"].is_null());
    }
}
