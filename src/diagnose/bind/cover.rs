//! Which addresses a socket covers, and whether two sockets overlap.
//!
//! linux 6.18 net/ipv4/inet_connection_sock.c (inet_rcv_saddr_equal), checked against the kernel's answers by
//! the bind matrix test.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Family, Protocol};

use super::existing::{Existing, How};
use super::missing::Missing;
use super::rules_by_kernel::KernelRules;
use crate::model::bind::BindAttempt;

/// A set of addresses that a socket can be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// 0.0.0.0, also written ::ffff:0.0.0.0.
    AllV4,
    /// `::` with `IPV6_V6ONLY`.
    AllV6,
    /// `::` without it.
    All,
    /// One IPv4 address, including its IPv4-mapped IPv6 form.
    V4(Ipv4Addr),
    /// One IPv6 address.
    V6(Ipv6Addr),
}

/// The IPv4 shadow address of an IPv6 socket whose IPv6 address was assigned by connect (LOOPBACK4_IPV6, linux 6.18
/// include/net/ipv6.h).
const SHADOW: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

impl Cover {
    /// The addresses that a socket bound to `address` covers.
    pub const fn of(address: IpAddr, v6only: bool) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => Self::of_v4(v4),
                None if !v6.is_unspecified() => Self::V6(v6),
                None if v6only => Self::AllV6,
                None => Self::All,
            },
        }
    }

    const fn of_v4(address: Ipv4Addr) -> Self {
        if address.is_unspecified() {
            Self::AllV4
        } else {
            Self::V4(address)
        }
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => true,
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            (a, b) => a.is_v4() == b.is_v4(),
        }
    }

    const fn is_v4(self) -> bool {
        matches!(self, Self::AllV4 | Self::V4(_))
    }
}

/// Whether an attempt and an existing socket have an address in common, and how that is known.
///
/// # Errors
/// The unknown fact that decides: the existing socket's `IPV6_V6ONLY`, or the kernel's rule.
pub fn overlap(
    existing: &Existing,
    attempt: &BindAttempt,
    rules: KernelRules,
) -> Result<(bool, How), Missing> {
    let Some(pair) = existing.socket.inet() else {
        return Ok((false, How::Observed));
    };
    if mapped_alongside_mapped_wildcard(existing, attempt) {
        let blocks = rules.mapped_wildcard_blocks.ok_or(Missing::Kernel)?;
        return Ok((blocks, How::Observed));
    }
    let wanted = Cover::of(attempt.address, attempt.v6only);
    let under = |v6only| {
        Cover::of(pair.local_address, v6only).overlaps(wanted)
            || (!v6only && shadow_overlaps(existing, attempt, rules))
    };
    let (open, closed) = (under(false), under(true));
    if open == closed {
        return Ok((open, How::Observed));
    }
    let v6only = existing.effective_v6only().ok_or(Missing::V6only)?;
    Ok((if v6only.set { closed } else { open }, v6only.how))
}

/// Whether this is the one pair of TCP sockets whose overlap some kernels miss: a single IPv4 address in mapped form,
/// and the wildcard in mapped form.
fn mapped_alongside_mapped_wildcard(existing: &Existing, attempt: &BindAttempt) -> bool {
    let mapped = |address| match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    };
    let local = existing.socket.inet().and_then(|pair| mapped(pair.local_address));
    attempt.protocol == Protocol::Tcp
        && mapped(attempt.address).is_some_and(|single| !single.is_unspecified())
        && existing.socket.family == Family::Inet6
        && local.is_some_and(|wildcard| wildcard.is_unspecified())
}

/// The shadow rule: an IPv6 socket without `IPV6_V6ONLY` whose IPv6 address was assigned by connect keeps an IPv4
/// shadow address. It conflicts with an IPv4 socket on 0.0.0.0, and, for UDP and on old kernels for TCP, with one on
/// the shadow address itself.
fn shadow_overlaps(existing: &Existing, attempt: &BindAttempt, rules: KernelRules) -> bool {
    let has_shadow = existing.socket.family == Family::Inet6
        && existing.is_connected()
        && matches!(existing.socket.inet().map(|pair| pair.local_address),
            Some(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none());
    match attempt.address {
        IpAddr::V4(address) => {
            let shadow_counts = attempt.protocol == Protocol::Udp || rules.tcp_shadow_blocks;
            has_shadow && (address.is_unspecified() || (address == SHADOW && shadow_counts))
        }
        IpAddr::V6(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(text: &str, v6only: bool) -> Cover {
        Cover::of(text.parse().unwrap(), v6only)
    }

    #[test]
    fn wildcards_cover_their_family_and_dual_stack_covers_both() {
        let all = cover("::", false);
        let all_v6 = cover("::", true);
        let all_v4 = cover("0.0.0.0", false);
        for (text, v4) in [("10.0.0.1", true), ("::ffff:10.0.0.1", true), ("fd00::1", false)] {
            let one = cover(text, false);
            assert!(all.overlaps(one) && one.overlaps(all), "{text}");
            assert_eq!(all_v4.overlaps(one), v4, "{text}");
            assert_eq!(all_v6.overlaps(one), !v4, "{text}");
        }
        assert!(all.overlaps(all_v4) && all.overlaps(all_v6));
        assert!(!all_v4.overlaps(all_v6));
        assert_eq!(cover("::ffff:0.0.0.0", false), all_v4);
    }

    #[test]
    fn single_addresses_overlap_only_with_themselves() {
        assert!(cover("10.0.0.1", false).overlaps(cover("::ffff:10.0.0.1", false)));
        assert!(!cover("10.0.0.1", false).overlaps(cover("10.0.0.2", false)));
        assert!(!cover("::1", false).overlaps(cover("127.0.0.1", false)));
    }
}
