//! Reads that several commands share: the sockets on a port or of a name, and who holds them.

pub mod elsewhere;
pub mod holders;
pub mod network;
pub mod opaque;
pub mod other_protocol;
pub mod outside;
pub mod processes;
pub mod reachable;
pub mod snapshot;
