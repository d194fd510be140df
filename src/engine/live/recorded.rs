//! What is read while a recording is made.

use crate::model::request::Dump;
use crate::model::{Socket, StateSet};
use crate::query::field::Cost;

/// The dumps to record: everything about these tables, unfiltered, so that any listing can be answered from the
/// recording.
pub(super) fn everything(dumps: &[Dump]) -> Vec<Dump> {
    let everything = |dump: &Dump| Dump {
        v4: dump.v4,
        v6: dump.v6,
        parts: dump.parts.and(Cost::CONGESTION.and(Cost::MEASURES).parts()),
        ..Dump::new(dump.protocol, StateSet::ALL)
    };
    dumps.iter().map(everything).collect()
}

/// Whether one of the dumps is for the state of a socket.
pub(super) fn is_selected(dumps: &[Dump], socket: &Socket) -> bool {
    dumps
        .iter()
        .any(|dump| dump.protocol == socket.protocol && dump.states.contains(socket.state))
}
