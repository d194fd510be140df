//! Everything that an answer is written from: attempts, verdicts, sockets, owners. Pure data.

use std::time::SystemTime;

use crate::model::{Gap, OwnerStatus, Protocol};

use super::cures::Cure;
use super::existing::Existing;
use super::inherited::Inherited;
use super::owner::Owner;
use super::verdict::Verdict;
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;

/// The answer to one question, for every attempt that it means.
#[derive(Clone, Debug)]
pub struct Report {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The port, 0 for one that the kernel chooses.
    pub port: u16,
    /// The interface that the socket is to be bound to, as it was named.
    pub device: Option<String>,
    /// One answer for each address and each set of reuse options.
    pub answers: Vec<Answer>,
    /// The sockets on the port; findings refer to them by index.
    pub existing: Vec<Existing>,
    /// Who holds each of them, in the same order; filled in for those that a finding names.
    pub holders: Vec<Holders>,
    /// Who has the port in another network namespace, looked for only if it is free here.
    pub elsewhere: Vec<Owner>,
    /// The machine.
    pub system: SystemFacts,
    /// The name of the user the answer is for.
    pub user: String,
    /// A port near by that the first attempt could have.
    pub free_port: Option<u16>,
    /// Sentences beside the verdict.
    pub notes: Vec<String>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// When it was looked.
    pub taken_at: SystemTime,
    /// How to run this with more rights; `None` for one who has them.
    pub sudo: Option<String>,
}

/// One attempt and what comes of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The socket that would be made.
    pub attempt: BindAttempt,
    /// The verdict on it.
    pub verdict: Verdict,
    /// What helps, the most harmless first.
    pub cures: Vec<Cure>,
}

/// Who holds a socket.
#[derive(Clone, Debug)]
pub struct Holders {
    /// What is known.
    pub status: OwnerStatus,
    /// The processes, described, the first a person would name first.
    pub owners: Vec<Owner>,
    /// How those who did not make the socket came to it.
    pub inherited: Vec<Inherited>,
    /// Whether systemd holds it, as process 1 or as a user's.
    pub by_systemd: bool,
    /// For a socket that systemd holds: the unit that asks for the port, as its files say.
    pub socket_unit: Option<String>,
    /// The user of the socket itself, known also where its process is hidden.
    pub user: Option<String>,
}

impl Default for Holders {
    fn default() -> Self {
        Self {
            status: OwnerStatus::NotAsked,
            owners: Vec::new(),
            inherited: Vec::new(),
            by_systemd: false,
            socket_unit: None,
            user: None,
        }
    }
}
