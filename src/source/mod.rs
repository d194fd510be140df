//! The only I/O: one module for each outside world. It asks and decodes, and neither filters nor joins.

pub mod bpf;
pub mod callers_files;
pub mod cgroup;
pub mod containers;
pub mod credentials;
pub mod disk;
pub mod hosts;
pub mod lookup;
pub mod names;
pub mod namespaces;
pub mod netlink;
pub mod netns;
pub mod nss;
pub mod proc;
pub mod process;
pub mod route;
pub mod security;
pub mod signals;
pub mod socket_options;
pub mod system;
pub mod systemd;
pub mod tape;
pub mod trial_bind;
pub mod trial_connect;
pub(crate) mod uapi;
pub mod unix_paths;
