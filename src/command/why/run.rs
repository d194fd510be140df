//! The command: from what was typed to what is printed.

use std::fmt::Write as _;
use std::io::{BufRead, Write as _};

use crate::cli::{ListArgs, UsageError, WhyArgs};
use crate::command::caller::Caller;
use crate::command::{losses, out};
use crate::exit::Exit;
use crate::join::Ownership;
use crate::model::{Protocol, SocketType};

use super::look::ask::{Answered, Question, ask};
use super::look::unix as look_unix;
use super::overheard::{Heard, Listener};
use super::place::{Host, Place, PortPlace, parse};
use super::verdict::Outcome;
use super::{json as document_of, text, unix};

/// How the answer is given.
#[derive(Clone, Copy)]
struct How {
    /// As a document.
    json: bool,
    /// Without a word on stderr about what is missing.
    quiet: bool,
}

/// Answers, and says by the exit status whether every attempt would work (0), one would fail (1), or none fails
/// and one cannot be told (3).
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &WhyArgs, global: &ListArgs, caller: &Caller) -> anyhow::Result<Exit> {
    let how = How {
        json: args.json || global.json,
        quiet: global.quiet,
    };
    let place = match parse(&args.place) {
        Ok(place) => place,
        Err(reason) => return usage(reason),
    };
    match place {
        Place::Port(place) => answer(args, how, caller, place),
        Place::Unix(name) => answer_unix(args, how.json, name),
        Place::Stdin => overhear(args, how, caller),
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "every way out of the command has this type"
)]
fn usage(reason: impl Into<String>) -> anyhow::Result<Exit> {
    out::complain(&UsageError::new(reason).to_string());
    Ok(Exit::Usage)
}

/// For whom: `--uid`, else who called sudo, else the caller.
fn uid(args: &WhyArgs) -> u32 {
    let of_sudo = || std::env::var("SUDO_UID").ok()?.parse().ok();
    args.uid
        .or_else(of_sudo)
        .unwrap_or_else(|| rustix::process::geteuid().as_raw())
}

fn answer(args: &WhyArgs, how: How, caller: &Caller, place: PortPlace) -> anyhow::Result<Exit> {
    let protocol = match (args.tcp, args.udp, place.protocol) {
        (true, true, _) => return usage("-t and -u are two questions: ask them one after the other"),
        (true, _, Some(Protocol::Udp)) | (_, true, Some(Protocol::Tcp)) => {
            return usage(format!("'{}' says another protocol than the option", args.place));
        }
        (_, true, _) | (_, _, Some(Protocol::Udp)) => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    let question = Question {
        place,
        protocol,
        ipv4: args.ipv4,
        ipv6: args.ipv6,
        v6only: args.v6only,
        reuseaddr: match (args.reuseaddr, args.no_reuseaddr) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        reuseport: args.reuseport,
        device: args.device.clone(),
        uid: uid(args),
        listen: !args.no_listen,
        probe: !args.no_probe,
        sudo: (!caller.is_root).then(|| format!("sudo {}", caller.command)),
    };
    let answered = match ask(&question) {
        Ok(answered) => answered,
        Err(reason) => return usage(reason),
    };
    let report = &answered.report;
    if !how.quiet {
        out::complain(&losses::lines(&report.gaps));
    }
    if how.json {
        let mut document = Vec::new();
        push_json(&mut document, &answered);
        out::print(&document)?;
    } else {
        out::print(text::render(report).as_bytes())?;
    }
    let binds: Vec<_> = report.answers.iter().map(|answer| answer.verdict.bind).collect();
    Ok(if binds.iter().any(|bind| matches!(bind, Outcome::Fails(_))) {
        Exit::Failed
    } else if binds.contains(&Outcome::Undecidable) {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

fn push_json(document: &mut Vec<u8>, answered: &Answered) {
    let owners = &answered.snapshot.owners;
    let ownership: Vec<Ownership<'_>> = answered
        .report
        .existing
        .iter()
        .map(|one| owners.of(&one.socket))
        .collect();
    let rows = document_of::Rows {
        context: &answered.context,
        ownership: &ownership,
    };
    document_of::render(document, &answered.report, rows, env!("CARGO_PKG_VERSION"));
}

fn answer_unix(args: &WhyArgs, json: bool, name: Vec<u8>) -> anyhow::Result<Exit> {
    let kind = if args.udp {
        SocketType::Dgram
    } else {
        SocketType::Stream
    };
    let facts = look_unix::read(name, kind, uid(args));
    let verdict = unix::diagnose(&facts);
    if json {
        let mut document = Vec::new();
        document_of::render_unix(&mut document, &facts, &verdict, env!("CARGO_PKG_VERSION"));
        out::print(&document)?;
    } else {
        let mut lines = format!("{}\n", verdict.sentence);
        for cure in &verdict.cures {
            let command = cure.command.as_deref().unwrap_or_default();
            let _ = writeln!(lines, "\n  {command:<40}  {}", cure.sentence);
        }
        out::print(lines.as_bytes())?;
    }
    Ok(match verdict.bind {
        "ok" => Exit::Done,
        "undecidable" => Exit::Incomplete,
        _ => Exit::Failed,
    })
}

/// Passes stdin on to stderr, and answers at the first words about an address in use.
fn overhear(args: &WhyArgs, how: How, caller: &Caller) -> anyhow::Result<Exit> {
    let mut listener = Listener::default();
    let mut exit = None;
    let mut heard = Heard::Nothing;
    let mut line = Vec::new();
    let mut stdin = std::io::stdin().lock();
    while stdin.read_until(b'\n', &mut line)? > 0 {
        // Whoever reads stderr may be gone; the answer is still wanted.
        let _ = std::io::stderr().write_all(&line);
        if exit.is_none() {
            heard = listener.hear(&String::from_utf8_lossy(&line));
            if let Heard::Port(port) = heard {
                exit = Some(answer(args, how, caller, anywhere(port))?);
            }
        }
        line.clear();
    }
    if let Some(exit) = exit {
        return Ok(exit);
    }
    if heard == Heard::NoPort || listener.end() == Heard::NoPort {
        out::complain("An address is in use, but which port was not said: sockstat why PORT tells more\n");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn anywhere(port: u16) -> PortPlace {
    PortPlace {
        host: Host::Any,
        scope: None,
        port,
        protocol: None,
    }
}
