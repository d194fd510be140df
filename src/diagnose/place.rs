//! WHERE: a place to bind, connect to or wait for.

use std::net::IpAddr;

use crate::model::{Family, Protocol};

/// A place to bind to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An IP port.
    Port(PortPlace),
    /// A unix socket, by its name in the kernel's form: a path, or an abstract name that starts with NUL.
    Unix(Vec<u8>),
    /// `-`: the place is read from another program's output.
    Stdin,
}

/// A port on some address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortPlace {
    /// The address.
    pub host: Host,
    /// The interface of a link-local address, by name or number (`%eth0`).
    pub scope: Option<String>,
    /// 0 for one that the kernel chooses.
    pub port: u16,
    /// `/tcp` or `/udp`, if it was given.
    pub protocol: Option<Protocol>,
}

/// The address part of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// None: every address of the machine.
    Any,
    /// One address.
    Address(IpAddr),
    /// A name to look up.
    Name(String),
}

/// Whether `-4` and `-6` select the family; both or neither select both families.
pub const fn wants_family(ipv4: bool, ipv6: bool, family: Family) -> bool {
    match family {
        Family::Inet => ipv4 || !ipv6,
        Family::Inet6 => ipv6 || !ipv4,
        _ => true,
    }
}

/// Leaves out the addresses that `-4` and `-6` do not select.
///
/// # Errors
/// A one-line message, if none is left.
pub fn of_families(mut addresses: Vec<IpAddr>, ipv4: bool, ipv6: bool) -> Result<Vec<IpAddr>, String> {
    addresses.retain(|address| {
        let family = if address.is_ipv4() {
            Family::Inet
        } else {
            Family::Inet6
        };
        wants_family(ipv4, ipv6, family)
    });
    if addresses.is_empty() {
        return Err("no address of the requested family".to_owned());
    }
    Ok(addresses)
}
