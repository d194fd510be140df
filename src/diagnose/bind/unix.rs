//! Unix sockets: may this name be bound, and if not, why. Pure.

use crate::model::{OwnerStatus, Socket, SocketType, State};
use crate::render::escape;

use super::cures::{Cure, Harm, end_holders};
use super::report::Holders;
use super::text::owner_name;

/// What was found around a name.
#[derive(Clone, Debug)]
pub struct UnixFacts {
    /// The name as the kernel keeps it; abstract if it starts with NUL.
    pub name: Vec<u8>,
    /// The type that somebody wants to bind.
    pub kind: SocketType,
    /// What is at the path.
    pub file: FileFacts,
    /// The sockets that have the name: proven by the file's inode and device, or of the same abstract name.
    pub sockets: Vec<(Socket, Holders)>,
}

/// What is at a path. Means nothing for an abstract name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFacts {
    /// Nothing, and one could be made there.
    Absent,
    /// Nothing, and the directory does not exist.
    NoDirectory,
    /// Nothing, and one may not be made there.
    Forbidden,
    /// Whether one may be made there is not known: it depends on the groups of the user.
    Unknown,
    /// A socket's file.
    Socket,
    /// Another file.
    Other,
}

/// Every code of a verdict on a name.
pub const CODES: [&str; 9] = [
    "free",
    "unix-listener",
    "unix-bound",
    "unix-stale",
    "unix-other-file",
    "unix-other-type",
    "no-directory",
    "directory-forbidden",
    "unreadable",
];

/// The verdict on a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixVerdict {
    /// `ok`, an errno's name or `undecidable`.
    pub bind: &'static str,
    /// The reason in one word.
    pub code: &'static str,
    /// The reason in words.
    pub sentence: String,
    /// The socket that it is about, by its index in the facts.
    pub socket: Option<usize>,
    /// What helps.
    pub cures: Vec<Cure>,
}

/// Says what bind would answer (linux 6.18 net/unix/af_unix.c, unix_bind_bsd and unix_bind_abstract).
pub fn diagnose(facts: &UnixFacts) -> UnixVerdict {
    let name = printable(&facts.name);
    let of_kind = |kind| {
        facts
            .sockets
            .iter()
            .position(move |(socket, _)| socket.kind == Some(kind))
    };
    if facts.name.first() == Some(&0) {
        return match (of_kind(facts.kind), facts.sockets.first()) {
            (Some(at), _) => taken(&name, facts, at),
            (None, Some((socket, holders))) => {
                let kind = socket.kind.map_or("other", SocketType::name);
                let who = who(holders);
                let sentence = format!(
                    "Yes. {name} is free for this type: {who} has a {kind} socket of that name, and each type has names of its own."
                );
                UnixVerdict {
                    socket: Some(0),
                    ..verdict("ok", "unix-other-type", sentence)
                }
            }
            (None, None) => verdict("ok", "free", format!("Yes. {name} is free.")),
        };
    }
    match facts.file {
        FileFacts::Absent => verdict(
            "ok",
            "free",
            format!("Yes. {name} does not exist, and can be made."),
        ),
        FileFacts::NoDirectory => verdict(
            "ENOENT",
            "no-directory",
            format!("No: the directory of {name} does not exist (ENOENT)."),
        ),
        FileFacts::Forbidden => verdict(
            "EACCES",
            "directory-forbidden",
            format!("No: you may not make a file in the directory of {name} (EACCES)."),
        ),
        FileFacts::Unknown => verdict(
            "undecidable",
            "unreadable",
            format!("Cannot tell: whether {name} may be made depends on the user's groups."),
        ),
        FileFacts::Other => verdict(
            "EADDRINUSE",
            "unix-other-file",
            format!("No: {name} exists and is not a socket (EADDRINUSE)."),
        ),
        FileFacts::Socket => match facts.sockets.first() {
            Some(_) => taken(&name, facts, 0),
            None => UnixVerdict {
                cures: vec![Cure {
                    command: Some(format!("rm {name}")),
                    sentence: "removes the left-over file".to_owned(),
                    harm: Harm::None,
                }],
                ..verdict(
                    "EADDRINUSE",
                    "unix-stale",
                    format!("No: {name} exists, but nobody listens on it (stale)."),
                )
            },
        },
    }
}

fn verdict(bind: &'static str, code: &'static str, sentence: String) -> UnixVerdict {
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
        return verdict("undecidable", "unreadable", String::new());
    };
    let (code, does) = if socket.state == State::Listen {
        ("unix-listener", "listens on")
    } else {
        ("unix-bound", "has bound")
    };
    let mut cures = Vec::new();
    end_holders(holders, None, &mut cures);
    UnixVerdict {
        socket: Some(at),
        cures,
        ..verdict(
            "EADDRINUSE",
            code,
            format!("No: {} {does} {name} (EADDRINUSE).", who(holders)),
        )
    }
}

/// Who holds a socket, to begin a sentence with or to go in the middle of one.
pub fn who(holders: &Holders) -> String {
    owner_name(holders).unwrap_or_else(|| match (holders.status, &holders.user) {
        (OwnerStatus::Kernel, _) => "the kernel itself".to_owned(),
        (_, Some(user)) => format!("a process of user {user}"),
        (_, None) => "a process that you may not look into".to_owned(),
    })
}

/// The name as people write it.
pub fn printable(name: &[u8]) -> String {
    let mut out = Vec::new();
    escape::push_unix_name(&mut out, name, |_| false);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, file: FileFacts, sockets: &[(SocketType, State)]) -> UnixFacts {
        let socket = |(kind, state): &(SocketType, State)| Socket {
            kind: Some(*kind),
            state: *state,
            ..Socket::BLANK
        };
        UnixFacts {
            name: name.as_bytes().to_vec(),
            kind: SocketType::Stream,
            file,
            sockets: sockets
                .iter()
                .map(|one| (socket(one), Holders::default()))
                .collect(),
        }
    }

    #[test]
    fn a_file_without_a_socket_is_stale() {
        let verdict = diagnose(&facts("/run/a.sock", FileFacts::Socket, &[]));
        assert_eq!((verdict.bind, verdict.code), ("EADDRINUSE", "unix-stale"));
        assert_eq!(verdict.cures[0].command.as_deref(), Some("rm /run/a.sock"));
    }

    #[test]
    fn abstract_names_belong_to_a_type() {
        let of = |kind| diagnose(&facts("\0a", FileFacts::Absent, &[(kind, State::Listen)]));
        assert_eq!(of(SocketType::Stream).bind, "EADDRINUSE");
        assert_eq!(
            (of(SocketType::Dgram).bind, of(SocketType::Dgram).code),
            ("ok", "unix-other-type")
        );
    }

    #[test]
    fn files_and_directories() {
        let bind = |file| diagnose(&facts("/run/a.sock", file, &[])).bind;
        assert_eq!(bind(FileFacts::Absent), "ok");
        assert_eq!(bind(FileFacts::NoDirectory), "ENOENT");
        assert_eq!(bind(FileFacts::Forbidden), "EACCES");
        assert_eq!(bind(FileFacts::Other), "EADDRINUSE");
        assert_eq!(bind(FileFacts::Unknown), "undecidable");
    }
}
