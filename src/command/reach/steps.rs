//! The steps of a path besides the packet filter: the route, the interface, the neighbour, and connection tracking.

use std::net::IpAddr;

use crate::command::read::network::Predictor;
use crate::command::read::opaque::Whose;
use crate::diagnose::path::filter::journey::{Attempt, Client, Outcome};
use crate::diagnose::path::found::{Answer, Found};
use crate::diagnose::path::judge::Reach;
use crate::diagnose::path::opaque::Reason;
use crate::diagnose::path::way::{Step, Way, interface_name};
use crate::model::Protocol;
use crate::model::network::{Link, Neighbour, Route, RouteAnswer, RouteQuery};
use crate::source::{disk, network};

/// The query for the route of a packet from this machine.
pub(super) fn to(destination: IpAddr) -> RouteQuery {
    RouteQuery {
        destination,
        source: None,
        incoming: None,
        outgoing: None,
        mark: 0,
        protocol: 0,
        port: 0,
    }
}

/// Adds the steps besides the packet filter.
pub(super) fn look_around(
    way: &mut Way,
    predictor: &mut Predictor<'_>,
    neighbours: &[Neighbour],
    answer: &Answer,
    attempt: Attempt,
    listener: Option<Whose>,
) {
    let client = attempt.client;
    let address = answer.address.to_canonical();
    // First, because other steps may make the outcome unknown.
    let rules = filter_step(way, predictor);
    let (route, interface) = match client {
        Client::From { interface, .. } => (None, Some(interface)),
        Client::Here => {
            let route = network::route(&RouteQuery {
                protocol: if answer.protocol == Protocol::Tcp { 6 } else { 17 },
                port: answer.port,
                outgoing: Attempt::outgoing(attempt.zone, address),
                ..to(address)
            });
            let interface = match route {
                RouteAnswer::Found(route) => Some(route.interface),
                RouteAnswer::Refused(_) | RouteAnswer::Unread => None,
            };
            (Some(route), interface)
        }
    };
    if let Some(route) = route {
        way.steps.push(route_step(predictor, route));
    }
    let link = interface.and_then(|interface| predictor.facts.link(interface));
    if let Some(link) = link {
        let link = link.clone();
        interface_steps(way, predictor, &link, client != Client::Here);
    }
    let next = match (client, route) {
        (Client::From { address, .. }, _) => Some(address),
        (Client::Here, Some(RouteAnswer::Found(route))) if route.kind != Route::LOCAL => {
            Some(route.gateway.unwrap_or(address))
        }
        _ => None,
    };
    if let Some(next) = next {
        neighbour_step(way, neighbours, next, interface);
    }
    way.steps.push(rules);
    program_step(way, predictor, attempt, listener);
    if let Found::Here(here) = &answer.found {
        let ok = match here.reach {
            Reach::Accepted(_) => Some(true),
            Reach::QueueFull(_) | Reach::Refused(_) => Some(false),
            Reach::Unknown => None,
        };
        way.steps.push(Step {
            step: "listener",
            ok,
            sentence: here.reach.name().to_owned(),
        });
        if matches!(here.reach, Reach::QueueFull(_))
            && way.outcome == Some(Outcome::Connected)
            && way.lands_at.is_none()
        {
            way.outcome = Some(Outcome::Timeout);
        }
    }
    tracking_step(way);
}

fn route_step(predictor: &Predictor<'_>, route: RouteAnswer) -> Step {
    let (ok, sentence) = match route {
        RouteAnswer::Found(route) => {
            let by = interface_name(&predictor.facts, route.interface);
            let source = route
                .source
                .map_or_else(String::new, |source| format!(" from {source}"));
            let via = route
                .gateway
                .map_or_else(String::new, |gateway| format!(" via {gateway}"));
            let kind = if route.kind == Route::LOCAL { "local, " } else { "" };
            (Some(true), format!("{kind}by {by}{via}{source}"))
        }
        RouteAnswer::Refused(errno) => {
            let why = match errno {
                13 => "prohibited (EACCES)",
                22 => "blackhole route, or an invalid source address (EINVAL)",
                101 => "no route (ENETUNREACH)",
                113 => "unreachable (EHOSTUNREACH)",
                _ => "refused",
            };
            (Some(false), why.to_owned())
        }
        RouteAnswer::Unread => (None, "the routing table could not be read".to_owned()),
    };
    Step {
        step: "route",
        ok,
        sentence,
    }
}

/// Whether the interface is up.
fn interface_steps(way: &mut Way, predictor: &Predictor<'_>, link: &Link, is_from_there: bool) {
    let name = interface_name(&predictor.facts, link.index);
    let trouble = if link.flags & Link::UP == 0 {
        Some("is down")
    } else if link.flags & Link::LOWER_UP == 0 {
        Some("has no carrier")
    } else {
        None
    };
    if let Some(trouble) = trouble {
        let sentence = format!("{name} {trouble}");
        let is_answered =
            |outcome| matches!(outcome, Outcome::Connected | Outcome::HalfOpen | Outcome::Refused);
        if is_from_there || way.outcome.is_none_or(is_answered) {
            way.outcome = Some(Outcome::Timeout);
            way.stopped = Some(format!("because {sentence}"));
            way.culprit = None;
            way.unknown_because.clear();
        }
        way.steps.push(Step {
            step: "interface",
            ok: Some(false),
            sentence,
        });
        return;
    }
    way.steps.push(Step {
        step: "interface",
        ok: Some(true),
        sentence: format!("{name} is up"),
    });
}

/// Programs and policies that handle packets besides the rules. If there are any, the outcome is unknown.
fn program_step(way: &mut Way, predictor: &mut Predictor<'_>, attempt: Attempt, listener: Option<Whose>) {
    let reasons = predictor.unpredictable(attempt, listener);
    if reasons.is_empty() {
        way.steps.push(Step {
            step: "program",
            ok: Some(true),
            sentence: "no XDP, tc or BPF program, IPsec policy, VRF or bridge rules".to_owned(),
        });
    }
    // An interface that is down stops every packet, whatever else handles them.
    let is_down = way
        .steps
        .iter()
        .any(|step| step.step == "interface" && step.ok == Some(false));
    for Reason { about, seen } in reasons {
        way.steps.push(Step {
            step: "program",
            ok: None,
            sentence: about.clone(),
        });
        // If the rules could not be read for lack of privilege, programs cannot be listed either; this is reported only
        // once.
        let is_said = !seen && way.not_examined.is_some();
        if !is_down && !is_said {
            way.outcome = None;
            (way.if_open, way.if_closed) = (None, None);
            way.lands_at = None;
            way.stopped = None;
            way.culprit = None;
            way.unknown_because.push(about);
        }
    }
}

fn neighbour_step(way: &mut Way, neighbours: &[Neighbour], next: IpAddr, interface: Option<u32>) {
    let is_it = |one: &&Neighbour| {
        one.address == next && interface.is_none_or(|interface| one.interface == interface)
    };
    let Some(neighbour) = neighbours.iter().find(is_it) else {
        return;
    };
    let silent = neighbour.state & (Neighbour::FAILED | Neighbour::INCOMPLETE) != 0;
    way.steps.push(Step {
        step: "neighbour",
        ok: Some(!silent),
        sentence: if silent {
            format!("{next} did not answer the last ARP or NDP request")
        } else {
            format!("{next} is known")
        },
    });
    if silent && way.outcome.is_none_or(|outcome| outcome == Outcome::Connected) {
        way.outcome = None;
        way.unknown_because.push(format!(
            "its neighbour {next}, which did not answer the last ARP or NDP request"
        ));
    }
}

fn filter_step(way: &Way, predictor: &Predictor<'_>) -> Step {
    let (ok, sentence) = match (way.not_examined, &way.culprit, way.unknown_because.first()) {
        (Some(why), ..) => (None, format!("not examined ({why})")),
        (None, Some(culprit), _) => (Some(false), culprit.line()),
        (None, None, Some(because)) => (None, format!("it depends on {because}")),
        (None, None, None) if predictor.filter.is_empty() => (Some(true), "no rules".to_owned()),
        (None, None, None) => match (way.lands_at, way.forwarded_to()) {
            (Some(place), _) => (Some(true), format!("rules redirect it to {place}")),
            (None, Some(place)) => (Some(true), format!("rules send it to {place}")),
            (None, None) => (Some(true), "no rule stops it".to_owned()),
        },
    };
    Step {
        step: "packet filter",
        ok,
        sentence,
    }
}

/// Whether connection tracking has room.
fn tracking_step(way: &mut Way) {
    let number = |name: &str| -> Option<u64> {
        let text = disk::read_to_string(format!("/proc/sys/net/netfilter/nf_conntrack_{name}")).ok()?;
        text.trim().parse().ok()
    };
    let (Some(count), Some(most)) = (number("count"), number("max")) else {
        return;
    };
    // 0 is no limit.
    let is_full = most != 0 && count >= most;
    way.steps.push(Step {
        step: "conntrack",
        ok: Some(!is_full),
        sentence: format!("{count} of {most} entries"),
    });
    if is_full && way.outcome == Some(Outcome::Connected) {
        way.outcome = None;
        way.unknown_because.push(format!(
            "room in the connection tracking table, which is full ({count}): new connections are dropped"
        ));
    }
}
