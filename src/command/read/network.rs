//! Reads what is needed to predict the path of a connection, and predicts it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::opaque::{Opaque, Whose};
use crate::diagnose::path::filter::facts::Facts;
use crate::diagnose::path::filter::index::Index;
use crate::diagnose::path::filter::journey::{Attempt, Client};
use crate::diagnose::path::filter::oracle::Question;
use crate::diagnose::path::filter::predict::{BUDGET, Prediction, predict};
use crate::diagnose::path::opaque::{Passed, Reason};
use crate::model::network::{Link, LinkAddress, RouteAnswer, RouteQuery};
use crate::model::packet_filter::PacketFilter;
use crate::model::system::SystemFacts;
use crate::source::network;

/// The most routing table queries that one prediction may make.
const ROUTES_MAX: usize = 200;

/// Reads interfaces and addresses.
pub fn facts(system: &SystemFacts) -> Facts {
    let ports = &system.local_port_range;
    Facts {
        links: network::links().unwrap_or_default(),
        addresses: network::addresses().unwrap_or_default(),
        routes: BTreeMap::new(),
        local_ports: (*ports.start(), *ports.end()),
    }
}

/// Predicts paths from rules that were read once.
#[derive(Debug)]
pub struct Predictor<'a> {
    /// The rules.
    pub filter: &'a PacketFilter,
    /// The other facts about the network.
    pub facts: Facts,
    index: Index<'a>,
    opaque: Opaque,
    /// The number of steps that each further prediction may take.
    budget: u64,
}

impl<'a> Predictor<'a> {
    /// Creates a predictor with these rules.
    pub fn new(filter: &'a PacketFilter, facts: Facts) -> Self {
        Self {
            filter,
            facts,
            index: Index::new(filter),
            opaque: Opaque::default(),
            budget: BUDGET,
        }
    }

    /// What makes an attempt unpredictable besides the rules: for its packets, and for the cgroup of the listener that
    /// it arrives at, if it does.
    pub fn unpredictable(&mut self, attempt: Attempt, listener: Option<Whose>) -> Vec<Reason> {
        let server = attempt.server.ip();
        let (client, incoming) = match attempt.client {
            Client::Here => (None, None),
            Client::From { address, interface } => (Some(address), Some(interface)),
        };
        // The path to the server for a client on this machine, the path back for a client on another.
        let query = RouteQuery {
            destination: client.unwrap_or(server),
            source: client.map(|_| server),
            incoming: None,
            outgoing: Attempt::outgoing(attempt.zone, client.unwrap_or(server)),
            mark: 0,
            protocol: 0,
            port: 0,
        };
        let route = *self
            .facts
            .routes
            .entry(query)
            .or_insert_with(|| network::route(&query));
        let outgoing = match route {
            RouteAnswer::Found(route) => Some((route.interface, client.or(route.source))),
            RouteAnswer::Refused(_) | RouteAnswer::Unread => None,
        };
        let incoming = incoming.map(|interface| (interface, client));
        let passed: Vec<Passed> = incoming
            .into_iter()
            .chain(outgoing)
            .map(|(interface, client)| Passed {
                interface,
                ends: (client, server),
            })
            .collect();
        let mut reasons = self.opaque.on_way(&self.facts, self.filter, &passed);
        if attempt.client == Client::Here {
            reasons.extend(self.opaque.of_cgroup(Whose::OwnClient));
        }
        reasons.extend(listener.and_then(|listener| self.opaque.of_cgroup(listener)));
        if self.facts.is_local(server, None) {
            reasons.extend(self.opaque.of_lookup());
        }
        reasons
    }

    /// Possible clients on other machines, of one address family: for each interface that is up and has an address, its
    /// index, its own address, and another address of the same network.
    pub fn clients(&self, v6: bool) -> Vec<(u32, IpAddr, IpAddr)> {
        let usable = |link: &&Link| !link.is_loopback() && link.flags & Link::UP != 0;
        let links = self.facts.links.iter().filter(usable);
        let of_link = |link: &Link| {
            let mut own = self
                .facts
                .addresses_of(link.index, v6)
                .filter(|one| one.scope == 0);
            own.find_map(|one| Some((link.index, one.address, neighbour_of(one)?)))
        };
        links.filter_map(of_link).collect()
    }

    /// A possible client with a link-local address on an interface, in the form of [`Predictor::clients`].
    pub fn link_local_client(&self, interface: u32) -> Option<(u32, IpAddr, IpAddr)> {
        let is_link_local =
            |own: &&LinkAddress| matches!(own.address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let own = self.facts.addresses_of(interface, true).find(is_link_local)?;
        Some((interface, own.address, neighbour_of(own)?))
    }

    /// Predicts a connection to a listener, or to a port without one. Queries the routing table as needed.
    pub fn predict(&mut self, attempt: Attempt, open: bool) -> Prediction {
        for _ in 0..ROUTES_MAX {
            match predict(&self.facts, self.filter, &self.index, attempt, open, self.budget) {
                Ok(prediction) => {
                    // If one prediction took too long, the others probably would too, so they get less time.
                    if matches!(&prediction, Prediction::Unknown(questions) if questions.iter().any(Question::is_limit))
                    {
                        self.budget = self.budget.min(BUDGET / 100);
                    }
                    return prediction;
                }
                Err(query) => {
                    self.facts.routes.insert(query, network::route(&query));
                }
            }
        }
        Prediction::Unknown(vec![Question {
            about: "more routes than can be followed".to_owned(),
            rule: None,
        }])
    }
}

/// Another address of the same network.
fn neighbour_of(own: &LinkAddress) -> Option<IpAddr> {
    match own.address {
        IpAddr::V4(v4) if own.prefix < 31 => {
            let host_bits = u32::MAX.checked_shr(u32::from(own.prefix)).unwrap_or(0);
            let network = v4.to_bits() & !host_bits;
            let candidates = [1, 2].map(|host| Ipv4Addr::from_bits(network | host));
            candidates
                .into_iter()
                .find(|candidate| *candidate != v4)
                .map(IpAddr::V4)
        }
        IpAddr::V6(v6) if own.prefix < 127 => {
            let host_bits = u128::MAX.checked_shr(u32::from(own.prefix)).unwrap_or(0);
            let network = v6.to_bits() & !host_bits;
            let candidates = [1, 2].map(|host| Ipv6Addr::from_bits(network | host));
            candidates
                .into_iter()
                .find(|candidate| *candidate != v6)
                .map(IpAddr::V6)
        }
        _ => None,
    }
}
