//! What is recorded besides sockets and their owners, so that `why` can answer from each look of a recording.

use std::collections::BTreeSet;

use crate::command::read::processes;
use crate::engine::live::Around;
use crate::model::{Socket, State, Store};
use crate::source::tape::format::Kind;
use crate::source::{system, tape};

/// The processes described so far.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    described: BTreeSet<u32>,
}

impl Surroundings {
    /// Records the network settings, and the holders of sockets that wait for connections or datagrams. What has not
    /// changed since an earlier look is not written again.
    pub(super) fn record(&mut self, sockets: &Store, around: &Around) {
        tape::write_down(Kind::Fact, "asked by why", &true);
        system::read();
        let mut slot = Socket::BLANK;
        for (key, state) in sockets.keys() {
            let waits = matches!(state, State::Listen | State::Bound | State::Unconnected);
            if waits && sockets.read(key, &mut slot) {
                for holder in around.owners.of(&slot).holders {
                    if self.described.insert(holder.pid) {
                        processes::described(holder.pid);
                    }
                }
            }
        }
    }
}
