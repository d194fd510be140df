//! A report as one JSON document, `sockstat-why/1`. Within the version keys are only ever added.

use crate::model::{Context, Ownership, Row};
use crate::model::{Gap, OwnerStatus, Socket};
use crate::query::field::FIELDS;
use crate::render::json::{push_gap, push_optional, push_quoted, push_row, push_string};
use crate::render::text::push_number;
use crate::render::{escape, human};

use super::circumstance::{Circumstance, circumstances, of_holders};
use super::cures::Cure;
use super::existing::How;
use super::inherited::Inherited;
use super::report::{Answer, Holders, Report};
use super::text;
use super::unix::{UnixFacts, UnixVerdict};
use super::verdict::{Effect, Finding, Outcome};

/// The version of the document's shape.
pub const SCHEMA: &str = "sockstat-why/1";

/// What the document needs beside the report: the rows' processes and names.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Processes and names of the capture.
    pub context: &'a Context,
    /// Who holds each existing socket, in the order of the report.
    pub ownership: &'a [Ownership<'a>],
}

/// Writes the document, ending in a newline.
pub fn render(out: &mut Vec<u8>, report: &Report, rows: Rows<'_>, version: &str) {
    out.extend_from_slice(b"{\"schema\":");
    push_string(out, SCHEMA.as_bytes());
    out.extend_from_slice(b",\"version\":");
    push_string(out, version.as_bytes());
    out.extend_from_slice(b",\"taken_at\":");
    push_string(out, human::rfc3339(report.taken_at).as_bytes());
    out.extend_from_slice(b",\"user\":");
    push_string(out, report.user.as_bytes());
    out.extend_from_slice(b",\"notes\":");
    push_list(out, &report.notes, |out, note| push_string(out, note.as_bytes()));
    out.extend_from_slice(b",\"gaps\":");
    push_list(out, &report.gaps, push_gap);
    out.extend_from_slice(b",\"answers\":");
    push_list(out, &report.answers, |out, answer| {
        push_answer(out, report, rows, answer);
    });
    out.extend_from_slice(b"}\n");
}

fn push_answer(out: &mut Vec<u8>, report: &Report, rows: Rows<'_>, answer: &Answer) {
    let attempt = &answer.attempt;
    out.extend_from_slice(b"\n{\"address\":");
    push_string(out, attempt.address.to_string().as_bytes());
    out.extend_from_slice(b",\"port\":");
    push_number(out, attempt.port);
    out.extend_from_slice(b",\"protocol\":");
    push_string(out, attempt.protocol.name().as_bytes());
    for (name, value) in [
        ("v6only", attempt.address.is_ipv6().then_some(attempt.v6only)),
        ("reuseaddr", Some(attempt.reuseaddr)),
        ("reuseport", Some(attempt.reuseport)),
    ] {
        push_key(out, name);
        let word: &[u8] = match value {
            Some(true) => b"true",
            Some(false) => b"false",
            None => b"null",
        };
        out.extend_from_slice(word);
    }
    push_key(out, "device");
    push_optional(out, report.device.as_deref().map(str::as_bytes));
    push_key(out, "uid");
    push_number(out, attempt.uid);
    push_key(out, "bind");
    push_string(out, answer.verdict.bind.name().as_bytes());
    push_key(out, "listen");
    push_optional(out, answer.verdict.listen.map(Outcome::name).map(str::as_bytes));
    push_key(out, "verdict");
    push_string(out, answer.verdict.code.name().as_bytes());
    push_key(out, "ports_left");
    match answer.verdict.ports_left {
        Some(left) => push_number(out, left as u64),
        None => out.extend_from_slice(b"null"),
    }
    push_key(out, "findings");
    let findings = answer
        .verdict
        .findings
        .iter()
        .map(|finding| said_of(report, finding));
    let circumstances = circumstances(report, answer).into_iter().map(|one| {
        let socket = one
            .socket
            .and_then(|at| Some((at, &report.existing.get(at)?.socket)));
        explaining(one, socket)
    });
    let said: Vec<_> = findings.chain(circumstances).collect();
    push_list(out, &said, |out, said| push_said(out, rows, said));
    push_key(out, "cures");
    push_list(out, &answer.cures, push_cure);
    out.push(b'}');
}

fn push_cure(out: &mut Vec<u8>, cure: &Cure) {
    out.extend_from_slice(b"{\"command\":");
    push_optional(out, cure.command.as_deref().map(str::as_bytes));
    push_key(out, "sentence");
    push_string(out, cure.sentence.as_bytes());
    push_key(out, "harm");
    push_string(out, cure.harm.name().as_bytes());
    out.push(b'}');
}

/// One entry of `findings`.
struct Said<'a> {
    code: &'static str,
    effect: &'static str,
    how: &'static str,
    sentence: String,
    inherited: &'a [Inherited],
    socket: Option<(usize, &'a Socket)>,
}

fn said_of<'a>(report: &'a Report, finding: &Finding) -> Said<'a> {
    let (effect, how) = match finding.effect {
        Effect::Blocks { how, .. } => ("blocks", how.name()),
        Effect::MayBlock { .. } => ("may-block", "unknown"),
        Effect::Shares { how, .. } => ("shares", how.name()),
    };
    let socket = report.existing.get(finding.socket);
    Said {
        code: finding.role.name(),
        effect,
        how,
        sentence: text::sentence(report, finding),
        inherited: report
            .holders
            .get(finding.socket)
            .map_or(&[][..], |holders| &holders.inherited),
        socket: socket.map(|one| (finding.socket, &one.socket)),
    }
}

fn explaining(one: Circumstance, socket: Option<(usize, &Socket)>) -> Said<'_> {
    Said {
        code: one.code,
        effect: "explains",
        how: one.how.name(),
        sentence: one.sentence,
        inherited: &[],
        socket,
    }
}

/// The findings about a unix socket: what it is to whoever wants the name, then who is behind it.
fn of_unix<'a>(verdict: &UnixVerdict, at: usize, (socket, holders): &'a (Socket, Holders)) -> Vec<Said<'a>> {
    let itself = Said {
        code: verdict.code,
        effect: if verdict.bind == "ok" { "beside" } else { "blocks" },
        how: How::Observed.name(),
        sentence: verdict.sentence.clone(),
        inherited: &holders.inherited,
        socket: Some((at, socket)),
    };
    let behind = of_holders(holders)
        .into_iter()
        .map(|one| explaining(one, Some((at, socket))));
    std::iter::once(itself).chain(behind).collect()
}

fn push_said(out: &mut Vec<u8>, rows: Rows<'_>, said: &Said<'_>) {
    out.extend_from_slice(b"{\"code\":");
    push_string(out, said.code.as_bytes());
    push_key(out, "effect");
    push_string(out, said.effect.as_bytes());
    push_key(out, "how");
    push_string(out, said.how.as_bytes());
    push_key(out, "sentence");
    push_string(out, said.sentence.as_bytes());
    push_key(out, "inherited");
    push_list(out, said.inherited, |out, inherited| {
        push_string(out, inherited.sentence.as_bytes());
    });
    push_key(out, "socket");
    match said.socket {
        Some((at, socket)) => {
            let fields: Vec<_> = FIELDS.iter().map(|info| info.field).collect();
            let unknown = Ownership {
                status: OwnerStatus::NotAsked,
                holders: &[],
            };
            let row = Row {
                socket,
                ownership: rows.ownership.get(at).copied().unwrap_or(unknown),
                context: rows.context,
            };
            push_row(out, &row, &fields);
        }
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn push_key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn push_list<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

/// Writes the document for a unix socket: the same envelope, with `path` in place of address and port.
pub fn render_unix(
    out: &mut Vec<u8>,
    facts: &UnixFacts,
    verdict: &UnixVerdict,
    rows: Rows<'_>,
    gaps: &[Gap],
    version: &str,
) {
    out.extend_from_slice(b"{\"schema\":");
    push_string(out, SCHEMA.as_bytes());
    push_key(out, "version");
    push_string(out, version.as_bytes());
    out.extend_from_slice(b",\"notes\":[],\"gaps\":");
    push_list(out, gaps, push_gap);
    out.extend_from_slice(b",\"answers\":[\n{\"path\":");
    push_quoted(out, |out| escape::push_unix_name(out, &facts.name, |_| false));
    push_key(out, "protocol");
    push_string(out, b"unix");
    push_key(out, "type");
    push_string(out, facts.kind.name().as_bytes());
    push_key(out, "bind");
    push_string(out, verdict.bind.as_bytes());
    push_key(out, "verdict");
    push_string(out, verdict.code.as_bytes());
    push_key(out, "sentence");
    push_string(out, verdict.sentence.as_bytes());
    push_key(out, "findings");
    let about = verdict.socket.and_then(|at| Some((at, facts.sockets.get(at)?)));
    let said: Vec<_> = about
        .map(|(at, one)| of_unix(verdict, at, one))
        .unwrap_or_default();
    push_list(out, &said, |out, said| push_said(out, rows, said));
    push_key(out, "cures");
    push_list(out, &verdict.cures, push_cure);
    out.extend_from_slice(b"}]}\n");
}
