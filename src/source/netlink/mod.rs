//! Socket dumps over sock_diag netlink.

pub mod bytecode;
