//! Paths of cgroup v2 ids. The id of a cgroup is the inode number of its directory (linux 6.18
//! fs/kernfs/mount.c), so one walk over the tree finds them all without privilege.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::proc::mounts::Mounts;
use super::{disk, tape};

/// Maximum depth. The kernel's own limit is configurable; real trees have about ten levels.
const DEPTH_MAX: usize = 64;
/// Maximum size of all paths together. A user to whom a cgroup is delegated may create any number of cgroups below it,
/// with paths of up to 4096 bytes each; a busy Kubernetes node has a few thousand, with paths of 300 bytes.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The memory counted for an entry in addition to its path.
const ENTRY_BYTES: usize = 64;

/// The cgroups of a hierarchy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroups {
    /// Id to path, `/` for the mount point itself. Names that are not UTF-8 are shown with replacement characters.
    pub paths: BTreeMap<u64, String>,
    /// Whether there may be more cgroups than were read.
    pub is_cut: bool,
}

/// Reads the cgroups below the mount point, level by level. Directories that cannot be listed are skipped.
pub fn read(mount_point: &Path) -> Cgroups {
    let paths = tape::fact(&format!("cgroups below {}", mount_point.display()), || {
        walk(mount_point, BYTES_MAX)
    });
    let is_cut = paths.values().map(|path| size(path)).sum::<usize>() > BYTES_MAX;
    Cgroups { paths, is_cut }
}

/// The memory counted for an entry.
fn size(path: &str) -> usize {
    path.len() + ENTRY_BYTES
}

/// The v2 directory of a process (a pid, or `self`); `None` without a v2 hierarchy, or if the process is outside the
/// part that we can see.
pub fn directory_of(process: &str) -> Option<PathBuf> {
    let mount_point = mount_point()?;
    let cgroups = disk::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    (!path.starts_with("..")).then(|| mount_point.join(path))
}

/// Where the v2 hierarchy is mounted.
pub fn mount_point() -> Option<PathBuf> {
    let mountinfo = disk::read_to_string("/proc/self/mountinfo").ok()?;
    Mounts::parse(&mountinfo, "").cgroup2
}

/// Stops as soon as more than `bytes_max` are found.
fn walk(mount_point: &Path, bytes_max: usize) -> BTreeMap<u64, String> {
    let mut paths = BTreeMap::new();
    if let Ok(metadata) = std::fs::metadata(mount_point) {
        paths.insert(metadata.ino(), "/".to_owned());
    }
    let mut bytes: usize = paths.values().map(|path| size(path)).sum();
    // Level by level, because the upper levels belong to the system: nobody can displace these by creating many
    // cgroups.
    let mut level = vec![PathBuf::new()];
    for _ in 0..DEPTH_MAX {
        let mut next = Vec::new();
        for parent in level {
            for (id, name) in children(&mount_point.join(&parent)) {
                let below = parent.join(name);
                let path = format!("/{}", below.display());
                bytes += size(&path);
                paths.insert(id, path);
                if bytes > bytes_max {
                    return paths;
                }
                next.push(below);
            }
        }
        level = next;
    }
    paths
}

/// Ids and names of the directories in a directory.
fn children(directory: &Path) -> impl Iterator<Item = (u64, OsString)> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| (entry.ino(), entry.file_name()))
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
        let inode_of_service = inode("system.slice/ssh.service");
        let expected = BTreeMap::from([
            (inode(""), "/".to_owned()),
            (inode("system.slice"), "/system.slice".to_owned()),
            (
                inode("system.slice/ssh.service"),
                "/system.slice/ssh.service".to_owned(),
            ),
        ]);
        let found = walk(&root, BYTES_MAX);
        // No room for a cgroup below the root.
        let cut = walk(&root, 2 * ENTRY_BYTES);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, expected);
        assert_eq!(cut.len(), 2, "it stops at the entry that exceeds the limit");
        assert!(!cut.contains_key(&inode_of_service), "upper levels come first");
    }
}
