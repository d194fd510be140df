//! Names of containers and pods, from the files in which their runtimes keep state. No daemon is asked.
//!
//! The files are the runtimes' own and may be anything: they are read up to a limit, and what is not understood gives no
//! name. Most can be read by root alone; the identifier stands for the name then.

mod json;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk;
use crate::model::cgroup::{Container, Home, Runtime};
use json::{elements, member, string};

/// As much as is read of any file.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What a runtime calls a container, and its pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Called {
    name: Option<String>,
    pod: Option<String>,
}

/// Finds names, and remembers them.
#[derive(Clone, Debug)]
pub struct Names {
    /// `/`, but for tests.
    root: PathBuf,
    known: BTreeMap<String, Called>,
    /// Names in podman's and CRI-O's storage by identifier, read when first needed.
    storage: Option<BTreeMap<String, String>>,
}

impl Default for Names {
    fn default() -> Self {
        Self::below("/".into())
    }
}

impl Names {
    fn below(root: PathBuf) -> Self {
        Self {
            root,
            known: BTreeMap::new(),
            storage: None,
        }
    }

    /// Adds the names to a home that is told by identifiers.
    pub fn add(&mut self, home: &mut Home) {
        let Some(container) = &mut home.container else {
            return;
        };
        let Some(id) = container.id.clone().filter(|_| container.name.is_none()) else {
            return;
        };
        let called = match self.known.get(&id) {
            Some(called) => called.clone(),
            None => {
                let called = self.look_up(container, &id);
                self.known.insert(id, called.clone());
                called
            }
        };
        container.name = called.name;
        home.pod = called.pod.or(home.pod.take());
    }

    fn look_up(&mut self, container: &Container, id: &str) -> Called {
        let mut called = Called::default();
        let is = |runtimes: &[Runtime]| {
            container.runtime == Runtime::Unknown || runtimes.contains(&container.runtime)
        };
        if is(&[Runtime::Docker]) {
            called = self.docker(id);
        }
        if called.name.is_none() && is(&[Runtime::Containerd]) {
            called = self.containerd(id);
        }
        if called.name.is_none() && is(&[Runtime::Crio]) {
            let bundle = "run/containers/storage/overlay-containers";
            called = annotated(&self.root.join(bundle).join(id).join("userdata/config.json"));
        }
        if called.name.is_none() && is(&[Runtime::Podman, Runtime::Crio]) {
            called.name = self.in_storage(id);
        }
        called
    }

    /// `Name` in the container's config.v2.json, below docker's `data-root`.
    fn docker(&self, id: &str) -> Called {
        let settings = read(&self.root.join("etc/docker/daemon.json")).unwrap_or_default();
        let root = member(&settings, "data-root").and_then(string);
        let root = root.unwrap_or_else(|| "/var/lib/docker".to_owned());
        let directory = self
            .root
            .join(root.trim_start_matches('/'))
            .join("containers")
            .join(id);
        let name = || {
            let text = read(&directory.join("config.v2.json"))?;
            let name = string(member(&text, "Name")?)?;
            Some(name.trim_start_matches('/').to_owned())
        };
        Called {
            name: name(),
            pod: None,
        }
    }

    /// The bundle of a container that runs under containerd, in whichever of its namespaces.
    fn containerd(&self, id: &str) -> Called {
        let tasks = self.root.join("run/containerd/io.containerd.runtime.v2.task");
        entries(&tasks)
            .map(|namespace| annotated(&namespace.join(id).join("config.json")))
            .find(|called| *called != Called::default())
            .unwrap_or_default()
    }

    /// The first name in containers/storage, the system's before those of users, who can write anything into theirs.
    fn in_storage(&mut self, id: &str) -> Option<String> {
        let root = &self.root;
        let storage = self.storage.get_or_insert_with(|| {
            let mut names = BTreeMap::new();
            let of_users =
                entries(&root.join("home")).map(|home| home.join(".local/share/containers/storage"));
            for storage in std::iter::once(root.join("var/lib/containers/storage")).chain(of_users) {
                for (id, name) in stored(&storage) {
                    names.entry(id).or_insert(name);
                }
            }
            names
        });
        storage.get(id).cloned()
    }
}

/// The annotations that Kubernetes runtimes and nerdctl leave in an OCI bundle.
fn annotated(config: &Path) -> Called {
    let text = read(config).unwrap_or_default();
    let Some(annotations) = member(&text, "annotations") else {
        return Called::default();
    };
    let any = |keys: &[&str]| {
        let mut found = keys.iter().filter_map(|key| string(member(annotations, key)?));
        found.find(|text| !text.is_empty())
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

/// Identifiers and names in `DRIVER-containers/containers.json` and its volatile twin.
fn stored(storage: &Path) -> Vec<(String, String)> {
    let is_of_driver = |path: &PathBuf| path.to_string_lossy().ends_with("-containers");
    let directories = entries(storage).filter(is_of_driver);
    let texts = directories.flat_map(|directory| {
        ["containers.json", "volatile-containers.json"].map(|file| read(&directory.join(file)))
    });
    let one = |container: &str| {
        let name = elements(member(container, "names")?).find_map(string)?;
        Some((string(member(container, "id")?)?, name))
    };
    texts
        .flatten()
        .flat_map(|text| elements(&text).filter_map(one).collect::<Vec<_>>())
        .collect()
}

fn read(path: &Path) -> Option<String> {
    String::from_utf8(disk::read_regular(path, FILE_BYTES_MAX).ok()?).ok()
}

/// The entries of a directory.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let names = disk::names_in(directory).unwrap_or_default();
    let directory = directory.to_owned();
    names.into_iter().map(move |name| directory.join(name))
}

#[cfg(test)]
mod tests;
