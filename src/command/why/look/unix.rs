//! Looks for the sockets that have a unix name.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, major, minor};

use super::process;
use crate::command::why::unix::{FileFacts, UnixFacts};
use crate::model::endpoint::UnixFile;
use crate::model::{Endpoints, Protocol, Socket, SocketType, State, StateSet};
use crate::plan::Dump;
use crate::source::proc::ProcRoot;
use crate::source::proc::holders::{Look, walk};
use crate::source::tables::Tables;

/// `UDIAG_SHOW_NAME` and `UDIAG_SHOW_VFS` (linux 6.18 include/uapi/linux/unix_diag.h).
const NAME_AND_FILE: u32 = 3;

/// Reads what there is under the name, for a socket of this type made by this user.
pub fn read(name: Vec<u8>, kind: SocketType, uid: u32) -> UnixFacts {
    let path = Path::new(OsStr::from_bytes(&name));
    let is_abstract = name.first() == Some(&0);
    let file = if is_abstract {
        FileFacts::Absent
    } else {
        file_facts(path, uid)
    };
    let id = std::fs::metadata(path)
        .ok()
        .filter(|_| !is_abstract)
        .map(|metadata| UnixFile {
            // The kernel tells the low half only.
            inode: u32::try_from(metadata.ino() & u64::from(u32::MAX)).unwrap_or_default(),
            device: major(metadata.dev()) << 20 | minor(metadata.dev()),
        });
    let dump = Dump {
        extensions: NAME_AND_FILE,
        ..Dump::new(
            Protocol::Unix,
            StateSet::of(State::Listen).union(StateSet::of(State::Unconnected)),
        )
    };
    let mut found: Vec<Socket> = Vec::new();
    Tables::open(&ProcRoot::default()).read(&[dump], &mut |sockets| {
        let has_it = |socket: &&Socket| match &socket.endpoints {
            Endpoints::Unix(pair) if is_abstract => pair.name.as_deref() == Some(name.as_slice()),
            Endpoints::Unix(pair) => id.is_some() && pair.file == id,
            Endpoints::Inet(_) => false,
        };
        found.extend(sockets.iter().filter(has_it).cloned());
        ControlFlow::Continue(())
    });
    UnixFacts {
        name,
        kind,
        file,
        sockets: with_owners(found),
    }
}

fn with_owners(sockets: Vec<Socket>) -> Vec<(Socket, Vec<crate::command::why::owner::Owner>)> {
    let mut wanted: Vec<u32> = sockets
        .iter()
        .filter_map(|socket| socket.inode)
        .map(NonZeroU32::get)
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    wanted.sort_unstable();
    let look = Look {
        wanted: Some(&wanted),
        thorough: None,
    };
    let mut holders = walk(&ProcRoot::default(), look)
        .map(|walk| walk.holders)
        .unwrap_or_default();
    holders.sort_unstable();
    let of = |socket: &Socket| {
        let inode = socket.inode.map_or(0, NonZeroU32::get);
        let mut pids: Vec<u32> = holders
            .iter()
            .filter(|holder| holder.inode == inode)
            .map(|holder| holder.pid)
            .collect();
        pids.dedup();
        process::describe(&pids, &process::read(&pids, &[]))
    };
    sockets
        .into_iter()
        .map(|socket| (of(&socket), socket))
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
