//! Facts about individual processes, read for descriptions, off the hot path.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStringExt;

use procfs::FromRead as _;
use procfs::process::Stat;

use super::{cgroup, disk};
use crate::model::Holder;
use crate::model::ancestor::Ancestor;
use crate::model::process::Stop;
use crate::source::proc::fdinfo;

/// The working directory of a process.
pub fn working_directory(pid: u32) -> Option<Vec<u8>> {
    let path = disk::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(path.into_os_string().into_vec())
}

/// The ancestors of a process, nearest first. Each is read on demand.
pub fn ancestors(pid: u32) -> impl Iterator<Item = Ancestor> {
    let above = |pid: u32| parent_of(pid).filter(|parent| *parent > 0);
    std::iter::successors(above(pid), move |pid| above(*pid)).map(|pid| Ancestor {
        pid,
        comm: comm_of(pid),
        arguments: arguments_of(pid),
    })
}

/// The user of a process: the owner of its files under /proc.
pub fn uid_of(pid: u32) -> Option<u32> {
    disk::stat(format!("/proc/{pid}")).ok().map(|stat| stat.uid)
}

/// Whether the kernel refuses to list the descriptors of a process.
pub fn is_closed(pid: u32) -> bool {
    let names = disk::names_in(format!("/proc/{pid}/fd"));
    names.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The name of a program (comm).
pub fn comm_of(pid: u32) -> Vec<u8> {
    let comm = disk::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    comm.strip_suffix(b"\n").unwrap_or(&comm).to_vec()
}

fn arguments_of(pid: u32) -> Vec<Vec<u8>> {
    let text = disk::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

/// A process and its ancestors, each with its parent.
pub fn parents_of(pid: u32) -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| *pid > 0 && !found.contains_key(pid)) {
        next = parent_of(pid);
        found.extend(next.map(|parent| (pid, parent)));
    }
    found
}

/// Every process and its parent.
pub fn parents_of_all() -> BTreeMap<u32, u32> {
    let names = disk::names_in("/proc").unwrap_or_default();
    names
        .iter()
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect()
}

/// Whether there is such a process.
pub fn exists(pid: u32) -> bool {
    disk::stat(format!("/proc/{pid}")).is_ok()
}

/// The names (comm) of all running programs, except names that are not UTF-8.
pub fn names_of_all() -> BTreeSet<String> {
    let names = disk::names_in("/proc").unwrap_or_default();
    let pids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
    pids.filter_map(|pid| String::from_utf8(comm_of(pid)).ok())
        .filter(|name| !name.is_empty())
        .collect()
}

/// How a process is stopped, if it is.
pub fn stop_of(pid: u32) -> Option<Stop> {
    Stop::of_state(stat_of(pid)?.state)
}

fn parent_of(pid: u32) -> Option<u32> {
    u32::try_from(stat_of(pid)?.ppid).ok()
}

fn stat_of(pid: u32) -> Option<Stat> {
    let stat = disk::read(format!("/proc/{pid}/stat")).ok()?;
    Stat::from_read(stat.as_slice()).ok()
}

/// Returns whether exec closes a descriptor.
pub fn closes_on_exec(holder: &Holder) -> Option<bool> {
    let text = disk::read(format!("/proc/{}/fdinfo/{}", holder.pid, holder.fd)).ok()?;
    fdinfo::parse(&text).close_on_exec
}

/// Returns the id of a process's v2 cgroup: the inode number of its directory.
pub fn cgroup_id(pid: u32) -> Option<u64> {
    let directory = cgroup::directory_of(&pid.to_string())?;
    disk::stat(directory).ok().map(|stat| stat.ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_of_ancestors_ends_at_process_1() {
        let own = std::process::id();
        let parents = parents_of(own);
        let first = ancestors(own).next().unwrap();
        assert_eq!(parents.get(&own), Some(&first.pid));
        assert!(!first.comm.is_empty() && !first.comm.ends_with(b"\n"));
        assert!(
            ancestors(own).count() < 64,
            "it ends at process 1 of the visible pid namespace"
        );
        assert_eq!(parents_of_all().get(&own), Some(&first.pid));
        assert!(working_directory(own).is_some());
        assert!(uid_of(own).is_some() && !is_closed(own));
        assert!(exists(own) && !exists(u32::MAX) && !names_of_all().is_empty());
    }

    #[test]
    fn a_process_that_does_not_exist_has_nothing() {
        let none = u32::MAX;
        assert_eq!(
            (parent_of(none), working_directory(none), cgroup_id(none)),
            (None, None, None)
        );
        assert_eq!(ancestors(none).count() + parents_of(none).len(), 0);
    }
}
