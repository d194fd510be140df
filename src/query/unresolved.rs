//! A name in place of a number: the host, service, user, interface or cgroup of a filter.

use std::sync::Arc;

use super::end::Reading;
use super::error::Span;
use super::ranges::Ranges;
use crate::model::End;

/// A name in place of a number.
#[derive(Clone, Debug)]
pub struct Unresolved {
    /// The name as typed.
    pub name: String,
    /// What it names, and how the answer is used.
    pub purpose: Purpose,
    /// The whole filter, for an error.
    pub text: Arc<str>,
    /// The position of the name in it.
    pub span: Span,
}

/// What a name is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// An address; the ports may be given too.
    Host {
        /// Which end.
        end: End,
        /// Which ports.
        ports: Option<Ranges>,
        /// How a missing value is compared.
        reading: Reading,
    },
    /// A port.
    Service {
        /// Which end.
        end: End,
        /// How the port is compared.
        order: Order,
        /// How a missing value is compared.
        reading: Reading,
    },
    /// The user of the socket.
    User,
    /// The user of an owner.
    OwnerUser,
    /// The interface that the socket is bound to.
    Interface,
    /// The cgroup of the socket.
    Cgroup,
    /// The file that a unix socket is bound to, whatever its name at that time.
    File,
}

/// How a number is compared with a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Equal.
    Equal,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
}

impl Order {
    /// Returns the numbers that compare this way with `number`.
    pub fn range(self, number: u64) -> Ranges {
        self.range_of((number, number))
    }

    /// Returns the numbers that compare this way with a period, given by its first and last number. A number is less
    /// than the period if it is before the first.
    pub fn range_of(self, (first, last): (u64, u64)) -> Ranges {
        Ranges::new(match self {
            Self::Equal => vec![(first, last)],
            Self::Less => first.checked_sub(1).map(|high| (0, high)).into_iter().collect(),
            Self::AtMost => vec![(0, last)],
            Self::Greater => last
                .checked_add(1)
                .map(|low| (low, u64::MAX))
                .into_iter()
                .collect(),
            Self::AtLeast => vec![(first, u64::MAX)],
        })
    }
}

impl Unresolved {
    /// Returns whether the answer is compared with owners.
    pub fn of_owner(&self) -> bool {
        matches!(self.purpose, Purpose::OwnerUser)
    }
}
