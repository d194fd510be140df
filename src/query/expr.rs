//! The filter tree: `and`, `or`, `not`, and predicates on one socket.

use std::num::NonZeroU64;

use super::field::{Cost, Field};
use super::pattern::Pattern;
use super::ranges::Ranges;
use super::unresolved::Unresolved;
use crate::model::tree::{Test, Tree};
use crate::model::unix_path::FileId;
use crate::model::{End, Prefix, Protocol, StateSet};

pub use super::end::{EndIs, Reading};
pub use super::owner_field::OwnerField;

/// A condition on a row.
pub type Expr = Tree<Predicate>;

/// One test on a row. A null number or text fails every test except the negation of [`Predicate::Has`].
#[derive(Clone, Debug)]
pub enum Predicate {
    /// An end of an IP socket.
    End(EndIs),
    /// The state is one of these.
    States(StateSet),
    /// The protocol is one of these.
    Protocols(ProtocolSet),
    /// A number of the socket is in this set.
    Number(Field, Ranges),
    /// `mark & mask == value`. Undecided if the mark is unknown.
    Mark {
        /// The value after masking.
        value: u32,
        /// The bits that are compared.
        mask: u32,
    },
    /// Bound to the interface with this index; 0 if bound to none.
    Interface(u32),
    /// The v2 cgroup with this id.
    Cgroup(NonZeroU64),
    /// A unix socket is bound to this file.
    File(FileId),
    /// A keyword field has one of these words.
    Word(Field, Vec<&'static str>),
    /// At least one of these option bits is set.
    Options(u16),
    /// A boolean of the socket.
    Truth(Field, bool),
    /// A text of the socket.
    Text(Field, Pattern),
    /// A number of any owner.
    OwnerNumber(OwnerField, Ranges),
    /// A text of any owner.
    OwnerText(OwnerField, Pattern),
    /// A bare word: comm, program or exe of any owner, or the last component of one of them.
    Program(Pattern),
    /// The field is not null.
    Has(Field),
    /// This fact is known for some owner.
    OwnerHas(OwnerField),
    /// The kernel chose the port or name: the port is in this range, or the unix socket is unnamed or has a five-digit
    /// abstract name. `None` until the range is known.
    Autobound(Option<(u16, u16)>),
    /// A name that must be looked up first; false until then.
    Unresolved(Box<Unresolved>),
}

impl EndIs {
    /// Returns the filter for this end.
    pub fn of(end: End, address: Option<Prefix>, ports: Option<Ranges>, reading: Reading) -> Expr {
        Expr::Is(Predicate::End(Self {
            end,
            address,
            ports,
            reading,
        }))
    }
}

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtocolSet(u16);

impl ProtocolSet {
    /// Returns whether the set contains `protocol`.
    pub const fn contains(self, protocol: Protocol) -> bool {
        self.0 & (1 << protocol as u16) != 0
    }

    /// Iterates over the set in the order of [`Protocol::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL.into_iter().filter(move |it| self.contains(*it))
    }
}

impl FromIterator<Protocol> for ProtocolSet {
    fn from_iter<T: IntoIterator<Item = Protocol>>(protocols: T) -> Self {
        Self(protocols.into_iter().fold(0, |bits, it| bits | 1 << it as u16))
    }
}

impl Test for Predicate {
    const FLATTENS: bool = true;

    fn opposite(&self) -> Option<Self> {
        match self {
            Self::States(states) => Some(Self::States(StateSet::ALL.without(*states))),
            _ => None,
        }
    }
}

impl Expr {
    /// The negation if `negated` is set.
    #[must_use]
    pub fn negated_if(self, negated: bool) -> Self {
        if negated { self.negated() } else { self }
    }

    /// Returns the strongest condition on sockets alone that every matching or undecided row satisfies: sockets that
    /// fail it can be dropped before owners are known. `None` if every socket may match.
    pub fn without_owners(&self) -> Option<Self> {
        let alone = |predicate: &Predicate| !predicate.needs_owners() && !predicate.needs_others();
        match self.weakened(alone) {
            Self::Constant(true) => None,
            expr => Some(expr),
        }
    }

    /// Returns whether the filter needs owners.
    pub fn needs_owners(&self) -> bool {
        self.any(Predicate::needs_owners)
    }

    /// Returns whether only sockets of certain owners can match: `nginx`, `pid = 812 and tcp`, but not `not nginx`.
    pub fn is_about_owners(&self) -> bool {
        match self {
            Self::And(parts) => parts.iter().any(Self::is_about_owners),
            Self::Or(parts) => parts.iter().all(Self::is_about_owners),
            Self::Is(
                Predicate::OwnerNumber(..)
                | Predicate::OwnerText(..)
                | Predicate::Program(_)
                | Predicate::OwnerHas(_),
            ) => true,
            Self::Is(Predicate::Unresolved(unresolved)) => unresolved.of_owner(),
            Self::Constant(_) | Self::Not(_) | Self::Is(_) => false,
        }
    }

    /// Returns whether it needs the files of unix sockets.
    pub fn needs_files(&self) -> bool {
        self.any(|predicate| matches!(predicate, Predicate::File(_)))
    }

    /// Returns whether it needs facts about the owning processes: comm, program, exe, cmdline, user.
    pub fn needs_processes(&self) -> bool {
        self.any(Predicate::needs_processes)
    }

    /// Returns whether it needs the security contexts of owners.
    pub fn needs_contexts(&self) -> bool {
        self.asks(OwnerField::Context)
    }

    fn asks(&self, wanted: OwnerField) -> bool {
        self.any(
            |it| matches!(it, Predicate::OwnerText(field, _) | Predicate::OwnerHas(field) if *field == wanted),
        )
    }

    /// Returns the socket fields that the filter reads, so that the dump requests them.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.each(&mut |predicate| fields.extend(predicate.field()));
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

impl Predicate {
    /// Compares a text of any owner; a program has several names.
    pub(super) fn of_owner(field: OwnerField, pattern: Pattern) -> Self {
        match field {
            OwnerField::Program => Self::Program(pattern),
            field => Self::OwnerText(field, pattern),
        }
    }

    /// Returns whether the predicate depends on owners.
    pub fn needs_owners(&self) -> bool {
        match self {
            Self::OwnerNumber(..) | Self::OwnerText(..) | Self::Program(_) | Self::OwnerHas(_) => true,
            Self::Unresolved(unresolved) => unresolved.of_owner(),
            other => other.field().is_some_and(|field| field.info().of_owner()),
        }
    }

    /// Returns whether the predicate depends on other rows, so that all must be read first.
    pub fn needs_others(&self) -> bool {
        let of_others = Cost::PEERS.and(Cost::HALF_OPEN);
        self.field().is_some_and(|field| field.info().cost.has(of_others))
    }

    /// Returns whether the predicate depends on facts about processes.
    pub fn needs_processes(&self) -> bool {
        match self {
            Self::Program(_) | Self::OwnerText(..) => true,
            Self::OwnerNumber(field, _) | Self::OwnerHas(field) => {
                !matches!(field, OwnerField::Pid | OwnerField::Tid | OwnerField::Fd)
            }
            Self::Has(field) | Self::Text(field, _) => field.info().cost.has(Cost::PROCESSES),
            Self::Unresolved(unresolved) => unresolved.of_owner(),
            _ => false,
        }
    }

    /// Returns the socket field it reads; `None` for owners, and for names that are not yet looked up.
    pub fn field(&self) -> Option<Field> {
        Some(match self {
            Self::End(EndIs {
                end, address: None, ..
            }) => end.port_field(),
            Self::End(EndIs { end, .. }) => end.address_field(),
            Self::States(_) => Field::State,
            Self::Protocols(_) => Field::Protocol,
            Self::Number(field, _)
            | Self::Word(field, _)
            | Self::Truth(field, _)
            | Self::Text(field, _)
            | Self::Has(field) => *field,
            Self::OwnerText(field, _) | Self::OwnerHas(field) => return field.of_creator(),
            Self::Mark { .. } => Field::Mark,
            Self::Interface(_) => Field::Interface,
            Self::Cgroup(_) => Field::Cgroup,
            Self::File(_) => Field::Path,
            Self::Options(_) => Field::SocketOptions,
            Self::Autobound(_) => Field::LocalPort,
            Self::OwnerNumber(..) | Self::Program(_) | Self::Unresolved(_) => return None,
        })
    }
}
