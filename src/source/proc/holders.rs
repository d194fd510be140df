//! The walk over `/proc/*/fd`: which process holds which socket.
//!
//! getdents and readlink only. It never opens, or stats through, another process's descriptor: that can hang on
//! a dead file system, and a copy keeps a port alive. Nothing is allocated per descriptor; processes are shared
//! out over the cores. What could not be looked into is counted, never passed over.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, RawDir, openat, readlinkat_raw, statat};
use rustix::io::Errno;

pub use super::counts::{crowded_processes, has_descriptors};
use super::raw::{
    DIRECTORY, DIRECTORY_BYTES, Part, PathBuffer, decimal, fd_directory_is_empty, numbered_entries,
    open_directory, read_fdinfo, read_file, sizes_differ,
};
use super::{ProcRoot, fdinfo, on_tape, tasks};
use crate::model::Holder;

/// Below this many processes a second thread costs more than it saves.
const PROCESSES_PER_THREAD: usize = 32;

/// What a walk looks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// Keep only holders of these inodes (sorted); all if `None`.
    pub wanted: Option<&'a [u32]>,
    /// Also visit every thread's own view, and read the fdinfo of sockets for descriptors in flight, except
    /// for the inodes given (sorted): sockets that are known to be no unix sockets.
    pub thorough: Option<&'a [u32]>,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Every holder seen, in no order.
    pub holders: Vec<Holder>,
    /// Processes visited.
    pub processes: u32,
    /// Processes with descriptors that we were not allowed to list or read.
    pub refused: u32,
    /// An io_uring was seen whose registered files could not be read.
    pub io_uring_unread: bool,
    /// A thorough walk saw descriptors in flight.
    pub descriptors_in_flight: bool,
}

/// Walks all processes below `root`.
///
/// # Errors
/// Only if the root itself cannot be listed; everything below it is counted instead.
pub fn walk(root: &ProcRoot, look: Look<'_>) -> std::io::Result<Walk> {
    on_tape::walk(look, || look_into(root, look))
}

fn look_into(root: &ProcRoot, look: Look<'_>) -> std::io::Result<Walk> {
    let root_fd = open_directory(CWD, root.path())?;
    let pids = numbered_entries(root_fd.as_fd())?;
    let shared = Shared {
        root: root_fd.as_fd(),
        pids: &pids,
        next: AtomicUsize::new(0),
        look,
        // Since Linux 6.2 the size of a fd directory is the number of its entries; before it is 0.
        sizes_count: statat(root_fd.as_fd(), c"self/fd", rustix::fs::AtFlags::empty())
            .is_ok_and(|stat| stat.st_size > 0),
        proc_root: root,
        socket_mount: OnceLock::new(),
        kcmp: !root.is_given(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let helpers = (pids.len() / PROCESSES_PER_THREAD).clamp(1, cores) - 1;
    Ok(std::thread::scope(|scope| {
        let handles: Vec<_> = (0..helpers)
            .map(|_| scope.spawn(|| Worker::new(&shared).run()))
            .collect();
        let mut walk = Worker::new(&shared).run();
        for handle in handles {
            // A worker does not panic; if one did, its processes must not pass for visited.
            match handle.join() {
                Ok(part) => walk.absorb(part),
                Err(_) => walk.refused += 1,
            }
        }
        walk
    }))
}

impl Walk {
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.holders.append(&mut other.holders);
        self.processes += other.processes;
        self.refused += other.refused;
        self.io_uring_unread |= other.io_uring_unread;
        self.descriptors_in_flight |= other.descriptors_in_flight;
    }
}

/// What all workers share.
struct Shared<'a> {
    root: BorrowedFd<'a>,
    pids: &'a [u32],
    next: AtomicUsize,
    look: Look<'a>,
    sizes_count: bool,
    proc_root: &'a ProcRoot,
    /// The mount id that sockets have in fdinfo, if it is known. Looked up when a process is first met that tells
    /// no more.
    socket_mount: OnceLock<Option<u32>>,
    /// Whether pids here are pids of ours, so that kcmp can be asked about them.
    kcmp: bool,
}

struct Worker<'a> {
    shared: &'a Shared<'a>,
    directory: Box<[MaybeUninit<u8>]>,
    found: Walk,
}

/// A file table: of a process (tid 0) or of a thread.
#[derive(Clone, Copy)]
struct Table {
    pid: u32,
    tid: u32,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>) -> Self {
        Self {
            shared,
            directory: vec![MaybeUninit::uninit(); DIRECTORY_BYTES].into(),
            found: Walk::default(),
        }
    }

    fn run(mut self) -> Walk {
        while let Some(pid) = self
            .shared
            .pids
            .get(self.shared.next.fetch_add(1, Ordering::Relaxed))
        {
            self.process(*pid);
        }
        self.found
    }

    /// Most processes have one thread and let us look: for them nothing is opened but the directory of descriptors.
    fn process(&mut self, pid: u32) {
        let mut path = PathBuffer::default();
        let shared = self.shared;
        let of_process = [Part::Number(pid), Part::Text(b"/fd")];
        let table = Table { pid, tid: 0 };
        let seen = match openat(shared.root, path.of(&of_process), DIRECTORY, Mode::empty()) {
            Ok(descriptors) => self.table(descriptors.as_fd(), table),
            // Gone. (A process that /proc hides is not listed, and that is told by its mount options.)
            Err(Errno::NOENT | Errno::SRCH) => return,
            Err(_) => Seen::Refused,
        };
        self.found.processes += 1;
        let mut path = PathBuffer::default();
        let tasks = path.of(&[Part::Number(pid), Part::Text(b"/task")]);
        // A task directory has one link more than two per thread.
        let one_thread = statat(shared.root, tasks, AtFlags::empty()).is_ok_and(|stat| stat.st_nlink <= 3);
        if seen == Seen::All && one_thread {
            return;
        }
        let Some(process) = self.directory_of(table) else {
            self.found.refused += u32::from(seen == Seen::Refused);
            return;
        };
        if seen == Seen::Refused
            && !self.has_nothing(process.as_fd())
            && self.by_fdinfo(process.as_fd(), table) == Seen::Refused
        {
            self.found.refused += 1;
            return;
        }
        if !one_thread {
            self.threads(process.as_fd(), pid);
        }
    }

    /// Kernel threads and zombies refuse too, but have nothing to show.
    fn has_nothing(&self, process: BorrowedFd<'_>) -> bool {
        self.shared.sizes_count && fd_directory_is_empty(process)
    }

    /// /proc/PID or /proc/PID/task/TID.
    fn directory_of(&self, Table { pid, tid }: Table) -> Option<OwnedFd> {
        let mut path = PathBuffer::default();
        let path = match tid {
            0 => path.of(&[Part::Number(pid)]),
            tid => path.of(&[Part::Number(pid), Part::Text(b"/task/"), Part::Number(tid)]),
        };
        openat(self.shared.root, path, DIRECTORY, Mode::empty()).ok()
    }

    /// Lists the descriptors of one table by its directory `fd`.
    fn table(&mut self, descriptors: BorrowedFd<'_>, table: Table) -> Seen {
        // Opened for the first descriptor of which more is to be known.
        let mut directory = None;
        let mut seen = Seen::All;
        let mut buffer = std::mem::take(&mut self.directory);
        let mut entries = RawDir::new(descriptors, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(fd) = decimal(entry.file_name()) else {
                continue;
            };
            let mut text = [MaybeUninit::<u8>::uninit(); 64];
            match readlinkat_raw(descriptors, entry.file_name(), &mut text[..]) {
                Ok((link, _)) => self.descriptor(&mut directory, table, fd, link),
                Err(Errno::ACCESS | Errno::PERM) => {
                    seen = Seen::Refused;
                    break;
                }
                // Closed meanwhile, or the link is longer than a socket's.
                Err(_) => {}
            }
        }
        self.directory = buffer;
        seen
    }

    fn descriptor(&mut self, directory: &mut Option<OwnedFd>, table: Table, fd: u32, link: &[u8]) {
        let mut more = |worker: &Self| {
            if directory.is_none() {
                *directory = worker.directory_of(table);
            }
            read_fdinfo(directory.as_ref()?.as_fd(), fd)
        };
        if let Some(inode) = fdinfo::socket_inode(link) {
            self.hold(table, fd, inode);
            let known_to_carry_none = |known: &[u32]| known.binary_search(&inode).is_ok();
            if self
                .shared
                .look
                .thorough
                .is_some_and(|known| !known_to_carry_none(known))
                && let Some(info) = more(self)
            {
                self.found.descriptors_in_flight |= info.descriptors_in_flight > 0;
            }
        } else if link == b"anon_inode:[io_uring]" {
            match more(self).filter(|info| info.registered_files_told) {
                Some(info) => {
                    for inode in info.registered_sockets {
                        self.hold(table, fd, inode);
                    }
                }
                None => self.found.io_uring_unread = true,
            }
        }
    }

    fn hold(&mut self, Table { pid, tid }: Table, fd: u32, inode: u32) {
        if self
            .shared
            .look
            .wanted
            .is_none_or(|wanted| wanted.binary_search(&inode).is_ok())
        {
            self.found.holders.push(Holder { inode, pid, fd, tid });
        }
    }

    /// With CAP_SYS_PTRACE alone the fd directory stays shut, but fdinfo can be read: what is on the mount of
    /// sockets is a socket.
    fn by_fdinfo(&mut self, process: BorrowedFd<'_>, table: Table) -> Seen {
        let shared = self.shared;
        let Some(mount) = *shared
            .socket_mount
            .get_or_init(|| own_socket_mount(shared.proc_root))
        else {
            return Seen::Refused;
        };
        let directory = match openat(process, c"fdinfo", DIRECTORY, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::SRCH) => return Seen::All,
            Err(_) => return Seen::Refused,
        };
        let mut seen = Seen::All;
        let mut buffer = std::mem::take(&mut self.directory);
        let mut entries = RawDir::new(directory.as_fd(), &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(fd) = decimal(entry.file_name()) else {
                continue;
            };
            match read_file(directory.as_fd(), entry.file_name()) {
                Ok(text) => {
                    let info = fdinfo::parse(&text);
                    if let (true, Some(inode)) = (info.mount_id == Some(mount), info.inode) {
                        self.hold(table, fd, u32::try_from(inode).unwrap_or(0));
                    }
                    for inode in info.registered_sockets {
                        self.hold(table, fd, inode);
                    }
                }
                Err(Errno::ACCESS | Errno::PERM) => {
                    seen = Seen::Refused;
                    break;
                }
                Err(_) => {}
            }
        }
        self.directory = buffer;
        seen
    }

    /// Visits the threads whose file table is their own; a thorough walk visits every thread.
    fn threads(&mut self, process: BorrowedFd<'_>, pid: u32) {
        let Ok(directory) = openat(process, c"task", DIRECTORY, Mode::empty()) else {
            return;
        };
        let Ok(tids) = numbered_entries(directory.as_fd()) else {
            return;
        };
        for tid in tids.into_iter().filter(|tid| *tid != pid) {
            let shares = if self.shared.kcmp {
                tasks::share_files(pid, tid)
            } else {
                None
            };
            let mut path = PathBuffer::default();
            let Ok(task) = openat(
                directory.as_fd(),
                path.of(&[Part::Number(tid)]),
                DIRECTORY,
                Mode::empty(),
            ) else {
                continue;
            };
            let own_table = match shares {
                Some(shares) => !shares,
                // Not told: tables of different sizes are different tables.
                None => self.shared.look.thorough.is_some() || sizes_differ(process, task.as_fd()),
            };
            if own_table && let Ok(descriptors) = openat(task.as_fd(), c"fd", DIRECTORY, Mode::empty()) {
                self.table(descriptors.as_fd(), Table { pid, tid });
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    All,
    Refused,
}

/// The mount id of sockets, from a socket of our own.
fn own_socket_mount(root: &ProcRoot) -> Option<u32> {
    if root.is_given() {
        return None;
    }
    let socket = rustix::net::socket_with(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    );
    let socket = socket.ok()?;
    let path = root.join(format!(
        "self/fdinfo/{}",
        std::os::fd::AsRawFd::as_raw_fd(&socket)
    ));
    fdinfo::parse(&std::fs::read(path).ok()?).mount_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn our_own_socket_is_found_under_our_pid_and_descriptor() {
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = fdinfo::socket_inode(link.as_os_str().as_encoded_bytes()).unwrap();
        let walk = walk(
            &ProcRoot::default(),
            Look {
                wanted: Some(&[inode]),
                thorough: None,
            },
        )
        .unwrap();
        let expected = Holder {
            inode,
            pid: std::process::id(),
            fd: u32::try_from(socket.as_raw_fd()).unwrap(),
            tid: 0,
        };
        assert!(walk.holders.contains(&expected), "{walk:?}");
    }

    /// A made-up /proc: what the walk reads of it is fully known.
    fn fake_proc(name: &str) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("sockstat-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let link = |path: &str, to: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(to, path).unwrap();
        };
        link("10/fd/3", "socket:[100]");
        link("10/fd/4", "pipe:[7]");
        link("10/fd/5", "socket:[101]");
        link("11/fd/9", "socket:[100]");
        link("12/fd/8", "anon_inode:[io_uring]");
        std::fs::create_dir_all(root.join("12/fdinfo")).unwrap();
        std::fs::write(root.join("12/fdinfo/8"), "UserFiles:\t1\n    0: socket:[102]\n").unwrap();
        link("13/fd/8", "anon_inode:[io_uring]");
        link("notanumber/fd/3", "socket:[103]");
        root
    }

    #[test]
    fn every_holder_of_a_socket_is_found_and_rings_are_looked_into() {
        let root = fake_proc("walk");
        let mut walk = walk(&ProcRoot::given(root.clone()), Look::default()).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        walk.holders.sort_unstable();
        let holders: Vec<_> = walk.holders.iter().map(|h| (h.inode, h.pid, h.fd)).collect();
        assert_eq!(holders, [(100, 10, 3), (100, 11, 9), (101, 10, 5), (102, 12, 8)]);
        assert_eq!((walk.processes, walk.refused), (4, 0));
        assert!(walk.io_uring_unread, "the ring of process 13 has no fdinfo");
    }

    #[test]
    fn only_wanted_inodes_are_kept() {
        let root = fake_proc("wanted");
        let look = Look {
            wanted: Some(&[101]),
            thorough: None,
        };
        let walk = walk(&ProcRoot::given(root.clone()), look).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            walk.holders,
            [Holder {
                inode: 101,
                pid: 10,
                fd: 5,
                tid: 0
            }]
        );
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        assert!(walk(&ProcRoot::given("/nonexistent".into()), Look::default()).is_err());
    }

    #[test]
    fn a_directory_that_may_not_be_listed_is_counted() {
        let root = fake_proc("refused");
        let shut = root.join("11/fd");
        std::fs::set_permissions(&shut, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        let walk = walk(&ProcRoot::given(root.clone()), Look::default()).unwrap();
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        std::fs::set_permissions(&shut, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(walk.refused, u32::from(!is_root), "root may list anything");
    }
}
