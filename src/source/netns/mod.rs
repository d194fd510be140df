//! Network namespaces: finding them, and reading sockets inside them.
//!
//! A namespace is identified by the inode number of its file in nsfs. Entering one moves the calling thread, and the
//! threads it starts from then on, but no others (linux 6.18 kernel/nsproxy.c, setns(2)): enter before other threads
//! exist, or on a thread that is discarded afterwards.

mod find;
mod fingerprint;
mod names;
mod on_tape;
mod others;
mod processes;
mod view;
mod way;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat2, statx};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub use find::find;
pub use names::name_of;
pub use others::enter_others;
pub use view::{View, Views};
pub use way::{Keeper, Way};

/// Where `ip netns`, and programs that imitate it, keep named namespaces (ip-netns(8)).
pub const NAMED: &str = "/run/netns";

/// A network namespace, held open: it exists as long as this handle, even after its last process ends.
#[derive(Debug)]
pub struct Namespace {
    /// Its inode number, as in `net:[…]`.
    pub inode: u64,
    file: File,
}

impl Namespace {
    /// Opens the namespace that a file refers to.
    ///
    /// # Errors
    /// If the file cannot be opened, or is not a namespace.
    pub fn open(path: &Path) -> io::Result<Self> {
        let handle = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        Self::of_handle(&handle)
    }

    /// Opens the namespace mounted at a path below the root directory of another process, whose user may have put
    /// anything there: links are not followed, and no file system is queried, because it might never answer.
    ///
    /// # Errors
    /// If no namespace is mounted there, or the path is not in the kernel's dentry cache, where all mount points are.
    pub fn open_within(root: &Path, path: &Path) -> io::Result<Self> {
        // A concurrent mount or rename anywhere returns the same errno.
        const TRIES: usize = 16;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, root, flags | OFlags::DIRECTORY, Mode::empty())?;
        let resolve = ResolveFlags::IN_ROOT
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::CACHED;
        let open = || openat2(&root, path, flags, Mode::empty(), resolve);
        let mut opened = open();
        for _ in 1..TRIES {
            if opened.as_ref().err() != Some(&Errno::AGAIN) {
                break;
            }
            opened = open();
        }
        Self::of_handle(&opened?)
    }

    /// Opens the file of a handle (`O_PATH`), after checking that it is a namespace, because opening a FIFO or a device
    /// has side effects.
    fn of_handle(handle: &OwnedFd) -> io::Result<Self> {
        // Unlike fstatfs(2), this does not query the file system's server.
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let stat = statx(handle, c"", flags, StatxFlags::INO)?;
        let device = rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        if device != std::fs::metadata("/proc/self/ns/net")?.dev() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a namespace",
            ));
        }
        let file = File::open(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
        let inode = stat.stx_ino;
        Ok(Self { inode, file })
    }

    /// Moves this thread, and all threads that it starts from now on, into the namespace.
    ///
    /// # Errors
    /// The kernel's error: `EPERM` without `CAP_SYS_ADMIN` over the namespace, `EINVAL` for a namespace of another
    /// type.
    pub fn enter(&self) -> io::Result<()> {
        Ok(move_into_link_name_space(
            self.file.as_fd(),
            Some(LinkNameSpaceType::Network),
        )?)
    }
}

/// Returns the file that a word names: a path if it contains a slash, the namespace of a process if it is a number,
/// otherwise a name below [`NAMED`].
pub fn path_of(word: &str) -> PathBuf {
    if word.contains('/') {
        PathBuf::from(word)
    } else if process_of(word).is_some() {
        Path::new("/proc").join(word).join("ns/net")
    } else {
        Path::new(NAMED).join(OsStr::new(word))
    }
}

/// Returns the process that a word names.
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

    #[test]
    fn other_files_in_place_of_a_namespace_are_not_opened() {
        use rustix::fs::inotify;
        let root = std::env::temp_dir().join(format!("sockstat-netns-{}", std::process::id()));
        std::fs::create_dir_all(root.join("directory")).unwrap();
        let fifo = root.join("fifo");
        rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::os::unix::fs::symlink("fifo", root.join("link")).unwrap();
        std::os::unix::fs::symlink("/proc/self/ns/net", root.join("namespace")).unwrap();
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&watch, &fifo, inotify::WatchFlags::OPEN).unwrap();
        for path in ["fifo", "link", "namespace", "directory", "../../proc/self/ns/net"] {
            let opened = Namespace::open_within(&root, Path::new(path));
            assert!(opened.is_err(), "{path}: {opened:?}");
        }
        for path in ["fifo", "link"] {
            let error = Namespace::open(&root.join(path)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        // Without precautions, a path through the root directory of a process leads to whatever is mounted there.
        assert!(Namespace::open(&root.join("namespace")).is_ok());
        let mut events = [0; 256];
        assert_eq!(
            rustix::io::read(&watch, &mut events),
            Err(Errno::AGAIN),
            "the FIFO was opened"
        );
        std::fs::remove_dir_all(&root).unwrap();
    }
}
