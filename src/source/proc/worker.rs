//! A thread of the walk: takes processes from the list until it is empty, and lists their descriptors.
//!
//! Like the walk, it never opens, or stats through, another process's descriptor.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::fs::{AtFlags, Mode, RawDir, fstat, openat, readlinkat_raw, statat};
use rustix::io::Errno;

use super::raw::{
    DIRECTORY, DIRECTORY_BYTES, Part, PathBuffer, decimal, fd_directory_is_empty, numbered_entries,
    read_fdinfo, read_file, sizes_differ,
};
use super::walk::{Look, Walk};
use super::{ProcRoot, fdinfo, tasks};
use crate::model::Holder;
use crate::source::interfaces::any_socket;

/// State shared by all workers.
pub(super) struct Shared<'a> {
    pub(super) root: BorrowedFd<'a>,
    pub(super) pids: &'a [u32],
    pub(super) next: AtomicUsize,
    pub(super) look: Look<'a>,
    pub(super) sizes_count: bool,
    pub(super) proc_root: &'a ProcRoot,
    /// The mount id of sockets in fdinfo, if known. Determined at the first process of which only fdinfo is readable.
    pub(super) socket_mount: OnceLock<Option<u32>>,
    /// Whether these pids are valid in our own pid namespace, so that kcmp can be used.
    pub(super) kcmp: bool,
    /// Maximum number of descriptors to read.
    pub(super) most: u64,
    /// Descriptors of the processes visited so far.
    pub(super) counted: AtomicU64,
}

impl Shared<'_> {
    /// Returns whether there are too many descriptors to continue.
    pub(super) fn is_over(&self) -> bool {
        self.counted.load(Ordering::Relaxed) > self.most
    }

    /// Counts the descriptors of an fd directory, if there is a limit and its size says how many they are.
    fn count(&self, descriptors: BorrowedFd<'_>) {
        if self.most < u64::MAX && self.sizes_count {
            let size = fstat(descriptors).map_or(0, |stat| stat.st_size);
            self.counted
                .fetch_add(u64::try_from(size).unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Counts a descriptor that was read, if there is a limit and sizes say nothing; returns whether there are now too
    /// many to continue.
    fn count_one(&self) -> bool {
        if self.most < u64::MAX && !self.sizes_count {
            self.counted.fetch_add(1, Ordering::Relaxed);
            return self.is_over();
        }
        false
    }
}

pub(super) struct Worker<'a> {
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
    pub(super) fn new(shared: &'a Shared<'a>) -> Self {
        Self {
            shared,
            directory: vec![MaybeUninit::uninit(); DIRECTORY_BYTES].into(),
            found: Walk::default(),
        }
    }

    pub(super) fn run(mut self) -> Walk {
        let shared = self.shared;
        while let Some(pid) = shared.pids.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
            self.process(*pid);
            if shared.is_over() {
                break;
            }
        }
        self.found
    }

    /// Most processes have one thread and are readable: only their fd directory is opened.
    fn process(&mut self, pid: u32) {
        let mut path = PathBuffer::default();
        let shared = self.shared;
        let of_process = [Part::Number(pid), Part::Text(b"/fd")];
        let table = Table { pid, tid: 0 };
        let seen = match openat(shared.root, path.of(&of_process), DIRECTORY, Mode::empty()) {
            Ok(descriptors) => {
                shared.count(descriptors.as_fd());
                if shared.is_over() {
                    return;
                }
                self.table(descriptors.as_fd(), table)
            }
            // Ended. (A process that /proc hides is not listed; the mount options show that.)
            Err(Errno::NOENT | Errno::SRCH) => return,
            Err(error) => self.refused(error),
        };
        self.found.processes += 1;
        let mut path = PathBuffer::default();
        let tasks = path.of(&[Part::Number(pid), Part::Text(b"/task")]);
        // A task directory has two links plus one for each thread.
        let one_thread = statat(shared.root, tasks, AtFlags::empty()).is_ok_and(|stat| stat.st_nlink <= 3);
        if seen == Seen::All && one_thread {
            return;
        }
        let process = match self.directory_of(table) {
            Ok(process) => process,
            Err(Errno::NOENT | Errno::SRCH) => {
                self.found.refused += u32::from(seen == Seen::Refused);
                return;
            }
            Err(error) => {
                self.refused(error);
                self.found.refused += 1;
                return;
            }
        };
        if seen == Seen::Refused
            && !self.has_nothing(process.as_fd())
            && self.by_fdinfo(process.as_fd(), table) == Seen::Refused
        {
            self.found.refused += 1;
            return;
        }
        if !one_thread && self.threads(process.as_fd(), pid) == Seen::Refused {
            self.found.refused += 1;
        }
    }

    /// Records that something could not be opened, and whether that was for lack of descriptors of our own.
    fn refused(&mut self, error: Errno) -> Seen {
        self.found.out_of_descriptors |= matches!(error, Errno::MFILE | Errno::NFILE);
        Seen::Refused
    }

    /// Whether a process has no descriptors: kernel threads and zombies refuse access too, but have nothing to list.
    fn has_nothing(&self, process: BorrowedFd<'_>) -> bool {
        self.shared.sizes_count && fd_directory_is_empty(process)
    }

    /// /proc/PID or /proc/PID/task/TID.
    fn directory_of(&self, Table { pid, tid }: Table) -> rustix::io::Result<OwnedFd> {
        let mut path = PathBuffer::default();
        let path = match tid {
            0 => path.of(&[Part::Number(pid)]),
            tid => path.of(&[Part::Number(pid), Part::Text(b"/task/"), Part::Number(tid)]),
        };
        openat(self.shared.root, path, DIRECTORY, Mode::empty())
    }

    /// Lists the descriptors of one table through its directory `fd`.
    fn table(&mut self, descriptors: BorrowedFd<'_>, table: Table) -> Seen {
        // Opened for the first descriptor that needs it.
        let mut directory = None;
        let mut seen = Seen::All;
        let mut buffer = std::mem::take(&mut self.directory);
        let mut entries = RawDir::new(descriptors, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let Some(fd) = decimal(entry.file_name()) else {
                continue;
            };
            if self.shared.count_one() {
                break;
            }
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
                *directory = worker.directory_of(table).ok();
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
            match more(self).filter(|info| info.has_registered_files) {
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

    /// With only CAP_SYS_PTRACE the fd directory is not readable, but fdinfo is: a file on the mount of sockets is a
    /// socket.
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
            Err(error) => return self.refused(error),
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
                Err(error @ (Errno::ACCESS | Errno::PERM | Errno::MFILE | Errno::NFILE)) => {
                    seen = self.refused(error);
                    break;
                }
                Err(_) => {}
            }
        }
        self.directory = buffer;
        seen
    }

    /// Visits the threads with their own file table; a thorough walk visits every thread. Access can be refused only
    /// for lack of descriptors of our own, because a thread is as accessible as its process.
    fn threads(&mut self, process: BorrowedFd<'_>, pid: u32) -> Seen {
        let directory = match openat(process, c"task", DIRECTORY, Mode::empty()) {
            Ok(directory) => directory,
            Err(error) => return self.unless_gone(error),
        };
        let Ok(tids) = numbered_entries(directory.as_fd()) else {
            return Seen::All;
        };
        let mut seen = Seen::All;
        for tid in tids.into_iter().filter(|tid| *tid != pid) {
            let shares = if self.shared.kcmp {
                tasks::share_files(pid, tid)
            } else {
                None
            };
            let mut path = PathBuffer::default();
            let task = match openat(
                directory.as_fd(),
                path.of(&[Part::Number(tid)]),
                DIRECTORY,
                Mode::empty(),
            ) {
                Ok(task) => task,
                Err(error) => {
                    seen = seen.and(self.unless_gone(error));
                    continue;
                }
            };
            let own_table = match shares {
                Some(shares) => !shares,
                // If unknown, tables of different sizes must be different tables.
                None => self.shared.look.thorough.is_some() || sizes_differ(process, task.as_fd()),
            };
            if own_table {
                match openat(task.as_fd(), c"fd", DIRECTORY, Mode::empty()) {
                    Ok(descriptors) => {
                        self.table(descriptors.as_fd(), Table { pid, tid });
                    }
                    Err(error) => seen = seen.and(self.unless_gone(error)),
                }
            }
        }
        seen
    }

    fn unless_gone(&mut self, error: Errno) -> Seen {
        match error {
            Errno::MFILE | Errno::NFILE => self.refused(error),
            _ => Seen::All,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    All,
    Refused,
}

impl Seen {
    fn and(self, other: Self) -> Self {
        if other == Self::Refused { other } else { self }
    }
}

/// The mount id of sockets, taken from a socket of our own.
pub(super) fn own_socket_mount(root: &ProcRoot) -> Option<u32> {
    if root.is_given() {
        return None;
    }
    let socket = any_socket()?;
    let path = root.join(format!(
        "self/fdinfo/{}",
        std::os::fd::AsRawFd::as_raw_fd(&socket)
    ));
    fdinfo::parse(&std::fs::read(path).ok()?).mount_id
}
