//! Walks in recordings: the result of a walk is recorded as a whole, instead of the links that it read.

use std::io;

use super::walk::{Look, Walk};
use crate::source::bpf;
use crate::source::tape::codec::{Bytes, Recordable};
use crate::source::tape::{self, format::Kind};

/// Runs `live`; in a replay, returns the result of the recorded walk. If no recorded walk searched for the same
/// sockets, returns the holders found by any walk, which may not be all.
pub(super) fn walk(look: Look<'_>, live: impl FnOnce() -> io::Result<Walk>) -> io::Result<Walk> {
    if !tape::is_replaying() {
        return tape::note(Kind::Walk, key(look), live);
    }
    let recorded = tape::recorded(Kind::Walk, key(look));
    let mut walk = recorded.unwrap_or_else(|| Ok(all_recorded_holders()))?;
    if let Some(wanted) = look.wanted {
        walk.holders
            .retain(|holder| wanted.binary_search(&holder.inode).is_ok());
    }
    Ok(walk)
}

fn all_recorded_holders() -> Walk {
    let mut all = Walk {
        holders: bpf::recorded_holders(),
        // Marks the result as incomplete.
        io_uring_unread: true,
        processes: 1,
        ..Walk::default()
    };
    for walk in tape::all_recorded::<io::Result<Walk>>(Kind::Walk)
        .into_iter()
        .flatten()
    {
        all.absorb(walk);
    }
    all.holders.sort_unstable();
    all.holders.dedup();
    all
}

/// Returns a key (FNV-1a of the inodes) that is the same for every walk for the same sockets, in every version of this
/// program.
fn key(look: Look<'_>) -> String {
    let hash = |inodes: Option<&[u32]>| {
        let some = inodes.map_or(&[0][..], |_| &[1]);
        let bytes = inodes
            .unwrap_or_default()
            .iter()
            .flat_map(|inode| inode.to_le_bytes());
        some.iter()
            .copied()
            .chain(bytes)
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
    };
    format!("{:016x} {:016x}", hash(look.wanted), hash(look.thorough))
}

impl Recordable for Walk {
    fn encode(&self, out: &mut Vec<u8>) {
        self.holders.encode(out);
        (self.processes, self.refused).encode(out);
        (self.io_uring_unread, self.descriptors_in_flight).encode(out);
        self.out_of_descriptors.encode(out);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<Self> {
        let holders = Recordable::decode(bytes)?;
        let (processes, refused) = Recordable::decode(bytes)?;
        let (io_uring_unread, descriptors_in_flight) = Recordable::decode(bytes)?;
        Some(Self {
            holders,
            processes,
            refused,
            io_uring_unread,
            descriptors_in_flight,
            // Older recordings end here.
            out_of_descriptors: bool::decode(bytes).unwrap_or_default(),
        })
    }

    fn absent() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_recordings_stay_as_they_were_in_version_1() {
        let of = |wanted| {
            key(Look {
                wanted,
                ..Look::default()
            })
        };
        assert_eq!(of(None), "af63bd4c8601b7df af63bd4c8601b7df");
        assert_eq!(of(Some(&[4711])), "be2387b0d3ae6721 af63bd4c8601b7df");
    }
}
