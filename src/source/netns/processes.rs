//! The network namespaces of processes and their threads.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// A task, and its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// `PID`, or `PID/task/TID` for a thread.
    pub(super) path: String,
    /// The process.
    pub(super) pid: u32,
    /// Its namespace; `None` if not readable.
    pub(super) inode: Option<u64>,
}

/// Lists every process below /proc, and every thread in another namespace than its process. Those that ended meanwhile
/// are skipped.
pub(super) fn all() -> Vec<Task> {
    let mut tasks = Vec::new();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let Some(process) = look(pid, pid.to_string()) else {
            continue;
        };
        // The directory has two links plus one for each thread (linux 6.18 fs/proc/base.c, proc_task_getattr).
        let threads = std::fs::metadata(format!("/proc/{pid}/task")).map_or(0, |task| task.nlink());
        if threads > 3 {
            let own = process.inode;
            let others = std::fs::read_dir(format!("/proc/{pid}/task"))
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|thread| {
                    let tid = thread.file_name();
                    look(pid, format!("{pid}/task/{}", tid.to_str()?))
                });
            tasks.extend(others.filter(|thread| thread.inode != own));
        }
        tasks.push(process);
    }
    // A whole process takes precedence over a single thread of another process.
    tasks.sort_by_key(|task| (task.path.contains('/'), task.pid));
    tasks
}

/// A task below /proc; `None` if it has ended.
pub(super) fn look(pid: u32, path: String) -> Option<Task> {
    let link = std::fs::read_link(format!("/proc/{path}/ns/net"));
    let inode = match readable(link) {
        Ok(link) => Some(inode_of(link.to_str()?)?),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        Err(_) => return None,
    };
    Some(Task { path, pid, inode })
}

/// Before 5.11, readlink of a namespace that may not be read succeeds with an empty text (linux 5.10
/// fs/proc/namespaces.c, proc_ns_readlink).
fn readable(link: io::Result<PathBuf>) -> io::Result<PathBuf> {
    match link {
        Ok(link) if link.as_os_str().is_empty() => Err(io::ErrorKind::PermissionDenied.into()),
        link => link,
    }
}

/// The network namespaces that descriptors of the process refer to, each with its path below /proc. Empty if these may
/// not be read.
pub(super) fn kept_namespaces(pid: u32) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    let of_namespaces = entries.filter_map(|entry| {
        let path = entry.path();
        let link = std::fs::read_link(&path).ok()?;
        Some((inode_of(link.to_str()?)?, path))
    });
    of_namespaces.collect()
}

/// The number in `net:[…]`.
pub(super) fn inode_of(link: &str) -> Option<u64> {
    link.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_link_may_not_be_read() {
        let kind = |link: &str| readable(Ok(link.into())).map_err(|error| error.kind());
        assert_eq!(kind(""), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(kind("net:[5]"), Ok("net:[5]".into()));
    }

    #[test]
    fn a_descriptor_of_a_namespace_is_found() {
        let held = std::fs::File::open("/proc/self/ns/net").unwrap();
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let found = kept_namespaces(std::process::id());
        let inode = inode_of(own.to_str().unwrap()).unwrap();
        let path = |fd: i32| PathBuf::from(format!("/proc/{}/fd/{fd}", std::process::id()));
        assert!(found.contains(&(inode, path(std::os::fd::AsRawFd::as_raw_fd(&held)))));
    }

    #[test]
    fn links_are_read_and_we_are_among_the_tasks() {
        assert_eq!(inode_of("net:[4026531833]"), Some(4_026_531_833));
        assert_eq!(inode_of("mnt:[4026531833]"), None);
        assert_eq!(inode_of("net:[x]"), None);
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let found = all()
            .into_iter()
            .find(|task| task.path == std::process::id().to_string());
        assert_eq!(found.unwrap().inode, inode_of(own.to_str().unwrap()));
    }
}
