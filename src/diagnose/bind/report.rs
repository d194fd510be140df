//! The input of an answer: attempts, verdicts, sockets, owners.

use std::time::SystemTime;

use crate::model::Name;
use crate::model::{Gap, Protocol};

use super::cure::Cure;
use super::existing::Existing;
use super::holders::Holders;
use super::owner::Owner;
use super::verdict::Verdict;
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;

/// The answer to one question, for every attempt that it stands for.
#[derive(Clone, Debug)]
pub struct Report {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The port, 0 for one that the kernel chooses.
    pub port: u16,
    /// The interface to bind the socket to, as it was named.
    pub device: Option<Name>,
    /// One answer for each address and each set of reuse options.
    pub answers: Vec<Answer>,
    /// The sockets on the port; findings refer to them by index.
    pub existing: Vec<Existing>,
    /// The holders of each of them, in the same order; filled in for those named in a finding.
    pub holders: Vec<Holders>,
    /// Who uses the port in another network namespace; looked up only if it is free here.
    pub elsewhere: Vec<Owner>,
    /// The machine.
    pub system: SystemFacts,
    /// The name of the user the answer is for.
    pub user: Name,
    /// A nearby port that the first attempt could bind.
    pub free_port: Option<u16>,
    /// Sentences in addition to the verdict.
    pub notes: Vec<String>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// When the machine was read.
    pub taken_at: SystemTime,
    /// The command to run with more privileges; `None` for a caller who has them.
    pub sudo: Option<String>,
}

/// One attempt and its result.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The socket that would be created.
    pub attempt: BindAttempt,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The remedies, the least harmful first.
    pub cures: Vec<Cure>,
}
