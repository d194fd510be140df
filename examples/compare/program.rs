//! The programs that take part in a mode, and their options.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::mode::Mode;
use crate::{Args, floor};

/// The role of a program in ratios and goals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Sockstat,
    Ss,
    Dump,
    Walk,
    Other,
}

/// A command line to measure.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
}

/// A program that does not take part, and why.
pub(crate) struct Skipped {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// The sockstat given, else the one built next to this example.
pub(crate) fn sockstat_path(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let exe = std::env::current_exe()?;
    let path = exe
        .parent()
        .and_then(Path::parent)
        .map(|target| target.join("sockstat"))
        .unwrap_or_default();
    if !path.exists() {
        bail!(
            "no sockstat at {}: build it with the same profile, or name one with --sockstat PATH",
            path.display()
        );
    }
    Ok(path)
}

/// Everything that takes part in a mode with that many sockets; sockstat comes first.
pub(crate) fn line_up(
    args: &Args,
    mode: &Mode,
    sockstat: &Path,
    sockets: u64,
) -> (Vec<Program>, Vec<Skipped>) {
    let mut programs = vec![program("sockstat", Role::Sockstat, sockstat, mode.sockstat)];
    let mut skipped = Vec::new();
    let most = if mode.owners { args.ss_owners_max } else { u64::MAX };
    let rivals = [
        ("ss", Role::Ss, mode.ss, most),
        ("netstat", Role::Other, mode.netstat, args.peer_max),
        ("lsof", Role::Other, mode.lsof, args.peer_max),
    ];
    for (name, role, options, most) in rivals {
        if options.is_empty() {
            continue;
        }
        match installed(name) {
            None => skipped.push(Skipped {
                name: name.into(),
                reason: "not installed".into(),
            }),
            Some(_) if sockets > most => {
                let reason = format!(
                    "takes too long above {most} sockets; --peer-max and --ss-owners-max change that"
                );
                skipped.push(Skipped {
                    name: name.into(),
                    reason,
                });
            }
            Some(path) => programs.push(program(name, role, &path, options)),
        }
    }
    programs.extend(args.peers.iter().filter_map(|command| peer(command, mode)));
    for words in mode.floors {
        let role = if words.first() == Some(&"walk") {
            Role::Walk
        } else {
            Role::Dump
        };
        let mut floor = program(
            &format!("floor {}", words.join(" ")),
            role,
            Path::new("/proc/self/exe"),
            words,
        );
        floor.args.insert(0, floor::WORD.to_owned());
        programs.push(floor);
    }
    (programs, skipped)
}

fn program(name: &str, role: Role, path: &Path, args: &[&str]) -> Program {
    Program {
        name: name.to_owned(),
        role,
        path: path.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
    }
}

/// The user's command: words separated by blanks, with `{}` replaced by the options of ss.
fn peer(command: &str, mode: &Mode) -> Option<Program> {
    let mut words = command.split_whitespace();
    let path = PathBuf::from(words.next()?);
    let mut args = Vec::new();
    for word in words {
        match word {
            "{}" => args.extend(mode.ss.iter().map(|&option| option.to_owned())),
            word => args.push(word.to_owned()),
        }
    }
    Some(Program {
        name: command.to_owned(),
        role: Role::Other,
        path,
        args,
    })
}

/// The path of a program, found through PATH.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}
