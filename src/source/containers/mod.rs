//! Names of containers and pods, from the state files of their runtimes. No daemon is queried.
//!
//! System state is trusted only if root alone can write it. State in a user's home names only that user's containers.
//! Files are read up to a limit. If a file cannot be parsed, the container's id is shown instead of a name. Most of
//! these files are readable only by root.

pub mod docker;
pub mod state;
mod storage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk;
use crate::model::Name;
use crate::model::cgroup::{Home, Runtime};
use docker::Docker;
use storage::Storage;

/// Maximum size of a system file.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The names of a container and its pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Called {
    name: Option<String>,
    pod: Option<String>,
}

/// Where state is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// `/`, except in tests.
    root: PathBuf,
    /// The owner of system state: root, except in tests.
    owner: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            root: "/".into(),
            owner: 0,
        }
    }
}

impl Place {
    /// Reads a system file if nobody but its owner could have written it.
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        disk::read_of_owner(path, FILE_BYTES_MAX, self.owner).ok()
    }
}

/// Finds names, and caches them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    place: Place,
    /// By identifier, and by the user who may have created it.
    known: BTreeMap<(String, Option<u32>), Called>,
    docker: Option<Docker>,
    storage: Storage,
}

impl Names {
    /// Adds names to what a cgroup path shows. `uid` is the user of a process or socket in it, if known.
    pub fn add(&mut self, home: &mut Home, path: &str, uid: Option<u32>) {
        let Some(container) = &mut home.container else {
            return;
        };
        let Some(id) = container.id.clone().filter(|_| container.name.is_none()) else {
            return;
        };
        let key = (id, user_of(path).or(uid));
        let called = match self.known.get(&key) {
            Some(called) => called.clone(),
            None => {
                let called = self.look_up(container.runtime, &key.0, key.1);
                self.known.insert(key, called.clone());
                called
            }
        };
        container.name = called.name.map(Name::from);
        home.pod = called.pod.map(Name::from).or(home.pod.take());
    }

    fn look_up(&mut self, runtime: Runtime, id: &str, user: Option<u32>) -> Called {
        let place = &self.place;
        let is = |runtimes: &[Runtime]| runtime == Runtime::Unknown || runtimes.contains(&runtime);
        let mut called = Called::default();
        if is(&[Runtime::Docker]) {
            let docker = self.docker.get_or_insert_with(|| Docker::of(place));
            called.name = docker.name_of(id);
        }
        if called.name.is_none() && is(&[Runtime::Containerd]) {
            called = containerd(place, id);
        }
        if called.name.is_none() && is(&[Runtime::Crio]) {
            let bundles = place.root.join("run/containers/storage/overlay-containers");
            called = annotated(place, &bundles.join(id).join("userdata/config.json"));
        }
        if called.name.is_none() && is(&[Runtime::Podman, Runtime::Crio]) {
            called.name = self.storage.name_of(place, id, user);
        }
        called
    }
}

/// The user in whose slice a cgroup is: only root and that user create cgroups there.
fn user_of(path: &str) -> Option<u32> {
    let mut slices = path.split('/').filter_map(|part| part.strip_suffix(".slice"));
    slices.find_map(|slice| slice.strip_prefix("user-")?.parse().ok())
}

/// The bundle of a container that runs under containerd, in any of its namespaces.
fn containerd(place: &Place, id: &str) -> Called {
    let tasks = place.root.join("run/containerd/io.containerd.runtime.v2.task");
    entries(&tasks)
        .map(|namespace| annotated(place, &namespace.join(id).join("config.json")))
        .find(|called| *called != Called::default())
        .unwrap_or_default()
}

/// Reads the annotations that Kubernetes runtimes and nerdctl leave in an OCI bundle.
fn annotated(place: &Place, config: &Path) -> Called {
    let bytes = place.read(config).unwrap_or_default();
    let annotations = state::annotations(&bytes);
    let any = |keys: &[&str]| {
        let mut found = keys.iter().filter_map(|key| annotations.get(*key));
        found.find(|text| !text.is_empty()).cloned()
    };
    let namespace = any(&[
        "io.kubernetes.cri.sandbox-namespace",
        "io.kubernetes.pod.namespace",
    ]);
    let pod = any(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]);
    Called {
        name: any(&[
            "io.kubernetes.cri.container-name",
            "io.kubernetes.container.name",
            "nerdctl/name",
        ]),
        pod: namespace
            .zip(pod)
            .map(|(namespace, pod)| format!("{namespace}/{pod}")),
    }
}

/// The entries of a directory.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let names = disk::names_in(directory).unwrap_or_default();
    let directory = directory.to_owned();
    names.into_iter().map(move |name| directory.join(name))
}

#[cfg(test)]
mod tests;
