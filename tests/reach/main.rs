//! Compares predictions of `reach` with connections that are really made: random rules of nftables and iptables in new
//! network namespaces, connections from the machine itself and from another one, over IPv4 and IPv6, TCP and UDP.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../it/attempts.rs"]
mod attempts;
mod causes;
mod column;
mod compare;
mod connect;
mod documented;
mod generate;
mod opaque;
mod program;
mod real;
mod single;
#[path = "../it/skip.rs"]
mod skip;
mod stage;
