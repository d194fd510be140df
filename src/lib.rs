//! The library behind the command `sockstat`.

pub mod cli;
pub mod command;
pub mod exit;
pub mod join;
pub mod model;
pub mod plan;
pub mod query;
pub mod render;
pub mod source;
