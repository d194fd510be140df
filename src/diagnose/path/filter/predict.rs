//! Predicts what happens to a connection, by trying every possible answer to unknown facts.

use std::cell;
use std::collections::HashMap;

use super::connection::Connection;
use super::facts::Facts;
use super::index::Index;
use super::journey::{Attempt, Client, End, Outcome};
use super::oracle::{Oracle, Question, deciding};
use super::packet::{Packet, Port, TCP, Tracking};
use super::value::{Cell, Limits};
use super::walk::{REGISTERS, Stop, Walk};
use crate::model::network::RouteQuery;
use crate::model::packet_filter::PacketFilter;

/// The maximum number of runs.
const RUNS_MAX: usize = 96;
/// How many rules, expressions and elements all runs together may examine, which takes less than a second.
pub const BUDGET: u64 = 10_000_000;

/// A prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// The outcome, regardless of the unknown facts.
    Certain(End),
    /// It depends on the answers to these questions.
    Unknown(Vec<Question>),
}

/// Predicts a connection to a listener (`open`) or to a port without one, within a budget such as [`BUDGET`].
///
/// # Errors
/// A query that the routing table must answer before the prediction is repeated.
pub fn predict(
    facts: &Facts,
    filter: &PacketFilter,
    index: &Index<'_>,
    attempt: Attempt,
    open: bool,
    budget: u64,
) -> Result<Prediction, RouteQuery> {
    let budget = cell::Cell::new(budget);
    let mut runs: Vec<(Vec<(Question, bool)>, usize)> = Vec::new();
    let mut ends: Vec<Result<End, Question>> = Vec::new();
    let mut script = Some(Vec::new());
    let too_much = |about: &str| {
        vec![Question {
            about: about.to_owned(),
            rule: None,
        }]
    };
    while let Some(next) = script {
        if runs.len() >= RUNS_MAX {
            let mut questions = deciding(&runs);
            if questions.is_empty() {
                questions = too_much("more facts than can be tried in every combination");
            }
            return Ok(Prediction::Unknown(questions));
        }
        let mut walk = walk(facts, filter, index, attempt, Oracle::new(next), &budget);
        let end = match walk.journey(attempt, open) {
            Ok(end) => Ok(end),
            Err(Stop::Missing(query)) => return Err(query),
            Err(Stop::GiveUp(question)) => Err(question),
            Err(Stop::Exhausted) => {
                return Ok(Prediction::Unknown(too_much(Question::TOO_LONG)));
            }
        };
        script = walk.oracle.next_script();
        let same = |known: &Result<End, Question>| match (known, &end) {
            (Ok(one), Ok(other)) => (one.outcome, one.lands_at) == (other.outcome, other.lands_at),
            (one, other) => one == other,
        };
        let at = ends.iter().position(same).unwrap_or_else(|| {
            ends.push(end.clone());
            ends.len() - 1
        });
        runs.push((walk.oracle.asked, at));
    }
    if let [Ok(end)] = &*ends {
        return Ok(Prediction::Certain(*end));
    }
    let mut questions: Vec<Question> = ends.into_iter().filter_map(Result::err).collect();
    for question in deciding(&runs) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    Ok(Prediction::Unknown(questions))
}

fn walk<'a>(
    facts: &'a Facts,
    filter: &'a PacketFilter,
    index: &'a Index<'a>,
    attempt: Attempt,
    oracle: Oracle,
    budget: &'a cell::Cell<u64>,
) -> Walk<'a> {
    // Replaced by the connection of the first packet.
    let none = Packet {
        id: 0,
        v6: attempt.server.is_ipv6(),
        protocol: TCP,
        source: None,
        destination: None,
        source_port: Port::None,
        destination_port: Port::None,
        flags: 0,
        icmp: (0, 0),
        incoming: None,
        outgoing: None,
        mark: [Cell::known(0); 4],
        tracking: Tracking::NotSeen,
        is: Tracking::NotSeen,
        from_here: false,
    };
    Walk {
        facts,
        filter,
        index,
        oracle,
        connection: Connection::of(&none),
        zone: attempt.zone,
        limits: Limits {
            client_port: match attempt.client {
                Client::Here => facts.local_ports,
                Client::From { .. } => (1024, u16::MAX),
            },
        },
        registers: [Cell::known(0); REGISTERS],
        at: None,
        budget,
        words: HashMap::new(),
        changed: Vec::new(),
    }
}

impl Outcome {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected | Self::HalfOpen => "connected",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Forwarded(_) => "forwarded",
            Self::Away => "unknown",
        }
    }
}
