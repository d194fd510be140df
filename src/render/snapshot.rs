//! The last line of a snapshot, about the run itself. If it is missing, so may be rows.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::json::{push_gap, push_key, push_optional, push_string};
use super::text::{push_address, push_number};
use crate::model::gap::is_complete;
use crate::model::machine::Origin;
use crate::model::summary::{Figure, Summary};
use crate::model::time::Moment;
use crate::model::{Gap, Name};

/// The version of the format. Within a version, keys are only ever added.
pub const SCHEMA: &str = "sockstat-snapshot/1";

/// What the last line reports.
#[derive(Clone, Debug)]
pub struct Closing<'a> {
    /// The machine and the time.
    pub origin: &'a Origin,
    /// This program's version.
    pub version: &'a str,
    /// The kernel's release.
    pub kernel: &'a str,
    /// The number of rows before it.
    pub rows: u64,
    /// What is missing, or was read by a fallback.
    pub gaps: &'a [Gap],
    /// The range from which the kernel chooses ports.
    pub ports: Option<RangeInclusive<u16>>,
    /// The addresses in the namespaces that were read.
    pub ips: &'a BTreeSet<IpAddr>,
    /// The kernel's figures.
    pub figures: &'a Summary,
}

/// Appends the line.
pub fn push_closing(out: &mut Vec<u8>, closing: &Closing<'_>) {
    let machine = &closing.origin.machine;
    let taken_at = closing.origin.taken_at.map(|at| Moment::exact(at).text());
    let complete = is_complete(closing.gaps);
    out.push(b'{');
    for (key, text) in [
        ("host", machine.host.as_ref().map(Name::as_bytes)),
        ("machine_id", machine.machine_id.as_ref().map(Name::as_bytes)),
        ("boot_id", machine.boot_id.as_ref().map(Name::as_bytes)),
        ("taken_at", taken_at.as_deref().map(str::as_bytes)),
        ("schema", Some(SCHEMA.as_bytes())),
        ("version", Some(closing.version.as_bytes())),
        ("kernel", Some(closing.kernel.as_bytes())),
    ] {
        push_key(out, key);
        push_optional(out, text);
        out.push(b',');
    }
    push_key(out, "complete");
    out.extend_from_slice(if complete { b"true," } else { b"false," });
    push_key(out, "rows");
    push_number(out, closing.rows);
    out.extend_from_slice(b",\"gaps\":[");
    push_list(out, closing.gaps, push_gap);
    out.extend_from_slice(b"],");
    let ends = closing.ports.as_ref().map(|ports| (*ports.start(), *ports.end()));
    push_figure(out, "port_low", ends.map(|(low, _)| low.into()));
    out.push(b',');
    push_figure(out, "port_high", ends.map(|(_, high)| high.into()));
    out.extend_from_slice(b",\"ips\":[");
    push_list(out, closing.ips, |out, address| {
        out.push(b'"');
        push_address(out, *address);
        out.push(b'"');
    });
    out.push(b']');
    for figure in Figure::ALL {
        out.push(b',');
        push_figure(out, figure.name(), closing.figures.get(*figure));
    }
    out.extend_from_slice(b"}\n");
}

fn push_figure(out: &mut Vec<u8>, key: &str, figure: Option<u64>) {
    push_key(out, key);
    match figure {
        Some(figure) => push_number(out, figure),
        None => out.extend_from_slice(b"null"),
    }
}

fn push_list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, push: impl Fn(&mut Vec<u8>, T)) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(out, item);
    }
}

/// Appends the arguments of a program as an array; null if they are unknown.
pub(super) fn push_arguments<'a, A: AsRef<[u8]> + 'a>(
    out: &mut Vec<u8>,
    arguments: Option<impl IntoIterator<Item = A>>,
) {
    match arguments {
        None => out.extend_from_slice(b"null"),
        Some(arguments) => {
            out.push(b'[');
            push_list(out, arguments, |out, argument| {
                push_string(out, argument.as_ref());
            });
            out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_one_object_with_every_figure() {
        let mut figures = Summary::default();
        figures.set(Figure::TcpOrphans, 3);
        let gaps = [Gap::loss("owners-hidden", "2 owners hidden").with_count(2)];
        let mut out = Vec::new();
        push_closing(
            &mut out,
            &Closing {
                origin: &Origin::default(),
                version: "0",
                kernel: "6.1",
                rows: 7,
                gaps: &gaps,
                ports: Some(32768..=60999),
                ips: &["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()].into(),
                figures: &figures,
            },
        );
        assert_eq!(out.last(), Some(&b'\n'));
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["schema"], SCHEMA);
        assert_eq!((&read["complete"], &read["rows"]), (&false.into(), &7.into()));
        assert_eq!(read["ips"], serde_json::json!(["10.0.0.5", "2001:db8::5"]));
        assert_eq!(
            (&read["port_low"], &read["port_high"]),
            (&32768.into(), &60999.into())
        );
        assert_eq!(read["gaps"][0]["code"], "owners-hidden");
        assert_eq!(read["tcp_orphans"], 3);
        assert!(read["host"].is_null() && read["tcp_time_wait"].is_null());
        assert_eq!(read.as_object().unwrap().len(), 13 + Figure::ALL.len());
    }
}
