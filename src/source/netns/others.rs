//! The network namespaces of processes other than our own namespace.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Namespace, processes};

/// Enters the network namespace of every process, except that of this thread, and calls `visit` there. Namespaces that
/// cannot be entered are left out. Afterwards, the thread must not be used for anything else.
pub fn enter_others(mut visit: impl FnMut()) {
    let own = std::fs::read_link("/proc/thread-self/ns/net").ok();
    let mut seen: BTreeSet<u64> = own
        .and_then(|link| processes::inode_of(link.to_str()?))
        .into_iter()
        .collect();
    let found = processes::all().into_iter().filter_map(|task| {
        let is_new = seen.insert(task.inode?);
        is_new.then(|| Namespace::open(&Path::new("/proc").join(task.path).join("ns/net")).ok())?
    });
    // All are opened first, because a process may end at any time.
    for namespace in found.collect::<Vec<_>>() {
        if namespace.enter().is_ok() {
            visit();
        }
    }
}
