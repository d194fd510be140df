//! /proc: the holders of sockets, facts about these processes, and the tables that are read in place of sock_diag.

mod attributes;
pub mod contexts;
mod counts;
pub mod facts;
pub mod families;
pub mod fdinfo;
pub mod held;
pub mod holders;
pub mod mounts;
pub mod net;
mod on_tape;
mod raw;
pub mod summary;
pub mod tasks;
pub mod traffic;
mod walk;
mod worker;

use std::path::{Path, PathBuf};

pub use attributes::protocols;

use crate::source::disk;

/// Where procfs is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcRoot {
    directory: PathBuf,
    given: bool,
    /// The process whose network tables are read, if not our own.
    process: Option<u32>,
}

impl Default for ProcRoot {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/proc"),
            given: false,
            process: None,
        }
    }
}

impl ProcRoot {
    /// The root that the user named (`--proc-root`): netlink is not used then, because these files may be from another
    /// kernel.
    pub fn given(directory: PathBuf) -> Self {
        Self {
            directory,
            given: true,
            process: None,
        }
    }

    /// /proc with the network tables of a process, whose namespace may not be entered.
    pub fn of_process(pid: u32) -> Self {
        Self {
            process: Some(pid),
            ..Self::default()
        }
    }

    /// Returns whether netlink, which reports our own network namespace, covers this root.
    pub fn is_of_netlink(&self) -> bool {
        !self.given && self.process.is_none()
    }

    /// The root that the user named, or the default one.
    pub fn of(given: Option<PathBuf>) -> Self {
        given.map_or_else(Self::default, Self::given)
    }

    /// Returns whether the user named it.
    pub fn is_given(&self) -> bool {
        self.given
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// A file below it.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// A table of the network namespace. /proc/net belongs to the main thread, which may be in another namespace. In a
    /// root given by the user, the table is that of process 1, or of the root itself if it has no process 1.
    pub fn net(&self, table: &str) -> PathBuf {
        if let Some(pid) = self.process {
            return self.join(pid.to_string()).join("net").join(table);
        }
        if !self.given {
            return self.join("thread-self/net").join(table);
        }
        let of_init = self.join("1/net");
        if disk::stat(&of_init).is_ok_and(|stat| stat.is_dir()) {
            of_init.join(table)
        } else {
            self.join("net").join(table)
        }
    }
}
