//! The library behind the command `sockstat`.

pub mod join;
pub mod model;
pub mod query;
pub mod source;
