//! Whether bind would work for a unix socket, and if not, why, and how to fix it.

pub mod facts;
pub mod judge;
mod path;
pub mod text;
pub mod verdict;
