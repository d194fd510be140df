//! Paths of unix sockets: what exists there, and what this user may do with it.
//!
//! The kernel walks the path itself, so its error numbers are those of bind (linux 6.18 fs/namei.c, filename_create).

mod directory;
mod socket;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat, getxattr};

pub use socket::{file_id, is_bound, is_socket_file, may_connect};

use super::{disk, tape};
use crate::model::unix_path::{FileKind, Obstacle, PathFacts, Permissions, Rights, Target};

/// How many links the kernel follows in one path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// Reads what is at the path. Whether the user may create a file comes from the kernel if it is this process's user
/// (`ours`), and otherwise follows from the permissions on the path.
pub fn look(path: &[u8], ours: bool) -> PathFacts {
    let (parent, name) = split(path);
    let parent = Path::new(OsStr::from_bytes(parent));
    // What a recording lacks reads as "not found", which would be a wrong answer here.
    let is_known = tape::fact(&format!("looked at {}", shown(path)), || true);
    let target = if is_known {
        target(parent, name)
    } else {
        Target::Unknown
    };
    PathFacts {
        target,
        removable: (target == Target::File(FileKind::Socket)).then(|| may_remove(parent, name)),
        rights: if ours {
            Rights::Ours(may_make(parent))
        } else {
            Rights::Theirs(permissions(parent))
        },
    }
}

/// Splits a path into its directory and its last name, including trailing slashes.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let name = without_slashes(path);
    let at = name.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (parent, name) = path.split_at(at);
    (if parent.is_empty() { b"." } else { parent }, name)
}

/// The path without trailing slashes.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    path.get(..end).unwrap_or_default()
}

fn target(parent: &Path, name: &[u8]) -> Target {
    let no_way = |error: std::io::Error| Target::NoWay(obstacle(error.raw_os_error()));
    // Even looking up "." in a directory requires search permission. The path is built as bytes, because joining paths
    // drops the ".".
    let inside = [parent.as_os_str().as_bytes(), b"/."].concat();
    if let Err(error) = disk::stat(OsStr::from_bytes(&inside)) {
        return no_way(error);
    }
    let bare = without_slashes(name);
    if matches!(bare, b"" | b"." | b"..") {
        return Target::File(FileKind::Other);
    }
    match disk::lstat(parent.join(OsStr::from_bytes(bare))) {
        Ok(stat) if stat.is_socket() => Target::File(FileKind::Socket),
        Ok(_) => Target::File(FileKind::Other),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
            directory::read(parent, bare.len() < name.len()).map_or(Target::Unknown, Target::Free)
        }
        Err(error) => no_way(error),
    }
}

/// Whether this process may remove the file: it needs write permission on the directory and, if that has the sticky
/// bit, must own the file or the directory.
fn may_remove(parent: &Path, name: &[u8]) -> bool {
    const STICKY: u32 = 0o1000;
    let own = tape::euid();
    let file = disk::lstat(parent.join(OsStr::from_bytes(without_slashes(name))));
    let (Ok(file), Ok(directory)) = (file, disk::stat(parent)) else {
        return false;
    };
    let is_ours = own == 0 || directory.mode & STICKY == 0 || [file.uid, directory.uid].contains(&own);
    is_ours && may_make(parent).is_ok()
}

/// The permissions of every directory on the path to this one, this one last.
fn permissions(path: &Path) -> Vec<Permissions> {
    let mut at = PathBuf::from(if path.is_absolute() { "/" } else { "." });
    let mut left: Vec<Vec<u8>> = names(path);
    let mut found: Vec<_> = of_directory(&at).into_iter().collect();
    let mut links = 0;
    while let Some(name) = left.pop() {
        let next = at.join(OsStr::from_bytes(&name));
        if let Ok(link) = disk::read_link(&next) {
            links += 1;
            if links > MAX_LINKS {
                break;
            }
            if link.is_absolute() {
                at = PathBuf::from("/");
                found.extend(of_directory(&at));
            }
            left.extend(names(&link));
            continue;
        }
        at = next;
        let Some(permissions) = of_directory(&at) else {
            break;
        };
        found.push(permissions);
    }
    found
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<Vec<u8>> {
    let names = path.as_os_str().as_bytes().split(|byte| *byte == b'/').rev();
    names
        .filter(|name| !matches!(*name, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

fn of_directory(path: &Path) -> Option<Permissions> {
    let stat = disk::stat(path).ok().filter(disk::Stat::is_dir)?;
    let has_acl = tape::fact(&format!("access list of {}", path.display()), || {
        getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]).is_ok()
    });
    Some(Permissions {
        uid: stat.uid,
        mode: stat.mode,
        has_acl,
    })
}

/// Asks the kernel whether this process may create a file in the directory.
fn may_make(parent: &Path) -> Result<(), Obstacle> {
    // The errno; 0 if it may.
    let answer = tape::fact(&format!("making files in {}", parent.display()), || {
        let answer = accessat(CWD, parent, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
        Some(answer.err().map_or(0, rustix::io::Errno::raw_os_error))
    });
    match answer {
        Some(0) => Ok(()),
        other => Err(obstacle(other)),
    }
}

fn obstacle(errno: Option<i32>) -> Obstacle {
    match errno {
        Some(libc::ENOENT) => Obstacle::Missing,
        Some(libc::ENOTDIR) => Obstacle::NotADirectory,
        Some(libc::ELOOP) => Obstacle::LinkLoop,
        Some(libc::ENAMETOOLONG) => Obstacle::NameTooLong,
        Some(libc::EACCES) => Obstacle::Forbidden,
        _ => Obstacle::Other,
    }
}

fn shown(path: &[u8]) -> std::path::Display<'_> {
    Path::new(OsStr::from_bytes(path)).display()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_before_its_last_name_as_in_the_kernel() {
        let split = |path: &'static str| {
            let (parent, name) = super::split(path.as_bytes());
            [parent, name].map(|part| std::str::from_utf8(part).unwrap())
        };
        assert_eq!(split("/run/a"), ["/run/", "a"]);
        assert_eq!(split("./a"), ["./", "a"]);
        assert_eq!(split("/run/a//"), ["/run/", "a//"]);
        assert_eq!(split("/run/."), ["/run/", "."]);
        assert_eq!(split("//"), [".", "//"]);
    }

    #[test]
    fn sockets_other_files_and_missing_files_are_distinguished() {
        let directory = std::env::temp_dir().join(format!("sockstat-unix-paths-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let at = |name: &str| directory.join(name).into_os_string().into_encoded_bytes();
        let listener = std::os::unix::net::UnixListener::bind(directory.join("a.sock")).unwrap();
        std::fs::write(directory.join("text"), "").unwrap();
        let names = ["a.sock", "text", "text/", ".", "none/none", "text/none"];
        let found = names.map(|name| look(&at(name), true).target);
        let (free, rights) = (look(&at("none"), true), look(&at("none"), false).rights);
        let is_socket = [at("a.sock"), at("text")].map(|path| is_socket_file(&path));
        let may_write = may_connect(&at("a.sock"));
        let bound = is_bound(&at("a.sock"));
        drop(listener);
        let left_over = is_bound(&at("a.sock"));
        std::fs::remove_dir_all(&directory).unwrap();
        let other = Target::File(FileKind::Other);
        assert_eq!(
            found,
            [
                Target::File(FileKind::Socket),
                other,
                other,
                other,
                Target::NoWay(Obstacle::Missing),
                Target::NoWay(Obstacle::NotADirectory),
            ]
        );
        assert!(matches!(free.target, Target::Free(_)), "{free:?}");
        assert_eq!(free.rights, Rights::Ours(Ok(())));
        let Rights::Theirs(way) = rights else { panic!() };
        assert!(way.len() >= 2, "{way:?}");
        assert_eq!((is_socket, may_write), ([true, false], true));
        assert_eq!((bound, left_over), (Some(true), Some(false)));
    }
}
