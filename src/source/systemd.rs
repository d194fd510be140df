//! systemd's unit files for sockets and services. systemd itself is not queried.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::disk;

/// The manager of units: there is one for the system, and one for each user who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Process 1.
    System,
    /// `systemd --user`.
    User,
}

/// Where unit files are; a file in an earlier directory overrides one of the same name in a later one (systemd.unit(5),
/// systemd 257).
const DIRECTORIES: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];

impl Manager {
    /// The directories of its units.
    fn directories(self) -> impl Iterator<Item = String> {
        let of = match self {
            Self::System => "system",
            Self::User => "user",
        };
        DIRECTORIES
            .iter()
            .map(move |directory| format!("{directory}/{of}"))
    }
}

/// Returns the text of a unit's file and those of its drop-ins, in the order in which they apply; empty if its file
/// cannot be read. An instance uses the file of its template.
pub fn texts_of(unit: &str, manager: Manager) -> Vec<String> {
    // The name comes from a cgroup, which may have any name.
    if unit.contains('/') || unit.starts_with('.') {
        return Vec::new();
    }
    let template = unit
        .split_once('@')
        .zip(unit.rsplit_once('.'))
        .map(|((name, _), (_, kind))| format!("{name}@.{kind}"));
    let names = || std::iter::once(unit).chain(template.as_deref());
    let read = |path: String| disk::read_to_string(path).ok();
    let file = names().find_map(|name| {
        manager
            .directories()
            .find_map(|directory| read(format!("{directory}/{name}")))
    });
    let Some(file) = file else {
        return Vec::new();
    };
    // Drop-ins apply in the order of their names, whatever their directory; the first directory with a name wins.
    let mut drop_ins = BTreeMap::new();
    let kind = unit.rsplit('.').next().unwrap_or_default();
    for name in names().chain([kind]) {
        for directory in manager.directories() {
            let directory = format!("{directory}/{name}.d");
            for name in disk::names_in(&directory).unwrap_or_default() {
                let name = name.to_string_lossy().into_owned();
                if Path::new(&name).extension() == Some("conf".as_ref()) {
                    drop_ins
                        .entry(name.clone())
                        .or_insert_with(|| format!("{directory}/{name}"));
                }
            }
        }
    }
    std::iter::once(file)
        .chain(drop_ins.into_values().filter_map(read))
        .collect()
}

/// Returns the names and texts of the socket units, each read on demand.
pub fn socket_units(manager: Manager) -> impl Iterator<Item = (String, String)> {
    let files = manager.directories().flat_map(move |directory| {
        let names = disk::names_in(&directory).unwrap_or_default();
        names.into_iter().map(move |name| (directory.clone(), name))
    });
    let mut seen = BTreeSet::new();
    files.filter_map(move |(directory, name)| {
        let name = name.into_string().ok()?;
        let is_first = name.ends_with(".socket") && seen.insert(name.clone());
        let text = is_first.then(|| disk::read_to_string(format!("{directory}/{name}")).ok())??;
        Some((name, text))
    })
}
