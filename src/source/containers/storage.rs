//! Names from containers/storage, used by podman and CRI-O: `DRIVER-containers/containers.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Place, entries, state};
use crate::source::{disk, tape};

/// Storage drivers (containers/storage drivers/*); a user may have created any number of other directories.
const DRIVERS: [&str; 6] = ["overlay", "vfs", "btrfs", "zfs", "aufs", "devicemapper"];
/// The list of containers, and its counterpart on a file system that a restart clears.
const FILES: [&str; 2] = ["containers.json", "volatile-containers.json"];
/// Maximum number of bytes read from the storage of all users together.
const USERS_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Maximum number of names kept from one user's storage, or the system's.
const NAMES_MAX: usize = 10_000;
/// Maximum number of homes that are searched.
const HOMES_MAX: usize = 4096;

/// Names by identifier, read on first use.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    /// By the owner of the storage.
    names: BTreeMap<u32, BTreeMap<String, String>>,
    users_bytes_left: u64,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            users_bytes_left: USERS_BYTES_MAX,
        }
    }
}

impl Storage {
    /// The name in the system's storage, otherwise in that of the user who owns the container.
    pub(super) fn name_of(&mut self, place: &Place, id: &str, user: Option<u32>) -> Option<String> {
        [Some(place.owner), user].into_iter().flatten().find_map(|owner| {
            if !self.names.contains_key(&owner) {
                let names = self.read(place, owner);
                self.names.insert(owner, names);
            }
            self.names.get(&owner)?.get(id).cloned()
        })
    }

    #[cfg(test)]
    pub(super) fn users_bytes_read(&self) -> u64 {
        USERS_BYTES_MAX - self.users_bytes_left
    }

    fn read(&mut self, place: &Place, owner: u32) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        if owner == place.owner {
            let mut unlimited = u64::MAX;
            add(
                &place.root.join("var/lib/containers/storage"),
                owner,
                &mut names,
                &mut unlimited,
            );
        } else {
            for home in homes(&place.root, owner) {
                let storage = home.join(".local/share/containers/storage");
                add(&storage, owner, &mut names, &mut self.users_bytes_left);
            }
        }
        names
    }
}

/// The homes of a user. A recording by an earlier version does not say which user they belong to.
fn homes(root: &Path, user: u32) -> impl Iterator<Item = PathBuf> {
    entries(&root.join("home"))
        .take(HOMES_MAX)
        .filter(move |home| match disk::stat(home) {
            Ok(stat) => stat.uid == user,
            Err(_) => tape::is_replaying(),
        })
}

/// Adds the names in one storage, from files that only `owner` could have written.
fn add(storage: &Path, owner: u32, names: &mut BTreeMap<String, String>, bytes_left: &mut u64) {
    for driver in DRIVERS {
        for file in FILES {
            let path = storage.join(format!("{driver}-containers")).join(file);
            let most = super::FILE_BYTES_MAX.min(*bytes_left);
            let Ok(bytes) = disk::read_of_owner(&path, most, owner) else {
                continue;
            };
            *bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
            state::add_stored(&bytes, names, NAMES_MAX);
        }
    }
}
