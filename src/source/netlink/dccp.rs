//! The differences between DCCP and TCP in inet_diag (linux 6.12 net/dccp/diag.c, include/linux/dccp.h; removed in 6.16).
//!
//! Its states have the same numbers as those of TCP. Two states of its own follow `TCP_MAX_STATES`, which is 13 before
//! Linux 6.8 and 14 since: PARTOPEN (a client whose first packet is not acknowledged; it may send) and PASSIVE_CLOSEREQ
//! (the server asked the client to close). A socket in the latter is shut down in both directions, so the shutdown
//! attribute distinguishes them.

use netlink_packet_sock_diag::constants::INET_DIAG_SHUTDOWN;

use crate::model::{State, StateSet, details};

/// The lowest number of a state that TCP lacks.
const FIRST_OF_ITS_OWN: u8 = 13;
/// The numbers of states that only DCCP has.
const ITS_OWN: u32 = 0b111 << FIRST_OF_ITS_OWN;

/// Returns the mask with which to request these states. Since Linux 6.8, bit 13 selects bound sockets.
pub(super) fn requested(states: StateSet) -> u32 {
    let own = states.contains(State::Established) || states.contains(State::CloseWait);
    states.bits() | if own { ITS_OWN } else { 0 }
}

/// Returns the state with this number. As with TCP, closed sockets are listed only if they are bound.
pub(super) fn state(number: u8, attributes: &[u8]) -> Option<State> {
    if number < FIRST_OF_ITS_OWN {
        return State::from_kernel(number, true);
    }
    let mut attributes = details::attributes(attributes);
    let shutdown = attributes.find(|(kind, _)| *kind == INET_DIAG_SHUTDOWN);
    match shutdown.and_then(|(_, value)| value.first().copied()) {
        _ if number > FIRST_OF_ITS_OWN + 2 => None,
        Some(0) | None => Some(State::Established),
        Some(_) => Some(State::CloseWait),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::message;
    use super::*;

    #[test]
    fn its_own_states_are_distinguished_by_the_shutdown_attribute() {
        let shutdown = |bits: u8| message(Vec::new(), &[(INET_DIAG_SHUTDOWN, &[bits])]);
        for number in [13, 14] {
            assert_eq!(state(number, &shutdown(0)), Some(State::Established), "{number}");
        }
        for number in [14, 15] {
            assert_eq!(state(number, &shutdown(3)), Some(State::CloseWait), "{number}");
        }
        assert_eq!(state(13, &[]), Some(State::Established));
        assert_eq!(state(7, &shutdown(0)), Some(State::Bound));
        assert_eq!((state(0, &[]), state(16, &[])), (None, None));
    }

    #[test]
    fn states_that_a_connection_can_have_are_requested_with_it() {
        let bits = |states: &[State]| requested(StateSet::of_all(states));
        assert_eq!(bits(&[State::Established]), 0xe002);
        assert_eq!(bits(&[State::CloseWait]), 0xe100);
        assert_eq!(bits(&[State::Listen]), 0x400);
    }
}
