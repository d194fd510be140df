//! The half of `why` that looks at the machine: sockets on a port, their options and owners, sysctls, a trial.

pub mod ask;
pub mod caveats;
pub mod cgroup;
pub mod elsewhere;
pub mod inherited;
pub mod process;
pub mod snapshot;
pub mod systemd;
pub mod unix;

use crate::model::End;
use crate::model::request::{Condition, Question};

/// What lets the kernel leave out sockets whose local port is not between these, both included.
pub fn local_ports(from: u16, to: u16) -> Condition {
    Condition::and([
        Condition::Ask(Question::PortAtLeast(End::Local, from)),
        Condition::Ask(Question::PortAtMost(End::Local, to)),
    ])
}
