//! Comparisons with points in time, and with the number of owners.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::model::{Ownership, Row};
use crate::query::samples::context;

/// Matches a filter against a socket of an nginx that started at `started` and was captured at `taken` (Unix time in
/// ms).
fn evaluate(filter: &str, started: u64, taken: u64, holders: &[Holder]) -> Match {
    let socket = tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen);
    let mut context = context();
    let at = |ms| Some(UNIX_EPOCH + Duration::from_millis(ms));
    context.processes.get_mut(&812).unwrap().started_at = at(started);
    context.origin.taken_at = at(taken);
    context.origin.machine.host = Some("web1".into());
    let status = if holders.is_empty() {
        OwnerStatus::Hidden
    } else {
        OwnerStatus::Known
    };
    let ownership = Ownership {
        status,
        holders,
        may_be_more: false,
    };
    read(filter).expr.unwrap().matches(&Row {
        socket: &socket,
        ownership,
        context: &context,
    })
}

#[test]
fn a_time_is_compared_with_the_named_period() {
    // 2026-11-30T10:15:00.250Z
    const NOW: u64 = 1_796_033_700_250;
    for (filter, expected) in [
        ("taken_at = 2026-11-30", true),
        ("taken_at = '2026-11-30T10:15'", true),
        ("taken_at = '2026-11-30T10:15:00.250Z'", true),
        ("taken_at = 2026-11-29", false),
        ("taken_at gt 2026-11-30", false),
        ("taken_at ge 2026-11-30", true),
        ("taken_at lt '2026-11-30T10:15:00.251Z'", true),
        ("taken_at lt '2026-11-30T10:15:00.250Z'", false),
        ("taken_at like '2026-11-30T10:15:00.250Z'", true),
        ("started_at lt 2026-11-30", false),
        ("started_at ge 2026-11-30 and started_at le 2026-11-30", true),
        // Whole seconds, as shown.
        ("started_at = '2026-11-30T10:15:00.000Z'", true),
        ("has(started_at) and has(taken_at)", true),
        ("host = web1 and exe like '*/nginx'", true),
        ("host = web2", false),
        ("owner_count = 1", true),
        ("owner_count gt 1", false),
    ] {
        let wanted = if expected { Match::Yes } else { Match::No };
        assert_eq!(
            evaluate(filter, NOW, NOW, &[holder(812, 3), holder(812, 4)]),
            wanted,
            "{filter}"
        );
    }
    for filter in [
        "started_at lt 2026-11-30",
        "owner_count = 1",
        "not owner_count = 1",
    ] {
        assert_eq!(evaluate(filter, NOW, NOW, &[]), Match::OwnersUnknown, "{filter}");
    }
}

#[test]
fn an_invalid_time_is_rejected_with_an_example() {
    for filter in ["taken_at = yesterday", "started_at gt 2026-02-30"] {
        let error = fails(filter);
        assert!(error.contains("as in 2026-11-30"), "{error}");
    }
}
