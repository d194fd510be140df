//! Whether bind and listen would work, and if not, why, and how to fix it.
//!
//! [`diagnose()`] applies the kernel's rules to the existing sockets, the socket to be bound and a few facts about the
//! machine. It returns what the kernel would answer, or which unread fact decides. It never guesses.

mod address;
pub mod ancestry;
pub mod circumstance;
pub mod cover;
pub mod cure;
pub mod cures;
mod describe;
pub mod diagnose;
pub mod end_holders;
pub mod errors;
pub mod existing;
pub mod failure_output;
pub mod free;
mod headline;
pub mod holders;
pub mod infer;
pub mod inherited;
pub mod json;
pub mod missing;
pub mod next_reading;
pub mod notes;
pub mod owner;
pub mod question;
pub mod report;
pub mod role;
pub mod rules;
pub mod rules_by_kernel;
#[cfg(test)]
pub(crate) mod samples;
mod sentence;
pub mod systemd;
#[cfg(test)]
mod tests;
pub mod text;
pub mod unix;
pub mod verdict;

pub use diagnose::diagnose;
pub use existing::{Existing, Flag, How};
pub use verdict::{Outcome, Verdict};
