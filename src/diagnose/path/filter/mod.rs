//! Predicts, rule by rule, what the packet filter and the routing table do to a connection. Pure: it asks its caller
//! for missing facts.

pub mod connection;
pub mod culprit;
pub mod effect;
pub mod facts;
mod handshake;
pub mod hooks;
pub mod index;
pub mod journey;
mod legacy;
mod loads;
mod lookup;
mod nat;
pub mod oracle;
pub mod packet;
mod packets;
pub mod place;
pub mod predict;
pub mod rules;
#[cfg(test)]
mod tests;
mod transit;
pub mod value;
pub mod walk;
pub mod words;
mod xt_matches;
mod xt_targets;
