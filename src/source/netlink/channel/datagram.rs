//! Walks the messages of one datagram.

use netlink_packet_core::{NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer};

use super::DumpError;

/// What one datagram says about its dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// Passes the payload of each message to `take`. Messages of other requests are skipped.
pub(super) fn read_datagram(
    mut rest: &[u8],
    sequence: u32,
    take: &mut impl FnMut(&[u8]),
) -> Result<Progress, DumpError> {
    while let Ok(message) = NetlinkBuffer::new_checked(rest) {
        let length = message.length() as usize;
        if message.sequence_number() == sequence {
            match message.message_type() {
                NLMSG_DONE | NLMSG_ERROR => {
                    // Both message types start with 0 or a negative errno; a missing handler may be reported with
                    // either.
                    let errno = message
                        .payload()
                        .first_chunk()
                        .map_or(0, |bytes| i32::from_ne_bytes(*bytes));
                    return if errno == 0 {
                        Ok(Progress::Done)
                    } else {
                        Err(DumpError::Kernel(errno.wrapping_neg()))
                    };
                }
                control if control < 16 => {}
                _ => take(message.payload()),
            }
        }
        // Messages are padded to four bytes.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(Progress::More)
}
