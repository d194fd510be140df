//! A recording for one test, and for the threads that the test starts.

use std::cell::Cell;
use std::sync::Mutex;

use super::codec::{self, Recordable};
use super::format::{Kind, Record};
use super::netlink::{Answer, key_of};
use super::{Replay, Tape};

thread_local! {
    static TAPE: Cell<Option<&'static Tape>> = const { Cell::new(None) };
}

/// The recording of this thread.
pub(super) fn current() -> Option<&'static Tape> {
    TAPE.get()
}

/// Returns `work` for another thread, with this thread's recording.
pub(super) fn inherited<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let tape = TAPE.get();
    move || {
        TAPE.set(tape);
        work()
    }
}

/// Runs `work` with answers from these records only.
pub(crate) fn replaying<T>(records: Vec<Record>, work: impl FnOnce() -> T) -> T {
    let tape = Tape::Replaying(Mutex::new(Replay::of(records)));
    // Threads may outlive the test, so the few records per test are leaked.
    TAPE.set(Some(Box::leak(Box::new(tape))));
    let result = work();
    TAPE.set(None);
    result
}

/// Returns a record of this value.
pub(crate) fn record(kind: Kind, key: &str, value: &impl Recordable) -> Record {
    Record {
        kind,
        key: key.as_bytes().to_vec(),
        value: codec::encoded(value),
    }
}

/// The record of a reply to a request.
pub(crate) fn reply(request: &[u8], answer: &Answer) -> Record {
    Record {
        kind: Kind::Netlink,
        key: key_of(request),
        value: codec::encoded(answer),
    }
}
