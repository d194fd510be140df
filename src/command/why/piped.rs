//! `why -`: passes on what a program prints, and answers when it reports an address in use.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{How, port};
use crate::cli::{UsageError, WhyArgs};
use crate::command::caller::Caller;
use crate::command::out;
use crate::diagnose::bind::failure_output::{Failure, Scanner};
use crate::diagnose::place::{Host, PortPlace};
use crate::exit::Exit;
use crate::model::Protocol;
use crate::source::threads;

/// How long a program may be silent between the error message and the line with the port.
const SILENCE: Duration = Duration::from_millis(500);

/// Passes stdin on to stderr, and answers at the first message about an address in use.
pub(super) fn answer(args: &WhyArgs, how: How, caller: &Caller) -> anyhow::Result<Exit> {
    let pieces = read_stdin();
    let mut scanner = Scanner::default();
    let mut line = Vec::new();
    let mut failure = Failure::Nothing;
    let mut is_empty = true;
    loop {
        let piece = if failure == Failure::Nothing && scanner.is_waiting() {
            pieces.recv_timeout(SILENCE)
        } else {
            pieces.recv().map_err(RecvTimeoutError::from)
        };
        match piece {
            Ok(piece) => {
                is_empty = false;
                out::pass_on(&piece);
                line.extend_from_slice(&piece);
            }
            Err(RecvTimeoutError::Timeout) => failure = scanner.end(),
            Err(RecvTimeoutError::Disconnected) if is_empty => {
                let error = UsageError::new("standard input is empty: 'why -' reads what a program prints")
                    .with_hint("as in npm start 2>&1 | sockstat why -");
                out::complain(&error.to_string());
                return Ok(Exit::Usage);
            }
            Err(RecvTimeoutError::Disconnected) => {
                failure = scanner.read_line(&String::from_utf8_lossy(&line));
                if failure == Failure::Nothing {
                    failure = scanner.end();
                }
                return explain(args, how, caller, failure);
            }
        }
        failure = read_lines(&mut scanner, &mut line, failure);
        if failure != Failure::Nothing {
            let exit = explain(args, how, caller, failure)?;
            for piece in pieces {
                out::pass_on(&piece);
            }
            return Ok(exit);
        }
    }
}

/// Scans the complete lines of what has arrived, and removes them.
fn read_lines(scanner: &mut Scanner, line: &mut Vec<u8>, mut failure: Failure) -> Failure {
    /// No relevant line is longer.
    const LONGEST_BYTES: usize = 1 << 16;
    while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
        let rest = line.split_off(end + 1);
        if failure == Failure::Nothing {
            failure = scanner.read_line(&String::from_utf8_lossy(line));
        }
        *line = rest;
    }
    if line.len() > LONGEST_BYTES {
        line.clear();
    }
    failure
}

/// Reads stdin on a separate thread, in pieces as they arrive.
fn read_stdin() -> Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::channel();
    threads::start("stdin", move || {
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

/// Answers for the address that was found in the output.
fn explain(args: &WhyArgs, how: How, caller: &Caller, failure: Failure) -> anyhow::Result<Exit> {
    match failure {
        Failure::Nothing => {
            out::complain("nothing in this output reports an address in use\n");
            Ok(Exit::Done)
        }
        Failure::NoPort => {
            out::complain("The output reports an address in use, but not its port: run sockstat why PORT\n");
            Ok(Exit::Failed)
        }
        Failure::InUse(endpoint) => {
            let place = PortPlace {
                host: endpoint.address.map_or(Host::Any, Host::Address),
                scope: None,
                port: endpoint.port,
                protocol: endpoint.udp.then_some(Protocol::Udp).filter(|_| !args.tcp),
            };
            // Standard input cannot be read again: a remedy names the port.
            let at = endpoint.address.map_or_else(
                || endpoint.port.to_string(),
                |address| SocketAddr::new(address, endpoint.port).to_string(),
            );
            let udp = endpoint.udp.then_some("-u");
            let words: Vec<&str> = ["why"].into_iter().chain(udp).chain([&*at]).collect();
            port::answer(args, how, &caller.asking(&words), "-", place)
        }
    }
}
