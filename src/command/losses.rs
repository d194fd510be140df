//! What the reader is told about what is missing, and what they can do about it.

use super::caller::Caller;
use crate::engine::Captured;
use crate::model::{Gap, GapLevel, OwnerStatus};
use crate::render::escape;

/// Adds the gaps that follow from the rows: owners that are not known, rows that could not be judged.
pub fn of_owners(captured: &Captured, caller: &Caller) -> Vec<Gap> {
    let mut gaps = of_unseen(
        captured.count(OwnerStatus::Hidden),
        captured.count(OwnerStatus::Elsewhere),
        caller,
    );
    // With owners of rows hidden as well, that says it all.
    let other_ends = captured.context.peers.hidden;
    if captured.count(OwnerStatus::Hidden) == 0 && other_ends > 0 {
        let message = plural(
            other_ends,
            "owner of another end hidden",
            "owners of other ends hidden",
        );
        gaps.push(
            Gap::loss("peer-owners-hidden", message)
                .with_remedy(more_rights(caller))
                .with_count(other_ends),
        );
    }
    if captured.undecided > 0 {
        let message = plural(
            captured.undecided,
            "socket left out: the filter needs its owner, which is unknown",
            "sockets left out: the filter needs their owners, which are unknown",
        );
        gaps.push(
            Gap::loss("filter-undecided", message)
                .with_remedy(more_rights(caller))
                .with_count(captured.undecided),
        );
    }
    gaps
}

/// The gaps for sockets whose owner is hidden, or in another pid namespace.
pub fn of_unseen(hidden: u64, elsewhere: u64, caller: &Caller) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if hidden > 0 {
        gaps.push(
            Gap::loss("owners-hidden", plural(hidden, "owner hidden", "owners hidden"))
                .with_remedy(more_rights(caller))
                .with_count(hidden),
        );
    }
    if elsewhere > 0 {
        let message = plural(
            elsewhere,
            "owner is in another pid namespace",
            "owners are in other pid namespaces",
        );
        let remedy = "run sockstat on the host, or share its pid namespace (docker run --pid=host)";
        gaps.push(
            Gap::loss("owners-elsewhere", message)
                .with_remedy(remedy)
                .with_count(elsewhere),
        );
    }
    gaps
}

/// Adds what helps where a network namespace is closed, which depends on who asks.
pub fn add_remedies(gaps: &mut [Gap], caller: &Caller) {
    let closed = |gap: &&mut Gap| ["netns-closed", "netns-from-proc"].contains(&gap.code);
    for gap in gaps.iter_mut().filter(closed) {
        gap.remedy = Some(if caller.is_root {
            "needs CAP_SYS_ADMIN, here and in the user namespace that owns it".to_owned()
        } else {
            format!("sudo {} shows more", caller.command)
        });
    }
}

/// What shows more: true for the one who reads it.
fn more_rights(caller: &Caller) -> String {
    if caller.may_see_all {
        "hidden even from root by a security module or another user namespace".to_owned()
    } else if caller.is_root {
        "needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (docker run --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH, or --pid=host)".to_owned()
    } else {
        format!("sudo {} shows more", caller.command)
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The lines for stderr: one per loss. Notes are for JSON only.
pub fn lines(gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps.iter().filter(|gap| gap.level == GapLevel::Loss) {
        text.push_str(&escape::text(gap.message.as_bytes()));
        if let Some(remedy) = &gap.remedy {
            text.push_str(": ");
            // The remedy was quoted for a shell, backslashes and all.
            text.push_str(remedy);
        }
        text.push('\n');
    }
    text
}
