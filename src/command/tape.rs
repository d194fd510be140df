//! `--record` and `--replay`: a run that records everything it reads, and one that reads nothing else.

use std::path::{Path, PathBuf};

use super::out;
use crate::cli::{Cli, Subcommand, UsageError};
use crate::exit::Exit;
use crate::render::escape;
use crate::source::tape;

/// A run that records, replays, or does neither.
#[derive(Debug)]
pub struct Session {
    /// The file that is being written.
    recording: Option<PathBuf>,
}

/// Starts recording or replaying, as requested. Must be called before anything is read.
///
/// # Errors
/// The exit status, if the run must end at once; the reason has been printed.
pub fn begin(cli: &Cli) -> Result<Session, Exit> {
    let args = &cli.list;
    let follows = args.events || matches!(cli.command, Some(Subcommand::Events(_)));
    if follows && (args.record.is_some() || args.replay.is_some()) {
        let error = UsageError::new("events cannot be recorded or replayed")
            .with_hint("a recording holds a single snapshot of the machine");
        out::complain(&error.to_string());
        return Err(Exit::Usage);
    }
    if let Some(path) = &args.replay {
        if let Err(error) = may_replay(cli) {
            out::complain(&error.to_string());
            return Err(Exit::Usage);
        }
        tape::replay_from(path, args.at.as_deref()).map_err(|damage| failed("replay", path, &damage.0))?;
    } else if let Some(path) = &args.record {
        let begun = tape::create(path).and_then(tape::record_to);
        begun.map_err(|error| failed("record to", path, &error.to_string()))?;
    }
    Ok(Session {
        recording: args.record.clone(),
    })
}

impl Session {
    /// Ends the session; only then is a recording complete.
    pub fn end(self, outcome: Exit) -> Exit {
        match (tape::finish(), self.recording) {
            (Ok(_), Some(path)) => {
                let path = name(&path);
                out::complain(&format!(
                    "{path} holds everything that this run read, including command lines and names: inspect it before you share it\n"
                ));
                outcome
            }
            (Err(error), Some(path)) => failed("record to", &path, &error.to_string()),
            (Ok(1..), None) => {
                out::complain("some records of the recording are invalid and were ignored\n");
                outcome
            }
            _ => outcome,
        }
    }
}

/// Rejects `--replay` for commands that wait or act, because a recording never changes and has no live processes.
fn may_replay(cli: &Cli) -> Result<(), UsageError> {
    let refused = match &cli.command {
        Some(Subcommand::Kill(_)) => "kill",
        Some(Subcommand::Wait(_)) => "wait",
        None if cli.list.kill => "-K",
        _ if cli.list.record.is_some() => "--record",
        _ if cli.list.proc_root.is_some() => "--proc-root",
        _ => return Ok(()),
    };
    Err(
        UsageError::new(format!("{refused} and --replay cannot be used together"))
            .with_hint("a replay reads only the recording, and cannot act on anything"),
    )
}

fn failed(what: &str, path: &Path, why: &str) -> Exit {
    out::complain(&format!("error: cannot {what} {}: {why}\n", name(path)));
    Exit::Failed
}

fn name(path: &Path) -> String {
    escape::text(path.as_os_str().as_encoded_bytes())
}
