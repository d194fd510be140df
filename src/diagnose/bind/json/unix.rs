//! The document about a unix socket: the same envelope, with `path` in place of address and port.

use serde::Serialize;
use serde_json::value::RawValue;

use super::finding::{CureDocument, FindingDocument, Rows, SCHEMA, cures, sentences};
use crate::diagnose::bind::circumstance::of_holders;
use crate::diagnose::bind::existing::How;
use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::unix::facts::{UnixFacts, printable};
use crate::diagnose::bind::unix::verdict::UnixVerdict;
use crate::diagnose::bind::verdict::Outcome;
use crate::diagnose::json::{document, gaps, lines, sentence};
use crate::model::{Gap, Socket};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    notes: [&'a str; 0],
    gaps: Vec<Box<RawValue>>,
    answers: Box<RawValue>,
}

#[derive(Serialize)]
struct AnswerDocument {
    path: String,
    protocol: &'static str,
    r#type: &'static str,
    bind: &'static str,
    verdict: &'static str,
    sentence: String,
    findings: Vec<FindingDocument>,
    cures: Vec<CureDocument>,
}

/// Writes the document, ending in a newline.
pub fn render(
    facts: &UnixFacts,
    verdict: &UnixVerdict,
    rows: Rows<'_>,
    missing: &[Gap],
    version: &str,
) -> Vec<u8> {
    let about = verdict.socket.and_then(|at| Some((at, facts.sockets.get(at)?)));
    let answer = AnswerDocument {
        path: printable(&facts.name),
        protocol: "unix",
        r#type: facts.kind.name(),
        bind: verdict.bind.name(),
        verdict: verdict.code.name(),
        sentence: sentence(&verdict.sentence),
        findings: about.map_or_else(Vec::new, |(at, found)| findings(verdict, rows, at, found)),
        cures: cures(&verdict.cures),
    };
    document(&Document {
        schema: SCHEMA,
        version,
        notes: [],
        gaps: gaps(missing),
        answers: lines([answer]),
    })
}

/// What the socket means for the attempt, then who holds it.
fn findings(
    verdict: &UnixVerdict,
    rows: Rows<'_>,
    at: usize,
    (socket, holders): &(Socket, Holders),
) -> Vec<FindingDocument> {
    let row = rows.row((at, socket));
    let itself = FindingDocument {
        code: verdict.code.name(),
        effect: if verdict.bind == Outcome::Ok {
            "beside"
        } else {
            "blocks"
        },
        how: How::Observed.name(),
        sentence: sentence(&verdict.sentence),
        inherited: sentences(&holders.inherited),
        socket: Some(row.clone()),
    };
    let of_holders = of_holders(holders);
    let others = of_holders
        .iter()
        .map(|one| FindingDocument::of_circumstance(one, Some(row.clone())));
    std::iter::once(itself).chain(others).collect()
}
