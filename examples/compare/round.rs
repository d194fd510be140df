//! Measures one mode: a trial run of every program, then interleaved rounds.

use std::path::Path;

use anyhow::Result;

use crate::machine::Machine;
use crate::mode::{Load, Mode};
use crate::program::{Program, Role, Skipped, line_up};
use crate::run::{Place, Run, Sink, run};
use crate::stats::{Summary, float, median, summary};
use crate::{Args, report};

/// A program slower than this runs in the first rounds only.
const SLOW_MS: f64 = 2000.0;

/// Exit status of a usage error: the option does not exist.
const USAGE: i32 = 2;

/// The figures of one program.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) wall_ms: Vec<f64>,
    pub(crate) wall: Summary,
    pub(crate) processor_ms: f64,
    pub(crate) peak_kib: u64,
    /// Median of sockstat divided by the median of this one.
    pub(crate) ratio: f64,
    /// Median of the quotients, over the rounds in which both ran.
    pub(crate) paired: f64,
    pub(crate) bytes_per_socket: Option<f64>,
    pub(crate) output_bytes: u64,
    /// Lines without the header; for a floor, the sockets that it counted.
    pub(crate) rows: u64,
}

/// One mode at one size.
pub(crate) struct Table {
    pub(crate) mode: &'static str,
    pub(crate) sockets: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

struct Entry {
    program: Program,
    runs: Vec<Run>,
    rounds: u32,
    rows: u64,
}

/// `None` if sockstat cannot do this yet, which is reported.
pub(crate) fn measure(
    args: &Args,
    mode: &'static Mode,
    sockstat: &Path,
    machine: &Machine,
    place: &Place,
    sockets: u64,
) -> Result<Option<Table>> {
    let (programs, skipped) = line_up(args, mode, sockstat, sockets);
    let rounds = if mode.load == Load::None {
        args.quiet_runs
    } else {
        args.runs
    };
    let mut notes: Vec<String> = skipped
        .into_iter()
        .map(|Skipped { name, reason }| format!("{name}: {reason}"))
        .collect();
    let mut entries = Vec::new();
    for program in programs {
        let trial = match run(&program, place) {
            Ok(trial) if trial.status.success() => trial,
            failed => {
                let reason = why_not(failed);
                if program.role == Role::Sockstat {
                    println!("{}, {sockets} sockets: {reason}\n", mode.name);
                    return Ok(None);
                }
                notes.push(format!("{}: {reason}", program.name));
                continue;
            }
        };
        let rounds = if trial.wall_ms > SLOW_MS {
            rounds.min(args.slow_runs)
        } else {
            rounds
        };
        let rows = rows(&program, mode, &trial);
        entries.push(Entry {
            program,
            runs: Vec::new(),
            rounds,
            rows,
        });
    }
    for round in 0..rounds {
        // Each round starts with another program, so that none always follows the same one.
        let first = round as usize % entries.len();
        let (last_ones, first_ones) = entries.split_at_mut(first);
        for entry in first_ones
            .iter_mut()
            .chain(last_ones)
            .filter(|entry| round < entry.rounds)
        {
            entry.runs.push(run(&entry.program, place)?);
        }
    }
    notes.extend(odd_rows(mode, place, &entries));
    let base = entries
        .first()
        .map(|entry| walls(&entry.runs))
        .unwrap_or_default();
    let rows = entries
        .iter()
        .map(|entry| row(entry, &base, machine, sockets))
        .collect();
    let table = Table {
        mode: mode.name,
        sockets,
        rows,
        notes,
    };
    report::print(&table);
    Ok(Some(table))
}

fn why_not(failed: Result<Run>) -> String {
    match failed {
        Err(error) => format!("{error:#}"),
        Ok(run) if run.status.code() == Some(USAGE) => format!("not there yet ({})", run.message),
        Ok(run) => format!("failed, {}: {}", run.status, run.message),
    }
}

fn rows(program: &Program, mode: &Mode, run: &Run) -> u64 {
    let [sockstat_header, ss_header] = mode.header_lines.unwrap_or_default();
    match program.role {
        Role::Dump | Role::Walk => String::from_utf8_lossy(&run.output.head)
            .trim()
            .parse()
            .unwrap_or(0),
        Role::Sockstat => run.output.lines.saturating_sub(sockstat_header),
        Role::Ss => run.output.lines.saturating_sub(ss_header),
        Role::Other => run.output.lines,
    }
}

/// Inconsistencies in the rows: programs that differ from each other, or from round to round.
fn odd_rows(mode: &Mode, place: &Place, entries: &[Entry]) -> Vec<String> {
    let mut notes = Vec::new();
    if place.sink == Sink::Null {
        return notes;
    }
    let of = |role| entries.iter().find(|entry| entry.program.role == role);
    if let (Some(sockstat), Some(ss), Some(_)) = (of(Role::Sockstat), of(Role::Ss), mode.header_lines)
        && sockstat.rows != ss.rows
    {
        notes.push(format!("ROWS DIFFER: sockstat {}, ss {}", sockstat.rows, ss.rows));
    }
    // The walk sees the whole machine, whose other processes come and go.
    for entry in entries.iter().filter(|entry| entry.program.role != Role::Walk) {
        let odd = entry
            .runs
            .iter()
            .filter(|run| rows(&entry.program, mode, run) != entry.rows)
            .count();
        let failed = entry.runs.iter().filter(|run| !run.status.success()).count();
        if odd + failed > 0 {
            notes.push(format!(
                "{}: {odd} runs had other rows than the first, {failed} failed",
                entry.program.name
            ));
        }
    }
    notes
}

fn walls(runs: &[Run]) -> Vec<f64> {
    runs.iter().map(|run| run.wall_ms).collect()
}

fn row(entry: &Entry, sockstat_ms: &[f64], machine: &Machine, sockets: u64) -> Row {
    let wall_ms = walls(&entry.runs);
    let wall = summary(&wall_ms);
    let quotients: Vec<f64> = sockstat_ms
        .iter()
        .zip(&wall_ms)
        .map(|(ours, theirs)| ours / theirs)
        .collect();
    let processor: Vec<f64> = entry.runs.iter().map(|run| run.user_ms + run.system_ms).collect();
    let peak_kib = entry
        .runs
        .iter()
        .map(|run| run.peak_kib)
        .max()
        .unwrap_or_default();
    let beyond_base = float(peak_kib.saturating_sub(machine.base_peak_kib)) * 1024.0;
    Row {
        name: entry.program.name.clone(),
        role: entry.program.role,
        ratio: median(sockstat_ms) / wall.median,
        paired: median(&quotients),
        wall,
        wall_ms,
        processor_ms: median(&processor),
        peak_kib,
        bytes_per_socket: (sockets > 0).then(|| beyond_base / float(sockets)),
        output_bytes: entry.runs.first().map_or(0, |run| run.output.bytes),
        rows: entry.rows,
    }
}
