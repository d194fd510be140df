//! The files through which a namespace can be entered.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Namespace;

/// A file through which a namespace can be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A path given by the caller, below /proc, or in a directory of names.
    Path(PathBuf),
    /// A mount point below the root directory of another process, whose user controls what is there.
    Within {
        /// `/proc/PID/root`.
        root: PathBuf,
        /// The mount point, relative to it.
        mount_point: PathBuf,
    },
    /// A descriptor of another process, which is never opened, because it may meanwhile lead to a file system that does
    /// not answer.
    Descriptor(PathBuf),
    /// A socket of another process, by the path of its descriptor. Only the kernel can get from it to its namespace,
    /// and only through a copy of the descriptor.
    Socket(PathBuf),
}

/// The only thing that refers to a namespace, which is therefore not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A descriptor of the namespace itself.
    Descriptor,
    /// A socket in it.
    Socket,
}

impl Keeper {
    /// The error with which [`Way::open`] fails. Recordings contain the number.
    const fn errno(self) -> Errno {
        match self {
            Self::Descriptor => Errno::OPNOTSUPP,
            Self::Socket => Errno::SOCKTNOSUPPORT,
        }
    }

    /// The keeper, if the error means that the namespace was not entered because of it.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        let is = |keeper: &Self| error.raw_os_error() == Some(keeper.errno().raw_os_error());
        [Self::Descriptor, Self::Socket].into_iter().find(is)
    }
}

impl Way {
    /// Opens it.
    ///
    /// # Errors
    /// If it is not a namespace, or cannot be opened; for the descriptors of other processes, that of their [`Keeper`].
    pub fn open(&self) -> io::Result<Namespace> {
        match self {
            Self::Path(path) => Namespace::open(path),
            Self::Within { root, mount_point } => Namespace::open_within(root, mount_point),
            Self::Descriptor(_) => Err(Keeper::Descriptor.errno().into()),
            Self::Socket(_) => Err(Keeper::Socket.errno().into()),
        }
    }

    /// The whole path.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) | Self::Descriptor(path) | Self::Socket(path) => path.clone(),
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
