//! The document about a port.

use serde::Serialize;
use serde_json::value::RawValue;

use super::finding::{CureDocument, FindingDocument, Rows, SCHEMA, cures, sentences};
use crate::diagnose::bind::circumstance::circumstances;
use crate::diagnose::bind::report::{Answer, Report};
use crate::diagnose::bind::sentence::sentence;
use crate::diagnose::bind::verdict::{Effect, Finding, Outcome};
use crate::diagnose::json::{self, document, gaps, lines};
use crate::model::Socket;
use crate::render::human;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    taken_at: String,
    user: String,
    notes: Vec<String>,
    gaps: Vec<Box<RawValue>>,
    answers: Box<RawValue>,
}

#[derive(Serialize)]
struct AnswerDocument {
    address: String,
    port: u16,
    protocol: &'static str,
    /// `None` for IPv4.
    v6only: Option<bool>,
    reuseaddr: bool,
    reuseport: bool,
    device: Option<String>,
    uid: u32,
    bind: &'static str,
    listen: Option<&'static str>,
    verdict: &'static str,
    ports_left: Option<usize>,
    findings: Vec<FindingDocument>,
    cures: Vec<CureDocument>,
}

/// Writes the document, ending in a newline.
pub fn render(report: &Report, rows: Rows<'_>, version: &str) -> Vec<u8> {
    document(&Document {
        schema: SCHEMA,
        version,
        taken_at: human::rfc3339(report.taken_at),
        user: report.user.to_string(),
        notes: report.notes.iter().map(|note| json::sentence(note)).collect(),
        gaps: gaps(&report.gaps),
        answers: lines(report.answers.iter().map(|one| answer(report, rows, one))),
    })
}

fn answer(report: &Report, rows: Rows<'_>, answer: &Answer) -> AnswerDocument {
    let (attempt, verdict) = (&answer.attempt, &answer.verdict);
    let findings = verdict.findings.iter().map(|one| finding(report, rows, one));
    let circumstances = circumstances(report, answer).into_iter().map(|one| {
        let socket = one.socket.and_then(|at| socket(report, at));
        FindingDocument::of_circumstance(&one, socket.map(|found| rows.row(found)))
    });
    AnswerDocument {
        address: attempt.address.to_string(),
        port: attempt.port,
        protocol: attempt.protocol.name(),
        v6only: attempt.address.is_ipv6().then_some(attempt.v6only),
        reuseaddr: attempt.reuseaddr,
        reuseport: attempt.reuseport,
        device: report.device.as_ref().map(ToString::to_string),
        uid: attempt.uid,
        bind: verdict.bind.name(),
        listen: verdict.listen.map(Outcome::name),
        verdict: verdict.code.name(),
        ports_left: verdict.ports_left,
        findings: findings.chain(circumstances).collect(),
        cures: cures(&answer.cures),
    }
}

fn finding(report: &Report, rows: Rows<'_>, finding: &Finding) -> FindingDocument {
    let (effect, how) = match finding.effect {
        Effect::Blocks { how, .. } => ("blocks", how.name()),
        Effect::MayBlock { .. } => ("may-block", "unknown"),
        Effect::Shares { how, .. } => ("shares", how.name()),
    };
    let holders = report.holders.get(finding.socket);
    FindingDocument {
        code: finding.role.name(),
        effect,
        how,
        sentence: json::sentence(&sentence(report, finding)),
        inherited: holders.map_or_else(Vec::new, |holders| sentences(&holders.inherited)),
        socket: socket(report, finding.socket).map(|found| rows.row(found)),
    }
}

fn socket(report: &Report, at: usize) -> Option<(usize, &Socket)> {
    Some((at, &report.existing.get(at)?.socket))
}
