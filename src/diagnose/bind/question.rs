//! A question about a port, and the attempts to bind that it stands for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::diagnose::place::of_families;
use crate::model::Protocol;
use crate::model::bind::BindAttempt;
use crate::model::system::SystemFacts;

/// A question about a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub struct Question {
    /// The addresses of the host that was named; `None` for every address of the machine.
    pub addresses: Option<Vec<IpAddr>>,
    /// The interface of a link-local address, by name or number.
    pub scope: Option<String>,
    /// The port, 0 for one that the kernel chooses.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// IPv4 only. If both or neither of this and `ipv6` are set: both families.
    pub ipv4: bool,
    /// IPv6 only.
    pub ipv6: bool,
    /// `IPV6_V6ONLY`; by default, the machine's setting for new sockets.
    pub v6only: bool,
    /// `SO_REUSEADDR`; `None` for one attempt with it and one without.
    pub reuseaddr: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuseport: bool,
    /// `SO_BINDTODEVICE`.
    pub device: Option<String>,
    /// The user who binds.
    pub uid: u32,
    /// Whether that user has `CAP_NET_BIND_SERVICE`.
    pub net_bind_service: bool,
    /// Whether listen follows bind.
    pub listen: bool,
}

impl Question {
    /// The attempts that the question stands for, and notes about attempts that were left out.
    ///
    /// # Errors
    /// A one-line message, if no address is of the requested family.
    pub fn attempts(&self, system: &SystemFacts) -> Result<(Vec<BindAttempt>, Vec<String>), String> {
        let mut notes = Vec::new();
        let addresses = self.addresses.clone().unwrap_or_else(|| {
            if !system.ipv6 {
                notes.push("there is no IPv6 here, so only 0.0.0.0 was checked".to_owned());
            }
            wildcards(system)
        });
        let addresses = of_families(addresses, self.ipv4, self.ipv6)?;
        let device = self.device.as_deref().map(|name| interface(name, system));
        let scope_id = self.scope.as_deref().map(|name| interface(name, system));
        let reuse = match self.reuseaddr {
            Some(set) => vec![set],
            None => vec![false, true],
        };
        let mut attempts = Vec::new();
        for address in addresses {
            let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
            for reuseaddr in &reuse {
                attempts.push(BindAttempt {
                    v6only: self.v6only || (system.bindv6only && !mapped),
                    reuseaddr: *reuseaddr,
                    reuseport: self.reuseport,
                    device,
                    scope_id,
                    uid: self.uid,
                    net_bind_service: self.net_bind_service,
                    listen: self.listen && self.protocol == Protocol::Tcp,
                    ..BindAttempt::new(self.protocol, address, self.port)
                });
            }
        }
        Ok((attempts, notes))
    }

    /// The ports whose sockets matter: the port itself, or the range that the kernel chooses from.
    pub fn ports(&self, system: &SystemFacts) -> (u16, u16) {
        match self.port {
            0 => (*system.local_port_range.start(), *system.local_port_range.end()),
            port => (port, port),
        }
    }
}

/// The wildcard addresses.
pub fn wildcards(system: &SystemFacts) -> Vec<IpAddr> {
    let v6 = system.ipv6.then_some(Ipv6Addr::UNSPECIFIED.into());
    [Some(Ipv4Addr::UNSPECIFIED.into()), v6]
        .into_iter()
        .flatten()
        .collect()
}

/// The index of an interface. An interface that does not exist gets the highest number, which no interface has, so that
/// the verdict says that it does not exist.
fn interface(name: &str, system: &SystemFacts) -> NonZeroU32 {
    let mut known = system.interfaces.iter();
    let index = known.find(|(_, known)| **known == *name);
    let number = index.map(|(index, _)| *index).or_else(|| name.parse().ok());
    number.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::samples::{question, system};

    fn texts(question: &Question, system: &SystemFacts) -> Vec<String> {
        let (attempts, _) = question.attempts(system).unwrap();
        let text = |one: &BindAttempt| {
            let flag = |set, letter| if set { letter } else { "" };
            let flags = [
                flag(one.reuseaddr, "r"),
                flag(one.v6only, "6"),
                flag(one.listen, "l"),
            ];
            format!("{} {}", one.address, flags.concat())
        };
        attempts.iter().map(text).collect()
    }

    #[test]
    fn every_address_with_and_without_reuse() {
        assert_eq!(
            texts(&question(), &system()),
            ["0.0.0.0 l", "0.0.0.0 rl", ":: l", ":: rl"]
        );
        let one = Question {
            addresses: Some(vec!["::ffff:10.0.0.1".parse().unwrap(), "::1".parse().unwrap()]),
            reuseaddr: Some(true),
            protocol: Protocol::Udp,
            ..question()
        };
        let v6only = SystemFacts {
            bindv6only: true,
            ..system()
        };
        assert_eq!(texts(&one, &v6only), ["::ffff:10.0.0.1 r", "::1 r6"]);
    }

    #[test]
    fn without_ipv6_a_note_says_so() {
        let system = SystemFacts {
            ipv6: false,
            ..system()
        };
        let (attempts, notes) = question().attempts(&system).unwrap();
        assert_eq!((attempts.len(), notes.len()), (2, 1));
        let only_v6 = Question {
            ipv6: true,
            ..question()
        };
        assert!(only_v6.attempts(&system).is_err());
    }

    #[test]
    fn interfaces_have_names_or_numbers() {
        assert_eq!(interface("lo", &system()).get(), 1);
        assert_eq!(interface("7", &system()).get(), 7);
        assert_eq!(interface("eth9", &system()), NonZeroU32::MAX);
    }

    #[test]
    fn port_0_means_the_whole_range() {
        let automatic = Question {
            port: 0,
            ..question()
        };
        assert_eq!(automatic.ports(&system()), (32_768, 60_999));
        assert_eq!(question().ports(&system()), (3000, 3000));
    }
}
