//! What the arguments mean, once terminal, environment and precedence are known. Pure.

pub mod capture;
pub mod columns;
pub mod details;
pub mod dump;
pub mod list;
pub mod output;
pub mod select;

pub use capture::{CapturePlan, Facts, NamesWanted, OwnersBy};
pub use dump::{Dump, Wanted};
pub use list::{ListPlan, Place};
pub use output::Output;
