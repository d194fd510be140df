//! Names of network namespaces, which are those of files in well-known directories on which they are mounted.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::NAMED;
use crate::source::tape;

/// Other directories with named namespaces: docker's (libnetwork), and the user's own, as used by rootless podman and
/// others.
const DOCKER: &str = "/run/docker/netns";
const OF_USERS: &str = "/run/user";

/// A namespace that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) inode: u64,
    pub(super) path: PathBuf,
}

/// Returns all named namespaces, by directory and name. This needs no privilege, and opens nothing.
pub(super) fn all() -> Vec<Named> {
    let found = tape::fact("named network namespaces", || {
        let found = look().into_iter();
        found
            .map(|named| (named.name, named.inode, named.path))
            .collect::<Vec<_>>()
    });
    let named = |(name, inode, path)| Named { name, inode, path };
    found.into_iter().map(named).collect()
}

fn look() -> Vec<Named> {
    let mut directories = vec![PathBuf::from(NAMED), PathBuf::from(DOCKER)];
    let users = std::fs::read_dir(OF_USERS).into_iter().flatten().flatten();
    directories.extend(users.map(|user| user.path().join("netns")));
    let nsfs = std::fs::metadata("/proc/self/ns/net").map(|own| own.dev()).ok();
    let mut named: Vec<_> = directories
        .iter()
        .flat_map(|directory| within(directory, nsfs))
        .collect();
    // A namespace with two names is shown with the first.
    named.sort_by(|a, b| a.path.cmp(&b.path));
    named
}

/// The name of a namespace, if it has one.
pub fn name_of(inode: u64) -> Option<String> {
    all()
        .into_iter()
        .find(|named| named.inode == inode)
        .map(|named| named.name)
}

/// Returns the named namespaces in a directory. A file that is not a mount point is not on nsfs.
fn within(directory: &Path, nsfs: Option<u64>) -> Vec<Named> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let named = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let metadata = std::fs::symlink_metadata(&path).ok()?;
        (Some(metadata.dev()) == nsfs).then(|| Named {
            name: entry.file_name().to_string_lossy().into_owned(),
            inode: metadata.ino(),
            path,
        })
    };
    entries.filter_map(named).collect()
}
