//! Addresses in the notation that people use.

use std::net::IpAddr;

/// An address as written before a port: IPv6 in brackets.
pub(super) fn text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
