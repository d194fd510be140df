//! Prints tables and verdicts, and formats them as JSON.

use serde_json::{Value, json};

use crate::goal::{Limit, Verdict};
use crate::machine::{Machine, megabytes};
use crate::round::{Row, Table};

/// A table for one mode. Ratios are sockstat divided by the program of the row: below 1, sockstat is faster.
pub(crate) fn print(table: &Table) {
    println!("{}, {} sockets", table.mode, table.sockets);
    println!(
        "  {:<22} {:>4} {:>10} {:>10} {:>10} {:>9} {:>7} {:>7} {:>10} {:>8} {:>9} {:>9}",
        "program",
        "runs",
        "median ms",
        "min ms",
        "max ms",
        "IQR ms",
        "ratio",
        "paired",
        "cpu ms",
        "peak MB",
        "B/socket",
        "rows"
    );
    for row in &table.rows {
        let per_socket = row
            .bytes_per_socket
            .map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:.1}"));
        println!(
            "  {:<22} {:>4} {:>10.2} {:>10.2} {:>10.2} {:>9.2} {:>7.3} {:>7.3} {:>10.2} {:>8.1} {:>9} {:>9}",
            row.name,
            row.wall_ms.len(),
            row.wall.median,
            row.wall.min,
            row.wall.max,
            row.wall.iqr,
            row.ratio,
            row.paired,
            row.processor_ms,
            megabytes(row.peak_kib),
            per_socket,
            row.rows
        );
    }
    for note in &table.notes {
        println!("  {note}");
    }
    println!();
}

/// Every goal: reached, missed and by how much, or not measured in this run.
pub(crate) fn print_goals(verdicts: &[Verdict]) {
    println!("goals");
    for verdict in verdicts {
        let user = if verdict.goal.ordinary_user {
            ", ordinary user"
        } else {
            ""
        };
        let what = format!("{}, {} sockets{user}", verdict.goal.mode, verdict.goal.sockets);
        let limit = format!("{} at most {:.3}", unit(verdict.goal.limit), verdict.bound);
        println!("  {what:<40} {limit:<32} {}", outcome(verdict));
    }
}

fn outcome(verdict: &Verdict) -> String {
    match verdict.measured {
        None => "not measured".to_owned(),
        Some(measured) if measured <= verdict.bound => format!("reached: {measured:.3}"),
        Some(measured) => {
            let over = (measured / verdict.bound - 1.0) * 100.0;
            format!("MISSED: {measured:.3}, {over:.0} % too much")
        }
    }
}

fn unit(limit: Limit) -> &'static str {
    match limit {
        Limit::OfSs(_) => "of ss",
        Limit::OfDump(_) => "of the bare dump",
        Limit::OfWalk(_) => "of the bare walk",
        Limit::Peak(..) => "peak MB",
    }
}

/// The whole report. Times in milliseconds, memory in KiB as the kernel reports it.
pub(crate) fn json(machine: &Machine, tables: &[Table], verdicts: &[Verdict]) -> Value {
    json!({
        "machine": {
            "kernel": machine.kernel,
            "cores": machine.cores,
            "ordinary_user": machine.ordinary_user,
            "processes": machine.processes,
            "ss_version": machine.ss_version,
            "sockstat_version": machine.sockstat_version,
            "sockstat_base_peak_kib": machine.base_peak_kib,
        },
        "tables": tables.iter().map(|table| json!({
            "mode": table.mode,
            "sockets": table.sockets,
            "notes": table.notes,
            "programs": table.rows.iter().map(program).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "goals": verdicts.iter().map(|verdict| json!({
            "mode": verdict.goal.mode,
            "sockets": verdict.goal.sockets,
            "ordinary_user": verdict.goal.ordinary_user,
            "limit": unit(verdict.goal.limit),
            "bound": verdict.bound,
            "measured": verdict.measured,
            "reached": verdict.measured.map(|measured| measured <= verdict.bound),
        })).collect::<Vec<_>>(),
    })
}

fn program(row: &Row) -> Value {
    json!({
        "name": row.name,
        "wall_ms": row.wall_ms,
        "median_ms": row.wall.median,
        "min_ms": row.wall.min,
        "max_ms": row.wall.max,
        "iqr_ms": row.wall.iqr,
        "ratio": row.ratio,
        "paired_ratio": row.paired,
        "processor_ms": row.processor_ms,
        "peak_kib": row.peak_kib,
        "bytes_per_socket": row.bytes_per_socket,
        "output_bytes": row.output_bytes,
        "rows": row.rows,
    })
}
