//! The packets of a connection: the first one, the answer, and errors.

use super::connection::Connection;
use super::journey::{Attempt, Client};
use super::packet::{CtState, ICMP, ICMP6, Packet, Port, RST_ACK, SYN, SYN_ACK, TCP, Tracking};
use super::value::Cell;
use super::walk::{Stop, Walk};
use crate::model::network::{Route, RouteAnswer, RouteQuery};

impl Walk<'_> {
    /// The first packet.
    pub(super) fn first(&self, attempt: Attempt) -> Result<Packet, Stop> {
        let server = attempt.server;
        let (source, incoming, from_here) = match attempt.client {
            Client::From { address, interface } => (Some(address), Some(interface), false),
            Client::Here => {
                let query = query_of(attempt);
                let source = match self.route(query)? {
                    RouteAnswer::Found(route) if route.kind == Route::LOCAL => {
                        route.source.or(Some(server.ip()))
                    }
                    RouteAnswer::Found(route) => route.source,
                    _ => None,
                };
                (source, None, true)
            }
        };
        Ok(Packet {
            id: 0,
            v6: server.is_ipv6(),
            protocol: attempt.protocol,
            source,
            destination: Some(server.ip()),
            source_port: Port::Client,
            destination_port: Port::Known(server.port()),
            flags: SYN,
            icmp: (0, 0),
            incoming,
            outgoing: None,
            mark: [Cell::known(0); 4],
            tracking: Tracking::NotSeen,
            is: Tracking::Tracked {
                state: CtState::New,
                reply: false,
            },
            from_here,
        })
    }
    /// The answer from the machine that a packet reached.
    pub(super) fn answer_to(&mut self, request: &Packet, open: bool, id: u8) -> Packet {
        let is_tcp = request.protocol == TCP;
        let is_error = !is_tcp && !open;
        let mut answer = back(request, id);
        if is_error {
            answer.protocol = icmp(request.v6);
            answer.icmp = if request.v6 { (1, 4) } else { (3, 3) };
            (answer.source_port, answer.destination_port) = (Port::None, Port::None);
            answer.is = after(request.tracking, CtState::Related, true);
        } else {
            answer.flags = if open { SYN_ACK } else { RST_ACK };
            answer.is = after(request.tracking, CtState::Established, true);
            if !is_tcp && matches!(request.tracking, Tracking::Untracked) {
                // Connection tracking sees this datagram first, so for it the connection begins here.
                self.connection = Connection::of(&answer);
                answer.is = Tracking::Tracked {
                    state: CtState::New,
                    reply: false,
                };
            }
        }
        answer
    }
}

/// `IPPROTO_*` of errors.
pub(super) fn icmp(v6: bool) -> u8 {
    if v6 { ICMP6 } else { ICMP }
}
/// The route query of a client on this machine, before its address is chosen.
fn query_of(attempt: Attempt) -> RouteQuery {
    let Attempt {
        protocol,
        server,
        zone,
        ..
    } = attempt;
    RouteQuery {
        destination: server.ip(),
        source: None,
        incoming: None,
        outgoing: Attempt::outgoing(zone, server.ip()),
        mark: 0,
        protocol,
        port: server.port(),
    }
}
/// A packet back to the source of `request`.
pub(super) fn back(request: &Packet, id: u8) -> Packet {
    Packet {
        id,
        source: request.destination,
        destination: request.source,
        source_port: request.destination_port,
        destination_port: request.source_port,
        incoming: None,
        outgoing: None,
        mark: [Cell::known(0); 4],
        tracking: Tracking::NotSeen,
        from_here: true,
        ..request.clone()
    }
}
/// The tracking state of a later packet, given that of the first.
pub(super) fn after(first: Tracking, state: CtState, reply: bool) -> Tracking {
    match first {
        Tracking::Tracked { .. } => Tracking::Tracked { state, reply },
        _ => Tracking::Invalid,
    }
}
