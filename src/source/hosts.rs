//! Addresses of host names and ports of services, by the system's own resolver.

use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use super::{nss, tape};

/// Resolves a host name.
///
/// # Errors
/// A one-line message if it has no address.
pub fn addresses_of(name: &str) -> Result<Vec<IpAddr>, String> {
    let (addresses, error) = tape::fact(&format!("addresses of {name}"), || {
        let found = (name, 0).to_socket_addrs();
        let error = found.as_ref().err().map(ToString::to_string);
        let mut addresses: Vec<_> = found.into_iter().flatten().map(|found| found.ip()).collect();
        addresses.dedup();
        (addresses, error)
    });
    match error {
        Some(error) => Err(format!("cannot look up '{name}': {error}")),
        None => Ok(addresses),
    }
}

/// Returns the port of a service.
pub fn port_of(service: &str) -> Option<u16> {
    let found = nss::service_ports(vec![service.to_owned()], Duration::from_secs(5));
    found.names.get(service)?.first().copied()
}
