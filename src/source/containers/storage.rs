//! Names from containers/storage, used by podman and CRI-O: `DRIVER-containers/containers.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Place, state};
use crate::source::homes::Homes;

/// Storage drivers (containers/storage drivers/*); a user may have created any number of other directories.
const DRIVERS: [&str; 6] = ["overlay", "vfs", "btrfs", "zfs", "aufs", "devicemapper"];
/// The list of containers, and its counterpart on a file system that a restart clears.
const FILES: [&str; 2] = ["containers.json", "volatile-containers.json"];
/// Maximum number of bytes read from the storage of all users together.
const USERS_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Maximum number of names kept from one user's storage, or the system's.
const NAMES_MAX: usize = 10_000;

/// Names by identifier, read on first use.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    /// By the owner of the storage.
    names: BTreeMap<u32, BTreeMap<String, String>>,
    users_bytes_left: u64,
    homes: Option<Homes>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            users_bytes_left: USERS_BYTES_MAX,
            homes: None,
        }
    }
}

impl Storage {
    /// The name in the system's storage, or else in that of the user who owns the container.
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
            let storage = place.root.join("var/lib/containers/storage");
            for file in files() {
                let bytes = place.read(&storage.join(file)).unwrap_or_default();
                state::add_stored(&bytes, &mut names, NAMES_MAX);
            }
            return names;
        }
        let homes = self
            .homes
            .get_or_insert_with(|| Homes::in_directory(place.root.join("home")));
        for home in homes.of(owner) {
            for file in files() {
                let path = Path::new(".local/share/containers/storage").join(file);
                let most = super::FILE_BYTES_MAX.min(self.users_bytes_left);
                let Ok(bytes) = homes.read_of_owner(&home, &path, most, owner) else {
                    continue;
                };
                self.users_bytes_left = self.users_bytes_left.saturating_sub(bytes.len() as u64);
                state::add_stored(&bytes, &mut names, NAMES_MAX);
            }
        }
        names
    }
}

/// The lists in a storage.
fn files() -> impl Iterator<Item = PathBuf> {
    let of_driver = |driver| {
        let directory = format!("{driver}-containers");
        FILES.map(|file| Path::new(&directory).join(file))
    };
    DRIVERS.into_iter().flat_map(of_driver)
}
