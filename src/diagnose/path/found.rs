//! What was found out about one address: the input of the text and the document.

use std::net::IpAddr;

use super::judge::{PathVerdict, Reach};
use crate::diagnose::bind::owner::Owner;
use crate::model::ownership::Unseen;
use crate::model::system::SystemFacts;
use crate::model::{Gap, OwnerStatus, Protocol, Socket};
use crate::render::name::Name;

/// What is known about one address, and what a trial connection met.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// What is known.
    pub found: Found,
    /// With `--try`: whether a connection was made, and what that means.
    pub tried: Option<(bool, String)>,
}

/// What is known about one address that was asked for.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is this machine's.
    Here(Here),
    /// It is another machine's.
    Away(Away),
    /// A recording is replayed that has nothing about it.
    Unrecorded,
}

impl Found {
    /// The verdict on the address.
    pub fn verdict(&self) -> PathVerdict {
        match self {
            Self::Here(here) => PathVerdict::Local(here.reach),
            Self::Away(away) if away.source.is_none() => PathVerdict::NoRoute,
            Self::Away(_) => PathVerdict::AnotherMachine,
            Self::Unrecorded => PathVerdict::Local(Reach::Unknown),
        }
    }

    /// What is known of the owner of the socket that the judgement is about.
    pub fn owner_status(&self) -> OwnerStatus {
        match self {
            Self::Here(here) => here.owner_status,
            Self::Away(_) | Self::Unrecorded => OwnerStatus::NotAsked,
        }
    }

    /// What kept owners from being seen.
    pub fn unseen(&self) -> Unseen {
        match self {
            Self::Here(here) => here.unseen,
            Self::Away(_) | Self::Unrecorded => Unseen::default(),
        }
    }

    /// What could not be read.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Here(here) => &here.gaps,
            Self::Away(away) => &away.gaps,
            Self::Unrecorded => &[],
        }
    }
}

/// About an address of this machine.
#[derive(Clone, Debug)]
pub struct Here {
    /// The judgement.
    pub reach: Reach,
    /// The sockets that are bound to the port, listening or not.
    pub sockets: Vec<Socket>,
    /// Who holds the one that the judgement is about.
    pub owners: Vec<Owner>,
    /// What is known of them.
    pub owner_status: OwnerStatus,
    /// What kept them from being seen.
    pub unseen: Unseen,
    /// The user of that socket, known also where its process is hidden.
    pub user: Option<Name>,
    /// Who listens on the port in another network namespace; read only if nothing takes the connection here.
    pub elsewhere: Vec<Owner>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// About an address of another machine.
#[derive(Clone, Debug, Default)]
pub struct Away {
    /// The address that packets would leave from; `None` without a route.
    pub source: Option<IpAddr>,
    /// The interface that has it.
    pub device: Option<Name>,
    /// Connections that were begun and are not answered yet.
    pub unanswered: Vec<Socket>,
    /// Who began them.
    pub owners: Vec<Owner>,
    /// Local ports of the automatic range that are in use towards that address and port.
    pub ports_used: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Whether an address is this machine's.
pub fn is_local(address: IpAddr, system: &SystemFacts) -> bool {
    match address {
        IpAddr::V4(address) => system.is_local_v4(address),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(address) => system.is_local_v4(address),
            None => system.is_local_v6(v6, None),
        },
    }
}

/// The interface that has the address: what comes from this machine itself counts as coming in by it.
pub fn interface_of(address: IpAddr, system: &SystemFacts) -> Option<u32> {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let (_, name) = system.v4_links.iter().find(|(link, _)| link.contains(address))?;
            let known = system.interfaces.iter().find(|(_, known)| *known == name);
            known.map(|(index, _)| *index)
        }
        IpAddr::V6(address) => {
            let local = system.local_v6.iter().find(|local| local.address == address);
            local.map(|local| local.interface)
        }
    }
}
