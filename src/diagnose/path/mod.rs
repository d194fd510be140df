//! Would a connection arrive at a port of this machine, and if not, why.

pub mod found;
pub mod judge;
pub mod text;
