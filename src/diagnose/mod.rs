//! Diagnosis: why a port or name cannot be bound, and why a peer cannot be reached.
//!
//! Everything in here is a pure function of sockets, owners and system facts that the caller has read.

pub mod bind;
pub(crate) mod json;
pub mod master;
pub mod path;
pub mod place;
pub mod restart;
pub mod stopped;
pub mod targets;
pub mod typed_place;
