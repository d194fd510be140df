//! Network namespaces: which there are, and reading sockets inside them.
//!
//! A namespace is known by the inode number of its file in nsfs. Entering one moves the calling thread, and the
//! threads it starts from then on, never the others (linux 6.18 kernel/nsproxy.c, setns(2)): one who enters does so
//! before there are other threads, or on a thread that is thrown away afterwards.

mod find;
mod fingerprint;
mod names;
mod on_tape;
mod processes;
mod view;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub use find::find;
pub use names::name_of;
pub use view::{View, Views};

/// Where `ip netns` keeps namespaces by name, and others do as it does (ip-netns(8)).
pub const NAMED: &str = "/run/netns";

/// A network namespace, held open: it stays while this does, even when its last process ends.
#[derive(Debug)]
pub struct Namespace {
    /// Its inode number, as in `net:[…]`.
    pub inode: u64,
    file: File,
}

impl Namespace {
    /// Opens the namespace that a file is.
    ///
    /// # Errors
    /// If the file cannot be opened, or is no namespace.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Whatever else the path names must not make us wait, as a FIFO would.
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        let kind = rustix::fs::fstatfs(&file)?.f_type;
        if u64::try_from(kind) != u64::try_from(libc::NSFS_MAGIC) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no namespace"));
        }
        let inode = file.metadata()?.ino();
        Ok(Self { inode, file })
    }

    /// Moves this thread into it, and all threads that it starts from now on.
    ///
    /// # Errors
    /// The kernel's: `EPERM` without `CAP_SYS_ADMIN` over the namespace, `EINVAL` for one of another kind.
    pub fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(
            self.file.as_fd(),
            Some(LinkNameSpaceType::Network),
        )?)
    }
}

/// The file that a word names: a path if it has a slash, a process by its id, else a name below [`NAMED`].
pub fn path_of(word: &str) -> PathBuf {
    if word.contains('/') {
        PathBuf::from(word)
    } else if process_of(word).is_some() {
        Path::new("/proc").join(word).join("ns/net")
    } else {
        Path::new(NAMED).join(OsStr::new(word))
    }
}

/// The process that a word names.
fn process_of(word: &str) -> Option<u32> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_path_a_process_or_a_name() {
        assert_eq!(path_of("812"), Path::new("/proc/812/ns/net"));
        assert_eq!(path_of("blue"), Path::new("/run/netns/blue"));
        assert_eq!(path_of("blue1"), Path::new("/run/netns/blue1"));
        assert_eq!(path_of("+1"), Path::new("/run/netns/+1"));
        assert_eq!(
            path_of("/run/docker/netns/default"),
            Path::new("/run/docker/netns/default")
        );
        assert_eq!(path_of("./ns"), Path::new("./ns"));
    }

    #[test]
    fn only_a_namespace_can_be_opened() {
        let own = Namespace::open(Path::new("/proc/self/ns/net")).unwrap();
        assert_eq!(own.inode, std::fs::metadata("/proc/self/ns/net").unwrap().ino());
        assert!(Namespace::open(Path::new("/proc/self/status")).is_err());
        assert!(Namespace::open(Path::new("/run/netns/no such name")).is_err());
    }
}
