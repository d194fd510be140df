//! The command: from what was typed to what is printed.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::cli::{ListArgs, UsageError, WhyArgs};
use crate::command::caller::Caller;
use crate::command::{losses, out};
use crate::diagnose::bind::failure_output::{Heard, Listener};
use crate::diagnose::bind::report::Holders;
use crate::diagnose::bind::{Outcome, json as document_of, text, unix};
use crate::diagnose::place::{Host, Place, PortPlace, parse};
use crate::exit::Exit;
use crate::model::Ownership;
use crate::model::request::OwnersBy;
use crate::model::{Gap, OwnerStatus, Protocol, SocketType};
use crate::source::tape;

use super::look::ask::{Answered, Question, ask};
use super::look::unix as look_unix;

/// How the answer is given.
#[derive(Clone, Copy)]
struct How {
    /// As a document.
    json: bool,
    /// Without a word on stderr about what is missing.
    quiet: bool,
    /// How owners are found.
    owners_by: OwnersBy,
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
        owners_by: global.owners.into(),
    };
    let place = match parse(&args.place) {
        Ok(place) => place,
        Err(reason) => return usage(reason),
    };
    match place {
        Place::Port(place) => answer(args, how, caller, place),
        Place::Unix(name) => answer_unix(args, how, caller, name),
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
    let of_sudo = || tape::fact("SUDO_UID", || std::env::var("SUDO_UID").ok()?.parse().ok());
    args.uid.or_else(of_sudo).unwrap_or_else(tape::euid)
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
        owners_by: how.owners_by,
        sudo: caller.sudo(),
    };
    let mut answered = match ask(&question) {
        Ok(answered) => answered,
        Err(reason) => return usage(reason),
    };
    if !how.quiet {
        out::complain(&losses::lines(&answered.report.gaps));
    }
    // For people the evidence itself says who is hidden.
    let unseen = unseen(&answered.report.holders, caller);
    if how.json && !how.quiet {
        out::complain(&losses::lines(&unseen));
    }
    answered.report.gaps.extend(unseen);
    let report = &answered.report;
    if how.json {
        let mut document = Vec::new();
        push_json(&mut document, &answered);
        out::print(&document)?;
    } else {
        out::print(text::render(report, caller.text_width()).as_bytes())?;
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

/// The gaps for owners that cannot be seen.
fn unseen<'a>(holders: impl IntoIterator<Item = &'a Holders>, caller: &Caller) -> Vec<Gap> {
    let (mut hidden, mut elsewhere) = (0, 0);
    for one in holders {
        hidden += u64::from(one.status == OwnerStatus::Hidden);
        elsewhere += u64::from(one.status == OwnerStatus::Elsewhere);
    }
    losses::of_unseen(hidden, elsewhere, caller)
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

fn answer_unix(args: &WhyArgs, how: How, caller: &Caller, name: Vec<u8>) -> anyhow::Result<Exit> {
    let kind = if args.udp {
        SocketType::Dgram
    } else {
        SocketType::Stream
    };
    let looked = look_unix::read(name, kind, uid(args), how.owners_by);
    let facts = &looked.facts;
    let verdict = unix::diagnose(facts);
    let about = verdict.socket.and_then(|at| facts.sockets.get(at));
    let unseen = unseen(about.map(|(_, holders)| holders), caller);
    let mut gaps = looked.snapshot.gaps.clone();
    gaps.extend(unseen.iter().filter(|_| how.json).cloned());
    if !how.quiet {
        out::complain(&losses::lines(&gaps));
    }
    if how.json {
        let sockets = facts.sockets.iter();
        let ownership: Vec<_> = sockets
            .map(|(socket, _)| looked.snapshot.owners.of(socket))
            .collect();
        let rows = document_of::Rows {
            context: &looked.context,
            ownership: &ownership,
        };
        let mut document = Vec::new();
        document_of::render_unix(
            &mut document,
            facts,
            &verdict,
            rows,
            &gaps,
            env!("CARGO_PKG_VERSION"),
        );
        out::print(&document)?;
    } else {
        let sudo = caller.sudo();
        let width = caller.text_width();
        let text = text::render_unix(facts, &verdict, tape::now(), sudo.as_deref(), width);
        out::print(text.as_bytes())?;
    }
    Ok(match verdict.bind {
        "ok" => Exit::Done,
        "undecidable" => Exit::Incomplete,
        _ => Exit::Failed,
    })
}

/// How long a program may be silent between the words and the port.
const SILENCE: Duration = Duration::from_millis(500);

/// Passes stdin on to stderr, and answers at the first words about an address in use.
fn overhear(args: &WhyArgs, how: How, caller: &Caller) -> anyhow::Result<Exit> {
    let pieces = read_aside();
    let mut listener = Listener::default();
    let mut line = Vec::new();
    let mut heard = Heard::Nothing;
    loop {
        let piece = if heard == Heard::Nothing && listener.is_waiting() {
            pieces.recv_timeout(SILENCE)
        } else {
            pieces.recv().map_err(RecvTimeoutError::from)
        };
        match piece {
            Ok(piece) => {
                // Whoever reads stderr may be gone; the answer is still wanted.
                let _ = std::io::stderr().write_all(&piece);
                line.extend_from_slice(&piece);
            }
            Err(RecvTimeoutError::Timeout) => heard = listener.end(),
            Err(RecvTimeoutError::Disconnected) => {
                heard = listener.hear(&String::from_utf8_lossy(&line));
                if heard == Heard::Nothing {
                    heard = listener.end();
                }
                return told(args, how, caller, heard);
            }
        }
        heard = hear_lines(&mut listener, &mut line, heard);
        if heard != Heard::Nothing {
            let exit = told(args, how, caller, heard)?;
            for piece in pieces {
                let _ = std::io::stderr().write_all(&piece);
            }
            return Ok(exit);
        }
    }
}

/// Takes the whole lines out of what has come.
fn hear_lines(listener: &mut Listener, line: &mut Vec<u8>, mut heard: Heard) -> Heard {
    /// No line that matters is longer.
    const LONGEST_BYTES: usize = 1 << 16;
    while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
        let rest = line.split_off(end + 1);
        if heard == Heard::Nothing {
            heard = listener.hear(&String::from_utf8_lossy(line));
        }
        *line = rest;
    }
    if line.len() > LONGEST_BYTES {
        line.clear();
    }
    heard
}

/// Reads stdin on a thread of its own, piece by piece as it comes.
fn read_aside() -> Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        let mut stdin = std::io::stdin().lock();
        while let Ok(length @ 1..) = stdin.read(&mut buffer) {
            let piece = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send(piece).is_err() {
                return;
            }
        }
    });
    pieces
}

/// Answers what was heard.
fn told(args: &WhyArgs, how: How, caller: &Caller, heard: Heard) -> anyhow::Result<Exit> {
    match heard {
        Heard::Nothing => Ok(Exit::Done),
        Heard::NoPort => {
            out::complain(
                "An address is in use, but which port was not said: sockstat why PORT tells more\n",
            );
            Ok(Exit::Failed)
        }
        Heard::Place(spot) => {
            let place = PortPlace {
                host: spot.address.map_or(Host::Any, Host::Address),
                scope: None,
                port: spot.port,
                protocol: spot.udp.then_some(Protocol::Udp).filter(|_| !args.tcp),
            };
            answer(args, how, caller, place)
        }
    }
}
