//! Finds who uses the same port number with another protocol: not a conflict, but often what people are looking for.

use super::{holders, snapshot};
use crate::model::request::OwnersBy;
use crate::model::{Protocol, State, StateSet};

/// How many owners are named.
const NAMED_MAX: usize = 2;

/// Returns a clause about the use of the port with another protocol: `5514/udp is in use by rsyslogd 812`.
pub fn clause(protocol: Protocol, port: u16, by: OwnersBy) -> Option<String> {
    let other = match protocol {
        Protocol::Tcp => (Protocol::Udp, State::Unconnected),
        Protocol::Udp => (Protocol::Tcp, State::Listen),
        _ => return None,
    };
    let others = [other, (Protocol::Dccp, State::Listen)];
    let clauses: Vec<String> = others
        .into_iter()
        .filter_map(|(other, state)| clause_about(other, state, port, by))
        .collect();
    (!clauses.is_empty()).then(|| clauses.join(", "))
}

fn clause_about(other: Protocol, state: State, port: u16, by: OwnersBy) -> Option<String> {
    let mut there = snapshot::read_states(other, port, port, StateSet::of(state));
    if there.existing.is_empty() {
        return None;
    }
    there.find_owners(by);
    let names = holders::names(&there, NAMED_MAX).join(" and ");
    Some(format!("{port}/{} is in use by {names}", other.name()))
}
