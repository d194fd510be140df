//! The only I/O.

pub mod netlink;
pub mod proc;
