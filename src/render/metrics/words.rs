//! The values of labels.

use crate::model::{OwnerStatus, Row, State};
use crate::render::escape;

/// The label value for whatever exceeds a limit.
pub(super) const OTHER: &str = "other";
/// The same for programs; parentheses, because a program may itself be called `other`.
pub(super) const OTHER_PROGRAMS: &str = "(other)";

/// The state in the words of OpenTelemetry (`network.connection.state`); `bound` has none there.
pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Established => "established",
        State::SynSent => "syn_sent",
        State::SynRecv => "syn_received",
        State::FinWait1 => "fin_wait_1",
        State::FinWait2 => "fin_wait_2",
        State::TimeWait => "time_wait",
        State::Unconnected => "closed",
        State::CloseWait => "close_wait",
        State::LastAck => "last_ack",
        State::Listen => "listen",
        State::Closing => "closing",
        State::Bound => "bound",
    }
}

/// The program that holds a socket, or the reason in parentheses if there is none. The program is that of the topmost
/// owner, as with `--by process`.
pub(super) fn program(row: &Row<'_>) -> String {
    if let Some(process) = row.topmost() {
        return escape::text(&process.program);
    }
    let why = match row.ownership.status {
        OwnerStatus::Hidden => "(hidden)",
        OwnerStatus::None => "(closed)",
        OwnerStatus::Kernel => "(kernel)",
        _ => "(unknown)",
    };
    why.to_owned()
}

/// Both queues of a socket; 0 for listeners, whose queues contain connections.
pub(super) fn directions(row: &Row<'_>) -> [(&'static str, u64); 2] {
    let bytes = |queue: Option<u32>| queue.unwrap_or_default().into();
    [
        ("receive", bytes(row.socket.recv_q())),
        ("send", bytes(row.socket.send_q())),
    ]
}
