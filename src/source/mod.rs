//! The only I/O. What it reads, it returns as plain data, with a gap for what it could not read.

pub mod bpf;
pub mod capture;
pub mod cgroup;
pub mod containers;
pub mod disk;
pub mod lookup;
pub mod names;
pub mod namespaces;
pub mod netlink;
pub mod netns;
pub mod nss;
mod outlet;
pub mod owners;
pub mod proc;
pub mod seen;
pub mod settle;
pub mod socket_options;
pub mod system;
pub mod tables;
pub mod tape;
pub mod trial_bind;
pub(crate) mod uapi;
mod undumped;
