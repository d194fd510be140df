//! Looks for the sockets that have a unix name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, major, minor};

use super::snapshot::{self, Snapshot};
use super::systemd::{self, Listen};
use super::{inherited, process};
use crate::diagnose::bind::report::Holders;
use crate::diagnose::bind::unix::{FileFacts, UnixFacts, printable};
use crate::model::Context;
use crate::model::endpoint::UnixFile;
use crate::model::request::{Dump, OwnersBy};
use crate::model::{Endpoints, Protocol, Socket, SocketType, StateSet};
use crate::source::disk;
use crate::source::tape;

/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_VFS`, `UDIAG_SHOW_RQLEN` and `UDIAG_SHOW_UID` (linux 6.18
/// include/uapi/linux/unix_diag.h).
const NAME_FILE_QUEUE_AND_UID: u32 = 0x53;

/// What there is under a name.
#[derive(Debug)]
pub struct Looked {
    /// What a diagnosis needs.
    pub facts: UnixFacts,
    /// The sockets, with their owners.
    pub snapshot: Snapshot,
    /// Processes and names.
    pub context: Context,
}

/// Reads what there is under the name, for a socket of this type made by this user.
pub fn read(name: Vec<u8>, kind: SocketType, uid: u32, by: OwnersBy) -> Looked {
    let is_abstract = name.first() == Some(&0);
    let file = if is_abstract {
        FileFacts::Absent
    } else {
        file_facts(Path::new(OsStr::from_bytes(&name)), uid)
    };
    let (snapshot, context, sockets) = with_owners(&name, by);
    Looked {
        facts: UnixFacts {
            name,
            kind,
            file,
            sockets,
        },
        snapshot,
        context,
    }
}

/// The sockets that have the name, and who holds them.
pub fn with_owners(name: &[u8], by: OwnersBy) -> (Snapshot, Context, Vec<(Socket, Holders)>) {
    let mut snapshot = of_name(name);
    snapshot.find_owners(by);
    let sockets: Vec<Socket> = snapshot.existing.iter().map(|one| one.socket.clone()).collect();
    let holders = sockets
        .iter()
        .flat_map(|socket| snapshot.owners.of(socket).holders);
    let pids: Vec<u32> = holders.map(|holder| holder.pid).collect();
    let uids: Vec<u32> = sockets.iter().filter_map(|socket| socket.uid).collect();
    let context = process::read(&pids, &uids);
    let sockets = sockets
        .into_iter()
        .map(|socket| {
            let holders = holders_of(&socket, name, &snapshot, &context);
            (socket, holders)
        })
        .collect();
    (snapshot, context, sockets)
}

fn holders_of(socket: &Socket, name: &[u8], snapshot: &Snapshot, context: &Context) -> Holders {
    let ownership = snapshot.owners.of(socket);
    let mut pids: Vec<u32> = ownership.holders.iter().map(|holder| holder.pid).collect();
    pids.dedup();
    pids.sort_by_key(|pid| context.processes.get(pid).and_then(|process| process.started_at));
    let owners = process::describe(&pids, context);
    let systemd = systemd::among(&owners);
    Holders {
        status: ownership.status,
        inherited: inherited::read(socket, ownership.holders, &owners, context),
        by_systemd: systemd.is_some(),
        socket_unit: systemd.and_then(|who| systemd::socket_unit(who, Listen::Unix(&printable(name)))),
        user: socket.uid.map(|uid| process::user_name(context, uid)),
        owners,
    }
}

/// The sockets that listen on the name or are bound to it.
pub fn find(name: &[u8]) -> Vec<Socket> {
    of_name(name).existing.into_iter().map(|one| one.socket).collect()
}

/// The file at a path is compared by inode and device, because a path means something else in another mount
/// namespace.
fn of_name(name: &[u8]) -> Snapshot {
    let is_abstract = name.first() == Some(&0);
    let stat = disk::stat(OsStr::from_bytes(name)).ok();
    let id = stat.filter(|_| !is_abstract).map(|stat| UnixFile {
        // The kernel tells the low half only.
        inode: u32::try_from(stat.ino & u64::from(u32::MAX)).unwrap_or_default(),
        device: major(stat.dev) << 20 | minor(stat.dev),
    });
    let dump = Dump {
        extensions: NAME_FILE_QUEUE_AND_UID,
        ..Dump::new(Protocol::Unix, StateSet::LISTENING)
    };
    snapshot::gather(vec![dump], |socket| match &socket.endpoints {
        Endpoints::Unix(pair) if is_abstract => pair.name.as_deref() == Some(name),
        Endpoints::Unix(pair) => id.is_some() && pair.file == id,
        _ => false,
    })
}

/// Whether a socket's file is at the path.
pub fn is_socket_file(path: &[u8]) -> bool {
    disk::stat(OsStr::from_bytes(path)).is_ok_and(|stat| stat.is_socket())
}

/// Whether we may connect to the socket at the path: that needs write permission. Abstract names need none.
pub fn may_connect(name: &[u8]) -> bool {
    name.first() == Some(&0) || may(Path::new(OsStr::from_bytes(name)), MAY_WRITE)
}

/// What may be done, and the word for it in the key of a recording, which outlives any name in this code.
type Permission = (Access, &'static str);
/// Connect to a socket.
const MAY_WRITE: Permission = (Access::WRITE_OK, "Access(WRITE_OK)");
/// Make a file in a directory.
const MAY_MAKE: Permission = (
    Access::WRITE_OK.union(Access::EXEC_OK),
    "Access(WRITE_OK | EXEC_OK)",
);

fn may(path: &Path, (access, word): Permission) -> bool {
    tape::fact(&format!("may {word} {}", path.display()), || {
        accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
    })
}

fn file_facts(path: &Path, uid: u32) -> FileFacts {
    if let Ok(stat) = disk::lstat(path) {
        return if stat.is_socket() {
            FileFacts::Socket
        } else {
            FileFacts::Other
        };
    }
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return FileFacts::Other,
    };
    let Ok(stat) = disk::stat(directory) else {
        return FileFacts::NoDirectory;
    };
    if uid == tape::euid() {
        return if may(directory, MAY_MAKE) {
            FileFacts::Absent
        } else {
            FileFacts::Forbidden
        };
    }
    let allows = |bits: u32| stat.mode & bits == bits;
    if uid == 0 || (stat.uid == uid && allows(0o300)) || allows(0o003) {
        FileFacts::Absent
    } else if stat.uid != uid && allows(0o030) {
        FileFacts::Unknown
    } else {
        FileFacts::Forbidden
    }
}
