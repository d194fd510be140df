//! Checks afterwards whether the ports of a target are free.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use super::find::Victim;
use crate::command::read::snapshot;
use crate::diagnose::bind::{Outcome, diagnose};
use crate::model::bind::BindAttempt;
use crate::source::system;

/// The longest pause between two checks of a port.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Checks until the ports of a victim can be bound again or the deadline has passed: the kernel may take a moment to
/// release a port after the process has ended.
pub(super) fn check(victim: &Victim, deadline: Instant) -> (bool, String) {
    let mut pause = Duration::from_millis(1);
    loop {
        let (free, words) = look_at_ports(victim);
        let left = deadline.saturating_duration_since(Instant::now());
        if free || left.is_zero() {
            return (free, words);
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Returns whether the ports of a victim can be bound again, and the words that say so.
fn look_at_ports(victim: &Victim) -> (bool, String) {
    let system = system::read();
    let mut said = Vec::new();
    let mut all_free = true;
    for socket in &victim.sockets {
        let Some(pair) = socket.inet() else { continue };
        let attempt = BindAttempt {
            v6only: pair.v6only == Some(true) && pair.local_address.is_unspecified(),
            device: pair.interface,
            scope_id: pair.interface.and_then(|index| NonZeroU32::new(index.get())),
            ..BindAttempt::new(socket.protocol, pair.local_address, pair.local_port)
        };
        let existing = snapshot::read(socket.protocol, pair.local_port, pair.local_port).existing;
        let verdict = diagnose(&existing, &attempt, &system, None);
        let name = format!("{}/{}", pair.local_port, socket.protocol.name());
        // Not a failure: no process is left to be ended.
        let winding_down = matches!(verdict.code.name(), "time-wait" | "orphan");
        let word = match verdict.bind {
            Outcome::Ok => format!("{name} is free"),
            Outcome::Undecidable => format!("{name} may still be in use"),
            Outcome::Fails(_) if winding_down => {
                let code = verdict.code.name();
                format!("no process holds {name}, only closed connections remain ({code})")
            }
            Outcome::Fails(_) => format!("{name} is still taken ({})", verdict.code.name()),
        };
        all_free &= verdict.bind == Outcome::Ok || winding_down;
        if !said.contains(&word) {
            said.push(word);
        }
    }
    if said.is_empty() {
        said.push("its sockets are closed".to_owned());
    }
    (all_free, said.join(", "))
}
