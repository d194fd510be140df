//! What a request says about sockets that no look has shown.

use super::Live;
use crate::model::request::Dump;
use crate::model::{Row, Socket, State};
use crate::query::Match;

impl Live {
    /// Returns whether sockets are selected in whatever state they are.
    pub fn selects_all_states(&self) -> bool {
        let all = |dump: &Dump| {
            let states = [State::Listen, State::Established];
            !dump.protocol.is_tcp() || states.into_iter().all(|state| dump.states.contains(state))
        };
        self.selected.iter().all(all)
    }

    /// Returns whether a socket that the kernel freed may match the request.
    pub fn may_want(&self, socket: &Socket) -> bool {
        let of_protocol = |dump: &Dump| dump.protocol == socket.protocol;
        if !self.request.dumps.iter().any(of_protocol) {
            return false;
        }
        let Some(filter) = &self.request.filter else {
            return true;
        };
        let around = self.around();
        let row = Row {
            socket,
            ownership: around.owners.of(socket),
            context: &around.context,
        };
        filter.matches(&row) != Match::No
    }
}
