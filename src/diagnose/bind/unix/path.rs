//! Why bind cannot create a file at a path, in the kernel's order.
//!
//! linux 6.18 net/unix/af_unix.c (`unix_bind_bsd`) and fs/namei.c (`filename_create`, `may_create`): the path walk to
//! the directory, the name in it, the mount, the permissions, the file system.

use super::verdict::UnixCode;
use crate::diagnose::bind::errors::Errno;
use crate::diagnose::bind::verdict::Outcome;
use crate::model::unix_path::{
    Directory, FileKind, Obstacle, PathFacts, Permissions, Rights, Room, Sockets, Target,
};

/// Why the file cannot be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) bind: Outcome,
    /// [`UnixCode::Stale`] stands for any socket file, whether or not a socket is bound to it.
    pub(super) code: UnixCode,
    /// The reason; `{}` stands for the name.
    words: &'static str,
}

impl Refusal {
    /// The reason as a sentence.
    pub(super) fn sentence(self, name: &str) -> String {
        let words = self.words.replace("{}", name);
        match self.bind {
            Outcome::Fails(errno) => format!("No: {words} ({}).", errno.name()),
            _ => format!("Cannot tell: {words}."),
        }
    }
}

const fn fails(errno: Errno, code: UnixCode, words: &'static str) -> Refusal {
    Refusal {
        bind: Outcome::Fails(errno),
        code,
        words,
    }
}

const fn cannot_tell(words: &'static str) -> Refusal {
    Refusal {
        bind: Outcome::Undecidable,
        code: UnixCode::Unreadable,
        words,
    }
}

/// Nothing is known about the path.
pub(super) const fn unknown() -> Refusal {
    cannot_tell("what is at {} is not known")
}

const FORBIDDEN: Refusal = fails(
    Errno::Eacces,
    UnixCode::DirectoryForbidden,
    "you may not create a file in the directory of {}",
);
const BY_GROUPS: Refusal = cannot_tell("whether the user may create {} depends on the user's groups");

/// Why the user cannot create a socket at the path; `None` if they can.
pub(super) fn refusal(path: &PathFacts, uid: u32) -> Option<Refusal> {
    if let Rights::Theirs(way) = &path.rights
        && let Some(refusal) = may_search(way, uid)
    {
        // /proc/self and everything below it differs for each process.
        let is_proc = matches!(
            path.target,
            Target::Free(Directory {
                sockets: Sockets::NoNewNames,
                ..
            })
        );
        return Some(if is_proc { unknown() } else { refusal });
    }
    let theirs = matches!(path.rights, Rights::Theirs(_));
    match path.target {
        Target::File(FileKind::Socket) => Some(fails(Errno::Eaddrinuse, UnixCode::Stale, "{} exists")),
        Target::File(FileKind::Other) => Some(fails(
            Errno::Eaddrinuse,
            UnixCode::OtherFile,
            "{} exists and is not a socket",
        )),
        Target::NoWay(Obstacle::Forbidden) if theirs => Some(cannot_tell(
            "you may not search the directory of {}, but another user may",
        )),
        Target::NoWay(obstacle) => Some(no_way(obstacle)),
        Target::Free(directory) => of_directory(directory, &path.rights, uid),
        Target::Unknown => Some(unknown()),
    }
}

/// The refusal of a user who may not search one of the directories.
fn may_search(way: &[Permissions], uid: u32) -> Option<Refusal> {
    way.iter().find_map(|directory| match may(*directory, uid, 0o1) {
        Some(true) => None,
        Some(false) => Some(fails(
            Errno::Eacces,
            UnixCode::DirectoryForbidden,
            "the user may not search the directories on the way to {}",
        )),
        None => Some(BY_GROUPS),
    })
}

/// Whether a user has these permissions (`rwx` bits) on a directory; `None` if groups or an access control list
/// decide.
fn may(directory: Permissions, uid: u32, bits: u32) -> Option<bool> {
    let allows = |shift: u32| directory.mode >> shift & bits == bits;
    match (uid == 0, directory.uid == uid) {
        (true, _) => Some(true),
        (_, true) => Some(allows(6)),
        _ if directory.has_acl || allows(3) != allows(0) => None,
        _ => Some(allows(0)),
    }
}

fn no_way(obstacle: Obstacle) -> Refusal {
    match obstacle {
        Obstacle::Missing => fails(
            Errno::Enoent,
            UnixCode::NoDirectory,
            "the directory of {} does not exist",
        ),
        Obstacle::NotADirectory => fails(
            Errno::Enotdir,
            UnixCode::NotADirectory,
            "a parent of {} is not a directory",
        ),
        Obstacle::LinkLoop => fails(
            Errno::Eloop,
            UnixCode::LinkLoop,
            "the symbolic links on the way to {} form a loop",
        ),
        Obstacle::NameTooLong => fails(
            Errno::Enametoolong,
            UnixCode::NameTooLong,
            "a name on the way to {} is longer than the file system allows",
        ),
        Obstacle::Forbidden => fails(
            Errno::Eacces,
            UnixCode::DirectoryForbidden,
            "you may not search the directories on the way to {}",
        ),
        Obstacle::Other => cannot_tell("the directory of {} cannot be read"),
    }
}

fn of_directory(directory: Directory, rights: &Rights, uid: u32) -> Option<Refusal> {
    if directory.name_ends_in_slash {
        return Some(fails(
            Errno::Enoent,
            UnixCode::TrailingSlash,
            "{} ends in a slash, and a socket is not a directory",
        ));
    }
    if directory.removed {
        return Some(fails(
            Errno::Enoent,
            UnixCode::NoDirectory,
            "the directory of {} was removed",
        ));
    }
    if directory.sockets == Sockets::NoNewNames {
        return Some(fails(
            Errno::Enoent,
            UnixCode::NoSockets,
            "no socket can be created in the directory of {}, whose file system does not support sockets",
        ));
    }
    if directory.read_only {
        return Some(fails(
            Errno::Erofs,
            UnixCode::ReadOnly,
            "the file system of {} is mounted read-only",
        ));
    }
    if directory.immutable {
        return Some(fails(
            Errno::Eperm,
            UnixCode::Immutable,
            "the directory of {} is immutable (chattr -i undoes that)",
        ));
    }
    let permitted = match rights {
        Rights::Ours(Ok(())) => None,
        Rights::Ours(Err(Obstacle::Forbidden)) => Some(FORBIDDEN),
        Rights::Ours(_) => Some(unknown()),
        Rights::Theirs(way) => match way.last().and_then(|last| may(*last, uid, 0o3)) {
            Some(true) => None,
            Some(false) => Some(FORBIDDEN),
            None => Some(BY_GROUPS),
        },
    };
    permitted.or_else(|| of_file_system(directory))
}

fn of_file_system(directory: Directory) -> Option<Refusal> {
    match (directory.sockets, directory.room) {
        (Sockets::NotMade, _) => Some(fails(
            Errno::Eperm,
            UnixCode::NoSockets,
            "the file system of {} does not support sockets",
        )),
        (Sockets::Unknown, _) => Some(cannot_tell(
            "a file server or a FUSE program decides whether {} may be created",
        )),
        (_, Room::None) => Some(fails(
            Errno::Enospc,
            UnixCode::Full,
            "the file system of {} has no room for another file",
        )),
        (_, Room::Unknown) => Some(cannot_tell(
            "the file system of {} has no block left, and may need one",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Directory = Directory {
        name_ends_in_slash: false,
        removed: false,
        read_only: false,
        immutable: false,
        sockets: Sockets::Made,
        room: Room::Left,
    };

    fn bind(target: Target, rights: Rights) -> &'static str {
        refusal(
            &PathFacts {
                target,
                rights,
                removable: None,
            },
            1000,
        )
        .map_or("ok", |refusal| refusal.bind.name())
    }

    fn theirs(uid: u32, mode: u32) -> &'static str {
        let directory = |uid, mode| Permissions {
            uid,
            mode,
            has_acl: false,
        };
        let way = vec![directory(0, 0o755), directory(uid, mode)];
        bind(Target::Free(PLAIN), Rights::Theirs(way))
    }

    #[test]
    fn the_permissions_of_another_user() {
        assert_eq!(theirs(0, 0o755), "EACCES");
        assert_eq!(theirs(1000, 0o755), "ok");
        assert_eq!(theirs(0, 0o777), "ok");
        assert_eq!(theirs(0, 0o775), "undecidable");
        assert_eq!(theirs(1000, 0o577), "EACCES");
        assert_eq!(theirs(0, 0o770), "undecidable");
        assert_eq!(theirs(0, 0o700), "EACCES");
    }

    #[test]
    fn the_first_check_of_the_kernel_is_reported() {
        let of = |directory, answer| bind(Target::Free(directory), Rights::Ours(answer));
        assert_eq!(of(PLAIN, Ok(())), "ok");
        assert_eq!(of(PLAIN, Err(Obstacle::Forbidden)), "EACCES");
        assert_eq!(of(PLAIN, Err(Obstacle::Other)), "undecidable");
        let full = Directory {
            room: Room::None,
            ..PLAIN
        };
        assert_eq!(
            (of(full, Ok(())), of(full, Err(Obstacle::Forbidden))),
            ("ENOSPC", "EACCES")
        );
        let sysfs = Directory {
            sockets: Sockets::NotMade,
            ..full
        };
        assert_eq!(
            (of(sysfs, Ok(())), of(sysfs, Err(Obstacle::Forbidden))),
            ("EPERM", "EACCES")
        );
        let immutable = Directory {
            immutable: true,
            ..sysfs
        };
        assert_eq!(of(immutable, Err(Obstacle::Other)), "EPERM");
        let read_only = Directory {
            read_only: true,
            ..immutable
        };
        assert_eq!(of(read_only, Err(Obstacle::Other)), "EROFS");
        let proc = Directory {
            sockets: Sockets::NoNewNames,
            ..read_only
        };
        assert_eq!(of(proc, Err(Obstacle::Forbidden)), "ENOENT");
        let slash = Directory {
            name_ends_in_slash: true,
            ..PLAIN
        };
        assert_eq!(of(slash, Ok(())), "ENOENT");
    }

    #[test]
    fn obstacles_on_the_path_to_the_directory() {
        for (obstacle, name) in [
            (Obstacle::Missing, "ENOENT"),
            (Obstacle::NotADirectory, "ENOTDIR"),
            (Obstacle::LinkLoop, "ELOOP"),
            (Obstacle::NameTooLong, "ENAMETOOLONG"),
            (Obstacle::Forbidden, "EACCES"),
            (Obstacle::Other, "undecidable"),
        ] {
            assert_eq!(bind(Target::NoWay(obstacle), Rights::Ours(Err(obstacle))), name);
        }
        assert_eq!(
            bind(Target::NoWay(Obstacle::Forbidden), Rights::Theirs(Vec::new())),
            "undecidable"
        );
    }
}
