//! What is read while a recording is made.

use crate::model::gap::NOT_RECORDED;
use crate::model::request::Dump;
use crate::model::{Gap, Protocol, Socket, StateSet, Store};
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

/// Drops the losses of tables of which the recording has nothing and that the user did not name: a filter of states
/// selects every table. TCP and UDP are expected in any recording.
pub(super) fn forgive(gaps: &mut Vec<Gap>, dumps: &[Dump], sockets: &Store) {
    let is_expected = |protocol: Protocol| {
        let is_named = |dump: &Dump| dump.protocol == protocol && dump.named;
        matches!(protocol, Protocol::Tcp | Protocol::Udp)
            || dumps.iter().any(is_named)
            || has_any(sockets, protocol)
    };
    gaps.retain(|gap| gap.code != NOT_RECORDED || gap.protocol.is_none_or(is_expected));
}

/// Whether there are sockets of a protocol.
pub(super) fn has_any(sockets: &Store, protocol: Protocol) -> bool {
    sockets.keys().any(|(key, _)| key.0 == protocol)
}

/// Whether one of the dumps is for the state of a socket.
pub(super) fn is_selected(dumps: &[Dump], socket: &Socket) -> bool {
    dumps
        .iter()
        .any(|dump| dump.protocol == socket.protocol && dump.states.contains(socket.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;
    use crate::query::samples::tcp;

    #[test]
    fn a_table_that_was_not_recorded_is_a_loss_only_if_it_was_named_or_has_sockets() {
        let lacks = |protocol: Protocol| Gap::loss(NOT_RECORDED, protocol.name()).of(protocol);
        let dump = |protocol, named| Dump {
            named,
            ..Dump::new(protocol, StateSet::ALL)
        };
        let dumps = [dump(Protocol::Netlink, false), dump(Protocol::Unix, true)];
        let one = Socket {
            protocol: Protocol::Mptcp,
            cookie: std::num::NonZeroU64::new(7),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::Established)
        };
        let all = [
            Protocol::Tcp,
            Protocol::Unix,
            Protocol::Netlink,
            Protocol::Packet,
            Protocol::Mptcp,
        ];
        let mut gaps: Vec<Gap> = all.into_iter().map(lacks).collect();
        gaps.push(Gap::loss("dump-incomplete", "").of(Protocol::Packet));
        forgive(&mut gaps, &dumps, &Store::of([&one]));
        let left: Vec<_> = gaps.iter().filter_map(|gap| gap.protocol).collect();
        let expected = [Protocol::Tcp, Protocol::Unix, Protocol::Mptcp, Protocol::Packet];
        assert_eq!(left, expected);
    }
}
