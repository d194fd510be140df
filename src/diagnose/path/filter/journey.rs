//! The path of a connection's packets: there, the reply back, and the third packet of TCP's handshake.

use std::net::{IpAddr, SocketAddr};

use super::connection::{Connection, Hook};
use super::effect::Refusal;
use super::hooks::DeviceHook;
use super::packet::{ACK, CtState, ICMP, ICMP6, Packet, Port, RST_ACK, SYN, SYN_ACK, TCP, Tracking};
use super::place::RulePlace;
use super::rules::Passage;
use super::value::{Cell, bytes};
use super::walk::{Stop, Walk};
use crate::model::network::{Route, RouteAnswer, RouteQuery};

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// A program of this machine.
    Here,
    /// Another machine: its address, and the interface by which its packets come in.
    From {
        /// Its address.
        address: IpAddr,
        /// The interface.
        interface: u32,
    },
}

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub protocol: u8,
    /// Who connects.
    pub client: Client,
    /// Where to.
    pub server: SocketAddr,
}

/// What connect() gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It succeeds.
    Connected,
    /// It succeeds, but the server never hears of it: the last packet of the handshake is stopped.
    HalfOpen,
    /// ECONNREFUSED.
    Refused,
    /// EHOSTUNREACH, ENETUNREACH or EACCES.
    Unreachable,
    /// No answer.
    Timeout,
    /// Rules send it to another machine, where nothing can be seen.
    Forwarded(SocketAddr),
    /// It reaches the wire, where this machine's part ends.
    Away,
}

/// Which packet was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// The first one.
    Request,
    /// The answer of the server's machine.
    Answer,
    /// The error that a rule answers with.
    Error,
    /// The last one of the handshake.
    Acknowledgement,
}

/// What stopped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A rule or policy, which may notify the sender.
    Rule(RulePlace, Option<Refusal>),
    /// The routing table: errno.
    Route(i32),
    /// The routing table, after rules changed the destination or mark of a packet that was on its way: errno.
    Rerouted(i32),
    /// A source address of loopback outside of this machine.
    LoopbackSource,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// What connect() gets.
    pub outcome: Outcome,
    /// What stopped which packet, and at which hook.
    pub stopped: Option<(Leg, Cause)>,
    /// Where on this machine the connection arrived, after translation.
    pub lands_at: Option<SocketAddr>,
}

/// How a packet's path ends.
enum Way {
    /// At a socket of this machine.
    Delivered,
    /// On the wire.
    Left,
    /// On the wire, through this machine.
    Forwarded,
    /// Stopped.
    Stopped(Cause),
}

/// `IPPROTO_*` of errors.
fn icmp(v6: bool) -> u8 {
    if v6 { ICMP6 } else { ICMP }
}

impl Walk<'_> {
    /// Makes the connection: to a listener if `open`, else to a port without one.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn journey(&mut self, attempt: Attempt, open: bool) -> Result<End, Stop> {
        let mut request = self.first(attempt)?;
        self.connection = Connection::of(&request);
        let way = self.go(attempt.client, &mut request)?;
        let end = |outcome, stopped| End {
            outcome,
            stopped,
            lands_at: None,
        };
        match way {
            Way::Stopped(cause) => self.refused(attempt, &request, Leg::Request, cause),
            Way::Left => {
                let end = self.answer_from_away(&request, open)?;
                let target = socket(request.destination, request.destination_port);
                Ok(match (end.stopped, self.connection.new_destination, target) {
                    (None, Some(_), Some(target)) => End {
                        outcome: Outcome::Forwarded(target),
                        ..end
                    },
                    _ => end,
                })
            }
            Way::Forwarded => {
                let target = socket(request.destination, request.destination_port);
                let target = target.ok_or_else(|| self.give_up("the address of a translation"))?;
                // The answer of that machine comes in where the packet left.
                let mut answer = self.answer_to(&request, open, 1);
                answer.from_here = false;
                answer.outgoing = None;
                let interface = request.outgoing.unwrap_or(0);
                Ok(match self.arrive(&mut answer, interface)? {
                    Way::Stopped(cause) => end(Outcome::Timeout, Some((Leg::Answer, cause))),
                    _ => end(Outcome::Forwarded(target), None),
                })
            }
            Way::Delivered => {
                let lands_at = socket(request.destination, request.destination_port);
                let end = self.answered(attempt, &request, open)?;
                Ok(End { lands_at, ..end })
            }
        }
    }

    /// The first packet.
    fn first(&self, attempt: Attempt) -> Result<Packet, Stop> {
        let server = attempt.server;
        let (source, incoming, from_here) = match attempt.client {
            Client::From { address, interface } => (Some(address), Some(interface), false),
            Client::Here => {
                let query = query_of(attempt.protocol, server);
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

    fn go(&mut self, client: Client, packet: &mut Packet) -> Result<Way, Stop> {
        match client {
            Client::Here => self.leave(packet),
            Client::From { interface, .. } => self.arrive(packet, interface),
        }
    }

    /// A packet of this machine.
    fn leave(&mut self, packet: &mut Packet) -> Result<Way, Stop> {
        packet.incoming = None;
        let mut route = match self.outgoing_route(packet)? {
            Ok(route) => route,
            Err(errno) => return Ok(Way::Stopped(Cause::Route(errno))),
        };
        packet.outgoing = Some(route.interface);
        let before = (packet.destination, packet.mark);
        if let Some(cause) = stopped(self.hook(Hook::Output, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        // A changed destination or mark is routed again.
        if before != (packet.destination, packet.mark) {
            route = match self.outgoing_route(packet)? {
                Ok(route) => route,
                Err(errno) => return Ok(Way::Stopped(Cause::Rerouted(errno))),
            };
            packet.outgoing = Some(route.interface);
        }
        if let Some(cause) = stopped(self.hook(Hook::Postrouting, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        if let Some(cause) = stopped(self.device_hook(DeviceHook::Egress, route.interface, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        if route.kind != Route::LOCAL {
            let is_loopback = |address: IpAddr| address.is_loopback();
            if packet.source.is_some_and(is_loopback) {
                return Ok(Way::Stopped(Cause::LoopbackSource));
            }
            return Ok(Way::Left);
        }
        // The packet comes back in, with what connection tracking knows of it.
        let loopback = self.facts.loopback();
        packet.outgoing = None;
        packet.incoming = Some(loopback);
        if let Some(cause) = stopped(self.device_hook(DeviceHook::Ingress, loopback, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        for hook in [Hook::Prerouting, Hook::Input] {
            if let Some(cause) = stopped(self.hook(hook, packet)?) {
                return Ok(Way::Stopped(cause));
            }
        }
        Ok(Way::Delivered)
    }

    /// A packet of another machine.
    fn arrive(&mut self, packet: &mut Packet, interface: u32) -> Result<Way, Stop> {
        packet.incoming = Some(interface);
        packet.outgoing = None;
        if let Some(cause) = stopped(self.device_hook(DeviceHook::Ingress, interface, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        if let Some(cause) = stopped(self.hook(Hook::Prerouting, packet)?) {
            return Ok(Way::Stopped(cause));
        }
        let query = self.query(packet, Some(interface))?;
        let route = match self.route(query)? {
            RouteAnswer::Found(route) => route,
            RouteAnswer::Refused(errno) => return Ok(Way::Stopped(Cause::Route(errno))),
            RouteAnswer::Unread => return Err(self.give_up("the routing table")),
        };
        if route.kind == Route::LOCAL {
            return Ok(match stopped(self.hook(Hook::Input, packet)?) {
                Some(cause) => Way::Stopped(cause),
                None => Way::Delivered,
            });
        }
        packet.outgoing = Some(route.interface);
        for hook in [Hook::Forward, Hook::Postrouting] {
            if hook == Hook::Postrouting {
                packet.incoming = None;
            }
            if let Some(cause) = stopped(self.hook(hook, packet)?) {
                return Ok(Way::Stopped(cause));
            }
        }
        Ok(
            match stopped(self.device_hook(DeviceHook::Egress, route.interface, packet)?) {
                Some(cause) => Way::Stopped(cause),
                None => Way::Forwarded,
            },
        )
    }

    fn outgoing_route(&self, packet: &Packet) -> Result<Result<Route, i32>, Stop> {
        match self.route(self.query(packet, None)?)? {
            RouteAnswer::Found(route) => Ok(Ok(route)),
            RouteAnswer::Refused(errno) => Ok(Err(errno)),
            RouteAnswer::Unread => Err(self.give_up("the routing table")),
        }
    }

    fn query(&self, packet: &Packet, incoming: Option<u32>) -> Result<RouteQuery, Stop> {
        let destination = packet
            .destination
            .ok_or_else(|| self.give_up("an address that is not known in advance"))?;
        let mark = bytes(&packet.mark).and_then(|bytes| bytes.first_chunk().copied());
        let mark = mark.ok_or_else(|| self.give_up("a mark that is not known in advance"))?;
        let port = match packet.destination_port {
            Port::Known(port) => port,
            Port::Client | Port::None => 0,
        };
        Ok(RouteQuery {
            destination,
            source: packet.source,
            incoming,
            outgoing: None,
            mark: u32::from_ne_bytes(mark),
            protocol: packet.protocol,
            port,
        })
    }

    /// The connection reached a port of this machine.
    fn answered(&mut self, attempt: Attempt, request: &Packet, open: bool) -> Result<End, Stop> {
        let is_tcp = request.protocol == TCP;
        let mut answer = self.answer_to(request, open, 1);
        let seen = self.answered_before_drop(&mut answer, attempt)?;
        let end = |outcome, stopped| End {
            outcome,
            stopped,
            lands_at: None,
        };
        match seen {
            Way::Stopped(cause) => {
                // The client repeats its packet. What connection tracking has seen of the answer changes how the
                // repeated one is judged.
                if is_tcp && open && self.connection.answered {
                    let again = self.again(attempt)?;
                    if again.outcome != Outcome::Timeout {
                        return Ok(again);
                    }
                }
                Ok(end(Outcome::Timeout, Some((Leg::Answer, cause))))
            }
            _ if !open => Ok(end(Outcome::Refused, None)),
            _ if is_tcp => {
                let mut third = self.first(attempt)?;
                third.id = 2;
                third.flags = ACK;
                third.is = after(request.tracking, CtState::Established, false);
                Ok(match self.go(attempt.client, &mut third)? {
                    Way::Stopped(cause) => end(Outcome::HalfOpen, Some((Leg::Acknowledgement, cause))),
                    _ => end(Outcome::Connected, None),
                })
            }
            _ => Ok(end(Outcome::Connected, None)),
        }
    }

    fn answered_before_drop(&mut self, answer: &mut Packet, attempt: Attempt) -> Result<Way, Stop> {
        let way = self.leave(answer)?;
        Ok(match (way, attempt.client) {
            // The way back must end where the client is.
            (Way::Delivered, Client::Here) | (Way::Left, Client::From { .. }) => Way::Delivered,
            (Way::Left, Client::Here) => Way::Stopped(Cause::Route(0)),
            (other, _) => other,
        })
    }

    /// The repeated first packet, after an answer that was stopped on its way.
    fn again(&mut self, attempt: Attempt) -> Result<End, Stop> {
        let mut request = self.first(attempt)?;
        request.id = 3;
        request.is = Tracking::Tracked {
            state: CtState::Established,
            reply: false,
        };
        match self.go(attempt.client, &mut request)? {
            Way::Stopped(cause) => self.refused(attempt, &request, Leg::Request, cause),
            _ => Ok(End {
                outcome: Outcome::Timeout,
                stopped: None,
                lands_at: None,
            }),
        }
    }

    /// The answer of the machine that a packet reached.
    fn answer_to(&mut self, request: &Packet, open: bool, id: u8) -> Packet {
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
                // Connection tracking sees this datagram first: to it, the connection begins here.
                self.connection = Connection::of(&answer);
                answer.is = Tracking::Tracked {
                    state: CtState::New,
                    reply: false,
                };
            }
        }
        answer
    }

    /// A packet was stopped: does its sender hear of it?
    fn refused(&mut self, attempt: Attempt, request: &Packet, leg: Leg, cause: Cause) -> Result<End, Stop> {
        let end = |outcome, leg, cause| End {
            outcome,
            stopped: Some((leg, cause)),
            lands_at: None,
        };
        let (refusal, is_from_rule) = match cause {
            Cause::Rule(_, Some(refusal)) => (refusal, true),
            Cause::Route(errno) => match (attempt.client, route_error(errno, request)) {
                // connect() itself fails.
                (Client::Here, _) if request.incoming.is_none() => {
                    return Ok(end(Outcome::Unreachable, leg, cause));
                }
                (_, Some(code)) => (Refusal::Unreachable(code), false),
                _ => return Ok(end(Outcome::Timeout, leg, cause)),
            },
            // send() of a datagram says so; a SYN is repeated.
            Cause::Rerouted(_) if request.protocol != TCP => {
                return Ok(end(Outcome::Unreachable, leg, cause));
            }
            _ => return Ok(end(Outcome::Timeout, leg, cause)),
        };
        if refusal == Refusal::Reset && request.protocol != TCP {
            return Ok(end(Outcome::Timeout, leg, cause));
        }
        let mut error = back(request, 4);
        let outcome = match refusal {
            Refusal::Reset => {
                error.flags = RST_ACK;
                Outcome::Refused
            }
            Refusal::Unreachable(code) => {
                error.protocol = icmp(request.v6);
                error.icmp = (if request.v6 { 1 } else { 3 }, code);
                (error.source_port, error.destination_port) = (Port::None, Port::None);
                // It comes from an address of this machine; which, is certain only if the packet was for this machine.
                if !request
                    .destination
                    .is_some_and(|address| self.facts.is_local(address, None))
                {
                    error.source = None;
                }
                if code == if request.v6 { 4 } else { 3 } {
                    Outcome::Refused
                } else {
                    Outcome::Unreachable
                }
            }
        };
        error.is = match request.tracking {
            Tracking::Tracked { .. } => Tracking::Tracked {
                state: CtState::Related,
                reply: true,
            },
            _ => Tracking::Invalid,
        };
        // Made from the packet, the error has its entry from the start.
        if is_from_rule && matches!(error.is, Tracking::Tracked { .. }) {
            error.tracking = error.is;
        }
        Ok(match self.leave(&mut error)? {
            Way::Stopped(stopped) => end(Outcome::Timeout, Leg::Error, stopped),
            _ => end(outcome, leg, cause),
        })
    }

    /// The connection left this machine for another one; its answer comes back by the same interface.
    fn answer_from_away(&mut self, request: &Packet, open: bool) -> Result<End, Stop> {
        let mut answer = self.answer_to(request, open, 1);
        answer.from_here = false;
        let interface = request.outgoing.unwrap_or(0);
        let outcome = if open {
            Outcome::Connected
        } else {
            Outcome::Refused
        };
        let end = |outcome, stopped| End {
            outcome,
            stopped,
            lands_at: None,
        };
        Ok(match self.arrive(&mut answer, interface)? {
            Way::Stopped(cause) => end(Outcome::Timeout, Some((Leg::Answer, cause))),
            Way::Delivered => end(outcome, None),
            Way::Left | Way::Forwarded => end(Outcome::Away, None),
        })
    }
}

/// The route of a client of this machine, before its address is settled.
fn query_of(protocol: u8, server: SocketAddr) -> RouteQuery {
    RouteQuery {
        destination: server.ip(),
        source: None,
        incoming: None,
        outgoing: None,
        mark: 0,
        protocol,
        port: server.port(),
    }
}

/// A packet back to where another one came from.
fn back(request: &Packet, id: u8) -> Packet {
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

/// What connection tracking says of a later packet, given what it said of the first.
fn after(first: Tracking, state: CtState, reply: bool) -> Tracking {
    match first {
        Tracking::Tracked { .. } => Tracking::Tracked { state, reply },
        _ => Tracking::Invalid,
    }
}

fn stopped(passage: Passage) -> Option<Cause> {
    match passage {
        Passage::Passed => None,
        Passage::Dropped(place) => Some(Cause::Rule(place, None)),
        Passage::Rejected(place, refusal) => Some(Cause::Rule(place, Some(refusal))),
    }
}

fn socket(address: Option<IpAddr>, port: Port) -> Option<SocketAddr> {
    match (address, port) {
        (Some(address), Port::Known(port)) => Some(SocketAddr::new(address, port)),
        _ => None,
    }
}

/// The code of the ICMP error that a router sends for an errno of its routing table; `None` if it is silent (linux 6.18
/// net/ipv4/route.c, ip_error; net/ipv6/route.c, ip6_pkt_drop).
fn route_error(errno: i32, packet: &Packet) -> Option<u8> {
    const EACCES: i32 = 13;
    const ENETUNREACH: i32 = 101;
    const EHOSTUNREACH: i32 = 113;
    match (packet.v6, errno) {
        (false, EACCES) => Some(13),
        (true, EACCES) => Some(1),
        (_, ENETUNREACH) | (true, EHOSTUNREACH) => Some(0),
        _ => None,
    }
}
