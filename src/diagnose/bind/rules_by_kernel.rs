//! Bind rules that differ between kernels. Everything else is the same from 5.10 to 7.3: the matrix of real binds was
//! compared on 5.10, 6.1, 6.12, 6.18 and 7.3.

use crate::model::kernel::KernelVersion;

/// The rules of one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelRules {
    /// Whether the IPv4 shadow of an IPv6 connection blocks a TCP socket that wants exactly that address. Until 6.1
    /// (28044fc1d495), every socket on the port was compared; since then, only those with the same address or a
    /// wildcard.
    pub tcp_shadow_blocks: bool,
    /// Whether a TCP socket that is bound to `::ffff:0.0.0.0` blocks `::ffff:a.b.c.d`. Since 5e07e672412b that address
    /// is looked up like others, and this wildcard was missed until the rest of the series (both in 6.8). Stable
    /// kernels took only the first change: 6.1 in 6.1.168, 6.6 in its release of April 2026. `None` if the version does
    /// not determine it.
    pub mapped_wildcard_blocks: Option<bool>,
}

impl KernelRules {
    /// The rules of that kernel; an unknown version counts as the newest.
    pub fn of(kernel: Option<KernelVersion>) -> Self {
        let is_before = |major, minor| kernel.is_some_and(|kernel| !kernel.is_at_least(major, minor));
        let stable = kernel.map(|kernel| (kernel.major, kernel.minor, kernel.patch));
        Self {
            tcp_shadow_blocks: is_before(6, 1),
            mapped_wildcard_blocks: match stable {
                Some((6, 1, patch)) => patch.map(|patch| patch < 168),
                Some((6, 6, _)) => None,
                _ => Some(true),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::samples::{socket, system};
    use crate::diagnose::bind::{Existing, Flag, diagnose};
    use crate::model::bind::BindAttempt;
    use crate::model::system::SystemFacts;
    use crate::model::{Protocol, State};

    /// The result of binding a TCP socket without options on this kernel, alongside one existing socket.
    fn bind_on(release: &str, existing: &Existing, address: &str, port: u16) -> &'static str {
        let system = SystemFacts {
            kernel: KernelVersion::parse(release, ""),
            ..system()
        };
        let attempt = BindAttempt::new(Protocol::Tcp, address.parse().unwrap(), port);
        let existing = std::slice::from_ref(existing);
        diagnose(existing, &attempt, &system, None).bind.name()
    }

    #[test]
    fn each_kernel_has_its_rules() {
        let of = |release: &str| {
            let rules = KernelRules::of(KernelVersion::parse(release, ""));
            (rules.tcp_shadow_blocks, rules.mapped_wildcard_blocks)
        };
        assert_eq!(of("5.10.262"), (true, Some(true)));
        assert_eq!(of("6.0.9"), (true, Some(true)));
        assert_eq!(of("6.1.167"), (false, Some(true)));
        assert_eq!(of("6.1.192"), (false, Some(false)));
        assert_eq!(of("6.1.0-57-amd64"), (false, None));
        assert_eq!(of("6.6.140"), (false, None));
        for new in ["6.8.0-45-generic", "6.12.118", "6.18.44", "7.3.4", "next"] {
            assert_eq!(of(new), (false, Some(true)), "{new}");
        }
    }

    #[test]
    fn the_shadow_of_a_connection_blocks_on_old_kernels_only() {
        let mut connection = socket(State::Established, "::1", 3000);
        connection.v6only = Some(Flag::observed(false));
        for (release, said) in [("5.10.262", "EADDRINUSE"), ("6.1.192", "ok"), ("6.18.44", "ok")] {
            assert_eq!(
                bind_on(release, &connection, "127.0.0.6", 3000),
                said,
                "{release}"
            );
            assert_eq!(
                bind_on(release, &connection, "127.0.0.1", 3000),
                "ok",
                "{release}"
            );
            assert_eq!(
                bind_on(release, &connection, "::ffff:127.0.0.6", 3000),
                "ok",
                "{release}"
            );
        }
        // A listener has no shadow.
        let listener = socket(State::Listen, "::1", 3000);
        assert_eq!(bind_on("5.10.262", &listener, "127.0.0.6", 3000), "ok");
    }

    #[test]
    fn some_stable_kernels_miss_the_mapped_wildcard() {
        let wildcard = socket(State::Listen, "::ffff:0.0.0.0", 3000);
        for (release, said) in [
            ("5.10.262", "EADDRINUSE"),
            ("6.1.100", "EADDRINUSE"),
            ("6.1.192", "ok"),
            ("6.1.0-57-amd64", "undecidable"),
            ("6.6.0", "undecidable"),
            ("6.18.44", "EADDRINUSE"),
        ] {
            assert_eq!(
                bind_on(release, &wildcard, "::ffff:127.0.0.1", 3000),
                said,
                "{release}"
            );
            // Every other pair behaves as on other kernels.
            for address in ["127.0.0.1", "0.0.0.0", "::ffff:0.0.0.0", "::"] {
                assert_eq!(
                    bind_on(release, &wildcard, address, 3000),
                    "EADDRINUSE",
                    "{release} {address}"
                );
            }
        }
        let plain = socket(State::Listen, "0.0.0.0", 3000);
        assert_eq!(bind_on("6.1.192", &plain, "::ffff:127.0.0.1", 3000), "EADDRINUSE");
    }
}
