//! `--by`: which rows belong together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::field::{Field, Value};
use crate::join::Row;

/// One field of `--by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupKey {
    /// What rows of a group have in common.
    pub field: Field,
    /// Addresses only: so many of their first bits. Up to 32 is about IPv4, more about IPv6; addresses of the
    /// other family stay whole.
    pub prefix: Option<u8>,
}

impl GroupKey {
    /// The value that puts a row into its group.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match (self.field.value(row), self.prefix) {
            (Value::Address(address), Some(prefix)) => subnet(address, prefix),
            (value, _) => value,
        }
    }
}

fn subnet(address: IpAddr, prefix: u8) -> Value<'static> {
    match address.to_canonical() {
        IpAddr::V4(v4) if prefix <= 32 => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Value::Subnet(Ipv4Addr::from_bits(v4.to_bits() & mask).into(), prefix)
        }
        IpAddr::V6(v6) if prefix > 32 => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix.min(128)))
                .unwrap_or(0);
            Value::Subnet(Ipv6Addr::from_bits(v6.to_bits() & mask).into(), prefix)
        }
        _ => Value::Address(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_of_one_family() {
        let subnet = |address: &str, prefix| format!("{:?}", subnet(address.parse().unwrap(), prefix));
        assert_eq!(subnet("10.1.2.3", 24), "Subnet(10.1.2.0, 24)");
        assert_eq!(subnet("::ffff:10.1.2.3", 8), "Subnet(10.0.0.0, 8)");
        assert_eq!(subnet("10.1.2.3", 0), "Subnet(0.0.0.0, 0)");
        assert_eq!(subnet("10.1.2.3", 64), "Address(10.1.2.3)");
        assert_eq!(subnet("2001:db8:1:2:3::4", 64), "Subnet(2001:db8:1:2::, 64)");
        assert_eq!(subnet("::1", 24), "Address(::1)");
    }
}
