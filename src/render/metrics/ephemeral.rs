//! Ephemeral ports: how many there are, and how close they are to running out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::page::{Kind, Page};
use crate::model::{Endpoints, Protocol, Socket};

#[derive(Debug)]
pub(super) struct Ephemeral {
    ports: RangeInclusive<u16>,
    /// Which ports of the range some TCP socket uses.
    used: Vec<bool>,
    /// TCP sockets by local address and peer: each needs its own local port.
    by_peer: HashMap<(IpAddr, IpAddr, u16), u64>,
}

impl Ephemeral {
    pub(super) fn new(ports: RangeInclusive<u16>) -> Self {
        Self {
            used: vec![false; ports.len()],
            ports,
            by_peer: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, socket: &Socket) {
        let Endpoints::Inet(pair) = &socket.endpoints else {
            return;
        };
        if socket.protocol != Protocol::Tcp || !self.ports.contains(&pair.local_port) {
            return;
        }
        let index = usize::from(pair.local_port - self.ports.start());
        if let Some(used) = self.used.get_mut(index) {
            *used = true;
        }
        if pair.peer_port != 0 {
            let peer = (pair.local_address, pair.peer_address, pair.peer_port);
            *self.by_peer.entry(peer).or_default() += 1;
        }
    }

    pub(super) fn write(self, page: &mut Page) {
        page.family(
            "ephemeral_ports_limit",
            Kind::Gauge,
            "Ports that the kernel chooses from (ip_local_port_range)",
        );
        page.sample(&[], self.ports.len() as u64);
        page.family(
            "ephemeral_ports_in_use",
            Kind::Gauge,
            "Ports of that range that a TCP socket uses",
        );
        page.sample(&[], self.used.iter().filter(|used| **used).count() as u64);
        page.family(
            "ephemeral_ports_busiest_peer",
            Kind::Gauge,
            "Ports of that range in use from one address to the busiest peer address and port: at the limit connect fails",
        );
        page.sample(&[], self.by_peer.into_values().max().unwrap_or_default());
    }
}
