//! What was found out about addresses and names, as JSON, `sockstat-reach/1`. Within the version keys are only ever
//! added.

use serde::Serialize;
use serde_json::value::RawValue;

use super::found::{Answer, Found};
use super::text::{reachable_at, sentence};
use super::unix::UnixAnswer;
use crate::diagnose::bind::unix::facts::printable;
use crate::diagnose::json::{self, document, gaps};
use crate::model::Gap;
use crate::model::system::SystemFacts;

/// The version of the documents' shape.
const SCHEMA: &str = "sockstat-reach/1";

#[derive(Serialize)]
struct Document<T> {
    schema: &'static str,
    gaps: Vec<Box<RawValue>>,
    answers: Vec<T>,
}

#[derive(Serialize)]
struct AnswerDocument {
    address: String,
    protocol: &'static str,
    verdict: &'static str,
    sentence: String,
    port: u16,
    pids: Vec<u32>,
    reachable_at: Vec<String>,
    tried: Option<bool>,
}

#[derive(Serialize)]
struct UnixDocument {
    path: String,
    verdict: &'static str,
    sentence: String,
}

/// Writes the document about addresses, ending in a newline.
pub fn render(answers: &[Answer], system: &SystemFacts, missing: &[Gap]) -> Vec<u8> {
    let answer = |one: &Answer| {
        let (pids, reachable_at) = match &one.found {
            Found::Here(here) => (
                here.owners.iter().map(|owner| owner.pid).collect(),
                reachable_at(here, one, system),
            ),
            Found::Away(_) => (Vec::new(), Vec::new()),
        };
        AnswerDocument {
            address: one.address.to_string(),
            protocol: one.protocol.name(),
            verdict: one.found.verdict().name(),
            sentence: json::sentence(&sentence(one, system)),
            port: one.port,
            pids,
            reachable_at,
            tried: one.tried.as_ref().map(|(made, _)| *made),
        }
    };
    document(&Document {
        schema: SCHEMA,
        gaps: gaps(missing),
        answers: answers.iter().map(answer).collect(),
    })
}

/// Writes the document about a unix socket, ending in a newline.
pub fn render_unix(name: &[u8], answer: &UnixAnswer, missing: &[Gap]) -> Vec<u8> {
    document(&Document {
        schema: SCHEMA,
        gaps: gaps(missing),
        answers: vec![UnixDocument {
            path: printable(name),
            verdict: answer.verdict.name(),
            sentence: json::sentence(&answer.sentence),
        }],
    })
}
