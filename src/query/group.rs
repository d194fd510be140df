//! `--by`: the groups that rows belong to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::field::{Field, Value};
use crate::model::Row;

/// One field of `--by`. `process` and `pid` refer to the topmost owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupKey {
    /// What the rows of a group have in common.
    pub field: Field,
    /// For addresses, the number of leading bits to group by. Up to 32, it applies to IPv4, above to IPv6; addresses of
    /// the other family are not shortened.
    pub prefix: Option<u8>,
}

impl GroupKey {
    /// Returns the value that determines a row's group.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match self.field {
            // A worker's pid may be lower than its master's, and workers are replaced.
            Field::Process => {
                return row
                    .topmost()
                    .map_or(Value::Null, |process| Value::Text(&process.program));
            }
            Field::Pid => {
                if let Some(process) = row.topmost() {
                    return Value::Integer(process.pid.into());
                }
            }
            _ => {}
        }
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
    use crate::model::{OwnerStatus, State};
    use crate::model::{Ownership, Row};
    use crate::query::samples::{context, holder, tcp};

    #[test]
    fn a_socket_with_workers_belongs_to_their_master() {
        let socket = tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen);
        let mut context = context();
        let holders = [holder(812, 3), holder(900, 3)];
        let by = |field, context: &_| {
            let ownership = Ownership {
                status: OwnerStatus::Known,
                holders: &holders,
                may_be_more: false,
            };
            let row = Row {
                socket: &socket,
                ownership,
                context,
            };
            format!("{:?}", GroupKey { field, prefix: None }.value(&row))
        };
        assert_eq!(
            by(Field::Pid, &context),
            "Integer(812)",
            "no common parent: the lowest pid"
        );
        if let Some(process) = context.processes.get_mut(&812) {
            process.parent = Some(900);
        }
        assert_eq!(by(Field::Pid, &context), "Integer(900)");
        if let Some(process) = context.processes.get_mut(&900) {
            process.parent = Some(812);
        }
        assert_eq!(
            by(Field::Pid, &context),
            "Integer(812)",
            "a cycle of parents does not hide the owner"
        );
        context.processes.clear();
        assert_eq!(
            by(Field::Pid, &context),
            "Integer(812)",
            "the pid is known, its facts are not"
        );
        assert_eq!(by(Field::Process, &context), "Null");
    }

    #[test]
    fn a_prefix_applies_to_one_family() {
        let subnet = |address: &str, prefix| format!("{:?}", subnet(address.parse().unwrap(), prefix));
        assert_eq!(subnet("10.1.2.3", 24), "Subnet(10.1.2.0, 24)");
        assert_eq!(subnet("::ffff:10.1.2.3", 8), "Subnet(10.0.0.0, 8)");
        assert_eq!(subnet("10.1.2.3", 0), "Subnet(0.0.0.0, 0)");
        assert_eq!(subnet("10.1.2.3", 64), "Address(10.1.2.3)");
        assert_eq!(subnet("2001:db8:1:2:3::4", 64), "Subnet(2001:db8:1:2::, 64)");
        assert_eq!(subnet("::1", 24), "Address(::1)");
    }
}
