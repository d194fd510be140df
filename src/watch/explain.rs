//! What a row means, in sentences: the state of its socket, its queues, and why it has no owner.

use std::time::Duration;

use super::data::Data;
use crate::model::{OwnerStatus, Protocol, Row, Socket, State};
use crate::render::human;

/// The sentences about a socket.
pub(super) fn explained(socket: &Socket, data: &Data, now: Duration) -> Vec<String> {
    let row = data.row(socket);
    let mut said = Vec::new();
    let is_known = socket
        .identity()
        .is_some_and(|key| data.followed.known().contains(key));
    if let Some(since) = socket.identity().and_then(|key| data.gone_since(key)) {
        let seconds = now.saturating_sub(since).as_secs();
        said.push(format!(
            "It is gone. This is how it was last seen, {seconds} s ago."
        ));
    } else if !is_known {
        said.push("It is gone. This is all that was known of it at its end.".to_owned());
    }
    // The kernel reports every socket that it frees as unconnected.
    let is_freed = !is_known && socket.state == State::Unconnected;
    said.extend(state(socket).filter(|_| !is_freed).map(str::to_owned));
    said.extend(queues(socket));
    said.extend(exposed(socket).map(|why| format!("It is marked with !: {why}.")));
    said.extend(owner(&row).map(str::to_owned));
    if matches!(socket.protocol, Protocol::Udp | Protocol::Udplite) {
        said.push("The kernel does not count its bytes, so their columns show -.".to_owned());
    }
    said
}

/// Why a listener is marked although nothing is wrong with its queue.
pub(super) fn exposed(socket: &Socket) -> Option<&'static str> {
    human::is_exposed(socket).then_some(
        "the usual port of a database or debugger, which often has no password, accepts from every address",
    )
}

fn state(socket: &Socket) -> Option<&'static str> {
    if !socket.protocol.is_tcp() {
        return (socket.state == State::Unconnected).then_some("UNCONN: it receives datagrams from anybody.");
    }
    Some(match socket.state {
        State::Listen => "LISTEN: it accepts connections.",
        State::SynSent => "SYN-SENT: it has requested a connection and has no answer yet.",
        State::SynRecv => {
            "SYN-RECV: a client has requested a connection and has not acknowledged the answer yet."
        }
        State::Established => "ESTAB: it is open in both directions.",
        State::FinWait1 => "FIN-WAIT-1: this end has closed, and the peer has not acknowledged that yet.",
        State::FinWait2 => "FIN-WAIT-2: this end has closed, and the peer has not.",
        State::CloseWait => {
            "CLOSE-WAIT: the peer has closed. It stays open until the program here closes it as well."
        }
        State::LastAck => "LAST-ACK: both ends have closed, and the peer's last acknowledgement is missing.",
        State::Closing => "CLOSING: both ends have closed at the same time.",
        State::TimeWait => {
            "TIME-WAIT: it is closed. The kernel reserves its addresses for a minute because of late packets."
        }
        State::Bound => "It is bound to a port, and neither listens nor is connected.",
        State::Unconnected => return None,
    })
}

/// The bytes that the program has not read. In CLOSE-WAIT, the kernel counts the peer's FIN as a byte until the program
/// has read the end of the stream.
pub(super) fn unread(socket: &Socket) -> Option<u32> {
    let fin = u32::from(socket.protocol == Protocol::Tcp && socket.state == State::CloseWait);
    Some(socket.recv_q()?.saturating_sub(fin))
}

fn queues(socket: &Socket) -> Option<String> {
    if let Some((waiting, limit)) = socket.accept_q().zip(socket.backlog()) {
        let rest = match socket.protocol {
            _ if !socket.accept_queue_is_full() => "",
            // Nothing is dropped: connect() blocks, or fails at once if it must not block.
            Protocol::Unix => {
                " The queue is full: clients wait in connect() until there is room, or get EAGAIN."
            }
            _ => " The queue is full: new ones are dropped, and clients try again.",
        };
        return Some(format!(
            "Accept queue: {waiting} of at most {limit} connections wait to be accepted.{rest}"
        ));
    }
    let of = |bytes: Option<u32>, words: &str| {
        let bytes = bytes.filter(|bytes| *bytes > 0)?;
        let unit = if bytes == 1 { "byte" } else { "bytes" };
        Some(format!("{bytes} {unit} {words}"))
    };
    // The byte that the kernel counts before the handshake ends is the SYN.
    let sent = socket.send_q().filter(|_| socket.state != State::SynSent);
    let parts = [
        of(unread(socket), "that the program has not read"),
        of(sent, "that the peer has not acknowledged"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        let has_only_the_end = socket.state == State::CloseWait && socket.recv_q() == Some(1);
        let words =
            "Its Recv-Q of 1 is the end of the stream: the program has read all data, but not the end.";
        return has_only_the_end.then(|| words.to_owned());
    }
    Some(format!("In its queues: {}.", parts.join(", ")))
}

fn owner(row: &Row<'_>) -> Option<&'static str> {
    Some(match row.ownership.status {
        OwnerStatus::Known if row.ownership.may_be_more => {
            "It may have more holders than are shown: some processes cannot be inspected."
        }
        OwnerStatus::Known => return None,
        OwnerStatus::Hidden => "Its owner is hidden: a process that cannot be inspected may hold it.",
        OwnerStatus::None => "No program holds it any more: the kernel is finishing the connection.",
        OwnerStatus::Queued => "No program has accepted it yet: the owner shown is that of its listener.",
        OwnerStatus::InFlight => {
            "No process holds it, but it may be in flight in a message between two programs."
        }
        OwnerStatus::Elsewhere => "Its owner may be in a pid namespace that is not visible from here.",
        OwnerStatus::Kernel => "The kernel itself uses it.",
        OwnerStatus::Unknown => {
            "Its owner was not found: it ended during the search, or the search is not finished."
        }
        OwnerStatus::NotAsked => "Owners were not requested.",
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
            rqueue: Some(13),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 5000, State::CloseWait)
        };
        let text = explained(&waiting);
        assert!(
            text.contains("The peer has closed") || text.contains("the peer has closed"),
            "{text}"
        );
        assert!(text.contains("12 bytes that the program has not read"), "{text}");
        assert!(text.contains("not requested"), "{text}");
        let read = Socket {
            rqueue: Some(1),
            ..waiting
        };
        let text = explained(&read);
        assert!(
            !text.contains("byte") && text.contains("has read all data, but not the end"),
            "the FIN is no data: {text}"
        );
        let unsent = |state| Socket {
            wqueue: Some(1),
            ..tcp("10.0.0.1", 4000, "10.0.0.2", 80, state)
        };
        assert!(explained(&unsent(State::Established)).contains("1 byte that the peer"));
        assert!(
            !explained(&unsent(State::SynSent)).contains("In its queues"),
            "it is the SYN"
        );
        let full = Socket {
            rqueue: Some(6),
            wqueue: Some(5),
            ..tcp("10.0.0.1", 80, "0.0.0.0", 0, State::Listen)
        };
        assert!(
            explained(&full).contains("6 of at most 5 connections wait to be accepted. The queue is full"),
            "{}",
            explained(&full)
        );
        let unix = Socket {
            protocol: Protocol::Unix,
            ..full
        };
        let text = explained(&unix);
        assert!(
            text.contains("wait in connect()") && !text.contains("dropped"),
            "{text}"
        );
    }
}
