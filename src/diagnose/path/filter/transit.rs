//! The path of one packet through this machine: hooks and routes, in and out.

use std::net::IpAddr;

use super::connection::Hook;
use super::hooks::DeviceHook;
use super::journey::{Attempt, Cause, Client};
use super::packet::{Packet, Port};
use super::rules::Passage;
use super::value::bytes;
use super::walk::{Stop, Walk};
use crate::model::network::{Route, RouteAnswer, RouteQuery};

/// How a packet's path ends.
pub(super) enum Way {
    /// It reached a socket of this machine.
    Delivered,
    /// It left this machine.
    Left,
    /// It was forwarded by this machine.
    Forwarded,
    /// It was stopped.
    Stopped(Cause),
}
impl Walk<'_> {
    pub(super) fn go(&mut self, client: Client, packet: &mut Packet) -> Result<Way, Stop> {
        match client {
            Client::Here => self.leave(packet),
            Client::From { interface, .. } => self.arrive(packet, interface),
        }
    }
    /// Sends a packet from this machine.
    pub(super) fn leave(&mut self, packet: &mut Packet) -> Result<Way, Stop> {
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
        // A packet whose destination or mark has changed is routed again.
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
        // The packet comes back in, with its tracking state.
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

    /// Receives a packet from another machine.
    pub(super) fn arrive(&mut self, packet: &mut Packet, interface: u32) -> Result<Way, Stop> {
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
            outgoing: Attempt::outgoing(self.zone.filter(|_| incoming.is_none()), destination),
            mark: u32::from_ne_bytes(mark),
            protocol: packet.protocol,
            port,
        })
    }
}

fn stopped(passage: Passage) -> Option<Cause> {
    match passage {
        Passage::Passed => None,
        Passage::Dropped(place) => Some(Cause::Rule(place, None)),
        Passage::Rejected(place, refusal) => Some(Cause::Rule(place, Some(refusal))),
    }
}
