//! The walk over `/proc/*/fd`: which process holds which socket.
//!
//! It uses only getdents and readlink. It never opens, or stats through, another process's descriptor: that can hang
//! on a dead file system, and a copy keeps a port alive. Nothing is allocated per descriptor; processes are
//! distributed over the cores. What could not be read is counted, never ignored.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use rustix::fs::{AtFlags, CWD, statat};

pub use super::counts::{crowded_processes, has_descriptors};
use super::raw::{numbered_entries, open_directory};
pub use super::walk::{Look, Walk};
use super::worker::{Shared, Worker};
use super::{ProcRoot, on_tape};
use crate::source::{tape, threads};

/// With fewer processes per thread, another thread costs more than it saves.
const PROCESSES_PER_THREAD: usize = 32;

/// Walks all processes below `root`.
///
/// # Errors
/// Only if the root itself cannot be listed; everything below it is counted instead.
pub fn walk(root: &ProcRoot, look: Look<'_>) -> std::io::Result<Walk> {
    on_tape::walk(look, || Ok(look_into(root, look, u64::MAX)?.0))
}

/// The same, but returns `None` as soon as all processes together have more than `most` descriptors: by the sizes of the
/// fd directories, or before Linux 6.2 by those read so far.
///
/// # Errors
/// As [`walk`].
pub fn walk_if_few(root: &ProcRoot, look: Look<'_>, most: u64) -> std::io::Result<Option<Walk>> {
    let mut looked = None;
    let few = tape::fact(&format!("at most {most} descriptors"), || {
        let result = look_into(root, look, most);
        let few = !matches!(result, Ok((_, true)));
        looked = Some(result.map(|(walk, _)| walk));
        few
    });
    if !few {
        return Ok(None);
    }
    let again = || Ok(look_into(root, look, u64::MAX)?.0);
    on_tape::walk(look, || looked.unwrap_or_else(again)).map(Some)
}

/// Walks only these processes.
///
/// # Errors
/// If they have more than `most` descriptors together, or the root cannot be opened.
pub fn walk_processes(root: &ProcRoot, pids: &[u32], look: Look<'_>, most: u64) -> std::io::Result<Walk> {
    on_tape::walk(look, || {
        let root_fd = open_directory(CWD, root.path())?;
        match look_at(root, root_fd.as_fd(), pids, look, most) {
            (walk, false) => Ok(walk),
            (_, true) => Err(std::io::Error::other("too many descriptors")),
        }
    })
}

/// Walks, and reports whether it stopped at more than `most` descriptors.
fn look_into(root: &ProcRoot, look: Look<'_>, most: u64) -> std::io::Result<(Walk, bool)> {
    let root_fd = open_directory(CWD, root.path())?;
    let pids = numbered_entries(root_fd.as_fd())?;
    Ok(look_at(root, root_fd.as_fd(), &pids, look, most))
}

fn look_at(
    root: &ProcRoot,
    root_fd: BorrowedFd<'_>,
    pids: &[u32],
    look: Look<'_>,
    most: u64,
) -> (Walk, bool) {
    let shared = Shared {
        root: root_fd,
        pids,
        next: AtomicUsize::new(0),
        look,
        // Since Linux 6.2, the size of an fd directory is the number of its entries; before, it was 0.
        sizes_count: statat(root_fd, c"self/fd", AtFlags::empty()).is_ok_and(|stat| stat.st_size > 0),
        proc_root: root,
        socket_mount: OnceLock::new(),
        kcmp: !root.is_given(),
        most,
        counted: AtomicU64::new(0),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let helpers = (pids.len() / PROCESSES_PER_THREAD).clamp(1, cores) - 1;
    let walk = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..helpers)
            .filter_map(|_| threads::spawn_scoped(scope, "walk", || Worker::new(&shared).run()))
            .collect();
        let mut walk = Worker::new(&shared).run();
        for handle in handles {
            // A worker does not panic; if one did, its processes must not count as visited.
            match handle.join() {
                Ok(part) => walk.absorb(part),
                Err(_) => walk.refused += 1,
            }
        }
        walk
    });
    (walk, shared.is_over())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Holder;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn our_own_socket_is_found_under_our_pid_and_descriptor() {
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = crate::source::proc::fdinfo::socket_inode(link.as_os_str().as_encoded_bytes()).unwrap();
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

    #[test]
    fn a_walk_is_given_up_if_there_are_too_many_descriptors() {
        let root = ProcRoot::default();
        let walked = |most| walk_if_few(&root, Look::default(), most).unwrap();
        let all = walked(u64::MAX - 1).unwrap();
        assert!(all.processes > 0);
        assert!(walked(0).is_none());
    }

    /// Creates a simulated /proc with known contents.
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
    fn every_holder_of_a_socket_is_found_including_rings() {
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
    fn where_sizes_say_nothing_descriptors_are_counted_as_they_are_read() {
        let root = fake_proc("counted");
        let given = ProcRoot::given(root.clone());
        let is_walked = |most| walk_if_few(&given, Look::default(), most).unwrap().is_some();
        assert_eq!([is_walked(3), is_walked(100)], [false, true]);
        assert!(walk_processes(&given, &[10, 11, 12], Look::default(), 2).is_err());
        std::fs::remove_dir_all(&root).unwrap();
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
    fn only_the_given_processes_are_walked() {
        let root = fake_proc("alone");
        let given = ProcRoot::given(root.clone());
        let pids = |asked: &[u32]| {
            let walk = walk_processes(&given, asked, Look::default(), u64::MAX).unwrap();
            let mut pids: Vec<_> = walk.holders.iter().map(|holder| holder.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(pids(&[11]), [11]);
        assert_eq!(pids(&[10, 12, 99]), [10, 10, 12]);
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_missing_root_is_an_error() {
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
