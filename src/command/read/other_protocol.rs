//! Who has the same port number with the other protocol (TCP or UDP): not a conflict, but often what people look for.

use super::{holders, snapshot};
use crate::model::request::OwnersBy;
use crate::model::{Protocol, State, StateSet};

/// How many owners are named.
const NAMED_MAX: usize = 2;

/// Says who waits on the port with the other protocol, as a clause: `5514/udp is in use by rsyslogd 812`.
pub fn clause(protocol: Protocol, port: u16, by: OwnersBy) -> Option<String> {
    let (other, state) = match protocol {
        Protocol::Tcp => (Protocol::Udp, State::Unconnected),
        Protocol::Udp => (Protocol::Tcp, State::Listen),
        _ => return None,
    };
    let mut there = snapshot::read_states(other, port, port, StateSet::of(state));
    if there.existing.is_empty() {
        return None;
    }
    there.find_owners(by);
    let names = holders::names(&there, NAMED_MAX).join(" and ");
    Some(format!("{port}/{} is in use by {names}", other.name()))
}
