//! Socket states and sets of states, with the kernel's numbers for TCP.

named! {
    /// The state of a socket. Families without their own states use the numbers of TCP.
    ///
    /// Numbers: linux 6.18 include/net/tcp_states.h. Two of them differ in replies: the kernel reports a half-open
    /// request (12, NEW_SYN_RECV) as 3, and a TCP socket that is only bound (13) as 7.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    pub enum State {
        /// Connected.
        Established = 1 => "established",
        /// We sent a SYN.
        SynSent = 2 => "syn-sent",
        /// A half-open connection of a listener.
        SynRecv = 3 => "syn-recv",
        /// Closed here, not acknowledged yet.
        FinWait1 = 4 => "fin-wait-1",
        /// Closed here and acknowledged; the peer may still send.
        FinWait2 = 5 => "fin-wait-2",
        /// Both sides closed; the tuple stays reserved.
        TimeWait = 6 => "time-wait",
        /// Not connected (UDP, raw, unix datagram and so on).
        Unconnected = 7 => "unconnected",
        /// The peer closed, the program here has not.
        CloseWait = 8 => "close-wait",
        /// Both closed, our FIN is not acknowledged yet.
        LastAck = 9 => "last-ack",
        /// Accepts connections.
        Listen = 10 => "listen",
        /// Both sides closed at once.
        Closing = 11 => "closing",
        /// TCP: bound to a port, neither listening nor connected.
        Bound = 13 => "bound",
    }
}

impl State {
    /// Returns the state with this kernel number. With `tcp`, 7 means bound instead of unconnected: sock_diag lists
    /// closed TCP sockets only in reply to a request for pseudo-state 13.
    pub const fn from_kernel(number: u8, tcp: bool) -> Option<Self> {
        Some(match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 | 12 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 if tcp => Self::Bound,
            7 => Self::Unconnected,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            13 => Self::Bound,
            _ => return None,
        })
    }

    /// Returns the word of ss's State column, where bound TCP sockets are UNCONN like unconnected ones.
    pub const fn ss_name(self) -> &'static str {
        match self {
            Self::Established => "ESTAB",
            Self::SynSent => "SYN-SENT",
            Self::SynRecv => "SYN-RECV",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::TimeWait => "TIME-WAIT",
            Self::Unconnected | Self::Bound => "UNCONN",
            Self::CloseWait => "CLOSE-WAIT",
            Self::LastAck => "LAST-ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
        }
    }

    /// Returns the state with this name, ignoring case. The names of ss and netstat are understood as well.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let ours = match name.as_str() {
            "listening" => "listen",
            "estab" => "established",
            "syn-rcv" => "syn-recv",
            "close" | "closed" | "unconn" => "unconnected",
            "bound-inactive" => "bound",
            other => other,
        };
        Self::ALL.into_iter().find(|state| state.name() == ours)
    }
}

/// A set of states, as the bit mask that sock_diag takes: bit `1 << number`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StateSet(u32);

impl StateSet {
    /// No state.
    pub const NONE: Self = Self(0);
    /// Every state, including half-open requests (12).
    pub const ALL: Self = Self(0x3ffe);
    /// The default of `ss` for TCP: all but listen, unconnected, time-wait and syn-recv. Includes bound sockets, as in
    /// iproute2 since 6.8.
    pub const CONN: Self = Self(0x2b36);
    /// The states of `-l`: listen, and unconnected for families without listeners.
    pub const LISTENING: Self = Self((1 << 10) | (1 << 7));

    /// The set of one state.
    pub const fn of(state: State) -> Self {
        match state {
            // Bit 12 adds the half-open requests, which the kernel keeps separately; they are shown as syn-recv.
            State::SynRecv => Self((1 << 3) | (1 << 12)),
            state => Self(1 << state as u32),
        }
    }

    /// The set of these states.
    pub fn of_all(states: &[State]) -> Self {
        states
            .iter()
            .fold(Self::NONE, |set, state| set.union(Self::of(*state)))
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The states in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The states of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the state is in it.
    pub const fn contains(self, state: State) -> bool {
        self.0 & (1 << state as u32) != 0
    }

    /// Returns the number of states; half-open requests count with syn-recv.
    pub const fn len(self) -> u32 {
        (self.0 & !(1 << 12)).count_ones()
    }

    /// Returns the mask for `idiag_states` and `udiag_states`.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns the set that an ss keyword names: a state, or one of the groups `all`, `connected`, `synchronized`,
    /// `bucket`, `big` (ss(8), iproute2 7.1).
    pub fn from_word(word: &str) -> Option<Self> {
        let bucket = Self::of_all(&[State::SynRecv, State::TimeWait]);
        let connected = Self::ALL.without(Self::LISTENING);
        Some(match word.to_ascii_lowercase().as_str() {
            "all" => Self::ALL,
            "connected" => connected,
            "synchronized" => connected.without(Self::of(State::SynSent)),
            "bucket" => bucket,
            "big" => Self::ALL.without(bucket),
            _ => Self::of(State::from_name(word)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_name_is_parsed_in_any_case() {
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
            assert_eq!(State::from_name(&state.name().to_uppercase()), Some(state));
        }
        assert_eq!(State::from_name("nonsense"), None);
    }

    #[test]
    fn closed_tcp_is_bound_and_other_closed_sockets_are_unconnected() {
        assert_eq!(State::from_kernel(7, true), Some(State::Bound));
        assert_eq!(State::from_kernel(7, false), Some(State::Unconnected));
        assert_eq!(State::from_kernel(12, true), Some(State::SynRecv));
        assert_eq!(State::from_kernel(0, true), None);
    }

    #[test]
    fn the_default_of_ss_hides_listeners_time_wait_and_requests_but_not_bound() {
        let shown = StateSet::CONN;
        for hidden in [State::Listen, State::Unconnected, State::TimeWait, State::SynRecv] {
            assert!(!shown.contains(hidden), "{hidden:?}");
        }
        assert!(shown.contains(State::Bound));
        assert!(shown.contains(State::Established));
        // Bit 12 would include half-open requests, which are reported as syn-recv.
        assert_eq!(shown.bits() & (1 << 12), 0);
    }

    #[test]
    fn groups_are_those_of_ss() {
        let set = |word| StateSet::from_word(word).unwrap();
        assert!(set("connected").contains(State::TimeWait));
        assert!(!set("connected").contains(State::Listen));
        assert!(!set("synchronized").contains(State::SynSent));
        assert_eq!(set("bucket").len(), 2);
        assert!(!set("big").contains(State::TimeWait));
        assert_eq!(set("all"), StateSet::ALL);
        assert_eq!(StateSet::from_word("new-syn-recv"), None);
    }
}
