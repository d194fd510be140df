//! The path of a connection's packets: the request, the reply, and the third packet of TCP's handshake.

use std::net::{IpAddr, SocketAddr};

use super::connection::Connection;
use super::effect::Refusal;
use super::journey::{Attempt, Cause, Client, End, Leg, Outcome};
use super::packet::{ACK, CtState, Packet, Port, RST_ACK, TCP, Tracking};
use super::packets::{after, back, icmp};
use super::transit::Way;
use super::walk::{Stop, Walk};

impl Walk<'_> {
    /// Simulates the connection: to a listener if `open`, else to a port without one.
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
                let target = target.ok_or_else(|| self.give_up("the address that a NAT rule chooses"))?;
                // The other machine's answer arrives on the interface by which the packet left.
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
                // The client repeats its packet. If connection tracking saw the answer, the repeated packet is treated
                // differently.
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
            // The answer must end up where the client is.
            (Way::Delivered, Client::Here) | (Way::Left, Client::From { .. }) => Way::Delivered,
            (Way::Left, Client::Here) => Way::Stopped(Cause::Route(0)),
            (other, _) => other,
        })
    }

    /// Handles the repeated first packet after an answer was stopped on its way.
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
    /// Handles a stopped packet: determines whether its sender is notified.
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
            // For a datagram, send() reports the error; a SYN is repeated.
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
                // The error comes from an address of this machine. Which one is known only if the packet was addressed
                // to this machine.
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
        // The error is derived from the packet, so it belongs to its conntrack entry from the start.
        if is_from_rule && matches!(error.is, Tracking::Tracked { .. }) {
            error.tracking = error.is;
        }
        Ok(match self.leave(&mut error)? {
            Way::Stopped(stopped) => end(Outcome::Timeout, Leg::Error, stopped),
            _ => end(outcome, leg, cause),
        })
    }
    /// The connection left for another machine; its answer comes back through the same interface.
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
