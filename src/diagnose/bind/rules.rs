//! Whether one existing socket prevents an attempt.
//!
//! The rule (linux 6.18 net/ipv4/inet_connection_sock.c inet_bind_conflict, net/ipv4/udp.c udp_lib_lport_inuse): two
//! sockets with the same port, an address in common and no distinct devices conflict unless both have `SO_REUSEADDR`
//! (and, for TCP, the existing one does not listen) or both have `SO_REUSEPORT` and the same owner. Not modelled: VRF
//! devices, which have their own port space for TCP.

use crate::model::{Protocol, State};

use super::cover::overlap;
use super::existing::{Existing, Flag, How};
use super::missing::Missing;
use super::rules_by_kernel::KernelRules;
use crate::model::bind::BindAttempt;

/// What an existing socket means for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Nothing: another protocol, port, address or device.
    Apart,
    /// Both can coexist.
    Shares {
        /// The option that allows it.
        by: Sharing,
        /// How that is known.
        how: How,
    },
    /// The attempt fails.
    Blocks {
        /// How that is known.
        how: How,
    },
    /// It depends on something unknown.
    Undecided {
        /// What decides.
        missing: Missing,
    },
}

/// The option by which two sockets share a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Both have `SO_REUSEADDR`.
    ReuseAddr,
    /// Both have `SO_REUSEPORT` and one owner.
    ReusePort,
}

/// What `existing` means for `attempt`.
pub fn conflict(existing: &Existing, attempt: &BindAttempt, rules: KernelRules) -> Conflict {
    match meeting(existing, attempt, rules) {
        Ok((false, _)) => Conflict::Apart,
        meeting => match sharing(existing, attempt) {
            Ok((Some(by), how)) => Conflict::Shares { by, how },
            Ok((None, how)) => match meeting {
                Ok((_, met)) => Conflict::Blocks { how: how.max(met) },
                Err(missing) => Conflict::Undecided { missing },
            },
            Err(missing) => Conflict::Undecided { missing },
        },
    }
}

/// Whether the automatic choice of a TCP port skips this socket's port, which no option prevents (linux 6.18
/// net/ipv4/inet_connection_sock.c inet_csk_find_open_port). `None` if unknown.
pub fn keeps_automatic_choice_away(
    existing: &Existing,
    attempt: &BindAttempt,
    rules: KernelRules,
) -> Option<bool> {
    if attempt.protocol == Protocol::Tcp {
        return meeting(existing, attempt, rules).ok().map(|(meets, _)| meets);
    }
    match conflict(existing, attempt, rules) {
        Conflict::Apart | Conflict::Shares { .. } => Some(false),
        Conflict::Blocks { .. } => Some(true),
        Conflict::Undecided { .. } => None,
    }
}

/// Whether both want the same port of the same address on the same device, or the fact that is missing to decide.
fn meeting(existing: &Existing, attempt: &BindAttempt, rules: KernelRules) -> Result<(bool, How), Missing> {
    let apart = Ok((false, How::Observed));
    let Some(pair) = existing.socket.inet() else {
        return apart;
    };
    let same_port = existing.shares_ports_with(attempt.protocol)
        && existing.holds_port()
        && (attempt.port == 0 || pair.local_port == attempt.port);
    let devices_apart = matches!((pair.interface, attempt.bound_device()), (Some(a), Some(b)) if a != b);
    if !same_port || devices_apart {
        return apart;
    }
    overlap(existing, attempt, rules)
}

/// The option by which the two share, if any, or the fact that is missing to decide.
fn sharing(existing: &Existing, attempt: &BindAttempt) -> Result<(Option<Sharing>, How), Missing> {
    let listens = attempt.protocol == Protocol::Tcp && existing.socket.state == State::Listen;
    let by_address = both(attempt.reuseaddr && !listens, existing.reuseaddr);
    if let Some(Flag { set: true, how }) = by_address {
        return Ok((Some(Sharing::ReuseAddr), how));
    }
    let same_owner = same_owner(existing, attempt);
    let by_port = match same_owner {
        Some(same) => both(attempt.reuseport && same, existing.reuseport),
        // The owner is unknown: it matters only if the flag is set.
        None => both(attempt.reuseport, existing.reuseport).filter(|flag| !flag.set),
    };
    if let Some(Flag { set: true, how }) = by_port {
        return Ok((Some(Sharing::ReusePort), how));
    }
    match (by_address, by_port) {
        (Some(a), Some(b)) => Ok((None, a.how.max(b.how))),
        (None, None) => Err(Missing::ReuseFlags),
        (None, Some(_)) => Err(Missing::ReuseAddr),
        (Some(_), None) if same_owner.is_none() && existing.reuseport.is_some() => Err(Missing::Uid),
        (Some(_), None) => Err(Missing::ReusePort),
    }
}

/// Whether both have the flag. If the attempt lacks it, that of the other does not matter.
fn both(wanted: bool, existing: Option<Flag>) -> Option<Flag> {
    if wanted {
        existing
    } else {
        Some(Flag::observed(false))
    }
}

/// Whether the two have the same owner, as `SO_REUSEPORT` requires. The stub of a TCP connection matches any owner.
fn same_owner(existing: &Existing, attempt: &BindAttempt) -> Option<bool> {
    if attempt.protocol == Protocol::Tcp && existing.is_stub() {
        return Some(true);
    }
    existing.socket.uid.map(|uid| uid == attempt.uid)
}
