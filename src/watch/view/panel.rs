//! The panel: details of the row with the cursor, and its curves.

use std::time::SystemTime;

use ratatui::layout::Rect;

use super::paint::{Canvas, Tone, curve, curve_to, rate, rtt_ms, sockets, wrapped};
use crate::engine::follow::Happened;
use crate::model::Socket;
use crate::render::cells::Column;
use crate::render::facts;
use crate::render::human::{self, rfc3339};
use crate::render::owner;
use crate::watch::data::{Data, Point};
use crate::watch::explain::exposed;
use crate::watch::items::Items;
use crate::watch::programs::Group;
use crate::watch::state::State;

/// The column at which values begin, after their labels.
pub(super) const VALUES: usize = 13;

/// Draws the panel.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    if let Items::Groups(groups) = &state.items
        && let Some(group) = groups.get(state.level().at)
    {
        return of_group(state, group, area, canvas);
    }
    let Some(socket) = state.selected_socket() else {
        canvas.put(0, area.y, area.width, "-- no socket", Tone::Dim);
        return;
    };
    let mut lines = vec![title(state, &socket)];
    lines.extend(accept_queue(state, state.shown(), &socket, area.width.into()));
    lines.extend(curves(state, &socket, area.width.into()));
    lines.extend(exposed(&socket).map(|why| format!("  attention  {why}")));
    let row = state.shown().row(&socket);
    lines.extend(facts::record(&row).lines().map(str::to_owned));
    let command = human::command(&row);
    if !command.is_empty() {
        lines.push(format!("  command    {command}"));
    }
    put_folded(&lines, area, canvas);
}

/// Draws the title and the lines below it, each wrapped over as many screen lines as it needs.
fn put_folded(lines: &[String], area: Rect, canvas: &mut Canvas<'_>) {
    let folded = lines
        .iter()
        .flat_map(|line| wrapped(line, area.width.into(), VALUES));
    for (line, y) in folded.zip(area.y..area.bottom()) {
        let tone = if y == area.y { Tone::Strong } else { Tone::Plain };
        canvas.put(0, y, area.width, &line, tone);
    }
}

/// Draws the figures of a group, and the history of its rates while it was on the screen.
fn of_group(state: &State, group: &Group, area: Rect, canvas: &mut Canvas<'_>) {
    let curves = state.group_curves.get(&group.name);
    let width = usize::from(area.width).saturating_sub(26).min(60);
    let line = |label: &str, now: f64, of: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = curves.into_iter().flatten().map(of).collect();
        let now = format!("{}/s", or_zero(rate(now)));
        format!("  {label:<9}  {now:>9}  {}", curve(&values, width))
    };
    let pids: Vec<String> = group.pids.iter().map(u32::to_string).collect();
    let mut lines = vec![
        format!("-- {}  {}", group.name, sockets(group.sockets as u64)),
        line("out", group.rate.1, |rate| rate.1),
        line("in", group.rate.0, |rate| rate.0),
    ];
    if !pids.is_empty() {
        lines.push(format!("  pids       {}", pids.join(" ")));
    }
    put_folded(&lines, area, canvas);
}

fn title(state: &State, socket: &Socket) -> String {
    let row = state.shown().row(socket);
    let text = |column: Column| -> String {
        let cell = column.cell(&row, false);
        cell.spans.into_iter().map(|span| span.text).collect()
    };
    let (local, peer) = (text(Column::Local), text(Column::Peer));
    let ends = if peer.is_empty() {
        local
    } else {
        format!("{local} - {peer}")
    };
    let fds: Vec<String> = row
        .ownership
        .holders
        .first()
        .map(|holder| format!(", fd {}", holder.fd))
        .into_iter()
        .collect();
    // The kernel reports every socket that it frees as unconnected.
    let is_unseen = state
        .selected_event()
        .is_some_and(|line| line.event.happened == Happened::ClosedUnseen);
    format!(
        "-- {} {ends}  {}  {}{}",
        socket.protocol.name(),
        if is_unseen {
            "closed unseen"
        } else {
            socket.state.ss_name()
        },
        owner::text(&row),
        fds.concat()
    )
}

/// The curve of a listener's accept queue, up to its limit, and since when it has been full.
pub(super) fn accept_queue(state: &State, data: &Data, socket: &Socket, width: usize) -> Option<String> {
    let (waiting, limit) = socket.accept_q().zip(socket.backlog())?;
    let looks = socket
        .identity()
        .map_or_else(Vec::new, |key| state.accept_queue(data, key));
    let is_full = |(_, waiting, limit): &&(SystemTime, u32, u32)| waiting > limit;
    let full = looks.iter().rev().take_while(is_full).count();
    let first = looks.len().checked_sub(full).and_then(|first| looks.get(first));
    let since = first.filter(|_| waiting > limit).and_then(|(clock, ..)| {
        // What happened before the first look is unknown.
        let before = if full == looks.len() { "before " } else { "" };
        let clock = rfc3339(*clock);
        Some(format!("  full since {before}{} UTC", clock.get(11..19)?))
    });
    let room = width.saturating_sub(56).clamp(8, 60);
    let shown = looks.get(looks.len().saturating_sub(room)..).unwrap_or_default();
    let values: Vec<f64> = shown.iter().map(|(_, waiting, _)| (*waiting).into()).collect();
    Some(format!(
        "  accept q   {:>9}  {}{}",
        format!("{waiting}/{limit}"),
        curve_to(&values, f64::from(limit) + 1.0),
        since.unwrap_or_default()
    ))
}

/// The curves of a connection that is read with every look, one line each.
fn curves(state: &State, socket: &Socket, width: usize) -> Vec<String> {
    let data = state.shown();
    let points = socket.identity().and_then(|key| data.curves.get(&key));
    let Some((points, last)) = points.and_then(|points| Some((points, points.back()?))) else {
        return Vec::new();
    };
    let width = width.saturating_sub(26).min(60);
    let drawn = |of: fn(&Point) -> f64| {
        let values: Vec<f64> = points.iter().map(of).collect();
        curve(&values, width)
    };
    let now = socket.identity().and_then(|key| data.rate(key));
    let shown = |of: fn((f64, f64)) -> f64| match now {
        Some(now) => format!("{}/s", or_zero(rate(of(now)))),
        None => "?".to_owned(),
    };
    let lost: u32 = points.iter().map(|point| point.retransmits).sum();
    [
        ("out", shown(|rate| rate.1), drawn(|point| point.rate.1)),
        ("in", shown(|rate| rate.0), drawn(|point| point.rate.0)),
        ("rtt", rtt_ms(last.rtt_us), drawn(|point| point.rtt_us.into())),
        ("lost", lost.to_string(), drawn(|point| point.retransmits.into())),
        (
            "send q",
            human::bytes(last.queues.1.into()),
            drawn(|point| point.queues.1.into()),
        ),
    ]
    .into_iter()
    .map(|(label, value, drawn)| format!("  {label:<9}  {value:>9}  {drawn}"))
    .collect()
}

fn or_zero(rate: String) -> String {
    if rate.is_empty() { "0 B".to_owned() } else { rate }
}
