//! One end of a socket, and what a filter wants of it.

use super::field::Field;
use super::ranges::Ranges;
use crate::model::{End, Prefix};

/// The fields of an end.
impl End {
    /// The field of its address.
    pub const fn address_field(self) -> Field {
        match self {
            Self::Local => Field::LocalAddress,
            Self::Peer => Field::PeerAddress,
        }
    }

    /// The fields of its address and of its unix name.
    pub const fn fields(self) -> (Field, Field) {
        match self {
            Self::Local => (Field::LocalAddress, Field::Path),
            Self::Peer => (Field::PeerAddress, Field::PeerPath),
        }
    }

    /// The field of its port.
    pub const fn port_field(self) -> Field {
        match self {
            Self::Local => Field::LocalPort,
            Self::Peer => Field::PeerPort,
        }
    }
}

/// How the absence of a port or of a peer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As ss does for `sport`, `dport`, `src`, `dst`: a missing port is 0, a missing peer the wildcard address,
    /// and the port of a raw socket is its protocol number.
    Numbers,
    /// As our fields do: what is missing is null, and equal to nothing.
    Fields,
}

/// What an address and a port of one end have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndIs {
    /// Which end.
    pub end: End,
    /// The address; `None` for any.
    pub address: Option<Prefix>,
    /// The port; `None` for any.
    pub ports: Option<Ranges>,
    /// How absence is read.
    pub reading: Reading,
}
