//! Checks the rules of `why` against the kernel: every combination of an existing socket and a new one is really bound
//! and listened on, in a private network namespace, and compared with what `diagnose` says. The commands about ports
//! are tested here too, with real sockets.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod binary;
mod cgroups;
mod every;
mod evidence;
mod free_wait;
mod hook;
mod kill;
mod matrix;
mod netns;
mod paths;
mod program;
mod reach;
mod reach_addresses;
mod same;
mod seccomp;
#[path = "../it/skip.rs"]
mod skip;
mod sockets;
mod stage;
mod stopped;
mod tally;
mod verdicts;
mod ways;
