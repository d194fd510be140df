//! The outcome for a client that tries each address of a name in turn, as most TCP clients do.

use super::filter::journey::Outcome;
use super::found::Answer;
use super::judge::{PathVerdict, Reach};
use super::way::Way;

/// Whether a connection arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Unknown from here.
    Unknown,
}

/// Whether it arrives at one address. A trial takes precedence over a prediction.
pub fn at(answer: &Answer) -> Arrival {
    match &answer.tried {
        Some((true, _)) => Arrival::Yes,
        Some((false, _)) => Arrival::No,
        None => predicted(answer),
    }
}

/// Whether it is predicted to arrive at one address.
pub fn predicted(answer: &Answer) -> Arrival {
    let by_socket = by_socket(answer);
    answer
        .way
        .as_ref()
        .map_or(by_socket, |way| by_way(way, by_socket))
}

/// Decided by the path or, if that does not decide, by the socket.
fn by_way(way: &Way, by_socket: Arrival) -> Arrival {
    match way.outcome {
        Some(Outcome::Connected) => Arrival::Yes,
        Some(Outcome::HalfOpen | Outcome::Refused | Outcome::Unreachable | Outcome::Timeout) => Arrival::No,
        // If nothing listens, rules that were not read cannot change that.
        None if way.not_examined.is_some() && by_socket == Arrival::No => by_socket,
        Some(Outcome::Forwarded(_) | Outcome::Away) | None => Arrival::Unknown,
    }
}

/// Decided by the socket that accepts the connection.
fn by_socket(answer: &Answer) -> Arrival {
    match answer.found.verdict() {
        PathVerdict::Local(Reach::Accepted(_)) => Arrival::Yes,
        PathVerdict::AnotherMachine | PathVerdict::Local(Reach::Unknown) => Arrival::Unknown,
        PathVerdict::Special(special) if special.may_arrive(answer.protocol) => Arrival::Unknown,
        PathVerdict::Local(_) | PathVerdict::NoRoute | PathVerdict::Special(_) => Arrival::No,
    }
}

/// Whether it arrives at any of the addresses.
pub fn at_any(answers: &[Answer]) -> Arrival {
    let has = |arrival| answers.iter().any(|one| at(one) == arrival);
    match (has(Arrival::Yes), has(Arrival::Unknown)) {
        (true, _) => Arrival::Yes,
        (false, true) => Arrival::Unknown,
        (false, false) => Arrival::No,
    }
}

/// Whether a trial connection confirmed the prediction; also true if none was made.
pub fn is_as_predicted(answer: &Answer) -> bool {
    at(answer) == predicted(answer)
}
