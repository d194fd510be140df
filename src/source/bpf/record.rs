//! The records that the BPF program writes, and a reader for them.
//!
//! Pure apart from the given reader. A record may begin in one read and end in the next. Records have no order, and
//! duplicates are not removed: a socket has as many records as descriptors.

use std::io::{self, Read};

use super::btf::FlagMasks;

/// One descriptor that is a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// Process (thread group) id, as seen in our own pid namespace; never 0.
    pub pid: u32,
    /// Thread id, as seen in our own pid namespace, if the descriptor is in a table that the thread does not share with
    /// its leader; otherwise 0. Threads that share such a table, or outlive their leader, have one record each.
    pub tid: u32,
    /// Descriptor number.
    pub fd: u32,
    /// Inode of the socket, as in `socket:[…]` and in `sock_diag` replies.
    pub inode: u32,
    /// What [`super::Wanted::facts`] requests; `None` if not requested.
    pub facts: Option<Facts>,
}

/// What netlink does not report about a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facts {
    /// Inode of the socket's network namespace, as in `net:[…]`.
    pub netns: u32,
    /// `SO_REUSEADDR` is set.
    pub reuseaddr: bool,
    /// `SO_REUSEPORT` is set.
    pub reuseport: bool,
    /// `IPV6_V6ONLY` is set, by the program or by binding to a specific address. Meaningless for other families.
    pub v6only: bool,
}

/// Size of a record: six 32-bit numbers.
const RECORD_BYTES: usize = 24;

/// The kernel fills at most 32 KiB in one read (linux 6.18 `kernel/bpf/bpf_iter.c`,
/// `bpf_seq_read`).
const BUFFER_BYTES: usize = 32 * 1024;

/// How often in a row the reader may return "again" (after a million files without a record) before it counts as stuck.
const MOST_RETRIES: u32 = 10_000;

impl Record {
    /// Decodes pid, tid, fd, inode, network namespace and, in the lowest byte of the last number, the flags; the last
    /// two only if there are masks.
    fn from_bytes(bytes: &[u8; RECORD_BYTES], masks: Option<FlagMasks>) -> Self {
        let mut words = [0; RECORD_BYTES / 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_ne_bytes(*bytes);
        }
        let [pid, tid, fd, inode, netns, flags] = words;
        let is_set = |mask: u8| flags & u32::from(mask) != 0;
        let facts = masks.map(|masks| Facts {
            netns,
            reuseaddr: is_set(masks.reuseaddr),
            reuseport: is_set(masks.reuseport),
            v6only: is_set(masks.v6only),
        });
        Self {
            pid,
            tid,
            fd,
            inode,
            facts,
        }
    }
}

/// Reads records until the end and passes each to the sink, with facts if masks for them are given. Returns their
/// number. The buffer is reused from call to call.
///
/// # Errors
/// Any error of the reader other than "again" or "interrupted"; [`io::ErrorKind::UnexpectedEof`] if the last record is
/// truncated.
pub(super) fn drain(
    reader: &mut impl Read,
    buffer: &mut Vec<u8>,
    masks: Option<FlagMasks>,
    sink: &mut dyn FnMut(&Record),
) -> io::Result<u64> {
    buffer.resize(BUFFER_BYTES, 0);
    let mut records = 0;
    let mut retries = 0;
    // Bytes at the start of the buffer that belong to an incomplete record.
    let mut kept = 0;
    loop {
        let free = buffer.get_mut(kept..).unwrap_or_default();
        let got = match reader.read(free) {
            Ok(0) if kept == 0 => return Ok(records),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && retries < MOST_RETRIES => {
                retries += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        retries = 0;
        let filled = kept + got;
        let (whole, rest) = buffer
            .get(..filled)
            .unwrap_or_default()
            .as_chunks::<RECORD_BYTES>();
        for bytes in whole {
            let record = Record::from_bytes(bytes, masks);
            // The task ended while it was visited.
            if record.pid != 0 {
                records += 1;
                sink(&record);
            }
        }
        kept = rest.len();
        buffer.copy_within(filled - kept..filled, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASKS: Option<FlagMasks> = Some(FlagMasks {
        reuseaddr: 0x0f,
        reuseport: 0x10,
        v6only: 0x20,
    });

    /// A reader that returns at most `step` bytes at a time and "again" or "interrupted" in between.
    struct Stuttering<'a> {
        bytes: &'a [u8],
        step: usize,
        turn: u32,
    }

    impl Read for Stuttering<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.turn += 1;
            match self.turn % 3 {
                1 => Err(io::ErrorKind::WouldBlock.into()),
                2 => Err(io::ErrorKind::Interrupted.into()),
                _ => {
                    let step = self.step.min(into.len());
                    self.bytes.read(&mut into[..step])
                }
            }
        }
    }

    fn drained(bytes: &[u8], step: usize) -> (io::Result<u64>, Vec<Record>) {
        let mut records = Vec::new();
        let mut reader = Stuttering { bytes, step, turn: 0 };
        let result = drain(&mut reader, &mut Vec::new(), MASKS, &mut |record| {
            records.push(*record);
        });
        (result, records)
    }

    fn bytes(records: &[[u32; 6]]) -> Vec<u8> {
        records
            .iter()
            .flatten()
            .flat_map(|word| word.to_ne_bytes())
            .collect()
    }

    #[test]
    fn records_split_over_reads_are_complete_for_every_split() {
        let raw: Vec<_> = (1..=50).map(|n| [n, 0, n + 1, n + 2, n + 3, 0]).collect();
        for step in 1..=100 {
            let (result, records) = drained(&bytes(&raw), step);
            assert_eq!(result.unwrap(), 50, "step {step}");
            let again: Vec<_> = records
                .iter()
                .map(|r| [r.pid, r.tid, r.fd, r.inode, r.facts.unwrap().netns, 0])
                .collect();
            assert_eq!(again, raw, "step {step}");
        }
    }

    #[test]
    fn more_than_a_buffer_is_read_completely() {
        let raw: Vec<_> = (1..=5_000).map(|n| [n, n, n, n, n, 0]).collect();
        let (result, records) = drained(&bytes(&raw), usize::MAX);
        assert_eq!(result.unwrap(), 5_000);
        assert!(
            records
                .iter()
                .zip(&raw)
                .all(|(record, raw)| record.inode == raw[3])
        );
    }

    #[test]
    fn each_flag_has_its_own_bits() {
        let flags = |bits| {
            let (_, records) = drained(&bytes(&[[1, 0, 3, 4, 5, bits]]), usize::MAX);
            let facts = records[0].facts.unwrap();
            (facts.reuseaddr, facts.reuseport, facts.v6only)
        };
        assert_eq!(flags(0x00), (false, false, false));
        assert_eq!(flags(0x01), (true, false, false));
        assert_eq!(flags(0x02), (true, false, false));
        assert_eq!(flags(0x10), (false, true, false));
        assert_eq!(flags(0x20), (false, false, true));
        assert_eq!(flags(0xc0), (false, false, false));
    }

    #[test]
    fn facts_that_were_not_requested_are_missing() {
        let mut records = Vec::new();
        let raw = bytes(&[[1, 2, 3, 4, 0, 0]]);
        drain(&mut raw.as_slice(), &mut Vec::new(), None, &mut |record| {
            records.push(*record);
        })
        .unwrap();
        assert_eq!(
            records,
            [Record {
                pid: 1,
                tid: 2,
                fd: 3,
                inode: 4,
                facts: None
            }]
        );
    }

    #[test]
    fn a_task_that_ended_is_left_out() {
        let (result, records) = drained(&bytes(&[[0, 0, 3, 4, 5, 0], [9, 0, 3, 4, 5, 0]]), usize::MAX);
        assert_eq!(result.unwrap(), 1);
        assert_eq!(records[0].pid, 9);
    }

    #[test]
    fn an_end_inside_a_record_is_an_error() {
        let (result, records) = drained(&bytes(&[[1, 0, 3, 4, 5, 0]; 2])[..47], usize::MAX);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(records.len(), 1);
    }

    #[test]
    fn a_reader_that_only_returns_again_is_given_up() {
        struct Stuck;
        impl Read for Stuck {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
        let error = drain(&mut Stuck, &mut Vec::new(), MASKS, &mut |_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
