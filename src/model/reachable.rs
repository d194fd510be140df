//! Whether clients on other machines can reach a listener, according to rules and interfaces.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{InetPair, Protocol, Socket, State};

named! {
    /// The result for clients on other machines.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Reachable {
        /// Clients on at least one interface can reach it.
        Yes => "yes",
        /// Rules stop clients on every interface.
        Filtered => "filtered",
        /// It is bound to an address that only this machine can reach.
        Loopback => "loopback",
        /// Unknown.
        Unknown => "unknown",
    }
}

/// The facts about a socket that decide: network namespace, protocol, address and port, `IPV6_V6ONLY`, and interface.
type Place = (u32, Protocol, IpAddr, u16, Option<bool>, u32);

/// The answers for every listener of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// `None` if not requested.
    found: Option<Arc<BTreeMap<Place, Reachable>>>,
}

impl Reachability {
    /// Stores the answer for each socket.
    pub fn new<'a>(answers: impl IntoIterator<Item = (&'a Socket, Reachable)>) -> Self {
        let places = answers
            .into_iter()
            .filter_map(|(socket, answer)| Some((place_of(socket)?, answer)));
        Self {
            found: Some(Arc::new(places.collect())),
        }
    }

    /// The answer for a socket; `None` if it is not a TCP or UDP listener, or if answers were not requested. For a
    /// listener that was created later, the answer is unknown.
    pub fn of(&self, socket: &Socket) -> Option<Reachable> {
        let found = self.found.as_ref()?;
        let place = place_of(socket)?;
        Some(found.get(&place).copied().unwrap_or(Reachable::Unknown))
    }
}

fn place_of(socket: &Socket) -> Option<Place> {
    let InetPair {
        local_address,
        local_port,
        v6only,
        interface,
        ..
    } = *socket.inet()?;
    let listens = match socket.protocol {
        Protocol::Tcp => socket.state == State::Listen,
        Protocol::Udp => socket.state == State::Unconnected,
        _ => false,
    };
    let interface = interface.map_or(0, std::num::NonZeroU32::get);
    (listens && local_port != 0).then_some((
        socket.netns,
        socket.protocol,
        local_address,
        local_port,
        v6only,
        interface,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoints;

    fn socket(state: State, port: u16) -> Socket {
        Socket {
            state,
            endpoints: Endpoints::Inet(InetPair {
                local_port: port,
                ..InetPair::UNSPECIFIED
            }),
            ..Socket::BLANK
        }
    }

    #[test]
    fn only_listeners_have_an_answer_and_new_ones_are_unknown() {
        let one = socket(State::Listen, 80);
        let all = Reachability::new([(&one, Reachable::Filtered)]);
        assert_eq!(all.of(&one), Some(Reachable::Filtered));
        assert_eq!(all.of(&socket(State::Listen, 81)), Some(Reachable::Unknown));
        assert_eq!(all.of(&socket(State::Established, 80)), None);
        assert_eq!(Reachability::default().of(&one), None, "not requested");
    }
}
