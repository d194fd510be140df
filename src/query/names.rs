//! Names in a filter that must be looked up: hosts, services, users, interfaces, cgroups.
//!
//! The parser leaves them in the tree as `Unresolved`; `source::lookup` looks up all of them with one deadline;
//! [`Expr::resolve`] inserts the answers. Nothing here does I/O.

use std::num::NonZeroU64;

use super::end::EndIs;
use super::error::FilterError;
use super::expr::{Expr, OwnerField, Predicate};
use super::field::Field;
use super::pattern::Pattern;
use super::ranges::Ranges;
use super::unresolved::{Order, Purpose, Unresolved};
use crate::model::Prefix;
use crate::model::request::{FilterNames, ResolvedNames};

/// The default ephemeral port range (linux 6.18 net/ipv4/af_inet.c).
const DEFAULT_PORT_RANGE: (u16, u16) = (32768, 60999);

impl Unresolved {
    fn resolve(&self, found: &ResolvedNames) -> Result<Expr, FilterError> {
        let name = &self.name;
        match &self.purpose {
            Purpose::Host { end, ports, reading } => {
                let addresses = found.hosts.get(name).filter(|list| !list.is_empty());
                let addresses = addresses.ok_or_else(|| self.missing("host", found))?;
                Ok(Expr::or(addresses.iter().map(|address| {
                    EndIs::of(*end, Some(Prefix::host(*address)), ports.clone(), *reading)
                })))
            }
            Purpose::Service { end, order, reading } => {
                let ports = found.services.get(name).filter(|list| !list.is_empty());
                let ports = ports.ok_or_else(|| self.missing("service", found))?;
                let several = ports.iter().any(|port| Some(port) != ports.first());
                if several && *order != Order::Equal {
                    let numbers: Vec<String> = ports.iter().map(u16::to_string).collect();
                    let message = format!("service '{name}' has several ports: {}", numbers.join(", "));
                    return Err(self.error(message, "use the port number"));
                }
                let ranges = ports
                    .iter()
                    .flat_map(|port| order.range((*port).into()).as_slice().to_vec());
                Ok(EndIs::of(
                    *end,
                    None,
                    Some(Ranges::new(ranges.collect())),
                    *reading,
                ))
            }
            Purpose::User | Purpose::OwnerUser => {
                let uid = found.users.get(name).ok_or_else(|| self.missing("user", found))?;
                let ranges = Ranges::one((*uid).into());
                Ok(Expr::Is(if self.of_owner() {
                    Predicate::OwnerNumber(OwnerField::Uid, ranges)
                } else {
                    Predicate::Number(Field::Uid, ranges)
                }))
            }
            Purpose::Interface if found.interfaces_by_name => Ok(Expr::Is(Predicate::Text(
                Field::Interface,
                Pattern::Exact(name.as_bytes().into()),
            ))),
            Purpose::Interface => {
                let index = found
                    .interfaces
                    .get(name)
                    .ok_or_else(|| self.missing("interface", found))?;
                Ok(Expr::Is(Predicate::Interface(*index)))
            }
            // A socket may have this name although no such file exists (any more).
            Purpose::File => Ok(match found.files.get(name) {
                Some(file) => Expr::Is(Predicate::File(*file)),
                None => Expr::Constant(false),
            }),
            Purpose::Cgroup => {
                let id = found.cgroups.get(name).copied().and_then(NonZeroU64::new);
                Ok(Expr::Is(Predicate::Cgroup(
                    id.ok_or_else(|| self.missing("cgroup", found))?,
                )))
            }
        }
    }

    fn missing(&self, kind: &str, found: &ResolvedNames) -> FilterError {
        let by_server = matches!(
            self.purpose,
            Purpose::Host { .. } | Purpose::Service { .. } | Purpose::User | Purpose::OwnerUser
        );
        if found.late && by_server {
            let message = format!(
                "cannot look up {kind} '{}': no name server answered in time",
                self.name
            );
            return self.error(message, "use a number in its place");
        }
        let hint = match self.purpose {
            Purpose::Service { .. } => "use a port number, or a name of /etc/services",
            Purpose::Cgroup => "use the path below the mount point of cgroup v2, as in /system.slice",
            Purpose::Host { .. } => "use an address, or a name that the system can resolve",
            _ => "",
        };
        self.error(format!("unknown {kind} '{}'", self.name), hint)
    }

    fn error(&self, message: String, hint: &str) -> FilterError {
        FilterError::new(&self.text, self.span.clone(), message, hint)
    }
}

impl Expr {
    /// Returns what must be looked up before the filter can be used.
    pub fn names(&self) -> FilterNames {
        let mut wanted = FilterNames::default();
        self.each(&mut |predicate| match predicate {
            Predicate::Autobound(None) => wanted.local_port_range = true,
            Predicate::Unresolved(unresolved) => {
                let set = match unresolved.purpose {
                    Purpose::Host { .. } => &mut wanted.hosts,
                    Purpose::Service { .. } => &mut wanted.services,
                    Purpose::User | Purpose::OwnerUser => &mut wanted.users,
                    Purpose::Interface => &mut wanted.interfaces,
                    Purpose::Cgroup => &mut wanted.cgroups,
                    Purpose::File => &mut wanted.files,
                };
                set.insert(unresolved.name.clone());
            }
            _ => {}
        });
        wanted
    }

    /// Returns the filter with all names replaced by their values; several addresses of a host are alternatives.
    ///
    /// # Errors
    /// A name that was not found, with its position.
    pub fn resolve(&self, found: &ResolvedNames) -> Result<Self, FilterError> {
        let mut failed = None;
        let resolved = self.map(true, &mut |predicate, over| match predicate {
            Predicate::Unresolved(unresolved) => unresolved.resolve(found).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                Self::Constant(over)
            }),
            Predicate::Autobound(None) => {
                let range = found.local_port_range.unwrap_or(DEFAULT_PORT_RANGE);
                Self::Is(Predicate::Autobound(Some(range)))
            }
            other => Self::Is(other.clone()),
        });
        failed.map_or(Ok(resolved), Err)
    }
}
