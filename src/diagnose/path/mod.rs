//! Whether a connection would arrive, and if not, why.

pub mod client;
pub mod filter;
pub mod found;
pub mod json;
pub mod judge;
pub mod listens;
pub mod name;
pub mod opaque;
pub mod pressure;
pub mod queues;
pub mod special;
mod stall;
#[cfg(test)]
mod tests;
pub mod text;
pub mod unix;
pub mod way;
mod way_text;
