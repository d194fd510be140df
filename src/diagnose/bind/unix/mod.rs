//! Whether bind would work for a unix socket, and if not, why, and what helps.

pub mod facts;
pub mod judge;
mod path;
pub mod text;
pub mod verdict;
