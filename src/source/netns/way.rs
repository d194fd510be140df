//! The files through which a namespace can be entered.

use std::io;
use std::path::{Path, PathBuf};

use super::Namespace;

/// A file through which a namespace can be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A path given by the caller, below /proc, or in a directory of names.
    Path(PathBuf),
    /// A mount point seen from the root directory of another process, whose user controls what is there.
    Within {
        /// `/proc/PID/root`.
        root: PathBuf,
        /// The mount point, relative to it.
        mount_point: PathBuf,
    },
}

impl Way {
    /// Opens it.
    ///
    /// # Errors
    /// If it is not a namespace, or cannot be opened.
    pub fn open(&self) -> io::Result<Namespace> {
        match self {
            Self::Path(path) => Namespace::open(path),
            Self::Within { root, mount_point } => Namespace::open_within(root, mount_point),
        }
    }

    /// The whole path.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Within { root, mount_point } => {
                root.join(mount_point.strip_prefix("/").unwrap_or(mount_point))
            }
        }
    }
}

impl From<&Path> for Way {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Way {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}
