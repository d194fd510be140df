//! Reads the packet filter of the network namespace of this thread: nf_tables over nfnetlink, and iptables-legacy
//! through getsockopt. Both need `CAP_NET_ADMIN`.
//!
//! Only existing tables are read: requesting one of iptables-legacy would create it.

mod attributes;
pub mod expression;
pub mod legacy;
mod legacy_socket;
pub mod nft;
pub mod set;
#[cfg(test)]
mod tests;

use crate::model::packet_filter::{PacketFilter, Reading, Unread};
use crate::source::netlink::error::DumpError;

/// Reads every rule.
pub fn read() -> Reading {
    let examined = nft::read().and_then(|tables| {
        Ok(PacketFilter {
            tables,
            legacy: legacy::read()?,
        })
    });
    match examined {
        Ok(filter) => Reading::Examined(filter),
        Err(unread) => Reading::NotExamined(unread),
    }
}

/// Why a request failed.
fn unread(error: DumpError) -> Unread {
    match error {
        DumpError::Kernel(libc::EPERM | libc::EACCES) | DumpError::Channel(libc::EPERM | libc::EACCES) => {
            Unread::NeedsNetAdmin
        }
        DumpError::Kernel(errno) | DumpError::Channel(errno) => Unread::Failed(errno),
        DumpError::Stopped => Unread::TooLarge,
        DumpError::Lost => Unread::Failed(0),
        DumpError::NotRecorded => Unread::NotRecorded,
    }
}
