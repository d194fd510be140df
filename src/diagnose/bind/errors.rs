//! Refusals of bind that do not depend on other sockets, in the kernel's order.
//!
//! linux 6.18 net/ipv4/af_inet.c (__inet_bind) and net/ipv6/af_inet6.c (__inet6_bind). All of these checks come before
//! that of the port, so they hide that the port is taken.

use crate::model::named::named;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::model::Protocol;

use crate::model::bind::{BindAttempt, needs_scope};
use crate::model::system::SystemFacts;

named! {
    /// An errno that socket, bind or listen can fail with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Errno {
        /// The port needs a capability.
        Eacces => "EACCES",
        /// The port is taken.
        Eaddrinuse => "EADDRINUSE",
        /// The address does not belong to this machine.
        Eaddrnotavail => "EADDRNOTAVAIL",
        /// The kernel does not support this address family.
        Eafnosupport => "EAFNOSUPPORT",
        /// The combination of address and options is invalid.
        Einval => "EINVAL",
        /// The interface does not exist.
        Enodev => "ENODEV",
        /// The directory does not exist.
        Enoent => "ENOENT",
        /// A part of the path is not a directory.
        Enotdir => "ENOTDIR",
        /// The links in the path form a loop.
        Eloop => "ELOOP",
        /// A name in the path is too long.
        Enametoolong => "ENAMETOOLONG",
        /// The file system is read-only.
        Erofs => "EROFS",
        /// The directory accepts no such file, whoever creates it.
        Eperm => "EPERM",
        /// The file system is full.
        Enospc => "ENOSPC",
    }
}

/// Why bind refuses an attempt regardless of other sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel has no IPv6, or it is disabled for new sockets.
    NoIpv6,
    /// A stream socket cannot be bound to an IPv6 multicast address.
    MulticastStream,
    /// The port is below ip_unprivileged_port_start, and the capability is missing.
    PrivilegedPort,
    /// An IPv4 address on a socket with `IPV6_V6ONLY`.
    MappedV6only,
    /// A link-local address without an interface.
    NoScope,
    /// An interface that does not exist.
    NoDevice,
    /// The address does not belong to this machine.
    NotLocal,
}

impl Refusal {
    /// The error number.
    pub const fn errno(self) -> Errno {
        match self {
            Self::NoIpv6 => Errno::Eafnosupport,
            Self::MulticastStream | Self::MappedV6only | Self::NoScope => Errno::Einval,
            Self::PrivilegedPort => Errno::Eacces,
            Self::NoDevice => Errno::Enodev,
            Self::NotLocal => Errno::Eaddrnotavail,
        }
    }
}

/// Returns the first refusal that the kernel reaches, if any.
pub fn refusal(attempt: &BindAttempt, system: &SystemFacts) -> Option<Refusal> {
    // The order of the calls: socket, setsockopt, bind.
    let unknown = |device: NonZeroU32| !system.interfaces.contains_key(&device.get());
    if attempt.address.is_ipv6() && !system.ipv6 {
        return Some(Refusal::NoIpv6);
    }
    if attempt.device.is_some_and(unknown) {
        return Some(Refusal::NoDevice);
    }
    match attempt.address {
        IpAddr::V4(address) => {
            let local = system.nonlocal_bind_v4 || system.is_local_v4(address);
            first([
                (!local, Refusal::NotLocal),
                (is_privileged(attempt, system), Refusal::PrivilegedPort),
            ])
        }
        IpAddr::V6(address) => first([
            (
                attempt.protocol == Protocol::Tcp && address.is_multicast(),
                Refusal::MulticastStream,
            ),
            (is_privileged(attempt, system), Refusal::PrivilegedPort),
        ])
        .or_else(|| v6_address(address, attempt, system)),
    }
}

/// Returns the first entry that applies.
fn first<const N: usize>(checks: [(bool, Refusal); N]) -> Option<Refusal> {
    checks
        .into_iter()
        .find_map(|(applies, refusal)| applies.then_some(refusal))
}

fn is_privileged(attempt: &BindAttempt, system: &SystemFacts) -> bool {
    attempt.port != 0 && attempt.port < system.unprivileged_port_start && !attempt.net_bind_service
}

fn v6_address(address: Ipv6Addr, attempt: &BindAttempt, system: &SystemFacts) -> Option<Refusal> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        let local = system.nonlocal_bind_v4 || system.is_local_v4(mapped);
        return first([
            (attempt.v6only, Refusal::MappedV6only),
            (!local, Refusal::NotLocal),
        ]);
    }
    if address.is_unspecified() {
        return None;
    }
    let device = attempt.bound_device();
    let no_device = device.is_some_and(|device| !system.interfaces.contains_key(&device.get()));
    let local = address.is_multicast() || system.nonlocal_bind_v6 || system.is_local_v6(address, device);
    first([
        (needs_scope(address) && device.is_none(), Refusal::NoScope),
        (no_device, Refusal::NoDevice),
        (!local, Refusal::NotLocal),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::samples::system;
    use super::*;
    use crate::model::system::V6Address;

    /// A machine with an address on the interface eth0, which is number 2.
    fn machine() -> SystemFacts {
        let on_eth0 = |address: &str| V6Address {
            address: address.parse().unwrap(),
            interface: 2,
            tentative: false,
        };
        SystemFacts {
            interfaces: [(1, "lo".into()), (2, "eth0".into())].into(),
            local_v6: vec![on_eth0("fd00::1"), on_eth0("fe80::1")],
            ..system()
        }
    }

    fn attempt(address: &str, port: u16) -> BindAttempt {
        BindAttempt {
            uid: 1000,
            net_bind_service: false,
            ..BindAttempt::new(Protocol::Tcp, address.parse().unwrap(), port)
        }
    }

    #[test]
    fn addresses_of_the_machine_can_be_bound_and_others_cannot() {
        let system = machine();
        for (address, expected) in [
            ("0.0.0.0", None),
            ("127.0.0.9", None),
            ("192.0.2.1", Some(Refusal::NotLocal)),
            ("::", None),
            ("fd00::1", None),
            ("fd00::2", Some(Refusal::NotLocal)),
            ("::ffff:127.0.0.1", None),
            ("::ffff:192.0.2.1", Some(Refusal::NotLocal)),
            ("fe80::1", Some(Refusal::NoScope)),
            ("ff02::1", Some(Refusal::MulticastStream)),
        ] {
            assert_eq!(refusal(&attempt(address, 3000), &system), expected, "{address}");
        }
        let lax = SystemFacts {
            nonlocal_bind_v4: true,
            nonlocal_bind_v6: true,
            ..machine()
        };
        for address in ["192.0.2.1", "fd00::2", "::ffff:192.0.2.1"] {
            assert_eq!(refusal(&attempt(address, 3000), &lax), None, "{address}");
        }
    }

    #[test]
    fn a_device_must_exist_and_have_a_link_local_address() {
        let on = |address: &str, device| {
            let attempt = BindAttempt {
                device: NonZeroU32::new(device),
                ..attempt(address, 3000)
            };
            refusal(&attempt, &machine())
        };
        assert_eq!(on("fe80::1", 2), None);
        assert_eq!(on("fe80::1", 1), Some(Refusal::NotLocal));
        assert_eq!(on("0.0.0.0", 3), Some(Refusal::NoDevice));
    }

    #[test]
    fn the_port_is_checked_after_an_ipv4_address_and_before_an_ipv6_address() {
        let system = machine();
        let privileged = Some(Refusal::PrivilegedPort);
        assert_eq!(refusal(&attempt("0.0.0.0", 80), &system), privileged);
        assert_eq!(
            refusal(&attempt("192.0.2.1", 80), &system),
            Some(Refusal::NotLocal)
        );
        assert_eq!(refusal(&attempt("fd00::2", 80), &system), privileged);
        let without = SystemFacts {
            ipv6: false,
            ..machine()
        };
        assert_eq!(refusal(&attempt("::", 3000), &without), Some(Refusal::NoIpv6));
        assert_eq!(refusal(&attempt("0.0.0.0", 3000), &without), None);
    }
}
