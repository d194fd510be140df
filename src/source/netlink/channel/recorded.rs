//! Replies from a recording.

use std::ops::ControlFlow;

use super::DumpError;
use super::datagram::{Progress, read_datagram};
use crate::source::tape;

/// Passes on the recorded reply, as a replay does.
///
/// # Errors
/// As [`super::Channel::dump`]; [`DumpError::NotRecorded`] if a part is missing.
pub fn replay_answer(
    recorded: &tape::netlink::Replayed,
    mut take: impl FnMut(&[u8]),
) -> Result<(), DumpError> {
    play(recorded, &mut take, &mut || ControlFlow::Continue(()))
}

/// Passes on the recorded reply.
///
/// # Errors
/// As [`replay_answer`].
pub(super) fn play(
    recorded: &tape::netlink::Replayed,
    take: &mut impl FnMut(&[u8]),
    datagram_end: &mut impl FnMut() -> ControlFlow<()>,
) -> Result<(), DumpError> {
    let mut take = |payload: &[u8]| {
        if recorded.wants(payload) {
            take(payload);
        }
    };
    let mut result = Ok(());
    for answer in &recorded.answers {
        if answer.channel_errno != 0 {
            result = Err(DumpError::Channel(answer.channel_errno));
        }
        let mut progress = Ok(Progress::More);
        for datagram in &answer.datagrams {
            progress = read_datagram(datagram, answer.sequence, &mut take);
            if datagram_end().is_break() {
                return Err(DumpError::Stopped);
            }
            if progress != Ok(Progress::More) {
                break;
            }
        }
        match progress {
            Ok(Progress::Done) => {}
            Ok(Progress::More) => result = result.and(Err(DumpError::Lost)),
            Err(error) => result = result.and(Err(error)),
        }
    }
    if recorded.complete {
        result
    } else {
        Err(DumpError::NotRecorded)
    }
}
