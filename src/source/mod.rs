//! The only I/O: one module for each outside world. It asks and decodes, and neither filters nor joins.

pub mod bpf;
pub mod cgroup;
pub mod containers;
pub mod disk;
pub mod lookup;
pub mod names;
pub mod namespaces;
pub mod netlink;
pub mod netns;
pub mod nss;
pub mod proc;
pub mod socket_options;
pub mod system;
pub mod tape;
pub mod trial_bind;
pub(crate) mod uapi;
