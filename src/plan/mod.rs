//! What the arguments mean, once terminal, environment and precedence are known. Pure.

pub mod columns;
pub mod details;
pub mod list;
pub mod output;
pub mod select;

pub use list::{ListPlan, Place};
pub use output::Output;
