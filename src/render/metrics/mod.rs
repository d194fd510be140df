//! Metrics in the text format of Prometheus, 0.0.4: the counts of a run, and how they are written.
//!
//! Every label has few values on any machine: no process ids, no peers, nothing that a user of the machine can create
//! without limit. Whatever exceeds a limit is summed. The format is not OpenMetrics, because node_exporter's textfile
//! collector would read its counters as untyped.

mod ephemeral;
mod listeners;
mod machine;
mod page;
mod programs;
mod receivers;
mod tally;
mod words;

pub use tally::{Limits, Tally};

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::gap::is_complete;
use crate::model::{Gap, GapLevel};
use page::{Kind, Page};

/// The version of the families and labels. Within a version, they are only ever added to.
pub const SCHEMA: &str = "sockstat-metrics/1";

/// What is known about the run itself.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// This program's version.
    pub version: &'a str,
    /// When it began.
    pub taken_at: SystemTime,
    /// What is missing, or was read by a fallback.
    pub gaps: &'a [Gap],
}

/// Returns the metrics of a run.
pub fn text(run: &Run<'_>, tally: Tally) -> String {
    let mut page = Page::default();
    of_run(&mut page, run);
    tally.write(&mut page);
    page.text
}

fn of_run(page: &mut Page, run: &Run<'_>) {
    page.family(
        "build_info",
        Kind::Gauge,
        "Version of sockstat and of these metrics",
    );
    page.sample(&[("version", run.version), ("schema", SCHEMA)], 1);
    page.family(
        "last_run_timestamp_seconds",
        Kind::Gauge,
        "When this run began, in seconds since 1970",
    );
    let since = run.taken_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    page.sample_text(&[], &format!("{}.{:03}", since.as_secs(), since.subsec_millis()));
    page.family("complete", Kind::Gauge, "1 if nothing is missing from this run");
    page.sample(&[], is_complete(run.gaps).into());
    page.family(
        "missing",
        Kind::Gauge,
        "What is missing from this run, by the code of docs/json.md: sockets or other things, 1 where they cannot be counted",
    );
    let mut codes: Vec<&str> = Vec::new();
    let losses = || run.gaps.iter().filter(|gap| gap.level == GapLevel::Loss);
    for gap in losses() {
        if !codes.contains(&gap.code) {
            codes.push(gap.code);
            let same = losses().filter(|other| other.code == gap.code);
            page.sample(
                &[("code", gap.code)],
                same.map(|gap| gap.count.unwrap_or(1)).sum(),
            );
        }
    }
}

#[cfg(test)]
mod tests;
