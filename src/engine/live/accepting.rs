//! Which ports have listeners that the filter leaves out: only listeners tell which side of a connection accepted it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::Scope;
use super::recorded::has_any;
use crate::engine::{Request, namespaces};
use crate::model::request::Dump;
use crate::model::{GapLevel, Protocol, Socket, State, StateSet, Store};
use crate::query::Expr;
use crate::source::proc::ProcRoot;
use crate::source::tape;

/// Ports on which something accepts connections.
pub type Accepting = BTreeSet<(Protocol, u16)>;

/// Whether a look has to read the listeners besides: it reads connections, but what is selected may leave out listeners.
pub(super) fn are_read_besides(scope: Scope, filter: Option<&Expr>, dumps: &[Dump]) -> bool {
    let has_listeners = |dump: &Dump| dump.states.contains(State::Listen) || !dump.protocol.is_tcp();
    scope == Scope::All && (filter.is_some() || !dumps.iter().all(has_listeners))
}

/// Adds the port of a listener.
pub(super) fn note(accepting: &mut Accepting, socket: &Socket) {
    if socket.is_listener()
        && let Some(pair) = socket.inet()
    {
        accepting.insert((socket.protocol, pair.local_port));
    }
}

/// Reads all listeners of the protocols that are requested. Returns whether that worked. A recording may lack protocols;
/// of these there are no connections among `sockets` either.
pub(super) fn read(request: &Request, root: &ProcRoot, sockets: &Store, accepting: &mut Accepting) -> bool {
    let mut protocols: Vec<Protocol> = Vec::new();
    let is_there = |protocol| !tape::is_replaying() || has_any(sockets, protocol);
    for dump in &request.dumps {
        if dump.protocol.is_tcp() && !protocols.contains(&dump.protocol) && is_there(dump.protocol) {
            protocols.push(dump.protocol);
        }
    }
    let listening = |protocol| Dump::new(protocol, StateSet::of(State::Listen));
    let dumps: Vec<Dump> = protocols.into_iter().map(listening).collect();
    if dumps.is_empty() {
        return true;
    }
    let mut take = |sockets: &mut [Socket]| {
        for socket in &*sockets {
            note(accepting, socket);
        }
        ControlFlow::Continue(())
    };
    let gaps = namespaces::read(&request.views, root, &dumps, &mut take);
    gaps.iter().all(|gap| gap.level != GapLevel::Loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    #[test]
    fn listeners_are_read_besides_only_with_connections_and_if_they_may_be_left_out() {
        let filter = samples::filter("nginx").unwrap();
        let all = [Dump::new(Protocol::Tcp, StateSet::ALL)];
        let connections = [Dump::new(Protocol::Tcp, StateSet::of(State::Established))];
        let datagrams = [Dump::new(Protocol::Udp, StateSet::of(State::Established))];
        for (scope, filter, dumps, expected) in [
            (Scope::All, None, &all, false),
            (Scope::All, None, &datagrams, false),
            (Scope::All, Some(&filter), &all, true),
            (Scope::All, None, &connections, true),
            (Scope::Waiting, Some(&filter), &connections, false),
            (Scope::Unsettled, Some(&filter), &connections, false),
        ] {
            assert_eq!(
                are_read_besides(scope, filter, dumps),
                expected,
                "{scope:?} {dumps:?}"
            );
        }
    }
}
