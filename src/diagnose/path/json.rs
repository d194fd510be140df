//! What was found out about addresses and names, as JSON, `sockstat-reach/1`. Within the version keys are only ever
//! added.

use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{self, Arrival};
use super::found::{Answer, Found};
use super::text::{headline, reachable_at, sentence};
use super::unix::{UnixAnswer, UnixReach};
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
    /// Whether a client that tries each address in turn connects; null if that cannot be known from here.
    connects: Option<bool>,
    sentence: String,
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
    interface: Option<String>,
}

#[derive(Serialize)]
struct UnixDocument {
    path: String,
    verdict: &'static str,
    sentence: String,
}

/// Writes the document about addresses, ending in a newline. `host` is what was typed, `None` for this machine.
pub fn render(answers: &[Answer], host: Option<&str>, system: &SystemFacts, missing: &[Gap]) -> Vec<u8> {
    let answer = |one: &Answer| {
        let (pids, reachable_at) = match &one.found {
            Found::Here(here) => (
                here.owners.iter().map(|owner| owner.pid).collect(),
                reachable_at(here, one.port, answers, system),
            ),
            Found::Away(_) | Found::Special(_) | Found::Unrecorded => (Vec::new(), Vec::new()),
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
            interface: one.zone.as_ref().map(|zone| zone.name.to_string()),
        }
    };
    document(&Document {
        schema: SCHEMA,
        gaps: gaps(missing),
        connects: match client::at_any(answers) {
            Arrival::Yes => Some(true),
            Arrival::No => Some(false),
            Arrival::Unknown => None,
        },
        sentence: json::sentence(&headline(answers, host, system)),
        answers: answers.iter().map(answer).collect(),
    })
}

/// Writes the document about a unix socket, ending in a newline.
pub fn render_unix(name: &[u8], answer: &UnixAnswer, missing: &[Gap]) -> Vec<u8> {
    document(&Document {
        schema: SCHEMA,
        gaps: gaps(missing),
        connects: match answer.verdict {
            UnixReach::Accepted => Some(true),
            UnixReach::Unseen => None,
            _ => Some(false),
        },
        sentence: json::sentence(&answer.sentence),
        answers: vec![UnixDocument {
            path: printable(name),
            verdict: answer.verdict.name(),
            sentence: json::sentence(&answer.sentence),
        }],
    })
}
