//! Draws the state. The only decision made here is what fits.

mod header;
pub(super) mod pages;
mod paint;
mod panel;
mod rows;
mod table;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::areas::{Areas, areas};
use super::level::{Sort, View};
use super::state::{Mode, State};
use crate::query::field::Field;
use header::header;
use paint::{Canvas, Tone, count, cut_words, whole_words};
use table::{BETWEEN, Row, aligned, fit, text_of};

/// Draws the screen.
pub fn view(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let mut canvas = Canvas::new(frame.buffer_mut(), state.setup.utf8, state.setup.colour);
    draw(state, area, &mut canvas);
}

fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let areas = areas(state.size, state.has_panel);
    match &state.mode {
        Mode::Help(top) => return pages::help(state, *top, area, canvas),
        Mode::Explain => return pages::explain(state, area, canvas),
        Mode::Why(page) => return pages::why(state, page, area, canvas),
        Mode::Question(question) => return pages::question(state, question, area, canvas),
        _ => {}
    }
    header(state, areas.header, canvas);
    body(state, areas, canvas);
    panel::draw(state, areas.panel, canvas);
    footer(state, areas, canvas);
}

/// The rows on the screen.
fn visible(state: &State, height: usize) -> Vec<Row> {
    let level = state.level();
    (level.top..(level.top + height).min(state.items.len()))
        .map(|at| rows::row(&state.items, at, state.shown(), state.now).unwrap_or_default())
        .collect()
}

fn body(state: &State, areas: Areas, canvas: &mut Canvas<'_>) {
    let area = areas.rows;
    let level = state.level();
    let shown = visible(state, area.height.into());
    let columns = rows::columns(level.view);
    // Leaves room for the mark, the cursor, and a blank at the end.
    let hidden = state.hidden.get(level.view as usize).copied().unwrap_or(0);
    let fitted = fit(columns, &shown, usize::from(area.width).saturating_sub(2), hidden);
    if areas.headings.height > 0 {
        let headings: Vec<String> = fitted
            .iter()
            .map(|(at, column, width)| aligned(&title(state, *at, column.title), column, *width))
            .collect();
        let headings = headings.join(BETWEEN);
        canvas.put(
            2,
            areas.headings.y,
            areas.headings.width,
            headings.trim_end(),
            Tone::Dim,
        );
    }
    if state.items.is_empty() {
        nothing(state, area, canvas);
    }
    let is_old = !state.is_current || state.failed.is_some();
    for (row, y) in shown.iter().zip(area.y..) {
        let is_selected = level.top + usize::from(y - area.y) == level.at;
        let line = Rect::new(area.x, y, area.width, 1);
        canvas.put(0, y, 1, &row.mark.to_string(), row.tone);
        if is_selected {
            canvas.put(1, y, 1, ">", Tone::Strong);
        }
        let mut x: u16 = 2;
        for (at, column, width) in &fitted {
            let Some(cell) = row.cells.get(*at) else { continue };
            let tone = if is_old {
                Tone::Dim
            } else if cell.tone == Tone::Plain {
                row.tone
            } else {
                cell.tone
            };
            let width = u16::try_from(*width).unwrap_or(u16::MAX);
            let text = text_of(cell, column, width.into());
            canvas.put(x, y, width, text.trim_end(), tone);
            x = x.saturating_add(width + 2);
        }
        if is_selected {
            canvas.tone(line, Tone::Selected);
        }
    }
}

/// The heading of a column, with a `v` or `^` if rows are sorted by it.
fn title(state: &State, at: usize, title: &str) -> String {
    let level = state.level();
    // Groups have the name of what they are grouped by.
    let group = (level.view == View::Programs && at == 0 && level.by != Field::Process)
        .then(|| level.by.name().to_uppercase().replace('_', " "));
    let is_name = group.is_some() && level.sort == Sort::Program;
    let title = group.as_deref().unwrap_or(title);
    let sorted = match level.sort {
        Sort::Usual => return title.to_owned(),
        Sort::Count => ["CONNS", "SOCKETS"],
        Sort::In => ["IN/s", ""],
        Sort::Out => ["OUT/s", ""],
        Sort::Rtt => ["RTT", ""],
        Sort::RecvQ => ["RECV-Q", "ACCEPT-Q"],
        Sort::SendQ => ["SEND-Q", ""],
        Sort::State => ["STATE", ""],
        Sort::Peer => ["PEER", ""],
        Sort::Program => ["PROGRAM", ""],
    };
    if sorted.contains(&title) || is_name {
        let is_down = level.sort.is_descending() != level.is_turned;
        format!("{title}{}", if is_down { "v" } else { "^" })
    } else {
        title.to_owned()
    }
}

/// Why there are no rows.
fn nothing(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let known = state.data.followed.known().len() as u64;
    let total = count(state.data.total.unwrap_or(known).max(known));
    let filter = state.whole_filter();
    let words = if !state.is_current || state.shown().looked_at_all.is_none() {
        "reading".to_owned()
    } else if state.level().view == View::Events {
        "nothing opened, changed or closed yet".to_owned()
    } else if filter.is_empty() && state.preview.is_none() {
        "no sockets".to_owned()
    } else {
        format!("none of {total} sockets matches; it is shown here as soon as one opens")
    };
    canvas.put(2, area.y, area.width.saturating_sub(2), &words, Tone::Dim);
    let esc = (state.is_current && !filter.is_empty()).then(|| "Esc drops the filter".to_owned());
    let lines = state.near.clone().into_iter().chain(esc);
    for (line, y) in lines.zip(area.y + 1..area.bottom()) {
        canvas.put(2, y, area.width.saturating_sub(2), &line, Tone::Dim);
    }
}

fn footer(state: &State, areas: Areas, canvas: &mut Canvas<'_>) {
    if let (Some((at, _)), 1, 1) = (&state.past, areas.finding.height, areas.loss.height) {
        strip(state, *at, areas, canvas);
        return keys_line(state, areas, canvas);
    }
    let mut findings = state.findings.iter().cloned();
    let finding = findings.next();
    let loss = state
        .failed
        .as_ref()
        .map(|(why, ..)| why.clone())
        .or_else(|| state.loss.clone());
    match (areas.finding.height, areas.loss.height) {
        (1, 1) => {
            line(areas.finding, finding.as_deref(), Tone::Alarm, canvas);
            // If nothing is missing, there is room for another problem.
            let second = loss.or_else(|| findings.next());
            match second.or_else(|| choice_words(&state.mode)) {
                Some(second) => line(areas.loss, Some(&second), Tone::Warn, canvas),
                None => line(areas.loss, left_out(state).as_deref(), Tone::Dim, canvas),
            }
        }
        (1, _) => {
            let tone = if finding.is_some() {
                Tone::Alarm
            } else {
                Tone::Warn
            };
            line(areas.finding, finding.or(loss).as_deref(), tone, canvas);
        }
        _ => {}
    }
    keys_line(state, areas, canvas);
}

/// What the choice in the last line means.
fn choice_words(mode: &Mode) -> Option<String> {
    match mode {
        Mode::SortBy => Some("Sort by; the same letter again reverses the order".to_owned()),
        Mode::Columns => Some("Letters show (+) and hide (-) columns; any other key ends this".to_owned()),
        _ => None,
    }
}

/// What is left out on purpose: closed connections.
fn left_out(state: &State) -> Option<String> {
    let number = state.shown().left_out.filter(|number| *number > 0)?;
    let is_listing = state.level().view != View::Events;
    let connections = if number == 1 { "connection" } else { "connections" };
    is_listing.then(|| {
        format!(
            "{} closed {connections} (TIME-WAIT) not shown: / state time-wait shows them",
            count(number)
        )
    })
}

/// Draws how many sockets opened and closed at each look, and which look is shown.
fn strip(state: &State, at: usize, areas: Areas, canvas: &mut Canvas<'_>) {
    let width = usize::from(areas.finding.width).saturating_sub(2);
    let first = state.looks().count().saturating_sub(width).min(at);
    #[allow(clippy::cast_precision_loss, reason = "a curve has eight steps")]
    let values: Vec<f64> = state
        .looks()
        .skip(first)
        .take(width)
        .map(|moment| (moment.moved.0 + moment.moved.1) as f64)
        .collect();
    canvas.put(
        1,
        areas.finding.y,
        areas.finding.width,
        &paint::curve(&values, width),
        Tone::Plain,
    );
    let (opened, closed) = state.looks().nth(at).map_or((0, 0), |moment| moment.moved);
    let mark = format!(
        "{}^ at this look: {opened} opened, {closed} closed",
        " ".repeat(at - first)
    );
    canvas.put(1, areas.loss.y, areas.loss.width, &mark, Tone::Strong);
}

fn keys_line(state: &State, areas: Areas, canvas: &mut Canvas<'_>) {
    if let Mode::Line(typed) = &state.mode {
        return pages::filter_line(typed, areas, canvas);
    }
    let width = areas.keys.width;
    let words = match (&state.mode, &state.notice) {
        (Mode::SortBy, _) => {
            let choices = Sort::choices(state.level().view).iter();
            let choices: Vec<(String, u8)> = choices
                .zip(1..)
                .map(|((letter, name, _), rank)| (format!("{letter} {name}"), rank))
                .collect();
            whole_words(&choices, width)
        }
        (Mode::Columns, _) => {
            let level = state.level();
            let hidden = state.hidden.get(level.view as usize).copied().unwrap_or(0);
            let columns = rows::columns(level.view).iter().enumerate().skip(1);
            let choices: Vec<(String, u8)> = columns
                .zip('a'..)
                .zip(1..)
                .map(|(((at, column), letter), rank)| {
                    let shown = if hidden >> at & 1 == 1 { '-' } else { '+' };
                    (format!("{letter} {shown}{}", column.title), rank)
                })
                .collect();
            whole_words(&choices, width)
        }
        (Mode::Time(text), _) => format!("go to (UTC, as 11:58:02): {text}_"),
        (_, Some((notice, _))) => cut_words(notice, width.into()),
        _ => keys(state, areas.keys.width),
    };
    canvas.put(areas.keys.x, areas.keys.y, areas.keys.width, &words, Tone::Dim);
}

fn line(area: Rect, text: Option<&str>, tone: Tone, canvas: &mut Canvas<'_>) {
    if let Some(text) = text {
        let text = cut_words(text, area.width.into());
        canvas.put(area.x, area.y, area.width, &text, tone);
    }
}

fn keys(state: &State, width: u16) -> String {
    if width < 60 {
        return "? help  q quit".to_owned();
    }
    let (view, is_frozen) = (state.level().view, state.frozen.is_some());
    let words = [
        (true, "/ filter", 1),
        (view != View::Events, "s sort", 5),
        (view == View::Programs, "b by\u{2026}", 5),
        (is_frozen, "[ ] { } time", 2),
        (true, if is_frozen { "Space live" } else { "Space freeze" }, 2),
        (
            matches!(view, View::Connections | View::Events),
            "Enter details",
            6,
        ),
        (matches!(view, View::Ports | View::Programs), "Enter open", 3),
        (view == View::Connections, "o other end", 8),
        (view == View::Connections, "y copy row", 9),
        (view == View::Connections, "Y copy command", 7),
        (state.why_place().is_some(), "w why", 3),
        (state.has_target() && !state.setup.read_only, "x kill", 4),
        (true, "? help", 0),
        (true, "q quit", 0),
    ];
    let words = words.into_iter().filter(|(is_there, ..)| *is_there);
    let words: Vec<(String, u8)> = words.map(|(_, text, rank)| (text.to_owned(), rank)).collect();
    whole_words(&words, width)
}

/// One row of the list as text.
pub fn row_text(state: &State, at: usize) -> Option<String> {
    let row = rows::row(&state.items, at, state.shown(), state.now)?;
    let cells = row.cells.iter().map(|cell| {
        let texts = cell.spans.iter().map(|span| span.text.as_str());
        texts.collect::<String>()
    });
    Some(cells.collect::<Vec<_>>().join(" "))
}
