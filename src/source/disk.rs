//! Reads files, links and directories through the tape: what is read here goes into a recording, and a replay reads it
//! from there. Everything that affects the result of a run is read through this module instead of `std::fs`.
//!
//! Not to be used for descriptors of other processes, which are never opened.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::tape::codec::recordable;
use super::tape::format::Kind;
use super::tape::note;

/// Returns the bytes of a file.
///
/// # Errors
/// As `std::fs::read`.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    note(Kind::File, key(path), || std::fs::read(path))
}

/// Returns the bytes of a file, up to a limit.
///
/// # Errors
/// As `std::fs::read`.
pub fn read_start(path: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    note(Kind::File, key(path), || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// Returns the first bytes, up to a limit, of a regular file that only `owner` can have written: file and directory
/// belong to `owner`, are not links, and are not writable by others. Nothing else is opened.
///
/// # Errors
/// As `std::fs::read`; `PermissionDenied` if others could have written it, `InvalidInput` if it is not a regular file.
pub fn read_of_owner(path: impl AsRef<Path>, most: u64, owner: u32) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    note(Kind::File, key(path), || {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, directory, flags | OFlags::DIRECTORY, Mode::empty())?;
        let handle = rustix::fs::openat(&directory, name, flags, Mode::empty())?;
        read_handle_of_owner(&directory, &handle, most, owner)
    })
}

/// The same for a file that is not open yet (`O_PATH`), and its directory.
pub(super) fn read_handle_of_owner(
    directory: &OwnedFd,
    handle: &OwnedFd,
    most: u64,
    owner: u32,
) -> io::Result<Vec<u8>> {
    let stat = rustix::fs::fstat(handle)?;
    for stat in [stat, rustix::fs::fstat(directory)?] {
        let by_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
        if stat.st_uid != owner || by_others {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the text of a file.
///
/// # Errors
/// As `std::fs::read_to_string`.
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Where a link points.
///
/// # Errors
/// As `std::fs::read_link`.
pub fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref();
    note(Kind::Link, key(path), || std::fs::read_link(path))
}

/// Returns the names in a directory. Entries that cannot be read are left out.
///
/// # Errors
/// As `std::fs::read_dir`.
pub fn names_in(path: impl AsRef<Path>) -> io::Result<Vec<OsString>> {
    let path = path.as_ref();
    note(Kind::Directory, key(path), || {
        Ok(std::fs::read_dir(path)?
            .flatten()
            .map(|entry| entry.file_name())
            .collect())
    })
}

/// The part of stat(2) that is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
}

recordable!(Stat { dev, ino, mode, uid });

impl Stat {
    /// Returns whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }

    /// Returns whether it is a socket file.
    pub fn is_socket(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFSOCK
    }

    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            mode: metadata.mode(),
            uid: metadata.uid(),
        }
    }
}

/// stat(2).
///
/// # Errors
/// As `std::fs::metadata`.
pub fn stat(path: impl AsRef<Path>) -> io::Result<Stat> {
    let path = path.as_ref();
    note(Kind::Metadata, key(path), || {
        std::fs::metadata(path).as_ref().map(Stat::of).map_err(again)
    })
}

/// lstat(2), which does not follow links.
///
/// # Errors
/// As `std::fs::symlink_metadata`.
pub fn lstat(path: impl AsRef<Path>) -> io::Result<Stat> {
    let path = path.as_ref();
    let key = [b"l:", key(path)].concat();
    note(Kind::Metadata, key, || {
        std::fs::symlink_metadata(path)
            .as_ref()
            .map(Stat::of)
            .map_err(again)
    })
}

fn again(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

pub(super) fn key(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
