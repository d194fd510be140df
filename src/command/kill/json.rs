//! What `kill` did, as one JSON document, `sockstat-kill/1`.

use std::fmt::Write as _;

use super::Ending;
use super::find::Victim;
use crate::diagnose::restart::Again;
use crate::diagnose::stopped::Stopped;
use crate::model::Protocol;
use crate::plan::KillPlan;
use crate::render::json::push_string;

/// The document, ending in a newline.
pub(super) fn document(plan: &KillPlan, endings: &[(&Victim, Ending)]) -> Vec<u8> {
    let mut out = b"{\"schema\":\"sockstat-kill/1\",\"signal\":".to_vec();
    push_string(&mut out, plan.signal.as_bytes());
    out.extend_from_slice(format!(",\"dry_run\":{},\"targets\":[", plan.dry_run).as_bytes());
    for (index, (victim, ending)) in endings.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"program\":");
        push_string(&mut out, &victim.program);
        out.extend_from_slice(b",\"user\":");
        push_string(&mut out, victim.user.as_bytes());
        out.extend_from_slice(format!(",\"pids\":[{}],\"sockets\":[", numbers(&victim.pids)).as_bytes());
        push_places(&mut out, &victim.places);
        out.extend_from_slice(b"],\"also_holds\":[");
        push_places(&mut out, &victim.also);
        let starts_again = match victim.restart.again {
            Again::Yes => "true",
            Again::No => "false",
            Again::AfterError | Again::Unknown => "null",
        };
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
        let mut tail = String::new();
        let _ = write!(
            tail,
            "],\"stopped\":[{}],\"starts_again\":{starts_again},\"ended_after_ms\":{},\"ports_free\":{},\"signalled\":[{}]}}",
            numbers(&victim.stopped.as_ref().map(Stopped::pids).unwrap_or_default()),
            or_null(ending.ended_after_ms.map(|ms| ms.to_string())),
            or_null(ending.ports_free.map(|free| free.to_string())),
            numbers(&ending.signalled)
        );
        out.extend_from_slice(tail.as_bytes());
    }
    out.extend_from_slice(b"]}\n");
    out
}

fn numbers(numbers: &[u32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(",")
}

fn push_places(out: &mut Vec<u8>, places: &[(String, Protocol)]) {
    for (index, (place, protocol)) in places.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        // A place is text that was escaped before; it must not be escaped twice.
        let _ = serde_json::to_writer(&mut *out, &format!("{place}/{}", protocol.name()));
    }
}
