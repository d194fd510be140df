//! Determines whether the packet filter keeps clients on other machines from a listener.

use std::net::SocketAddr;

use super::network::{Predictor, facts};
use crate::diagnose::bind::cover::Cover;
use crate::diagnose::bind::existing::Existing;
use crate::diagnose::path::filter::journey::{Attempt, Client, Outcome};
use crate::diagnose::path::filter::predict::Prediction;
use crate::diagnose::path::judge::{cover, takes_traffic};
use crate::diagnose::path::way::cause_text;
use crate::model::packet_filter::Reading;
use crate::model::system::SystemFacts;
use crate::model::{Protocol, Socket};
use crate::source::packet_filter;

/// What stops clients on other machines, in words, if it is certain that all of them are stopped. Also `None` if the
/// rules may not be read, or if nothing listens where such clients could connect.
pub fn stopped(protocol: Protocol, port: u16, existing: &[Existing], system: &SystemFacts) -> Option<String> {
    let sockets: Vec<&Socket> = existing.iter().map(|one| &one.socket).collect();
    let is_open = |socket: &&&Socket| {
        let local = socket.inet().map(|pair| pair.local_address);
        takes_traffic(socket) && local.is_some_and(|local| !local.to_canonical().is_loopback())
    };
    let open: Vec<&Socket> = sockets.iter().filter(is_open).copied().collect();
    if port == 0 || open.is_empty() {
        return None;
    }
    let Reading::Examined(filter) = packet_filter::read() else {
        return None;
    };
    if filter.is_empty() {
        return None;
    }
    let mut predictor = Predictor::new(&filter, facts(system));
    let mut stopped = None;
    for v6 in [false, true] {
        for (interface, own, address) in predictor.clients(v6) {
            let wanted = Cover::of(own, true);
            if !open
                .iter()
                .any(|socket| cover(socket).is_some_and(|cover| cover.overlaps(wanted)))
            {
                continue;
            }
            let attempt = Attempt {
                protocol: if protocol == Protocol::Udp { 17 } else { 6 },
                client: Client::From { address, interface },
                server: SocketAddr::new(own, port),
                zone: Some(interface),
            };
            let Prediction::Certain(end) = predictor.predict(attempt, true) else {
                return None;
            };
            let is_stopped = !matches!(
                end.outcome,
                Outcome::Connected | Outcome::Forwarded(_) | Outcome::Away
            );
            let (leg, cause) = end.stopped.filter(|_| is_stopped)?;
            stopped = stopped.or_else(|| Some(cause_text(&filter, leg, cause)));
        }
    }
    stopped
}
