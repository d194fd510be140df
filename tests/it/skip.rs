//! Tests that cannot run here report the exact reason, and CI decides whether it is acceptable.
//!
//! `SOCKSTAT_NO_SKIP` names a file of acceptable reasons, one per line; `#` starts a comment, and a `*` at the end of
//! a line matches the rest of a reason. With it set, any other reason fails the test.

use std::io::Write as _;
use std::path::Path;

/// Prints `skipped: REASON` where the test runner does not capture it.
///
/// # Panics
/// If `SOCKSTAT_NO_SKIP` is set and its file does not list the reason.
#[track_caller]
pub(crate) fn skip(reason: &str) {
    if let Some(list) = std::env::var_os("SOCKSTAT_NO_SKIP") {
        // Relative to the package, wherever cargo runs the test.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(list);
        let list = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read SOCKSTAT_NO_SKIP={}: {error}", path.display()));
        assert!(
            is_listed(&list, reason),
            "skipped, and {} does not list it: {reason}",
            path.display()
        );
    }
    // Not eprintln!, which the test runner swallows.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

fn is_listed(list: &str, reason: &str) -> bool {
    let lines = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.into_iter().any(|line| match line.strip_suffix('*') {
        Some(start) => reason.starts_with(start),
        None => reason == line,
    })
}

#[test]
fn only_listed_reasons_are_accepted() {
    let list = "# why\nno ss\nno netns: *\n";
    assert!(is_listed(list, "no ss"));
    assert!(is_listed(list, "no netns: EPERM"));
    assert!(!is_listed(list, "no ss at all"));
    assert!(!is_listed(list, "# why"));
}
