//! The states of a socket, with the kernel's numbers and the names of sockstat's JSON.

/// A state as the tables of the kernel report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Established,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    /// Not connected: UDP, raw, ping and unix sockets.
    Unconnected,
    CloseWait,
    LastAck,
    Listen,
    Closing,
    /// TCP after `bind()` and nothing else; in no table under /proc.
    Bound,
}

impl State {
    /// The number (linux 6.18 `include/net/tcp_states.h`).
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Established => 1,
            Self::SynSent => 2,
            Self::SynRecv => 3,
            Self::FinWait1 => 4,
            Self::FinWait2 => 5,
            Self::TimeWait => 6,
            Self::Unconnected | Self::Bound => 7,
            Self::CloseWait => 8,
            Self::LastAck => 9,
            Self::Listen => 10,
            Self::Closing => 11,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn-sent",
            Self::SynRecv => "syn-recv",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::TimeWait => "time-wait",
            Self::Unconnected => "unconnected",
            Self::CloseWait => "close-wait",
            Self::LastAck => "last-ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
            Self::Bound => "bound",
        }
    }
}
