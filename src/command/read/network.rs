//! Reads what a prediction of a connection's way needs, and predicts.

use std::collections::BTreeMap;

use crate::diagnose::path::filter::facts::Facts;
use crate::diagnose::path::filter::index::Index;
use crate::diagnose::path::filter::journey::Attempt;
use crate::diagnose::path::filter::oracle::Question;
use crate::diagnose::path::filter::predict::{Prediction, predict};
use crate::model::packet_filter::PacketFilter;
use crate::model::system::SystemFacts;
use crate::source::network;

/// How many questions to the routing table one prediction may need.
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

/// Predicts by one reading of the rules.
#[derive(Debug)]
pub struct Predictor<'a> {
    /// The rules.
    pub filter: &'a PacketFilter,
    /// What else is known.
    pub facts: Facts,
    index: Index<'a>,
}

impl<'a> Predictor<'a> {
    /// A predictor by these rules.
    pub fn new(filter: &'a PacketFilter, facts: Facts) -> Self {
        Self {
            filter,
            facts,
            index: Index::new(filter),
        }
    }

    /// Predicts a connection to a listener, or to a port without one. Asks the routing table what it needs.
    pub fn predict(&mut self, attempt: Attempt, open: bool) -> Prediction {
        for _ in 0..ROUTES_MAX {
            match predict(&self.facts, self.filter, &self.index, attempt, open) {
                Ok(prediction) => return prediction,
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
