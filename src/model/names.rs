//! Names for the ids in a capture: interfaces, users, cgroups, hosts and services.
//!
//! `source::names` looks them up during the capture, so everything after it stays pure. An id without an entry is shown
//! as a number.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Name;
use super::cgroup::Home;

/// The names of the captured ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Interface to name. The key is the index of the network namespace in the capture, then the interface index.
    pub interfaces: BTreeMap<(u32, u32), Name>,
    /// User id to login name.
    pub users: BTreeMap<u32, Name>,
    /// cgroup v2 id to the path below its mount point, `/` for the root.
    pub cgroups: BTreeMap<u64, Name>,
    /// cgroup v2 id to the unit, container and pod that its path names. The root is left out, because it says nothing
    /// where only v1 hierarchies separate containers.
    pub homes: BTreeMap<u64, Home>,
    /// Address to host name (`-r` only).
    pub hosts: BTreeMap<IpAddr, Name>,
    /// (port, is UDP) to service name (`-r` only).
    pub services: BTreeMap<(u16, bool), Name>,
}
