//! What the path of a connection adds to an answer: the result of connect(), the steps, and what stops it.

use std::net::SocketAddr;

use super::filter::culprit::{Culprit, Passing, name};
use super::filter::facts::Facts;
use super::filter::journey::{Cause, End, Leg, Outcome};
use super::filter::oracle::Question;
use super::filter::predict::Prediction;
use crate::model::packet_filter::{PacketFilter, Unread};
use crate::render::escape;

/// What is known about a connection's path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The result of connect().
    pub outcome: Option<Outcome>,
    /// The result if something listens where the connection arrives.
    pub if_open: Option<Outcome>,
    /// The result if nothing listens there.
    pub if_closed: Option<Outcome>,
    /// Where on this machine the connection arrives, if rules redirect it.
    pub lands_at: Option<SocketAddr>,
    /// What stops it, in words: `dropped by …`.
    pub stopped: Option<String>,
    /// The rule or policy that stops it.
    pub culprit: Option<Culprit>,
    /// Why the outcome is unknown.
    pub unknown_because: Vec<String>,
    /// Why the packet filters were not examined.
    pub not_examined: Option<&'static str>,
    /// The steps that were examined, in order.
    pub steps: Vec<Step>,
    /// The result for other clients, where it differs.
    pub elsewhere: Vec<Elsewhere>,
}

/// A step of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// Whether it lets the connection pass; `None` if that is unknown.
    pub ok: Option<bool>,
    /// What was seen.
    pub sentence: String,
}

/// The result for clients that arrive on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The interface's name.
    pub interface: String,
    /// The client that was assumed.
    pub client: std::net::IpAddr,
    /// Their path.
    pub way: Box<Way>,
}

/// Whether something listens at an address of this machine, if that is known.
pub type Listens<'a> = &'a dyn Fn(SocketAddr) -> Option<bool>;

/// What the packet filter does to a connection.
pub fn by_rules(
    filter: &PacketFilter,
    facts: &Facts,
    (open, closed): (&Prediction, &Prediction),
    asked: SocketAddr,
    listens: Listens<'_>,
    passing: Option<Passing>,
) -> Way {
    let outcome = |prediction: &Prediction| match prediction {
        Prediction::Certain(end) => Some(end.outcome),
        Prediction::Unknown(_) => None,
    };
    let mut way = Way {
        if_open: outcome(open),
        if_closed: outcome(closed),
        ..Way::default()
    };
    let end = match (open, closed) {
        (Prediction::Certain(open), Prediction::Certain(closed)) => {
            if (open.outcome, open.lands_at) == (closed.outcome, closed.lands_at) {
                Some(*open)
            } else {
                let place = open.lands_at.or(closed.lands_at);
                place
                    .and_then(listens)
                    .map(|listens| if listens { *open } else { *closed })
            }
        }
        _ => None,
    };
    if let Some(end) = end {
        way.outcome = Some(end.outcome);
        way.lands_at = end.lands_at.filter(|place| *place != asked);
        way.stopped = end.stopped.map(|(leg, cause)| cause_text(filter, leg, cause));
        way.culprit = end
            .stopped
            .and_then(|(leg, cause)| culprit(filter, end, leg, cause, asked, passing));
        return way;
    }
    let questions = |prediction: &Prediction| match prediction {
        Prediction::Unknown(questions) => questions.clone(),
        Prediction::Certain(_) => Vec::new(),
    };
    for question in questions(open).into_iter().chain(questions(closed)) {
        let text = question_text(filter, &question);
        if !way.unknown_because.contains(&text) {
            way.unknown_because.push(text);
        }
    }
    let _ = facts;
    way
}

fn culprit(
    filter: &PacketFilter,
    end: End,
    leg: Leg,
    cause: Cause,
    asked: SocketAddr,
    passing: Option<Passing>,
) -> Option<Culprit> {
    let Cause::Rule(place, _) = cause else { return None };
    // Only a rule that stops the first packet on its way in has a certain cure: to accept the port there.
    let passing = passing.filter(|_| leg == Leg::Request).map(|passing| Passing {
        to: end.lands_at.unwrap_or(asked),
        ..passing
    });
    let named = name(filter, place, passing)?;
    let harmless = named.hook.is_none_or(|hook| hook == "input");
    Some(Culprit {
        cure: named.cure.clone().filter(|_| harmless),
        ..named
    })
}

/// Which packet was stopped, and by what.
pub fn cause_text(filter: &PacketFilter, leg: Leg, cause: Cause) -> String {
    let which = match leg {
        Leg::Request => "",
        Leg::Answer => "it arrives, but the answer is ",
        Leg::Error => "it is refused, but the error is ",
        Leg::Acknowledgement => "connect() succeeds, but the last packet of the handshake is ",
    };
    let (how, by) = match cause {
        Cause::Rule(place, refusal) => {
            let how = if refusal.is_some() { "rejected" } else { "dropped" };
            let by = name(filter, place, None).map_or_else(|| "a rule".to_owned(), |culprit| culprit.line());
            (how, by)
        }
        Cause::Route(errno) | Cause::Rerouted(errno) => ("stopped", route_text(errno).to_owned()),
        Cause::LoopbackSource => (
            "lost",
            "leaving this machine with a loopback source address".to_owned(),
        ),
    };
    format!("{which}{how} by {by}")
}

/// An errno of the routing table, in words (linux 6.18 net/ipv4/route.c, net/ipv6/route.c).
fn route_text(errno: i32) -> &'static str {
    match errno {
        0 => "the return route: the answer goes elsewhere",
        13 => "a route of type prohibit",
        22 => {
            "the routing table: a blackhole route, or a source address that is not accepted on that interface (rp_filter)"
        }
        101 => "the routing table: no route",
        113 => "the routing table: unreachable, or this machine does not forward",
        _ => "the routing table",
    }
}

/// The text of a question, with the rule that it is about.
fn question_text(filter: &PacketFilter, question: &Question) -> String {
    let rule = question.rule.and_then(|place| name(filter, place, None));
    match rule {
        Some(rule) => format!("{} ({})", question.about, rule.line()),
        None => question.about.clone(),
    }
}

/// Why rules were not read, in words.
pub const fn unread_text(unread: Unread) -> &'static str {
    match unread {
        Unread::NeedsNetAdmin => "needs CAP_NET_ADMIN",
        Unread::Changing => "they changed during every attempt to read them",
        Unread::TooLarge => "there are more than 200,000 rules",
        Unread::Failed(_) => "the kernel refused to list them",
        Unread::NotRecorded => "not in the recording",
    }
}

impl Way {
    /// The word for the outcome in JSON.
    pub fn outcome_name(&self) -> &'static str {
        self.outcome.map_or("unknown", Outcome::name)
    }

    /// Whether the client gets no answer.
    pub fn times_out(&self) -> bool {
        self.outcome == Some(Outcome::Timeout)
    }

    /// The place on another machine to which rules send the connection.
    pub fn forwarded_to(&self) -> Option<SocketAddr> {
        match self.outcome {
            Some(Outcome::Forwarded(to)) => Some(to),
            _ => None,
        }
    }

    /// The result for a client on another machine, in words.
    pub fn short(&self) -> String {
        let stopped = self
            .stopped
            .as_ref()
            .map_or_else(String::new, |stopped| format!(": {stopped}"));
        match self.outcome {
            Some(Outcome::Connected) => "it would connect".to_owned(),
            Some(Outcome::HalfOpen) => format!("it would hang half open{stopped}"),
            Some(Outcome::Refused) => format!("refused{stopped}"),
            Some(Outcome::Unreachable) => format!("unreachable{stopped}"),
            Some(Outcome::Timeout) => format!("it would time out{stopped}"),
            Some(Outcome::Forwarded(to)) => format!("rules send it to {to}"),
            Some(Outcome::Away) | None => match (self.not_examined, self.unknown_because.first()) {
                (Some(why), _) => format!("unknown, packet filters not examined ({why})"),
                (None, Some(because)) => format!("unknown: it depends on {because}"),
                (None, None) => "unknown".to_owned(),
            },
        }
    }
}

/// The name of an interface, for text.
pub fn interface_name(facts: &Facts, index: u32) -> String {
    escape::text(&facts.name_of(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_names_the_packet_and_what_stopped_it() {
        let text = |leg, cause| cause_text(&PacketFilter::default(), leg, cause);
        assert_eq!(
            text(Leg::Request, Cause::Route(101)),
            "stopped by the routing table: no route"
        );
        assert_eq!(
            text(Leg::Answer, Cause::LoopbackSource),
            "it arrives, but the answer is lost by leaving this machine with a loopback source address"
        );
        let refused = text(Leg::Error, Cause::Rerouted(13));
        assert!(refused.starts_with("it is refused, but the error is stopped by a route of type prohibit"));
        let last = text(Leg::Acknowledgement, Cause::Route(0));
        assert!(
            last.starts_with("connect() succeeds, but the last packet"),
            "{last}"
        );
    }
}
