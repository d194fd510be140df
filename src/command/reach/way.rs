//! Predicts the path of a connection: routes, interfaces, neighbours, the packet filter, and connection tracking.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

use super::{address, steps};
use crate::command::read::network::Predictor;
use crate::command::read::opaque::Whose;
use crate::diagnose::path::filter::culprit::Passing;
use crate::diagnose::path::filter::journey::{Attempt, Client, Outcome};
use crate::diagnose::path::found::{Answer, Found, interface_of};
use crate::diagnose::path::judge::Reach;
use crate::diagnose::path::way::{Elsewhere, Way, by_rules, interface_name, unread_text};
use crate::model::gap::lacks_sockets;
use crate::model::network::{Link, Neighbour, RouteAnswer};
use crate::model::packet_filter::Unread;
use crate::model::request::OwnersBy;
use crate::model::system::SystemFacts;
use crate::model::{Protocol, Socket};
use crate::source::network;

/// The other inputs of a prediction.
pub(super) struct Circumstances<'a> {
    /// Why the rules were not read.
    pub(super) unread: Option<Unread>,
    /// Facts about the machine.
    pub(super) system: &'a SystemFacts,
    /// How owners are found.
    pub(super) by: OwnersBy,
    /// The neighbours on every link.
    pub(super) neighbours: Vec<Neighbour>,
}

/// The client that `--from` names: `ADDR` or `ADDR%IFACE`.
///
/// # Errors
/// A one-line message.
pub(super) fn client(text: &str, predictor: &Predictor<'_>) -> Result<Client, String> {
    let (address, interface) = match text.split_once('%') {
        Some((address, interface)) => (address, Some(interface)),
        None => (text, None),
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("invalid value '{text}' for '--from': expected ADDR or ADDR%IFACE"))?;
    if predictor.facts.is_local(address, None) {
        return Ok(Client::Here);
    }
    let links = &predictor.facts.links;
    let interface = match interface {
        Some(name) => {
            let named = |link: &&Link| *link.name == *name.as_bytes() || link.index.to_string() == name;
            links.iter().find(named).map(|link| link.index)
        }
        None => match network::route(&steps::to(address)) {
            RouteAnswer::Found(route) => Some(route.interface),
            RouteAnswer::Refused(_) | RouteAnswer::Unread => None,
        },
    };
    match interface {
        Some(interface) => Ok(Client::From { address, interface }),
        None => Err(format!(
            "no interface for '--from {text}': there is no route to it; name one as ADDR%IFACE"
        )),
    }
}

/// Predicts the path to the address of an answer, from the given client or, if there is none, from other machines.
pub(super) fn read(
    predictor: &mut Predictor<'_>,
    circumstances: &Circumstances<'_>,
    answer: &Answer,
    from: Option<Client>,
) -> Option<Way> {
    let address = answer.address.to_canonical();
    if address.is_multicast() || matches!(answer.found, Found::Unrecorded | Found::Special(_)) {
        return None;
    }
    let unknown = |because: &str| Way {
        unknown_because: vec![because.to_owned()],
        not_examined: circumstances.unread.map(unread_text),
        ..Way::default()
    };
    let client = from.unwrap_or(Client::Here);
    if let Client::From { address: from, .. } = client
        && from.is_ipv4() != address.is_ipv4()
    {
        return Some(unknown(
            "a client of the other address family, which cannot connect here",
        ));
    }
    let mut way = from_client(predictor, circumstances, answer, client);
    let is_own = matches!(answer.found, Found::Here(_));
    if from.is_none() && is_own && !address.is_loopback() && circumstances.unread.is_none() {
        way.elsewhere = elsewhere(predictor, circumstances, answer, &way);
    }
    Some(way)
}

/// The results for clients on each interface, where they differ from that of a client on this machine.
fn elsewhere(
    predictor: &mut Predictor<'_>,
    circumstances: &Circumstances<'_>,
    answer: &Answer,
    here: &Way,
) -> Vec<Elsewhere> {
    let v6 = answer.address.to_canonical().is_ipv6();
    let mut clients = predictor.clients(v6);
    if matches!(answer.address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
        // Only clients on the same link can reach a link-local address.
        let zone = zone_of(answer, circumstances);
        clients = zone
            .and_then(|zone| predictor.link_local_client(zone))
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    for (interface, _, address) in clients {
        let way = from_client(
            predictor,
            circumstances,
            answer,
            Client::From { address, interface },
        );
        if way.outcome != here.outcome || way.lands_at != here.lands_at {
            found.push(Elsewhere {
                interface: interface_name(&predictor.facts, interface),
                client: address,
                way: Box::new(way),
            });
        }
    }
    found
}

/// The interface of a link-local address.
fn zone_of(answer: &Answer, circumstances: &Circumstances<'_>) -> Option<u32> {
    let zone = answer.zone.as_ref().and_then(|zone| zone.index);
    zone.or_else(|| interface_of(SocketAddr::new(answer.address, answer.port), circumstances.system))
}

fn from_client(
    predictor: &mut Predictor<'_>,
    circumstances: &Circumstances<'_>,
    answer: &Answer,
    client: Client,
) -> Way {
    let is_tcp = answer.protocol == Protocol::Tcp;
    let asked = SocketAddr::new(answer.address.to_canonical(), answer.port);
    let attempt = Attempt {
        protocol: if is_tcp { 6 } else { 17 },
        client,
        server: asked,
        zone: match client {
            Client::From { interface, .. } => Some(interface),
            Client::Here => zone_of(answer, circumstances),
        },
    };
    let predictions = (
        predictor.predict(attempt, true),
        predictor.predict(attempt, false),
    );
    // The cgroup of the listener that the connection arrives at.
    let listener = Cell::new(None);
    let listens = |place: SocketAddr| {
        let elsewhere;
        let found = if place == asked {
            &answer.found
        } else {
            elsewhere = address::read(
                answer.protocol,
                place,
                Some(client),
                circumstances.system,
                circumstances.by,
            );
            &elsewhere
        };
        let Found::Here(here) = found else { return None };
        // A client on another interface may reach another listener.
        let is_bound = |socket: &Socket| socket.inet().is_some_and(|pair| pair.interface.is_some());
        let reach = if client != Client::Here && here.sockets.iter().any(is_bound) {
            let are_all = !lacks_sockets(&here.gaps);
            let system = circumstances.system;
            address::reach_of(
                answer.protocol,
                place,
                Some(client),
                &here.sockets,
                are_all,
                system,
            )
        } else {
            here.reach
        };
        match reach {
            Reach::Accepted(at) | Reach::QueueFull(at) => {
                listener.set(here.sockets.get(at).map(|socket| Whose::Server(socket.cgroup_id)));
                Some(true)
            }
            Reach::Refused(_) => Some(false),
            Reach::Unknown => None,
        }
    };
    let passing = Passing {
        protocol: if is_tcp { "tcp" } else { "udp" },
        to: asked,
        from: match client {
            Client::From { address, .. } => Some(address),
            Client::Here => None,
        },
    };
    let mut way = by_rules(
        predictor.filter,
        &predictor.facts,
        (&predictions.0, &predictions.1),
        asked,
        &listens,
        Some(passing),
    );
    if let Some(unread) = circumstances.unread {
        not_examined(&mut way, unread_text(unread), client);
    }
    steps::look_around(
        &mut way,
        predictor,
        &circumstances.neighbours,
        answer,
        attempt,
        listener.get(),
    );
    way
}

/// Without the rules, only a missing route on this machine is certain.
fn not_examined(way: &mut Way, why: &'static str, client: Client) {
    let is_certain = way.outcome == Some(Outcome::Unreachable) && client == Client::Here;
    let steps = std::mem::take(&mut way.steps);
    if !is_certain {
        *way = Way {
            steps,
            unknown_because: vec![format!("packet filters not examined ({why})")],
            ..Way::default()
        };
    }
    way.not_examined = Some(why);
}
