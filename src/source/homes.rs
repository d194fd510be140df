//! Users' home directories, if they are on file systems that are certain to answer.
//!
//! A FUSE file system, or a mount of a dead server, could block anyone who reads a home directory. A thread that waits
//! for FUSE cannot even be abandoned: its process does not end before the answer (linux 6.18 fs/fuse/dev.c,
//! `request_wait_answer`). So only local file systems are read: statx(2) reports owner and mount without querying the
//! file system, and openat2(2) crosses no mount below a home.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::fs::{makedev, openat, openat2, statx};

use super::disk::{self, Stat};
use super::tape::format::Kind;
use super::tape::{self, note};

/// File systems on local disks and in memory.
const LOCAL: [&str; 11] = [
    "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs",
];
/// Maximum number of homes that are searched.
const HOMES_MAX: usize = 4096;

/// The homes in a directory.
#[derive(Clone, Debug)]
pub struct Homes {
    directory: PathBuf,
    /// The mounts of local file systems, by id.
    local: BTreeSet<u64>,
}

impl Homes {
    /// Homes below a directory (`/home`).
    pub fn in_directory(directory: PathBuf) -> Self {
        let mounts = disk::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mounts = mounts.lines().filter_map(|line| MountInfo::from_line(line).ok());
        let is_local = |mount: &MountInfo| LOCAL.contains(&mount.fs_type.as_str());
        let local = mounts
            .filter(is_local)
            .filter_map(|mount| u64::try_from(mount.mnt_id).ok());
        Self {
            directory,
            local: local.collect(),
        }
    }

    /// The homes of a user. A recording by an earlier version does not say which user they belong to.
    pub fn of(&self, user: u32) -> impl Iterator<Item = PathBuf> {
        let names = match self.stat(&self.directory) {
            Ok(stat) if stat.is_dir() => disk::names_in(&self.directory).unwrap_or_default(),
            _ if tape::is_replaying() => disk::names_in(&self.directory).unwrap_or_default(),
            _ => Vec::new(),
        };
        let homes = names
            .into_iter()
            .take(HOMES_MAX)
            .map(|name| self.directory.join(name));
        homes.filter(move |home| match self.stat(home) {
            Ok(stat) => stat.uid == user,
            Err(_) => tape::is_replaying(),
        })
    }

    /// Returns the first bytes, up to a limit, of a regular file below a home that only `owner` can have written. See
    /// [`disk::read_of_owner`].
    ///
    /// # Errors
    /// Those of that function; `Unsupported` if the home is not on a local file system; EXDEV if the path crosses a
    /// mount.
    pub fn read_of_owner(&self, home: &Path, below: &Path, limit: u64, owner: u32) -> io::Result<Vec<u8>> {
        let path = home.join(below);
        note(Kind::File, disk::key(&path), || {
            let (Some(directory), Some(name)) = (below.parent(), below.file_name()) else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let home = openat(CWD, home, flags, Mode::empty())?;
            self.local_stat(&home, Path::new(""), AtFlags::EMPTY_PATH)?;
            let within = ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS | ResolveFlags::BENEATH;
            let directory = openat2(&home, directory, flags | OFlags::DIRECTORY, Mode::empty(), within)?;
            let handle = openat2(&directory, name, flags, Mode::empty(), within)?;
            disk::read_handle_of_owner(&directory, &handle, limit, owner)
        })
    }

    /// stat(2) of a home, which must not be a link.
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        note(Kind::Metadata, disk::key(path), || {
            let stat = self.local_stat(CWD, path, AtFlags::empty())?;
            if FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Symlink {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            Ok(Stat {
                dev: makedev(stat.stx_dev_major, stat.stx_dev_minor),
                ino: stat.stx_ino,
                mode: stat.stx_mode.into(),
                uid: stat.stx_uid,
            })
        })
    }

    /// Returns the attributes that are known without querying the file system. Fails if the file system is not local.
    fn local_stat(&self, directory: impl AsFd, path: &Path, flags: AtFlags) -> io::Result<Statx> {
        let no_query = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let stat = statx(directory, path, flags | no_query, wanted)?;
        let has_mount = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
        if has_mount && self.local.contains(&stat.stx_mnt_id) {
            Ok(stat)
        } else {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
