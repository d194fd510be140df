//! The findings about one address, from which the text and the JSON document are rendered.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::num::NonZeroU32;

use super::judge::{PathVerdict, Reach};
use super::special::{Special, Zone};
use super::way::Way;
use crate::diagnose::bind::owner::Owner;
use crate::diagnose::stopped::Stopped;
use crate::model::Name;
use crate::model::ownership::Unseen;
use crate::model::system::SystemFacts;
use crate::model::{Gap, OwnerStatus, Protocol, Socket};

/// What is known about one address, and the result of a trial connection.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The address.
    pub address: IpAddr,
    /// The interface that was named with it.
    pub zone: Option<Zone>,
    /// The port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// What is known.
    pub found: Found,
    /// Its path, as far as it was predicted.
    pub way: Option<Way>,
    /// With `--try`: whether a connection was made, and what that means.
    pub tried: Option<(bool, String)>,
}

impl Answer {
    /// The place in the usual notation.
    pub fn place(&self) -> String {
        match &self.zone {
            Some(zone) => format!("[{}%{}]:{}", self.address, zone.name, self.port),
            None => SocketAddr::new(self.address, self.port).to_string(),
        }
    }
}

/// The destination of a connection. The kernel takes an interface only for link-local addresses.
pub fn destination(address: IpAddr, port: u16, zone: Option<&Zone>) -> SocketAddr {
    let index = zone.and_then(|zone| zone.index);
    match (address, index) {
        (IpAddr::V6(v6), Some(index)) if v6.is_unicast_link_local() => {
            SocketAddrV6::new(v6, port, 0, index).into()
        }
        _ => SocketAddr::new(address, port),
    }
}

/// What is known about one requested address.
#[derive(Clone, Debug)]
pub enum Found {
    /// It belongs to this machine.
    Here(Here),
    /// It belongs to another machine.
    Away(Away),
    /// It is not the address of a single machine.
    Special(Special),
    /// The replayed recording has nothing about it.
    Unrecorded,
}

impl Found {
    /// The verdict on the address.
    pub fn verdict(&self) -> PathVerdict {
        match self {
            Self::Here(here) => PathVerdict::Local(here.reach),
            Self::Away(away) if away.source.is_none() => PathVerdict::NoRoute,
            Self::Away(_) => PathVerdict::AnotherMachine,
            Self::Special(special) => PathVerdict::Special(*special),
            Self::Unrecorded => PathVerdict::Local(Reach::Unknown),
        }
    }

    /// The owner status of the socket that was judged.
    pub fn owner_status(&self) -> OwnerStatus {
        match self {
            Self::Here(here) => here.owner_status,
            Self::Away(_) | Self::Special(_) | Self::Unrecorded => OwnerStatus::NotAsked,
        }
    }

    /// What may have hidden owners.
    pub fn unseen(&self) -> Unseen {
        match self {
            Self::Here(here) => here.unseen,
            Self::Away(_) | Self::Special(_) | Self::Unrecorded => Unseen::default(),
        }
    }

    /// What could not be read.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Here(here) => &here.gaps,
            Self::Away(away) => &away.gaps,
            Self::Special(_) | Self::Unrecorded => &[],
        }
    }
}

/// Findings about an address of this machine.
#[derive(Clone, Debug)]
pub struct Here {
    /// The verdict.
    pub reach: Reach,
    /// The sockets that are bound to the port, listening or not.
    pub sockets: Vec<Socket>,
    /// The holders of the socket that was judged.
    pub owners: Vec<Owner>,
    /// Those of them that are stopped.
    pub stopped: Option<Stopped>,
    /// What is known about them.
    pub owner_status: OwnerStatus,
    /// What may have hidden holders.
    pub unseen: Unseen,
    /// The user of that socket, known even if its process is hidden.
    pub user: Option<Name>,
    /// Who listens on the port in another network namespace; read only if nothing accepts the connection here.
    pub elsewhere: Vec<Owner>,
    /// A clause about who uses the port with the other protocol (TCP or UDP); read only if nothing accepts the
    /// connection here.
    pub other_protocol: Option<String>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Findings about an address of another machine.
#[derive(Clone, Debug, Default)]
pub struct Away {
    /// The address that packets would leave from; `None` without a route.
    pub source: Option<IpAddr>,
    /// The interface that has it.
    pub device: Option<Name>,
    /// Connection attempts that have not been answered yet.
    pub unanswered: Vec<Socket>,
    /// Who started them.
    pub owners: Vec<Owner>,
    /// How many local ports of the automatic range are in use for connections to that address and port.
    pub ports_used: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Whether a destination is an address of this machine.
pub fn is_local(destination: SocketAddr, system: &SystemFacts) -> bool {
    let v6 = match destination {
        SocketAddr::V4(v4) => return system.is_local_v4(*v4.ip()),
        SocketAddr::V6(v6) => v6,
    };
    match v6.ip().to_ipv4_mapped() {
        Some(address) => system.is_local_v4(address),
        None => system.is_local_v6(*v6.ip(), NonZeroU32::new(v6.scope_id())),
    }
}

/// The interface that has the address. Traffic from this machine itself counts as arriving on it.
pub fn interface_of(destination: SocketAddr, system: &SystemFacts) -> Option<u32> {
    match (destination.ip().to_canonical(), destination) {
        (_, SocketAddr::V6(v6)) if v6.scope_id() != 0 => Some(v6.scope_id()),
        (IpAddr::V4(address), _) => {
            let (_, name) = system.v4_links.iter().find(|(link, _)| link.contains(address))?;
            let known = system.interfaces.iter().find(|(_, known)| *known == name);
            known.map(|(index, _)| *index)
        }
        (IpAddr::V6(address), _) => {
            let local = system.local_v6.iter().find(|local| local.address == address);
            local.map(|local| local.interface)
        }
    }
}
