//! Determines what bind returns for a name.

use super::facts::{UnixFacts, is_abstract, printable};
use super::path;
use super::verdict::{UnixCode, UnixVerdict};
use crate::diagnose::bind::cure::{Cure, Harm, Rights};
use crate::diagnose::bind::end_holders::end_holders;
use crate::diagnose::bind::errors::Errno;
use crate::diagnose::bind::verdict::Outcome;
use crate::model::{SocketType, State};
use crate::render::shell;

const IN_USE: Outcome = Outcome::Fails(Errno::Eaddrinuse);

/// Determines what bind would return (linux 6.18 net/unix/af_unix.c, unix_bind_bsd and unix_bind_abstract).
pub fn judge(facts: &UnixFacts) -> UnixVerdict {
    if is_abstract(&facts.name) {
        return of_abstract_name(facts);
    }
    let refusal = facts
        .path
        .as_ref()
        .map_or_else(|| Some(path::unknown()), |path| path::refusal(path, facts.uid));
    let name = printable(&facts.name);
    match refusal {
        None => verdict(
            Outcome::Ok,
            UnixCode::Free,
            format!("Yes. {name} does not exist, and can be created."),
        ),
        Some(refusal) if refusal.code == UnixCode::Stale => of_socket_file(&name, facts),
        Some(refusal) => verdict(refusal.bind, refusal.code, refusal.sentence(&name)),
    }
}

/// The verdict if a socket file is in the way, which depends on whether a socket is bound to it. Only the kernel's
/// answer proves that none is.
fn of_socket_file(name: &str, facts: &UnixFacts) -> UnixVerdict {
    match (facts.sockets.is_empty(), facts.is_bound) {
        (false, _) => taken(name, facts, 0),
        (true, Some(false)) => UnixVerdict {
            cures: shell::name(&facts.name)
                .map(|word| {
                    let rights = match facts.path.as_ref().and_then(|path| path.removable) {
                        Some(true) => Rights::Anybody,
                        _ => Rights::Root,
                    };
                    Cure::command(format!("rm {word}"), "removes the leftover file", Harm::None)
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
        (true, Some(true)) => verdict(
            IN_USE,
            UnixCode::Elsewhere,
            format!("No: a socket in another network namespace has {name} (EADDRINUSE)."),
        ),
        (true, None) => verdict(
            IN_USE,
            UnixCode::Unseen,
            format!(
                "No: {name} exists (EADDRINUSE). Cannot tell whether a socket in another network namespace has it."
            ),
        ),
    }
}

/// Abstract names are separate for each socket type, and need no permission.
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
    use crate::model::unix_path::{self, FileKind, Obstacle, PathFacts, Target};

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
            is_bound: None,
            sockets: sockets
                .iter()
                .map(|one| (socket(one), Holders::default()))
                .collect(),
        }
    }

    fn file(kind: FileKind) -> PathFacts {
        PathFacts {
            target: Target::File(kind),
            rights: unix_path::Rights::Ours(Ok(())),
            removable: None,
        }
    }

    #[test]
    fn a_file_is_stale_only_if_the_kernel_has_no_socket_bound_to_it() {
        let stale = |name| {
            let mut facts = facts(name, Some(file(FileKind::Socket)), &[]);
            facts.is_bound = Some(false);
            judge(&facts)
        };
        let code = |is_bound| {
            let mut facts = facts("/run/a b", Some(file(FileKind::Socket)), &[]);
            facts.is_bound = is_bound;
            let verdict = judge(&facts);
            assert_eq!(verdict.bind, IN_USE);
            let command = verdict.cures.first().and_then(|cure| cure.command.clone());
            (verdict.code.name(), command)
        };
        assert_eq!(
            code(Some(false)),
            ("unix-stale", Some("rm '/run/a b'".to_owned()))
        );
        assert_eq!(stale("/run/a").cures[0].rights, Rights::Root);
        assert!(stale("/run/a\nreboot").cures.is_empty());
        assert_eq!(code(Some(true)), ("unix-elsewhere", None));
        assert_eq!(code(None), ("unix-unseen", None));
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
    fn an_unknown_fact_makes_it_undecidable() {
        assert_eq!(judge(&facts("/run/a", None, &[])).bind, Outcome::Undecidable);
        let unknown = PathFacts {
            target: Target::Unknown,
            rights: unix_path::Rights::Ours(Err(Obstacle::Other)),
            removable: None,
        };
        assert_eq!(
            judge(&facts("/run/a", Some(unknown), &[])).bind,
            Outcome::Undecidable
        );
        let other = judge(&facts("/run/a", Some(file(FileKind::Other)), &[]));
        assert_eq!((other.bind, other.code), (IN_USE, UnixCode::OtherFile));
    }

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let mut names: Vec<_> = UnixCode::ALL.map(UnixCode::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), UnixCode::ALL.len());
    }
}
