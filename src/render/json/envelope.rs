//! The envelope around the rows of one document.

use std::time::SystemTime;

use super::string::{push_optional, push_string};
use crate::model::Gap;
use crate::model::summary::Summary;
use crate::render::human;
use crate::render::summary;
use crate::render::text::{push_each, push_number};

/// The version of the output format. Within a version, keys are only ever added.
pub const SCHEMA: &str = "sockstat/1";

/// What the envelope reports in addition to the rows.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// This program's version.
    pub version: &'a str,
    /// The machine's host name.
    pub host: &'a str,
    /// When the capture began.
    pub taken_at: SystemTime,
    /// Whether the capture is complete.
    pub complete: bool,
    /// What is missing, or was read by a fallback.
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
        push_each(out, b',', self.gaps, push_gap);
        out.extend_from_slice(b"],\"sockets\":[");
    }

    /// Appends everything after the last row.
    pub fn push_end(out: &mut Vec<u8>, summary: Option<&Summary>) {
        out.extend_from_slice(b"\n],\"groups\":null,\"summary\":");
        match summary {
            Some(counted) => summary::push_json(out, counted),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}\n");
    }

    /// The same for counted groups, without rows: `groups` are objects separated by commas.
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

#[cfg(test)]
mod tests {
    use super::*;

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
