//! Describes for people who owns a row, and who is at the other end.

use super::escape;
use super::human::duration_ms;
use super::span::{Cut, Span};
use crate::model::{OwnerStatus, Row, Socket, State, TimerKind};

/// The rank of a detail about the owner: its container, a timer, why it is hidden.
const DETAIL: u8 = 2;
/// The rank of the owner at the other end.
const OTHER_END: u8 = 3;

/// Returns the owner of a row, and that of the other end if it is on this machine; never blank. Names are escaped,
/// because programs choose their own.
pub fn spans(row: &Row<'_>) -> Vec<Span> {
    let mut spans = match row.ownership.status {
        OwnerStatus::Known => match (first_of(row, 1), row.ownership.holders.first()) {
            (Some(mut name), _) => {
                if row.creator_is_unseen() {
                    name.push(Span::new(" +?", Cut::Never, 1));
                }
                name.extend(container(row));
                name
            }
            // The process ended after its descriptors were listed.
            (None, Some(holder)) => vec![Span::fixed(format!("? gone (pid {})", holder.pid))],
            (None, None) => vec![Span::fixed("? vanished")],
        },
        OwnerStatus::Hidden if row.context.as_root => vec![Span::fixed("? hidden")],
        OwnerStatus::Hidden => vec![
            Span::fixed("? hidden"),
            Span::new(" (needs root)", Cut::Never, DETAIL),
        ],
        OwnerStatus::None => vec![Span::fixed("none (closed)")],
        OwnerStatus::Queued => {
            let mut spans = vec![Span::fixed("not accepted"), Span::new(" yet", Cut::Never, DETAIL)];
            if let Some(listener) = first_of(row, DETAIL) {
                spans.push(Span::new(": ", Cut::Never, DETAIL));
                spans.extend(listener);
            }
            spans
        }
        OwnerStatus::InFlight => vec![
            Span::fixed("? in flight"),
            Span::new(" between processes", Cut::Never, DETAIL),
        ],
        OwnerStatus::Elsewhere => vec![Span::new("? in another pid namespace", Cut::End, 1)],
        OwnerStatus::Kernel => vec![Span::fixed("kernel")],
        OwnerStatus::Unknown => vec![Span::fixed("? vanished")],
        OwnerStatus::NotAsked => Vec::new(),
    };
    if !spans.is_empty() {
        spans.extend(other_end(row));
    }
    if let Some(note) = timer_note(row.socket) {
        let between = match row.ownership.status {
            _ if spans.is_empty() => "",
            OwnerStatus::None => ", ",
            _ => "  ",
        };
        spans.push(Span::new(format!("{between}{note}"), Cut::End, DETAIL));
    }
    spans
}

/// Returns the same as one string.
pub fn text(row: &Row<'_>) -> String {
    spans(row).into_iter().map(|span| span.text).collect()
}

/// The first process that holds the socket, and how many more there are: `nginx 812 +4`.
fn first_of(row: &Row<'_>, rank: u8) -> Option<Vec<Span>> {
    let mut processes = row.processes();
    let first = processes.next()?;
    let number = match processes.count() {
        0 => format!(" {}", first.pid),
        more => format!(" {} +{more}", first.pid),
    };
    Some(vec![
        Span::new(escape::text(&first.program), Cut::End, rank),
        Span::new(number, Cut::Never, rank),
    ])
}

/// ` in CONTAINER`; empty for an owner outside containers.
fn container(row: &Row<'_>) -> Option<Span> {
    let first = row.processes().next()?;
    let container = first.home.container.as_ref()?;
    let title = escape::text(container.title());
    Some(Span::new(format!(" in {title}"), Cut::End, DETAIL))
}

/// The owner of the other end: `<> postgres 2044` for a peer. Empty if it is unknown or not on this machine.
fn other_end(row: &Row<'_>) -> Vec<Span> {
    let Some(peer) = row.of_peer() else {
        return Vec::new();
    };
    let Some(other) = first_of(&peer, OTHER_END) else {
        return Vec::new();
    };
    let relation = match (row.socket.is_listener(), peer.ownership.status) {
        (true, _) => "  waiting: ",
        (_, OwnerStatus::Queued) => " <> not accepted yet: ",
        _ => " <> ",
    };
    let mut spans = vec![Span::new(relation, Cut::Never, OTHER_END)];
    spans.extend(other);
    spans
}

/// The timer, if it explains the state: the end of time-wait, the next retry of a SYN.
fn timer_note(socket: &Socket) -> Option<String> {
    let timer = socket.timer?;
    let left = duration_ms(timer.expires_ms?.into());
    match (socket.state, timer.kind) {
        (State::TimeWait | State::FinWait2, TimerKind::TimeWait) => Some(format!("{left} left")),
        (State::SynSent, TimerKind::On) if timer.retransmits > 0 => {
            Some(format!("retry {}, next in {left}", timer.retransmits))
        }
        _ => None,
    }
}
