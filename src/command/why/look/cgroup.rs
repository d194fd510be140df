//! The cgroup v2 directory of a process.

use std::path::PathBuf;

use crate::source::disk;
use crate::source::proc::mounts::Mounts;

/// Where the process (a pid, or `self`) is in the v2 hierarchy; `None` without one, or if it is outside of what we
/// see of it.
pub fn directory_of(process: &str) -> Option<PathBuf> {
    let mountinfo = disk::read_to_string("/proc/self/mountinfo").ok()?;
    let mount_point = Mounts::parse(&mountinfo, "").cgroup2?;
    let cgroups = disk::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    (!path.starts_with("..")).then(|| mount_point.join(path))
}
