//! Looks up the names in a filter, before the plan is final.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::nss;
use super::proc::{ProcRoot, mounts::Mounts};
use super::{interfaces, tape, unix_paths};
use crate::model::request::{FilterNames, ResolvedNames};
use crate::source::disk;

/// How long all lookups together may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Returns every name that could be resolved in time.
pub fn find(wanted: FilterNames, root: &ProcRoot) -> ResolvedNames {
    let deadline = Instant::now() + WITHIN;
    let left = || deadline.saturating_duration_since(Instant::now());
    let hosts = nss::host_addresses(wanted.hosts.into_iter().collect(), left());
    let services = nss::service_ports(wanted.services.into_iter().collect(), left());
    let users = nss::user_ids(wanted.users.into_iter().collect(), left());
    ResolvedNames {
        late: hosts.late + services.late + users.late > 0,
        hosts: hosts.found,
        services: services.found,
        users: users.found,
        interfaces_by_name: false,
        interfaces: wanted
            .interfaces
            .into_iter()
            .filter_map(|interface| {
                let index = tape::fact(&format!("index of {interface}"), || {
                    interfaces::index_of(&interface)
                })?;
                Some((interface, index))
            })
            .collect(),
        cgroups: cgroups(wanted.cgroups, root),
        files: wanted
            .files
            .into_iter()
            .filter(|path| unix_paths::is_socket_file(path.as_bytes()))
            .filter_map(|path| Some((path.clone(), unix_paths::file_id(path.as_bytes())?)))
            .collect(),
        local_port_range: if wanted.local_port_range {
            local_port_range(root)
        } else {
            None
        },
    }
}

/// Ids of cgroups given by an absolute path or by a path below the mount point: inode numbers of directories.
fn cgroups(paths: impl IntoIterator<Item = String>, root: &ProcRoot) -> BTreeMap<String, u64> {
    let mut paths = paths.into_iter().peekable();
    if paths.peek().is_none() {
        return BTreeMap::new();
    }
    let mountinfo = disk::read_to_string(root.join("self/mountinfo")).unwrap_or_default();
    let Some(mount_point) = Mounts::parse(&mountinfo, "").cgroup2 else {
        return BTreeMap::new();
    };
    let id = |path: &Path| {
        disk::stat(path)
            .ok()
            .filter(disk::Stat::is_dir)
            .map(|found| found.ino)
    };
    paths
        .filter_map(|path| {
            let below = mount_point.join(path.trim_start_matches('/'));
            let found = if Path::new(&path).starts_with(&mount_point) {
                id(Path::new(&path))
            } else {
                id(&below)
            };
            Some((path, found?))
        })
        .collect()
}

/// net.ipv4.ip_local_port_range, inclusive.
fn local_port_range(root: &ProcRoot) -> Option<(u16, u16)> {
    let text = disk::read_to_string(root.join("sys/net/ipv4/ip_local_port_range")).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_and_ports_are_found_and_unknown_names_are_not() {
        let mut wanted = FilterNames {
            local_port_range: true,
            ..FilterNames::default()
        };
        wanted
            .interfaces
            .extend(["lo".to_owned(), "no-such-if0".to_owned()]);
        wanted.cgroups.insert("/no/such/cgroup".to_owned());
        let found = find(wanted, &ProcRoot::default());
        assert_eq!(found.interfaces.keys().collect::<Vec<_>>(), ["lo"]);
        assert!(found.cgroups.is_empty());
        assert!(found.local_port_range.is_some_and(|(low, high)| low <= high));
    }
}
