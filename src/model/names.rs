//! Names for the numbers in a capture: interfaces, users, cgroups, hosts and services.
//!
//! They are looked up while capturing (`source::names`), so that everything behind it stays pure. A number
//! without an entry has no known name and is shown as the number.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::cgroup::Home;

/// What was found for the numbers seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Interface to name. An index is that of its network namespace, whose place in the capture comes first.
    pub interfaces: BTreeMap<(u32, u32), String>,
    /// User id to login name.
    pub users: BTreeMap<u32, String>,
    /// cgroup v2 id to the path below its mount point, `/` for the root.
    pub cgroups: BTreeMap<u64, String>,
    /// cgroup v2 id to the unit, container and pod that its path tells. The root of the hierarchy is not among them: it
    /// is what a socket has where containers are told apart by v1 hierarchies alone.
    pub homes: BTreeMap<u64, Home>,
    /// Address to host name (`-r` only).
    pub hosts: BTreeMap<IpAddr, String>,
    /// (port, is UDP) to service name (`-r` only).
    pub services: BTreeMap<(u16, bool), String>,
}
