//! The findings about addresses and names, as JSON, `sockstat-reach/1`. Within the version keys are only ever
//! added.

use std::net::SocketAddr;

use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{self, Arrival};
use super::filter::culprit::Culprit;
use super::filter::journey::Outcome;
use super::found::{Answer, Found};
use super::text::{headline, reachable_at, sentence};
use super::unix::{UnixAnswer, UnixReach};
use crate::diagnose::bind::unix::facts::printable;
use crate::diagnose::json::{self, document, gaps};
use crate::diagnose::stopped::Stopped;
use crate::model::Gap;
use crate::model::system::SystemFacts;

/// The schema version.
const SCHEMA: &str = "sockstat-reach/1";

#[derive(Serialize)]
struct Document<T> {
    schema: &'static str,
    gaps: Vec<Box<RawValue>>,
    /// Whether a client that tries each address in turn connects; null if this cannot be determined from here.
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
    /// The pids of stopped holders.
    stopped: Vec<u32>,
    reachable_at: Vec<String>,
    tried: Option<bool>,
    interface: Option<String>,
    outcome: &'static str,
    forwarded_to: Option<String>,
    outcome_if_open: Option<&'static str>,
    outcome_if_closed: Option<&'static str>,
    steps: Vec<StepDocument>,
    culprit: Option<CulpritDocument>,
    unknown_because: Vec<String>,
    elsewhere: Vec<ElsewhereDocument>,
}

#[derive(Serialize)]
struct StepDocument {
    step: &'static str,
    ok: Option<bool>,
    sentence: String,
}

#[derive(Serialize)]
struct CulpritDocument {
    family: &'static str,
    table: String,
    chain: String,
    hook: Option<&'static str>,
    handle: Option<u64>,
    rule: String,
    show: Option<String>,
}

/// The result for clients that arrive on one interface.
#[derive(Serialize)]
struct ElsewhereDocument {
    interface: String,
    client: String,
    outcome: &'static str,
    culprit: Option<CulpritDocument>,
    unknown_because: Vec<String>,
}

impl From<&Culprit> for CulpritDocument {
    fn from(culprit: &Culprit) -> Self {
        Self {
            family: culprit.family,
            table: json::sentence(&culprit.table),
            chain: json::sentence(&culprit.chain),
            hook: culprit.hook,
            handle: culprit.handle,
            rule: json::sentence(&culprit.rule),
            show: culprit.show.clone(),
        }
    }
}

/// An address and its port, IPv6 without brackets.
fn place(to: SocketAddr) -> String {
    format!("{}:{}", to.ip(), to.port())
}

fn sentences(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| json::sentence(text)).collect()
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
        let way = one.way.clone().unwrap_or_default();
        AnswerDocument {
            address: one.address.to_string(),
            protocol: one.protocol.name(),
            verdict: one.found.verdict().name(),
            sentence: json::sentence(&sentence(one, system)),
            port: one.port,
            pids,
            stopped: match &one.found {
                Found::Here(here) => here.stopped.as_ref().map(Stopped::pids).unwrap_or_default(),
                Found::Away(_) | Found::Special(_) | Found::Unrecorded => Vec::new(),
            },
            reachable_at,
            tried: one.tried.as_ref().map(|(made, _)| *made),
            interface: one.zone.as_ref().map(|zone| zone.name.to_string()),
            outcome: way.outcome_name(),
            forwarded_to: way.forwarded_to().map(place),
            outcome_if_open: way.if_open.map(Outcome::name),
            outcome_if_closed: way.if_closed.map(Outcome::name),
            steps: way
                .steps
                .iter()
                .map(|one| StepDocument {
                    step: one.step,
                    ok: one.ok,
                    sentence: json::sentence(&one.sentence),
                })
                .collect(),
            culprit: way.culprit.as_ref().map(CulpritDocument::from),
            unknown_because: sentences(&way.unknown_because),
            elsewhere: way
                .elsewhere
                .iter()
                .map(|one| ElsewhereDocument {
                    interface: json::sentence(&one.interface),
                    client: one.client.to_string(),
                    outcome: one.way.outcome_name(),
                    culprit: one.way.culprit.as_ref().map(CulpritDocument::from),
                    unknown_because: sentences(&one.way.unknown_because),
                })
                .collect(),
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
