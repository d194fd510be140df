//! What the arguments mean.

pub mod capture;
pub mod dump;

pub use capture::{CapturePlan, Facts, NamesWanted};
pub use dump::Dump;
