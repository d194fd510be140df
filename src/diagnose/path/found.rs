//! What was found out about one address: the input of the text and the document.

use std::net::IpAddr;

use super::judge::Reach;
use crate::diagnose::bind::owner::Owner;
use crate::model::{Gap, OwnerStatus, Socket};

/// What is known about one address that was asked for.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is this machine's.
    Here(Here),
    /// It is another machine's.
    Away(Away),
}

impl Found {
    /// What is known of the owner of the socket that the judgement is about.
    pub fn owner_status(&self) -> OwnerStatus {
        match self {
            Self::Here(here) => here.owner_status,
            Self::Away(_) => OwnerStatus::NotAsked,
        }
    }

    /// What could not be read.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Here(here) => &here.gaps,
            Self::Away(away) => &away.gaps,
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
    /// The user of that socket, known also where its process is hidden.
    pub user: Option<String>,
    /// Who listens on the port in another network namespace; looked for only if nothing takes it here.
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
    pub device: Option<String>,
    /// Connections that were begun and not answered yet.
    pub unanswered: Vec<Socket>,
    /// Who began them.
    pub owners: Vec<Owner>,
    /// Local ports of the automatic range that are in use towards that address and port.
    pub ports_used: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}
