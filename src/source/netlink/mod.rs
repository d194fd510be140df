//! The sock_diag netlink interface: requests, one decoder per family, and the channel that carries them.
//!
//! Only [`channel`] talks to the kernel; requests and decoders are functions on bytes. The decoders are our own,
//! because attributes shorter or longer than known are normal and must never lose a socket.

pub(crate) mod attributes;
pub mod bytecode;
pub mod channel;
mod dccp;
pub mod destroy;
pub mod dump;
pub mod error;
pub mod exact;
pub mod freed;
pub mod inet;
pub mod netlinks;
pub mod packet;
pub mod request;
pub mod smc;
pub mod tipc;
pub mod unix;
pub mod vsock;
mod words;
pub mod xdp;
