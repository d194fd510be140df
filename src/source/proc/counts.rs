//! Counts the descriptors of processes by the sizes of their fd directories, which needs no permission.

use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{CWD, statat};

use super::ProcRoot;
use super::raw::{Part, PathBuffer, numbered_entries, open_directory};
use crate::source::tape;

/// Returns whether all processes together have at least this many descriptors, by the sizes of their fd directories
/// (Linux 6.2 or newer), which needs no permission; false on older kernels.
pub fn has_descriptors(root: &ProcRoot, least: u64) -> bool {
    tape::fact(&format!("{least} descriptors"), || count_to(root, least))
}

fn count_to(root: &ProcRoot, least: u64) -> bool {
    let mut sum = 0;
    each_count(root, &mut |_, count| {
        sum += count;
        if sum >= least {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    sum >= least
}

/// Returns the processes that have descriptors, or may have some in a thread's own table, if they have at least `least`
/// in total and at least `each` on average.
pub fn crowded_processes(root: &ProcRoot, least: u64, each: u64) -> Option<Vec<u32>> {
    let name = format!("processes with {least} descriptors, {each} each");
    tape::fact(&name, || find_crowded(root, least, each))
}

fn find_crowded(root: &ProcRoot, least: u64, each: u64) -> Option<Vec<u32>> {
    let (mut pids, mut sum) = (Vec::new(), 0);
    each_count(root, &mut |pid, count| {
        if count > 0 || has_threads(root, pid) {
            pids.push(pid);
        }
        sum += count;
        ControlFlow::Continue(())
    });
    (sum >= least && sum >= each * pids.len() as u64).then_some(pids)
}

fn has_threads(root: &ProcRoot, pid: u32) -> bool {
    // A task directory has two links plus one for each thread.
    std::fs::metadata(root.join(format!("{pid}/task"))).is_ok_and(|task| task.nlink() > 3)
}

fn each_count(root: &ProcRoot, take: &mut dyn FnMut(u32, u64) -> ControlFlow<()>) {
    let Ok(root_fd) = open_directory(CWD, root.path()) else {
        return;
    };
    for pid in numbered_entries(root_fd.as_fd()).unwrap_or_default() {
        let mut path = PathBuffer::default();
        let path = path.of(&[Part::Number(pid), Part::Text(b"/fd")]);
        let size = statat(root_fd.as_fd(), path, rustix::fs::AtFlags::empty()).map_or(0, |stat| stat.st_size);
        let count = u64::try_from(size).unwrap_or(0);
        if take(pid, count).is_break() {
            return;
        }
    }
}
