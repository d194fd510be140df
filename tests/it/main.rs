//! The integration tests, in one binary: the module boundaries, generated files, the command line, live sockets
//! compared with the ground truth and with `ss`, captured bytes, and the agreement of the output formats.
//!
//! Everything that needs a privilege, a kernel feature or another program skips with an exact reason where it is
//! missing (see [`skip`]); live sockets are created in network namespaces of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panicking"
)]

mod architecture;
mod attempts;
mod cli;
mod dependencies;
mod documents;
mod fleet;
mod generated;
mod limits;
mod live;
mod modes;
mod packages;
mod replay;
mod run;
mod schema;
#[path = "../bind_matrix/seccomp.rs"]
#[allow(dead_code, reason = "the tests of bind use more of it")]
mod seccomp;
mod skip;
#[cfg(feature = "watch")]
mod watch;
#[path = "../bind_matrix/ways.rs"]
mod ways;
