//! Would bind and listen work, and if not, why and what helps.
//!
//! [`diagnose()`] applies the kernel's rules to the sockets that exist, the socket that somebody wants to bind and
//! a few facts about the machine. It returns what the kernel would answer, or that a fact which could not be read
//! decides; it never guesses.

pub mod circumstance;
pub mod cover;
pub mod cures;
mod describe;
pub mod diagnose;
pub mod errors;
pub mod existing;
pub mod failure_output;
mod headline;
pub mod infer;
pub mod inherited;
pub mod json;
pub mod owner;
pub mod report;
pub mod role;
pub mod rules;
pub mod text;
pub mod unix;
pub mod verdict;

pub use diagnose::diagnose;
pub use existing::{Existing, Flag, How};
pub use verdict::{Outcome, Verdict};
