//! The content of a recorded request: the key of a dump.

use netlink_packet_core::NLM_F_DUMP;
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use netlink_packet_sock_diag::constants::TCP_CLOSE;

use super::NETNS_PREFIX;
use crate::source::uapi::{
    AF_INET, AF_INET6, AF_UNIX, INET_DIAG_REQ_PROTOCOL, IPPROTO_TCP, TCP_BOUND_INACTIVE, TCPDIAG_GETSOCK,
};

/// The key used for files of `ss -D`, which have no request.
pub(super) const KEY_OF_SS: &[u8] = b"ss -D";

/// The length of the netlink header and `struct inet_diag_req_v2`; attributes follow.
const INET_REQUEST_BYTES: usize = 72;
/// The same with the older `struct inet_diag_req`.
const TCP_REQUEST_BYTES: usize = 76;

/// Whether the record with this key is a dump of sockets, which in a recording of several looks belongs to its own look
/// only.
pub(super) fn is_of_sockets(key: &[u8]) -> bool {
    let request = match key.strip_prefix(NETNS_PREFIX.as_bytes()) {
        Some(rest) => rest.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default(),
        None => key,
    };
    Asked::read(request).is_some()
}

/// The content of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Address family and protocol; the IP families count as one.
    pub(super) table: (u8, u32),
    pub(super) v4: bool,
    pub(super) v6: bool,
    pub(super) states: u32,
    pub(super) extensions: u32,
    /// Whether the kernel was asked to omit some sockets of these states.
    pub(super) narrowed: bool,
}

impl Asked {
    pub(super) fn read(key: &[u8]) -> Option<Self> {
        let tcp = Self {
            table: (AF_INET, IPPROTO_TCP.into()),
            v4: true,
            v6: true,
            states: u32::MAX,
            extensions: u32::MAX,
            narrowed: false,
        };
        if key == KEY_OF_SS {
            return Some(tcp);
        }
        let word = |at: usize| Some(u32::from_ne_bytes(*key.get(at..)?.first_chunk()?));
        let short = |at: usize| Some(u16::from_ne_bytes(*key.get(at..)?.first_chunk()?));
        let byte = |at: usize| key.get(at).copied();
        if short(6)? & NLM_F_DUMP == 0 {
            return None;
        }
        let (kind, family) = (short(4)?, byte(16)?);
        match (kind, family) {
            (TCPDIAG_GETSOCK, _) => Some(Self {
                states: word(68)?,
                extensions: byte(19)?.into(),
                narrowed: word(20)? != 0 || key.len() > TCP_REQUEST_BYTES,
                ..tcp
            }),
            (SOCK_DIAG_BY_FAMILY, AF_INET | AF_INET6) => {
                let mut asked = Self {
                    table: (AF_INET, byte(17)?.into()),
                    v4: family == AF_INET,
                    v6: family == AF_INET6,
                    states: word(20)?,
                    extensions: byte(18)?.into(),
                    narrowed: word(24)? != 0,
                };
                let mut at = INET_REQUEST_BYTES;
                while let (Some(length), Some(kind)) = (short(at), short(at + 2)) {
                    if kind == INET_DIAG_REQ_PROTOCOL {
                        asked.table.1 = word(at + 4)?;
                    } else {
                        asked.narrowed = true;
                    }
                    at += usize::from(length).next_multiple_of(4).max(4);
                }
                Some(asked)
            }
            (SOCK_DIAG_BY_FAMILY, AF_UNIX) => Some(Self {
                table: (AF_UNIX, 0),
                states: word(20)?,
                extensions: word(28)?,
                ..tcp
            }),
            // Requests for the other families have no states, or the kernel ignores them.
            (SOCK_DIAG_BY_FAMILY, family) => Some(Self {
                table: (family, 0),
                ..tcp
            }),
            _ => None,
        }
    }

    /// Returns whether the socket with this payload was requested, as far as its first bytes show.
    pub(super) fn wants(&self, payload: &[u8]) -> bool {
        let [family, state, ..] = *payload else {
            return false;
        };
        if self.table.0 != AF_INET {
            return true;
        }
        // A closed TCP socket is requested with the bit of bound ones.
        let states = if state == TCP_CLOSE {
            1 << TCP_CLOSE | 1 << TCP_BOUND_INACTIVE
        } else {
            1u32.checked_shl(state.into()).unwrap_or(0)
        };
        let in_family = match family {
            AF_INET => self.v4,
            AF_INET6 => self.v6,
            _ => false,
        };
        in_family && self.states & states != 0
    }

    pub(super) fn is_of_same_table(&self, wanted: &Self) -> bool {
        self.table == wanted.table && ((self.v4 && wanted.v4) || (self.v6 && wanted.v6))
    }

    /// Returns whether a reply to this request has every wanted socket in its states, with all wanted details.
    pub(super) fn covers_states(&self, wanted: &Self) -> bool {
        !self.narrowed && wanted.extensions & !self.extensions == 0
    }
}
