//! Runs sockstat side by side with `ss`, `netstat`, `lsof`, any other command and two floors on the same sockets.
//!
//! For each size it starts the `load` example, runs every program in the load's network namespace, interleaved and
//! starting with a different one in each round, and prints medians, spread, ratios and peak memory. The floors are this
//! program run again: a bare `sock_diag` dump that receives and counts, and a bare walk over /proc/*/fd. It only
//! measures: rows are counted here, and the tests check that they are right.

mod floor;
mod goal;
mod load;
mod machine;
mod mode;
mod program;
mod report;
mod round;
mod run;
mod stats;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;

/// Runs sockstat side by side with other programs on many sockets.
#[derive(Parser, Debug)]
#[command(name = "compare")]
pub(crate) struct Args {
    /// TCP sockets of each load, even numbers
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    sizes: Vec<u64>,
    /// Processes that share them
    #[arg(long, default_value_t = 100)]
    processes: u32,
    /// Rounds; every program runs once in each
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Rounds on the quiet machine
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    quiet_runs: u32,
    /// Rounds for a program that needs more than two seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    slow_runs: u32,
    /// Modes, by the names that the report prints; all if not given
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    modes: Vec<String>,
    /// The sockstat to measure [default: the one built next to this program]
    #[arg(long)]
    sockstat: Option<PathBuf>,
    /// Another command to measure; a word {} stands for the options that ss is given
    #[arg(long = "peer", value_name = "CMD")]
    peers: Vec<String>,
    /// The most sockets for netstat and lsof
    #[arg(long, default_value_t = 10_000)]
    peer_max: u64,
    /// The most sockets for ss with owners
    #[arg(long, default_value_t = 200_000)]
    ss_owners_max: u64,
    /// More options for the load, in one word: '--v4 50 --v6 50'
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    load: String,
    /// Write all figures as JSON to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run the load and every program as this user (and the group of the same number)
    #[arg(long)]
    user: Option<u32>,
    /// Only the mode without a load, on the machine as it is
    #[arg(long)]
    quiet_machine: bool,
    /// Where the output of the programs goes
    #[arg(long, value_enum, default_value_t = run::Sink::Pipe)]
    sink: run::Sink,
}

fn main() -> Result<()> {
    // The floors come before anything that costs start-up time.
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(floor::WORD) {
        return floor::main(&words.collect::<Vec<_>>());
    }
    compare(&Args::parse())
}

fn compare(args: &Args) -> Result<()> {
    let modes = mode::choose(&args.modes, args.quiet_machine)?;
    ensure!(
        args.sizes.iter().all(|size| size.is_multiple_of(2)),
        "--sizes must be even: each connection has two sockets"
    );
    let sockstat = program::sockstat_path(args.sockstat.as_deref())?;
    let machine = machine::Machine::look(args, &sockstat)?;
    println!("{}\n", machine.line());

    let mut tables = Vec::new();
    for mode in modes.iter().filter(|mode| mode.load == mode::Load::None) {
        let place = run::Place {
            namespaces: Vec::new(),
            user: args.user,
            sink: args.sink,
        };
        tables.extend(round::measure(args, mode, &sockstat, &machine, &place, 0)?);
    }
    for &size in &args.sizes {
        for kind in [mode::Load::Tcp, mode::Load::Unix] {
            if !modes.iter().any(|mode| mode.load == kind) {
                continue;
            }
            let load = load::Load::start(args, kind, size)?;
            let place = run::Place {
                namespaces: load.namespaces()?,
                user: args.user,
                sink: args.sink,
            };
            for mode in modes.iter().filter(|mode| mode.load == kind) {
                tables.extend(round::measure(
                    args,
                    mode,
                    &sockstat,
                    &machine,
                    &place,
                    load.sockets,
                )?);
            }
        }
    }
    let verdicts = goal::judge(&tables, machine.ordinary_user);
    report::print_goals(&verdicts);
    if let Some(path) = &args.json {
        let text = report::json(&machine, &tables, &verdicts).to_string();
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
