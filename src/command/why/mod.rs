//! `why`: would bind and listen work, and if not, why and what to do.
//!
//! The answer is a pure function ([`diagnose()`]) of the sockets that exist, the socket that somebody wants to
//! make and a few facts about the machine. It says what the kernel would say, or that a fact which cannot be
//! read decides; it never guesses. What reads the machine stands apart from it.

pub mod attempt;
pub mod circumstance;
pub mod cover;
pub mod cures;
mod describe;
pub mod diagnose;
pub mod errors;
pub mod existing;
mod headline;
pub mod infer;
pub mod inherited;
pub mod json;
pub mod look;
pub mod overheard;
pub mod owner;
pub mod place;
pub mod report;
pub mod role;
pub mod rules;
pub mod run;
pub mod system;
pub mod text;
pub mod unix;
pub mod verdict;

pub use attempt::BindAttempt;
pub use diagnose::diagnose;
pub use existing::{Existing, Flag, How};
pub use system::SystemFacts;
pub use verdict::{Outcome, Verdict};
