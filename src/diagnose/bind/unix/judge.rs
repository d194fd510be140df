//! Says what bind answers for a name.

use super::facts::{UnixFacts, is_abstract, printable};
use super::verdict::{UnixCode, UnixVerdict};
use crate::diagnose::bind::cure::{Cure, Harm, Rights};
use crate::diagnose::bind::end_holders::end_holders;
use crate::diagnose::bind::errors::Errno;
use crate::diagnose::bind::verdict::Outcome;
use crate::model::unix_path::{Directory, FileKind};
use crate::model::{SocketType, State};
use crate::render::shell;

const IN_USE: Outcome = Outcome::Fails(Errno::Eaddrinuse);

/// Says what bind would answer (linux 6.18 net/unix/af_unix.c, unix_bind_bsd and unix_bind_abstract).
pub fn judge(facts: &UnixFacts) -> UnixVerdict {
    if is_abstract(&facts.name) {
        return of_abstract_name(facts);
    }
    let name = printable(&facts.name);
    let path = facts.path;
    match (
        path.and_then(|path| path.file),
        path.and_then(|path| path.directory),
    ) {
        (Some(FileKind::Socket), _) if facts.sockets.is_empty() => UnixVerdict {
            cures: shell::name(&facts.name)
                .map(|word| {
                    let rights = match path.and_then(|path| path.removable) {
                        Some(true) => Rights::Anybody,
                        _ => Rights::Root,
                    };
                    Cure::command(format!("rm {word}"), "removes the left-over file", Harm::None)
                        .with_rights(rights)
                })
                .into_iter()
                .collect(),
            ..verdict(
                IN_USE,
                UnixCode::Stale,
                format!("No: {name} exists, but nobody listens on it (stale)."),
            )
        },
        (Some(FileKind::Socket), _) => taken(&name, facts, 0),
        (Some(FileKind::Other), _) => verdict(
            IN_USE,
            UnixCode::OtherFile,
            format!("No: {name} exists and is not a socket (EADDRINUSE)."),
        ),
        (None, None) => verdict(
            Outcome::Fails(Errno::Enoent),
            UnixCode::NoDirectory,
            format!("No: the directory of {name} does not exist (ENOENT)."),
        ),
        (None, Some(directory)) => match may_make_file(directory, facts.uid) {
            Some(true) => verdict(
                Outcome::Ok,
                UnixCode::Free,
                format!("Yes. {name} does not exist, and can be made."),
            ),
            Some(false) => verdict(
                Outcome::Fails(Errno::Eacces),
                UnixCode::DirectoryForbidden,
                format!("No: you may not make a file in the directory of {name} (EACCES)."),
            ),
            None => verdict(
                Outcome::Undecidable,
                UnixCode::Unreadable,
                format!("Cannot tell: whether {name} may be made depends on the user's groups."),
            ),
        },
    }
}

/// An abstract name belongs to a type of socket, and needs no permission.
fn of_abstract_name(facts: &UnixFacts) -> UnixVerdict {
    let name = printable(&facts.name);
    let mut sockets = facts.sockets.iter();
    let of_type = sockets.position(|(socket, _)| socket.kind == Some(facts.kind));
    match (of_type, facts.sockets.first()) {
        (Some(at), _) => taken(&name, facts, at),
        (None, Some((socket, holders))) => {
            let kind = socket.kind.map_or("other", SocketType::name);
            let who = holders.who();
            let sentence = format!(
                "Yes. {name} is free for this type: {who} has a {kind} socket of that name, and each type has names of its own."
            );
            UnixVerdict {
                socket: Some(0),
                ..verdict(Outcome::Ok, UnixCode::OtherType, sentence)
            }
        }
        (None, None) => verdict(Outcome::Ok, UnixCode::Free, format!("Yes. {name} is free.")),
    }
}

/// Whether a user may make a file in a directory. `None` if only the user's groups decide.
fn may_make_file(directory: Directory, uid: u32) -> Option<bool> {
    let allows = |bits: u32| directory.mode & bits == bits;
    let is_owner = directory.uid == uid;
    match directory.writable {
        Some(writable) => Some(writable),
        None if uid == 0 || (is_owner && allows(0o300)) || allows(0o003) => Some(true),
        None if !is_owner && allows(0o030) => None,
        None => Some(false),
    }
}

fn verdict(bind: Outcome, code: UnixCode, sentence: String) -> UnixVerdict {
    UnixVerdict {
        bind,
        code,
        sentence,
        socket: None,
        cures: Vec::new(),
    }
}

fn taken(name: &str, facts: &UnixFacts, at: usize) -> UnixVerdict {
    let Some((socket, holders)) = facts.sockets.get(at) else {
        return verdict(Outcome::Undecidable, UnixCode::Unreadable, String::new());
    };
    let (code, does) = if socket.state == State::Listen {
        (UnixCode::Listener, "listens on")
    } else {
        (UnixCode::Bound, "has bound")
    };
    let mut cures = Vec::new();
    end_holders(holders, None, &mut cures);
    UnixVerdict {
        socket: Some(at),
        cures,
        ..verdict(
            IN_USE,
            code,
            format!("No: {} {does} {name} (EADDRINUSE).", holders.who()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::holders::Holders;
    use crate::model::Socket;
    use crate::model::unix_path::PathFacts;

    fn facts(name: &str, path: Option<PathFacts>, sockets: &[(SocketType, State)]) -> UnixFacts {
        let socket = |(kind, state): &(SocketType, State)| Socket {
            kind: Some(*kind),
            state: *state,
            ..Socket::BLANK
        };
        UnixFacts {
            name: name.as_bytes().to_vec(),
            kind: SocketType::Stream,
            uid: 1000,
            path,
            sockets: sockets
                .iter()
                .map(|one| (socket(one), Holders::default()))
                .collect(),
        }
    }

    fn file(kind: FileKind) -> PathFacts {
        PathFacts {
            file: Some(kind),
            directory: None,
            removable: None,
        }
    }

    /// bind's answer in a directory, or without one.
    fn bind_in(directory: Option<Directory>) -> &'static str {
        let path = PathFacts {
            file: None,
            directory,
            removable: None,
        };
        judge(&facts("/run/a.sock", Some(path), &[])).bind.name()
    }

    #[test]
    fn a_file_without_a_socket_is_stale() {
        let verdict = judge(&facts("/run/a.sock", Some(file(FileKind::Socket)), &[]));
        assert_eq!((verdict.bind, verdict.code.name()), (IN_USE, "unix-stale"));
        assert_eq!(verdict.cures[0].command.as_deref(), Some("rm /run/a.sock"));
        assert_eq!(verdict.cures[0].rights, Rights::Root);
        let of = |name| judge(&facts(name, Some(file(FileKind::Socket)), &[])).cures;
        assert_eq!(of("/run/a b")[0].command.as_deref(), Some("rm '/run/a b'"));
        assert!(of("/run/a\nreboot").is_empty());
    }

    #[test]
    fn a_socket_at_the_path_listens_or_is_bound() {
        let code = |state| {
            let facts = facts(
                "/run/a.sock",
                Some(file(FileKind::Socket)),
                &[(SocketType::Stream, state)],
            );
            judge(&facts).code
        };
        assert_eq!(code(State::Listen), UnixCode::Listener);
        assert_eq!(code(State::Unconnected), UnixCode::Bound);
    }

    #[test]
    fn abstract_names_belong_to_a_type() {
        let of = |kind| judge(&facts("\0a", None, &[(kind, State::Listen)]));
        assert_eq!(of(SocketType::Stream).bind, IN_USE);
        assert_eq!(
            (of(SocketType::Dgram).bind, of(SocketType::Dgram).code),
            (Outcome::Ok, UnixCode::OtherType)
        );
        assert_eq!(judge(&facts("\0a", None, &[])).code, UnixCode::Free);
    }

    #[test]
    fn files_and_directories() {
        let directory = |uid, mode, writable| Some(Directory { uid, mode, writable });
        assert_eq!(
            judge(&facts("/run/a", Some(file(FileKind::Other)), &[])).code,
            UnixCode::OtherFile
        );
        assert_eq!(bind_in(None), "ENOENT");
        assert_eq!(bind_in(directory(0, 0o755, Some(true))), "ok");
        assert_eq!(bind_in(directory(0, 0o777, Some(false))), "EACCES");
        assert_eq!(bind_in(directory(0, 0o755, None)), "EACCES");
        assert_eq!(bind_in(directory(1000, 0o755, None)), "ok");
        assert_eq!(bind_in(directory(0, 0o777, None)), "ok");
        assert_eq!(bind_in(directory(0, 0o775, None)), "undecidable");
        assert_eq!(bind_in(directory(1000, 0o575, None)), "EACCES");
    }

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let mut names: Vec<_> = UnixCode::ALL.map(UnixCode::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), UnixCode::ALL.len());
    }
}
