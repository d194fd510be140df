//! Paths of cgroup v2 ids. The id of a cgroup is the inode number of its directory (linux 6.18
//! fs/kernfs/mount.c), so one walk over the tree finds them all without privilege.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::proc::mounts::Mounts;
use super::{disk, tape};

/// Maximum depth: the kernel's own limit is configurable, real trees have some ten levels.
const DEPTH_MAX: usize = 64;

/// Reads every cgroup below the mount point: id to path, `/` for the mount point itself. Names that are not UTF-8 are
/// shown with replacement characters. Directories that cannot be listed are skipped.
pub fn paths(mount_point: &Path) -> BTreeMap<u64, String> {
    tape::fact(&format!("cgroups below {}", mount_point.display()), || {
        walk(mount_point)
    })
}

/// The v2 directory of a process (a pid, or `self`); `None` without a v2 hierarchy, or if the process is outside the
/// part that we can see.
pub fn directory_of(process: &str) -> Option<PathBuf> {
    let mountinfo = disk::read_to_string("/proc/self/mountinfo").ok()?;
    let mount_point = Mounts::parse(&mountinfo, "").cgroup2?;
    let cgroups = disk::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    (!path.starts_with("..")).then(|| mount_point.join(path))
}

fn walk(mount_point: &Path) -> BTreeMap<u64, String> {
    let mut paths = BTreeMap::new();
    if let Ok(metadata) = std::fs::metadata(mount_point) {
        paths.insert(metadata.ino(), "/".to_owned());
    }
    add_children(mount_point, "", DEPTH_MAX, &mut paths);
    paths
}

fn add_children(directory: &Path, prefix: &str, depth: usize, paths: &mut BTreeMap<u64, String>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if depth == 0 || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        add_children(&entry.path(), &path, depth - 1, paths);
        paths.insert(entry.ino(), path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_inode_numbers_of_directories() {
        let root = std::env::temp_dir().join(format!("sockstat-cgroup-{}", std::process::id()));
        std::fs::create_dir_all(root.join("system.slice/ssh.service")).unwrap();
        std::fs::write(root.join("cgroup.procs"), "").unwrap();
        let inode = |path: &str| std::fs::metadata(root.join(path)).unwrap().ino();
        let expected = BTreeMap::from([
            (inode(""), "/".to_owned()),
            (inode("system.slice"), "/system.slice".to_owned()),
            (
                inode("system.slice/ssh.service"),
                "/system.slice/ssh.service".to_owned(),
            ),
        ]);
        let found = paths(&root);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, expected);
    }
}
