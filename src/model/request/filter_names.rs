//! The names in a filter, and the numbers that they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::unix_path::FileId;

/// Names in a filter that must be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterNames {
    /// Host names, for addresses.
    pub hosts: BTreeSet<String>,
    /// Service names, for ports.
    pub services: BTreeSet<String>,
    /// Login names, for user ids.
    pub users: BTreeSet<String>,
    /// Interface names, for indices.
    pub interfaces: BTreeSet<String>,
    /// cgroup paths (absolute, or below the mount point of cgroup v2), for ids.
    pub cgroups: BTreeSet<String>,
    /// Paths of unix sockets, for the files that exist there now.
    pub files: BTreeSet<String>,
    /// The range of automatic ports (net.ipv4.ip_local_port_range).
    pub local_port_range: bool,
}

impl FilterNames {
    /// Returns whether there is nothing to look up.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The numbers that were found. A name without an entry does not exist, or could not be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedNames {
    /// All addresses of a host, IPv4 and IPv6.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// All ports of a service, over the protocols.
    pub services: BTreeMap<String, Vec<u16>>,
    /// User ids.
    pub users: BTreeMap<String, u32>,
    /// Interface indices, in the network namespace that is listed.
    pub interfaces: BTreeMap<String, u32>,
    /// Whether interfaces are compared by name, because several namespaces are listed.
    pub interfaces_by_name: bool,
    /// Whether some lookup was not answered in time.
    pub late: bool,
    /// cgroup v2 ids.
    pub cgroups: BTreeMap<String, u64>,
    /// Files of sockets.
    pub files: BTreeMap<String, FileId>,
    /// The range of automatic ports; `None` if it could not be read, so that the kernel's default applies.
    pub local_port_range: Option<(u16, u16)>,
}
