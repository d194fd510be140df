//! Looks for the sockets that have a unix name.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, major, minor};

use super::process;
use crate::command::why::owner::Owner;
use crate::command::why::unix::{FileFacts, UnixFacts};
use crate::model::endpoint::UnixFile;
use crate::model::{Endpoints, Protocol, Socket, SocketType, StateSet};
use crate::plan::Dump;
use crate::source::proc::ProcRoot;
use crate::source::tables::Tables;

/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_VFS` and `UDIAG_SHOW_RQLEN` (linux 6.18 include/uapi/linux/unix_diag.h).
const NAME_FILE_AND_QUEUE: u32 = 0x13;

/// Reads what there is under the name, for a socket of this type made by this user.
pub fn read(name: Vec<u8>, kind: SocketType, uid: u32) -> UnixFacts {
    let path = Path::new(OsStr::from_bytes(&name));
    let is_abstract = name.first() == Some(&0);
    let file = if is_abstract {
        FileFacts::Absent
    } else {
        file_facts(path, uid)
    };
    let sockets = with_owners(find(&name));
    UnixFacts {
        name,
        kind,
        file,
        sockets,
    }
}

/// The sockets that listen on the name or are bound to it: the file at a path is compared by inode and device,
/// because a path means something else in another mount namespace.
pub fn find(name: &[u8]) -> Vec<Socket> {
    let is_abstract = name.first() == Some(&0);
    let metadata = std::fs::metadata(OsStr::from_bytes(name)).ok();
    let id = metadata.filter(|_| !is_abstract).map(|metadata| UnixFile {
        // The kernel tells the low half only.
        inode: u32::try_from(metadata.ino() & u64::from(u32::MAX)).unwrap_or_default(),
        device: major(metadata.dev()) << 20 | minor(metadata.dev()),
    });
    let dump = Dump {
        extensions: NAME_FILE_AND_QUEUE,
        ..Dump::new(Protocol::Unix, StateSet::LISTENING)
    };
    let mut found: Vec<Socket> = Vec::new();
    Tables::open(&ProcRoot::default()).read(&[dump], &mut |sockets| {
        let has_it = |socket: &&Socket| match &socket.endpoints {
            Endpoints::Unix(pair) if is_abstract => pair.name.as_deref() == Some(name),
            Endpoints::Unix(pair) => id.is_some() && pair.file == id,
            _ => false,
        };
        found.extend(sockets.iter().filter(has_it).cloned());
        ControlFlow::Continue(())
    });
    found
}

/// Whether a socket's file is at the path.
pub fn is_socket_file(path: &[u8]) -> bool {
    std::fs::metadata(OsStr::from_bytes(path)).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Whether we may connect to the socket at the path: that needs write permission. Abstract names need none.
pub fn may_connect(name: &[u8]) -> bool {
    name.first() == Some(&0)
        || accessat(
            CWD,
            Path::new(OsStr::from_bytes(name)),
            Access::WRITE_OK,
            AtFlags::EACCESS,
        )
        .is_ok()
}

fn with_owners(sockets: Vec<Socket>) -> Vec<(Socket, Vec<Owner>)> {
    let owners = |socket: &Socket| {
        let inode: Vec<u32> = socket.inode.map(NonZeroU32::get).into_iter().collect();
        process::owners_of(inode)
    };
    sockets
        .into_iter()
        .map(|socket| (owners(&socket), socket))
        .map(|(owners, socket)| (socket, owners))
        .collect()
}

fn file_facts(path: &Path, uid: u32) -> FileFacts {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        return if metadata.file_type().is_socket() {
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
    let Ok(metadata) = std::fs::metadata(directory) else {
        return FileFacts::NoDirectory;
    };
    if uid == rustix::process::geteuid().as_raw() {
        let may = accessat(
            CWD,
            directory,
            Access::WRITE_OK | Access::EXEC_OK,
            AtFlags::EACCESS,
        );
        return if may.is_ok() {
            FileFacts::Absent
        } else {
            FileFacts::Forbidden
        };
    }
    let allows = |bits: u32| metadata.mode() & bits == bits;
    if uid == 0 || (metadata.uid() == uid && allows(0o300)) || allows(0o003) {
        FileFacts::Absent
    } else if metadata.uid() != uid && allows(0o030) {
        FileFacts::Unknown
    } else {
        FileFacts::Forbidden
    }
}
