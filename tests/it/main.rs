//! The integration tests, one binary: the walls of the architecture, what is generated, the command line,
//! live sockets beside the truth and beside `ss`, captured bytes, and the agreement of the output forms.
//!
//! Everything that needs a privilege, a kernel feature or another program skips with an exact reason where
//! it is missing (see [`skip`]); live sockets are made in network namespaces of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panicking"
)]

mod architecture;
mod attempts;
mod cli;
mod documents;
mod generated;
mod limits;
mod live;
mod modes;
mod replay;
mod run;
mod schema;
#[path = "../bind_matrix/seccomp.rs"]
#[allow(dead_code, reason = "the tests of bind use more of it")]
mod seccomp;
mod skip;
#[path = "../bind_matrix/ways.rs"]
mod ways;
