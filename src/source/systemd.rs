//! systemd's unit files for sockets. systemd itself is not queried.

use std::collections::BTreeSet;

use super::disk;

/// Which manager's units: there is one for the system, and one for each user who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Process 1.
    System,
    /// `systemd --user`.
    User,
}

/// Where unit files are; the first directory with a name wins (systemd.unit(5), systemd 257).
const DIRECTORIES: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];

/// Returns the names and texts of the socket units, each read on demand.
pub fn socket_units(manager: Manager) -> impl Iterator<Item = (String, String)> {
    let of = match manager {
        Manager::System => "system",
        Manager::User => "user",
    };
    let files = DIRECTORIES.iter().flat_map(move |directory| {
        let directory = format!("{directory}/{of}");
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
