//! The other ends of rows on this machine, and their holders.
//!
//! [`Ends`] says which socket it is, [`Owners`] who holds it. An end that was not among the sockets read has no owner.

use std::num::NonZeroU32;

use super::ends::Ends;
use super::{Endpoints, HolderTable, OwnerStatus, Owners, Ownership, Socket, State, UnixPair};

/// The other ends of the rows of a run. Empty if not requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Which socket is at the other end.
    pub ends: Ends,
    /// Who holds the sockets at the other ends.
    pub owners: Owners,
    /// For unix sockets with several other ends (a datagram socket with many senders, a listener with waiting clients):
    /// the holders of all these ends, by the inode of the socket.
    pub gathered: HolderTable,
    /// The processes at the other ends of the rows, sorted.
    pub pids: Vec<u32>,
    /// How many rows have another end whose owner is hidden.
    pub hidden: u64,
}

/// The other end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Its inode; `None` if it has none, or if there are several.
    pub inode: Option<NonZeroU32>,
    /// Its unix name, with the leading NUL if it is abstract.
    pub name: Option<&'a [u8]>,
    /// Its owners; if there are several ends, the holders of any of them.
    pub ownership: Ownership<'a>,
}

impl Peers {
    /// The other end of `socket`; `None` if it is not on this machine, unknown, or was not requested.
    pub fn of<'a>(&'a self, socket: &Socket) -> Option<Peer<'a>> {
        match &socket.endpoints {
            Endpoints::Inet(pair) => {
                let end = self.ends.inet_other(socket, pair)?;
                Some(Peer {
                    inode: end.inode,
                    name: None,
                    ownership: self.owners.of(&end.socket()),
                })
            }
            Endpoints::Unix(pair) => self.of_unix(socket, pair),
            _ => None,
        }
    }

    fn of_unix<'a>(&'a self, socket: &Socket, pair: &UnixPair) -> Option<Peer<'a>> {
        let own = socket.inode?.get();
        let first = self.ends.unix_others(own).next()?;
        let named = self.ends.unix_named(socket, pair);
        let several = self.ends.unix_others(own).nth(1).is_some();
        Some(Peer {
            inode: pair.peer_inode,
            name: named.and_then(|inode| self.ends.unix_name(inode)),
            ownership: if several {
                self.of_several(own)
            } else {
                self.owners.of(&unix_end(first))
            },
        })
    }

    fn of_several(&self, own: u32) -> Ownership<'_> {
        let holders = self.gathered.of(own);
        if !holders.is_empty() {
            return Ownership {
                status: OwnerStatus::Known,
                holders,
                may_be_more: self.owners.unseen().is_any(),
            };
        }
        let statuses = self
            .ends
            .unix_others(own)
            .map(|other| self.owners.of(&unix_end(other)).status);
        Ownership {
            status: statuses.min().unwrap_or(OwnerStatus::Unknown),
            holders: &[],
            may_be_more: false,
        }
    }
}

/// A unix socket of which only the inode matters.
fn unix_end(inode: u32) -> Socket {
    Socket {
        endpoints: Endpoints::Unix(UnixPair::default()),
        state: State::Established,
        inode: NonZeroU32::new(inode),
        ..Socket::BLANK
    }
}
