//! Reports what is missing and how to get it.

use super::caller::Caller;
use crate::engine::Captured;
use crate::model::ownership::Unseen;
use crate::model::{Gap, GapLevel, OwnerStatus};
use crate::render::escape;

/// Returns all gaps, including those that follow from the rows: unknown owners, and rows that the filter could not
/// decide.
pub fn of_owners(captured: &Captured, caller: &Caller) -> Vec<Gap> {
    let unseen = captured.owners.unseen();
    let hidden = captured.count(OwnerStatus::Hidden);
    let mut gaps = of_unseen(hidden, captured.count(OwnerStatus::Elsewhere), unseen, caller);
    // If owners of rows are hidden too, or rows were left out for that reason, that line suffices. Without rows, there
    // are no other ends.
    let other_ends = captured.context.peers.hidden;
    let has_rows = captured.by_status.iter().any(|count| *count > 0);
    if hidden == 0 && captured.undecided == [0; OwnerStatus::ALL.len()] && has_rows && other_ends > 0 {
        let message = plural(
            other_ends,
            "owner of another end hidden",
            "owners of other ends hidden",
        );
        gaps.push(
            Gap::loss("peer-owners-hidden", message)
                .with_remedy(more_rights(unseen, caller))
                .with_count(other_ends),
        );
    }
    if gaps.is_empty() {
        let known = captured.count(OwnerStatus::Known) + captured.count(OwnerStatus::Queued);
        gaps.extend(partial(known, unseen, caller));
    }
    gaps.extend(undecided(captured, caller));
    gaps
}

/// Returns the gaps that follow from the owners of individual sockets.
pub fn of_sockets(
    statuses: impl IntoIterator<Item = OwnerStatus>,
    unseen: Unseen,
    caller: &Caller,
) -> Vec<Gap> {
    let mut counts = [0; OwnerStatus::ALL.len()];
    for status in statuses {
        counts[status as usize] += 1;
    }
    let count = |status: OwnerStatus| counts[status as usize];
    let mut gaps = of_unseen(
        count(OwnerStatus::Hidden),
        count(OwnerStatus::Elsewhere),
        unseen,
        caller,
    );
    if gaps.is_empty() {
        let known = count(OwnerStatus::Known) + count(OwnerStatus::Queued);
        gaps.extend(partial(known, unseen, caller));
    }
    gaps
}

/// The gap for sockets that may have more owners than are known.
fn partial(known: u64, unseen: Unseen, caller: &Caller) -> Option<Gap> {
    let message = plural(
        known,
        "socket may have more owners, in processes that cannot be inspected",
        "sockets may have more owners, in processes that cannot be inspected",
    );
    (known > 0 && unseen.is_any()).then(|| {
        Gap::loss(UNPRINTED, message)
            .with_remedy(more_rights(unseen, caller))
            .with_count(known)
    })
}

/// The gap for rows that the filter could not decide. The remedy depends on why their owners are unknown.
fn undecided(captured: &Captured, caller: &Caller) -> Option<Gap> {
    let count = |statuses: &[OwnerStatus]| -> u64 {
        let of_status = |status: &OwnerStatus| captured.undecided[*status as usize];
        statuses.iter().map(of_status).sum()
    };
    let all = count(&OwnerStatus::ALL);
    let message = plural(
        all,
        "socket left out: the filter depends on owners that are not known",
        "sockets left out: the filter depends on owners that are not known",
    );
    let gap = Gap::loss("filter-undecided", message).with_count(all);
    let unseen = captured.owners.unseen();
    let gap = if count(&[OwnerStatus::Hidden, OwnerStatus::Known, OwnerStatus::Queued]) > 0
        || unseen.proc_is_empty
    {
        gap.with_remedy(more_rights(unseen, caller))
    } else if count(&[OwnerStatus::Elsewhere]) > 0 {
        gap.with_remedy(ELSEWHERE)
    } else {
        gap
    };
    (all > 0).then_some(gap)
}

/// The remedy for owners in other pid namespaces.
pub const ELSEWHERE: &str = "run sockstat on the host, or share its pid namespace (docker run --pid=host)";

/// The gaps for sockets whose owner is hidden, or in another pid namespace, and for a /proc without processes.
fn of_unseen(hidden: u64, elsewhere: u64, unseen: Unseen, caller: &Caller) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if unseen.proc_is_empty {
        gaps.push(
            Gap::loss(
                "proc-empty",
                "no owner is known: /proc (or --proc-root) shows no process",
            )
            .with_remedy(more_rights(unseen, caller)),
        );
    }
    if hidden > 0 {
        gaps.push(
            Gap::loss("owners-hidden", plural(hidden, "owner hidden", "owners hidden"))
                .with_remedy(more_rights(unseen, caller))
                .with_count(hidden),
        );
    }
    if elsewhere > 0 {
        let message = plural(
            elsewhere,
            "owner is in another pid namespace",
            "owners are in other pid namespaces",
        );
        gaps.push(
            Gap::loss("owners-elsewhere", message)
                .with_remedy(ELSEWHERE)
                .with_count(elsewhere),
        );
    }
    gaps
}

/// Adds the remedy for a network namespace that could not be entered, which depends on the caller.
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

/// Returns what would show more, which depends on the caller.
pub fn more_rights(unseen: Unseen, caller: &Caller) -> String {
    more_rights_so_that(unseen, caller, "shows more")
}

/// The same; `effect` is what this command does with more privileges.
pub fn more_rights_so_that(unseen: Unseen, caller: &Caller, effect: &str) -> String {
    if unseen.proc_is_empty {
        "mount procfs there (mount -t proc proc /proc)".to_owned()
    } else if unseen.out_of_descriptors {
        "raise the limit of open files (ulimit -n)".to_owned()
    } else if caller.may_see_all {
        "even root may not inspect every process here (a security module or another user namespace forbids it); `ls -l /proc/*/fd > /dev/null` names those processes".to_owned()
    } else if caller.is_root {
        "needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (docker run --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH, or --pid=host)".to_owned()
    } else {
        format!("sudo {} {effect}", caller.command)
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The loss that every run without full privileges has. JSON and the exit status report it, but printing it each time
/// would only teach people to ignore stderr (docs/decisions/0008).
const UNPRINTED: &str = "owners-partial";

/// The lines for stderr: one per loss except `UNPRINTED`. Notes are for JSON only.
pub fn lines<'a>(gaps: impl IntoIterator<Item = &'a Gap>) -> String {
    let mut text = String::new();
    let printed = |gap: &&Gap| gap.level == GapLevel::Loss && gap.code != UNPRINTED;
    for gap in gaps.into_iter().filter(printed) {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::engine::How;
    use crate::model::{Context, HolderTable, Owners};

    fn captured(unseen: Unseen) -> Captured {
        Captured {
            owners: Owners::new(HolderTable::default(), BTreeMap::new(), Vec::new()).with_unseen(unseen),
            context: Context::default(),
            gaps: Vec::new(),
            by_status: [0; 9],
            undecided: [0; 9],
            owners_by: How::NotLooked,
            taken_at: SystemTime::UNIX_EPOCH,
        }
    }

    fn told(captured: &Captured) -> Vec<(&'static str, Option<String>)> {
        let gaps = of_owners(captured, &Caller::default());
        gaps.into_iter().map(|gap| (gap.code, gap.remedy)).collect()
    }

    #[test]
    fn hidden_processes_may_own_sockets_with_known_owners_too() {
        let refused = Unseen {
            processes_refused: 3,
            ..Unseen::default()
        };
        let mut of = captured(refused);
        assert_eq!(told(&of), [], "no row depends on owners");
        of.by_status[OwnerStatus::Known as usize] = 1;
        assert_eq!(told(&of)[0].0, "owners-partial");
        of.by_status[OwnerStatus::Hidden as usize] = 1;
        assert_eq!(told(&of).len(), 1, "hidden owners suffice");
        let mut of = captured(Unseen::default());
        of.by_status[OwnerStatus::Known as usize] = 1;
        assert_eq!(told(&of), []);
    }

    #[test]
    fn the_remedy_matches_the_cause() {
        let undecided = |status: OwnerStatus, unseen| {
            let mut of = captured(unseen);
            of.undecided[status as usize] = 1;
            told(&of).pop().unwrap().1.unwrap_or_default()
        };
        let nothing = Unseen::default();
        assert!(undecided(OwnerStatus::Hidden, nothing).starts_with("sudo"));
        assert!(undecided(OwnerStatus::Elsewhere, nothing).contains("--pid=host"));
        assert_eq!(undecided(OwnerStatus::InFlight, nothing), "");
        let starved = Unseen {
            out_of_descriptors: true,
            ..nothing
        };
        assert!(undecided(OwnerStatus::Hidden, starved).contains("ulimit -n"));
        let empty = Unseen {
            proc_is_empty: true,
            ..nothing
        };
        assert!(undecided(OwnerStatus::Unknown, empty).contains("mount"));
    }
}
