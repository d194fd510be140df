//! What a run does, one module for each command.

mod ask;
pub mod caller;
mod completions;
pub mod destroy;
pub mod events;
pub mod explain;
mod filter;
pub mod free;
mod hint;
pub mod kill;
pub mod list;
pub mod losses;
mod metrics;
pub mod netns;
pub mod out;
pub mod raw_dump;
pub mod reach;
pub mod read;
mod sinks;
mod snapshot;
mod sorted;
mod summary;
pub mod tape;
pub mod wait;
#[cfg(feature = "watch")]
pub mod watch;
pub mod why;

use std::ffi::OsString;

use caller::Caller;

use crate::cli;
use crate::cli::{Cli, Subcommand, UsageError, commands, generate, habits};
use crate::exit::Exit;
#[cfg(feature = "watch")]
use crate::plan::WatchPlan;
use crate::plan::{
    Common, DestroyPlan, EventsPlan, FilterInput, KillPlan, ListPlan, MetricsPlan, SnapshotPlan, SummaryPlan,
};
use crate::query::{Mode, Parsed};
use crate::render::{escape, reference};
use crate::source::callers_files;
use crate::source::netns::Views;
use crate::source::tape as record;

/// Runs a command line, the program's name first.
pub fn run(arguments: &[OsString]) -> Exit {
    match cli::parse(arguments) {
        Err(error) if error.was_asked_for() => exit_of(out::print(error.to_string().as_bytes())),
        Err(error) => {
            out::complain(&error.to_string());
            Exit::Usage
        }
        Ok(cli) => match begin(&cli, arguments) {
            Ok(session) => session.end(exit_of(on_tape(&cli, arguments))),
            Err(exit) => exit,
        },
    }
}

/// Rejects `--proc-root` for commands that query this machine's kernel or act on its processes.
fn proc_root_refused(cli: &Cli) -> Result<(), UsageError> {
    let name = match cli.command {
        Some(Subcommand::Why(_)) => "why",
        Some(Subcommand::Reach(_)) => "reach",
        Some(Subcommand::Free(_)) => "free",
        Some(Subcommand::Wait(_)) => "wait",
        Some(Subcommand::Kill(_)) => "kill",
        Some(Subcommand::Events(_)) => "events",
        _ => return Ok(()),
    };
    if cli.list.proc_root.is_none() {
        return Ok(());
    }
    Err(
        UsageError::new(format!("{name} and --proc-root cannot be used together")).with_hint(format!(
            "--proc-root is for listings: {name} asks this machine's kernel"
        )),
    )
}

fn begin(cli: &Cli, arguments: &[OsString]) -> Result<tape::Session, Exit> {
    if let Some(hint) = habits::aside(arguments) {
        out::complain(&hint);
    }
    if let Err(error) = proc_root_refused(cli) {
        out::complain(&error.to_string());
        return Err(Exit::Usage);
    }
    tape::begin(cli)
}

fn on_tape(cli: &Cli, arguments: &[OsString]) -> anyhow::Result<Exit> {
    // Links below that directory may point to any file.
    if cli.list.proc_root.is_some() {
        callers_files::drop_file_capabilities();
    }
    let caller = Caller::here(arguments);
    // A replay enters no namespace: its recording belongs to the namespaces of the recorded run.
    let mut refused = None;
    let views = record::fact("network namespaces", || match netns::enter(cli) {
        Ok(views) => views.views,
        Err(error) => {
            refused = Some(error);
            Vec::new()
        }
    });
    let views = Views {
        views,
        ..Views::default()
    };
    match refused {
        None => {
            let netns = netns::in_commands(cli);
            dispatch(
                cli,
                &Caller {
                    netns,
                    views,
                    ..caller
                },
            )
        }
        Some(error) => {
            out::complain(&error.to_string());
            Ok(Exit::Usage)
        }
    }
}

fn exit_of(outcome: anyhow::Result<Exit>) -> Exit {
    outcome.unwrap_or_else(|error| {
        out::complain(&format!("error: {}\n", escape::sentence(&format!("{error:#}"))));
        Exit::Failed
    })
}

/// Subcommands that read more than a listing does, so that a recording of another command cannot answer them.
fn needs_its_own_recording(cli: &Cli) -> Option<&'static str> {
    match cli.command {
        Some(Subcommand::Why(_)) => Some("why"),
        Some(Subcommand::Reach(_)) => Some("reach"),
        Some(Subcommand::Free(_)) => Some("free"),
        Some(Subcommand::Snapshot(_)) => Some("snapshot"),
        Some(Subcommand::Metrics(_)) => Some("metrics"),
        _ => None,
    }
}

fn dispatch(cli: &Cli, caller: &Caller) -> anyhow::Result<Exit> {
    if let Some(name) = needs_its_own_recording(cli)
        && !record::fact(&format!("asked by {name}"), || true)
    {
        out::complain(&format!(
            "error: this recording is of another command and lacks what {name} reads\n\
             hint: record it with sockstat --record FILE {name} ...\n"
        ));
        return Ok(Exit::Incomplete);
    }
    let (list, place) = (&cli.list, &caller.place);
    let common = Common::of(list);
    let input = |mode| FilterInput::of_list(list, mode);
    match &cli.command {
        None if list.kill => planned(
            &input(Mode::Kill),
            |parsed| DestroyPlan::of_list(list, parsed, place),
            |plan| destroy::run(plan, caller),
        ),
        None if list.events => planned(
            &input(Mode::List),
            |parsed| EventsPlan::of_list(list, parsed, place),
            |plan| events::run(plan, caller),
        ),
        None if list.summary => planned(
            &input(Mode::List),
            |parsed| SummaryPlan::new(list, parsed, place),
            |plan| summary::run(plan, caller),
        ),
        None => planned(
            &input(Mode::List),
            |parsed| ListPlan::new(list, parsed, place),
            |plan| list::run(plan, caller),
        ),
        Some(Subcommand::Why(args)) => why::run(args, common, caller),
        Some(Subcommand::Reach(args)) => reach::run(args, common, caller),
        Some(Subcommand::Free(args)) => free::run(args, common),
        Some(Subcommand::Wait(args)) => wait::run(args, common),
        Some(Subcommand::Kill(args)) if args.socket => planned(
            &FilterInput::of_kill(args),
            |parsed| DestroyPlan::of_kill(args, list, parsed, place),
            |plan| destroy::run(plan, caller),
        ),
        Some(Subcommand::Kill(args)) => planned(
            &FilterInput::of_kill(args),
            |parsed| KillPlan::new(args, list, parsed),
            |plan| kill::run(&plan, caller),
        ),
        Some(Subcommand::Events(args)) => planned(
            &FilterInput::of_events(args, list),
            |parsed| EventsPlan::new(args, list, parsed, place),
            |plan| events::run(plan, caller),
        ),
        #[cfg(feature = "watch")]
        Some(Subcommand::Watch(args)) => planned(
            &FilterInput::of_watch(args),
            |parsed| WatchPlan::new(args, list, parsed, place),
            |(plan, selected)| watch::run(plan, selected, common, caller),
        ),
        Some(Subcommand::Snapshot(args)) => planned(
            &FilterInput::of_snapshot(args, list),
            |parsed| SnapshotPlan::new(args, list, parsed, place),
            |plan| snapshot::run(plan, caller),
        ),
        Some(Subcommand::Metrics(args)) => planned(
            &FilterInput::none(),
            |parsed| MetricsPlan::new(args, list, parsed),
            |plan| metrics::run(plan, caller),
        ),
        Some(Subcommand::Columns) => out::print(reference::columns(caller.text_width()).as_bytes()),
        Some(Subcommand::Schema) => out::print(reference::schema().as_bytes()),
        Some(Subcommand::Completions {
            shell: Some(shell), ..
        }) => out::print(&generate::completions(*shell)),
        Some(Subcommand::Completions { words, .. }) => completions::values(words),
        Some(Subcommand::Man) => generate::man_page()
            .map_err(Into::into)
            .and_then(|page| out::print(&page)),
        Some(Subcommand::Help { command: None }) => out::print(commands::help(None).as_bytes()),
        Some(Subcommand::Help { command: Some(name) }) => match commands::help_of(name) {
            Ok(text) => out::print(text.as_bytes()),
            Err(error) => {
                out::complain(&error.to_string());
                Ok(Exit::Usage)
            }
        },
    }
}

/// Reads the filter, plans, and runs. An invalid filter or conflicting options are reported.
fn planned<P>(
    input: &FilterInput,
    plan: impl FnOnce(Parsed) -> Result<P, UsageError>,
    run: impl FnOnce(P) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let parsed = match filter::read(input)? {
        Ok(parsed) => parsed,
        Err(error) => {
            out::complain(&format!("{}\n", error.render()));
            return Ok(Exit::Usage);
        }
    };
    match plan(parsed) {
        Ok(plan) => run(plan),
        Err(error) => {
            out::complain(&error.to_string());
            Ok(Exit::Usage)
        }
    }
}
