//! Shared by the decoders of several families: numbers in fixed kernel structures, and the initialisation of a socket.

use std::num::{NonZeroU32, NonZeroU64};

use crate::model::details::kind;
use crate::model::request::Wanted;
use crate::model::{Backend, Family, Protocol, Socket, SocketType, State};

/// Offset of `rmem_alloc` in the memory attribute of every family (`SK_MEMINFO_*`, linux 6.18
/// include/uapi/linux/sock_diag.h).
const RMEM_ALLOC: usize = 0;
/// Offset of `wmem_alloc`.
pub(super) const WMEM_ALLOC: usize = 8;
/// Offset of `drops`; older kernels end before it.
pub(super) const DROPS: usize = 32;

/// Returns the 32-bit number at an offset, if the structure is that long.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

/// Resets `slot` for a socket of this protocol, but keeps the memory allocated for details. The header has the inode at
/// `at`, followed by the cookie.
#[inline]
pub(super) fn begin(
    slot: &mut Socket,
    (protocol, family): (Protocol, Family),
    kind: u8,
    state: State,
    header: &[u8],
    at: usize,
) {
    let mut details = std::mem::take(&mut slot.details);
    details.clear();
    let field = |more: usize| word(header, at + more).unwrap_or(0);
    *slot = Socket {
        protocol,
        family,
        kind: SocketType::from_kernel(kind),
        state,
        inode: NonZeroU32::new(field(0)),
        cookie: NonZeroU64::new(u64::from(field(8)) << 32 | u64::from(field(4))),
        backend: Backend::SockDiag,
        details,
        ..Socket::BLANK
    };
}

/// Reads the receive queue and the drops from the memory attribute, and keeps all of it if wanted.
pub(super) fn read_memory(slot: &mut Socket, wanted: Wanted, value: &[u8]) {
    if wanted == Wanted::Details {
        slot.details.push(kind::SKMEMINFO, value);
    }
    slot.rqueue = word(value, RMEM_ALLOC);
    slot.drops = word(value, DROPS).map(u64::from);
}

#[cfg(test)]
pub(super) mod tests {
    /// Numbers as the kernel lays them out.
    pub(in super::super) fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    /// A header followed by attributes.
    pub(in super::super) fn message(header: Vec<u8>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = header;
        for (kind, value) in attributes {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }
}
