//! What the arguments mean.

pub mod dump;

pub use dump::Dump;
