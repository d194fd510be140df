//! What a row means, in sentences: the state of its socket, its queues, and why it has no owner.

use std::time::Duration;

use super::data::Data;
use crate::model::{OwnerStatus, Protocol, Row, Socket, State};

/// The sentences about a socket.
pub(super) fn explained(socket: &Socket, data: &Data, now: Duration) -> Vec<String> {
    let row = data.row(socket);
    let mut said = Vec::new();
    if let Some(since) = socket.identity().and_then(|key| data.gone_since(key)) {
        let seconds = now.saturating_sub(since).as_secs();
        said.push(format!(
            "It is gone: it was last seen {seconds} s ago, as it is shown here."
        ));
    }
    said.extend(state(socket).map(str::to_owned));
    said.extend(queues(socket));
    said.extend(owner(&row).map(str::to_owned));
    if matches!(socket.protocol, Protocol::Udp | Protocol::Udplite) {
        said.push("The kernel counts no bytes of it: - where they would be.".to_owned());
    }
    said
}

fn state(socket: &Socket) -> Option<&'static str> {
    if !matches!(socket.protocol, Protocol::Tcp | Protocol::Mptcp) {
        return (socket.state == State::Unconnected).then_some("UNCONN: it takes datagrams from anybody.");
    }
    Some(match socket.state {
        State::Listen => "LISTEN: it takes connections.",
        State::SynSent => "SYN-SENT: it asked for a connection and has no answer yet.",
        State::SynRecv => "SYN-RECV: a client asked for a connection and has not confirmed the answer yet.",
        State::Established => "ESTAB: it is open in both directions.",
        State::FinWait1 => "FIN-WAIT-1: this end has closed, and the peer has not confirmed that yet.",
        State::FinWait2 => "FIN-WAIT-2: this end has closed, and the peer has not.",
        State::CloseWait => {
            "CLOSE-WAIT: the peer has closed. It stays until the program here closes it as well."
        }
        State::LastAck => "LAST-ACK: both ends have closed, and the peer's last confirmation is missing.",
        State::Closing => "CLOSING: both ends have closed at the same time.",
        State::TimeWait => {
            "TIME-WAIT: it is closed. The kernel keeps its addresses for a minute, against late packets."
        }
        State::Bound => "It is bound to a port, and neither listens nor is connected.",
        State::Unconnected => return None,
    })
}

fn queues(socket: &Socket) -> Option<String> {
    if let Some((waiting, limit)) = socket.accept_q().zip(socket.backlog()) {
        let rest = if socket.accept_queue_is_full() {
            "The queue is full: what comes now is dropped, and clients try again."
        } else {
            "Those are connections that the program has not accepted yet."
        };
        return Some(format!("Accept queue: {waiting} of at most {limit}. {rest}"));
    }
    let of = |bytes: Option<u32>, words: &str| {
        bytes
            .filter(|bytes| *bytes > 0)
            .map(|bytes| format!("{bytes} bytes {words}"))
    };
    let parts = [
        of(socket.recv_q(), "that the program has not read"),
        of(socket.send_q(), "that the peer has not confirmed"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("In its queues: {}.", parts.join(", ")))
}

fn owner(row: &Row<'_>) -> Option<&'static str> {
    Some(match row.ownership.status {
        OwnerStatus::Known if row.ownership.may_be_more => {
            "Its holders are named as far as they may be seen: some processes may not be looked into."
        }
        OwnerStatus::Known => return None,
        OwnerStatus::Hidden => "Its owner is hidden: a process that may not be looked into may hold it.",
        OwnerStatus::None => "No program has it any more: the kernel ends it alone.",
        OwnerStatus::Queued => "No program has accepted it yet: the owner of its listener is named.",
        OwnerStatus::InFlight => {
            "Nobody holds it, but it may be on its way in a message between two programs."
        }
        OwnerStatus::Elsewhere => "Its owner may be in a pid namespace that is not seen from here.",
        OwnerStatus::Kernel => "The kernel itself uses it.",
        OwnerStatus::Unknown => {
            "Its owner was not found: it went while it was looked for, or is looked for again."
        }
        OwnerStatus::NotAsked => "Its owner was not asked for.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::samples::tcp;

    #[test]
    fn a_row_is_explained_by_state_queue_and_owner() {
        let data = Data::default();
        let explained = |socket: &Socket| super::explained(socket, &data, Duration::ZERO).join(" ");
        let waiting = Socket {
            rqueue: Some(12),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::CloseWait)
        };
        let text = explained(&waiting);
        assert!(
            text.contains("The peer has closed") || text.contains("the peer has closed"),
            "{text}"
        );
        assert!(text.contains("12 bytes that the program has not read"), "{text}");
        assert!(text.contains("not asked for"), "{text}");
        let full = Socket {
            rqueue: Some(6),
            wqueue: Some(5),
            ..tcp("10.0.0.1", 80, "0.0.0.0", 0, State::Listen)
        };
        assert!(
            explained(&full).contains("6 of at most 5. The queue is full"),
            "{}",
            explained(&full)
        );
    }
}
