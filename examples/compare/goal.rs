//! The performance goals of sockstat, and whether they were met. Pure.

use crate::machine::megabytes;
use crate::program::Role;
use crate::round::{Row, Table};
use crate::stats::float;

/// The quantity that a goal bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Ratio of medians to `ss` with the same options.
    OfSs(f64),
    /// Ratio of medians to the better of the bare dumps.
    OfDump(f64),
    /// Ratio of medians to the bare walk.
    OfWalk(f64),
    /// Peak memory: so many MB, and so many bytes per socket.
    Peak(f64, f64),
}

/// One bound in one mode at one size (0: no load).
pub(crate) struct Goal {
    pub(crate) mode: &'static str,
    pub(crate) sockets: u64,
    pub(crate) ordinary_user: bool,
    pub(crate) limit: Limit,
}

const fn at(sockets: u64, mode: &'static str, limit: Limit) -> Goal {
    Goal {
        mode,
        sockets,
        ordinary_user: false,
        limit,
    }
}

const GOALS: &[Goal] = &[
    at(100_000, "-tan", Limit::OfSs(0.27)),
    at(100_000, "-tan", Limit::OfDump(1.15)),
    at(100_000, "-tan", Limit::Peak(6.0, 20.0)),
    at(100_000, "-tanp", Limit::OfSs(0.02)),
    at(100_000, "-tanp", Limit::OfDump(1.4)),
    at(100_000, "-tanp", Limit::Peak(8.0, 80.0)),
    at(100_000, "-tanp --owners proc", Limit::OfSs(0.06)),
    at(100_000, "-tanp --owners proc", Limit::OfWalk(0.9)),
    at(100_000, "-tlnp", Limit::OfSs(0.04)),
    at(100_000, "-tlnp --owners proc", Limit::OfSs(0.35)),
    at(100_000, "-tln", Limit::OfSs(0.08)),
    at(100_000, "-tane", Limit::OfSs(0.3)),
    at(100_000, "-tani", Limit::OfSs(0.14)),
    at(100_000, "-tanemoi", Limit::OfSs(0.2)),
    at(100_000, "one port no match", Limit::OfSs(0.7)),
    at(100_000, "one port half", Limit::OfSs(0.35)),
    at(100_000, "--jsonl", Limit::OfDump(2.0)),
    at(100_000, "--jsonl", Limit::OfSs(1.0)),
    at(100_000, "--jsonl --columns", Limit::OfSs(0.5)),
    at(10_000, "-tanp", Limit::OfSs(0.12)),
    at(1_000_000, "-tan", Limit::OfDump(1.15)),
    at(1_000_000, "-tanp", Limit::OfDump(1.4)),
    at(0, "quiet -tulpn", Limit::OfSs(0.7)),
    at(0, "quiet -tulpn", Limit::Peak(5.0, 0.0)),
    Goal {
        mode: "-tanp",
        sockets: 100_000,
        ordinary_user: true,
        limit: Limit::OfSs(0.06),
    },
];

/// A goal and the measured value; `None` if this run did not measure it.
pub(crate) struct Verdict {
    pub(crate) goal: &'static Goal,
    pub(crate) bound: f64,
    pub(crate) measured: Option<f64>,
}

/// Compares every goal with the tables of this run.
pub(crate) fn judge(tables: &[Table], ordinary_user: bool) -> Vec<Verdict> {
    GOALS
        .iter()
        .map(|goal| {
            let table = tables.iter().find(|table| {
                (table.mode, table.sockets, ordinary_user) == (goal.mode, goal.sockets, goal.ordinary_user)
            });
            Verdict {
                goal,
                bound: bound(goal),
                measured: table.and_then(|table| measured(table, goal.limit)),
            }
        })
        .collect()
}

fn bound(goal: &Goal) -> f64 {
    match goal.limit {
        Limit::OfSs(bound) | Limit::OfDump(bound) | Limit::OfWalk(bound) => bound,
        Limit::Peak(megabytes, bytes_per_socket) => megabytes + bytes_per_socket * float(goal.sockets) / 1e6,
    }
}

fn measured(table: &Table, limit: Limit) -> Option<f64> {
    match limit {
        Limit::OfSs(_) => ratio(table, Role::Ss),
        Limit::OfDump(_) => ratio(table, Role::Dump),
        Limit::OfWalk(_) => ratio(table, Role::Walk),
        Limit::Peak(..) => of(table, Role::Sockstat)
            .map(|row| megabytes(row.peak_kib))
            .next(),
    }
}

/// The ratio to the fastest program of that role.
fn ratio(table: &Table, role: Role) -> Option<f64> {
    of(table, role).map(|row| row.ratio).max_by(f64::total_cmp)
}

fn of(table: &Table, role: Role) -> impl Iterator<Item = &Row> {
    table.rows.iter().filter(move |row| row.role == role)
}
