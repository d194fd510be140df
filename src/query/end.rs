//! One end of a socket, and the conditions a filter puts on it.

use super::field::Field;
use super::ranges::Ranges;
use crate::model::{End, Prefix};

/// The fields of an end.
impl End {
    /// The field of this end's address.
    pub const fn address_field(self) -> Field {
        match self {
            Self::Local => Field::LocalAddress,
            Self::Peer => Field::PeerAddress,
        }
    }

    /// The fields of this end's address and unix name.
    pub const fn fields(self) -> (Field, Field) {
        match self {
            Self::Local => (Field::LocalAddress, Field::Path),
            Self::Peer => (Field::PeerAddress, Field::PeerPath),
        }
    }

    /// The field of this end's port.
    pub const fn port_field(self) -> Field {
        match self {
            Self::Local => Field::LocalPort,
            Self::Peer => Field::PeerPort,
        }
    }
}

/// How a missing port or peer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As in ss for `sport`, `dport`, `src`, `dst`: a missing port is 0, a missing peer is the wildcard address, and
    /// the port of a raw socket is its protocol number.
    Numbers,
    /// As in our own fields: a missing value is null and equals nothing.
    Fields,
}

/// A condition on the address and the port of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndIs {
    /// Which end.
    pub end: End,
    /// The address; `None` for any.
    pub address: Option<Prefix>,
    /// The port; `None` for any.
    pub ports: Option<Ranges>,
    /// How a missing value is compared.
    pub reading: Reading,
}
