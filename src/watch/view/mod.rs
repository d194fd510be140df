//! Draws the state. Nothing is decided here but what fits.

mod pages;
mod paint;
mod panel;
mod rows;
mod table;

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::areas::{Areas, areas};
use super::data::Data;
use super::items::Items;
use super::level::{Sort, View, Within};
use super::state::{Mode, State};
use crate::render::human::{duration_ms, rfc3339};
use paint::{Canvas, Tone, count};
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
        Mode::Help => return pages::help(state, area, canvas),
        Mode::Why(page) => return pages::why(state, page, area, canvas),
        Mode::Question(question) => return pages::question(state, question, area, canvas),
        _ => {}
    }
    header(state, areas.header, canvas);
    body(state, areas, canvas);
    panel::draw(state, areas.panel, canvas);
    footer(state, areas, canvas);
}

fn header(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let is_narrow = area.width < 60;
    let mut x = area.x;
    let current = state.level().view;
    for view in View::ALL {
        if view == current {
            x += canvas.put(
                x,
                area.y,
                area.width - x,
                &view.name().to_uppercase(),
                Tone::Strong,
            ) + 2;
        } else if area.width >= 70 {
            x += canvas.put(x, area.y, area.width - x, view.name(), Tone::Dim) + 2;
        }
        x = x.min(area.width);
    }
    let room = area.width.saturating_sub(x);
    let width_of = |text: &String| u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    let texts = [
        status(state, is_narrow, is_narrow),
        status(state, is_narrow, true),
        status(state, true, true),
    ];
    let [.., shortest] = &texts;
    let status = texts
        .iter()
        .find(|text| width_of(text) <= room)
        .unwrap_or(shortest);
    let status_width = width_of(status);
    let within = match &state.level().within {
        Within::All => String::new(),
        _ => state.within_words(),
    };
    let words = match (state.filter.as_str(), within.as_str()) {
        ("", within) => within.to_owned(),
        (filter, "") => format!("/ {filter}"),
        (filter, within) => format!("/ {filter}, {within}"),
    };
    if !words.is_empty() && room > status_width + 6 {
        canvas.put(x + 1, area.y, room - status_width - 3, &words, Tone::Plain);
    }
    let tone = if state.failed.is_some() || state.frozen.is_some() {
        Tone::Warn
    } else {
        Tone::Plain
    };
    canvas.put_right(
        Rect {
            x: x.min(area.width),
            width: room,
            ..area
        },
        status,
        tone,
    );
}

/// How many sockets, what moved, and how old it is.
fn status(state: &State, is_narrow: bool, is_brief: bool) -> String {
    let data = state.shown();
    let known = data.followed.known().len() as u64;
    let in_view = state.items.len() as u64;
    let shown = match (&state.items, &state.level().within) {
        (Items::Sockets(_), Within::All) if state.preview.is_none() => known,
        (Items::Sockets(_), _) => in_view,
        _ => known,
    };
    let total = data.total.unwrap_or(known).max(known);
    let is_part = shown != total && (!state.filter.is_empty() || matches!(state.items, Items::Sockets(_)));
    let mut status = match (is_part, is_narrow) {
        (true, false) => format!("{} of {}", count(shown), count(total)),
        (_, true) => count(shown),
        (false, false) => format!("{} sockets", count(shown)),
    };
    if data.moved != (0, 0) {
        let _ = write!(status, "  +{} -{}", data.moved.0, data.moved.1);
    }
    status.push_str("  ");
    status.push_str(&age(state, is_brief));
    if state.level().sort.is_live()
        && state.frozen.is_none()
        && let Some(left) = state.held_for()
        && !is_brief
    {
        let _ = write!(status, "  order held {} s", left.as_millis().div_ceil(1000));
    }
    status
}

fn age(state: &State, is_brief: bool) -> String {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if let (Some((_, past)), Some(frozen)) = (&state.past, &state.frozen) {
        let clock = past.clock.map(rfc3339).unwrap_or_default();
        let clock = clock.get(11..19).unwrap_or_default().to_owned();
        let ago = rows::ago(past.looked.unwrap_or_default(), frozen.looked.unwrap_or_default());
        return if is_brief {
            format!("AT {clock}")
        } else {
            format!("AT {clock} UTC, {ago} before")
        };
    }
    if let Some(frozen) = &state.frozen {
        let clock = frozen.clock.map(rfc3339).unwrap_or_default();
        let clock = clock.get(11..19).unwrap_or_default().to_owned();
        return if is_brief {
            "FROZEN".to_owned()
        } else {
            format!("FROZEN since {clock} UTC")
        };
    }
    if let Some((_, at, retry)) = &state.failed {
        let looked = state.data.looked.unwrap_or_default();
        let retry = (*at + *retry).saturating_sub(state.now).as_secs();
        return format!("STALE {}  retry {retry} s", rows::ago(looked, state.now));
    }
    if !state.is_current {
        return "reading".to_owned();
    }
    let interval = interval(state);
    // No more than a twentieth of one core is spent on looks at everything.
    let every = state.data.cost * 20;
    match every > state.interval {
        true if is_brief => format!("live {}", duration_ms(ms(every))),
        true => format!(
            "live {interval}, all {} (look takes {} ms)",
            duration_ms(ms(every)),
            ms(state.data.cost)
        ),
        false => format!("live {interval}"),
    }
}

/// The interval between two looks: `1 s`.
fn interval(state: &State) -> String {
    let ms = u64::try_from(state.interval.as_millis()).unwrap_or(u64::MAX);
    duration_ms(ms).replace(".0 s", " s")
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
    // The mark, the cursor, and a blank at the end.
    let fitted = fit(columns, &shown, usize::from(area.width).saturating_sub(2));
    if areas.headings.height > 0 {
        let headings: Vec<String> = fitted
            .iter()
            .map(|(_, column, width)| aligned(&title(state, column.title), column, *width))
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
            canvas.put(x, y, width, &text_of(cell, column, width.into()), tone);
            x = x.saturating_add(width + 2);
        }
        if is_selected {
            canvas.tone(line, Tone::Selected);
        }
    }
}

/// The heading of a column, with a `v` or `^` if rows are sorted by it.
fn title(state: &State, title: &str) -> String {
    let level = state.level();
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
    if sorted.contains(&title) {
        let is_down = level.sort.is_descending() != level.is_turned;
        format!("{title}{}", if is_down { "v" } else { "^" })
    } else {
        title.to_owned()
    }
}

/// Why there are no rows.
fn nothing(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let total = count(state.data.total.unwrap_or(0));
    let filter = state.whole_filter();
    let words = if !state.is_current {
        "reading".to_owned()
    } else if state.level().view == View::Events {
        "nothing opened, changed or closed yet".to_owned()
    } else if filter.is_empty() && state.preview.is_none() {
        "no sockets".to_owned()
    } else {
        format!("none of {total} sockets matches; it is shown here as soon as one opens")
    };
    canvas.put(2, area.y, area.width.saturating_sub(2), &words, Tone::Dim);
    if state.is_current && !filter.is_empty() && area.height > 1 {
        canvas.put(
            2,
            area.y + 1,
            area.width.saturating_sub(2),
            "Esc drops the filter",
            Tone::Dim,
        );
    }
}

fn footer(state: &State, areas: Areas, canvas: &mut Canvas<'_>) {
    if let (Some((at, _)), Some(frozen), 1, 1) = (
        &state.past,
        &state.frozen,
        areas.finding.height,
        areas.loss.height,
    ) {
        strip(frozen, *at, areas, canvas);
        return keys_line(state, areas, canvas);
    }
    let finding = state.finding.clone();
    let loss = state
        .failed
        .as_ref()
        .map(|(why, ..)| why.clone())
        .or_else(|| state.loss.clone());
    match (areas.finding.height, areas.loss.height) {
        (1, 1) => {
            line(areas.finding, finding.as_deref(), Tone::Alarm, canvas);
            line(areas.loss, loss.as_deref(), Tone::Warn, canvas);
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

/// What opened and closed at each look, and where among these the screen is.
fn strip(frozen: &Data, at: usize, areas: Areas, canvas: &mut Canvas<'_>) {
    let width = usize::from(areas.finding.width).saturating_sub(2);
    let first = frozen.moments.len().saturating_sub(width).min(at);
    #[allow(clippy::cast_precision_loss, reason = "a curve has eight steps")]
    let values: Vec<f64> = frozen
        .moments
        .iter()
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
    let (opened, closed) = frozen.moments.get(at).map_or((0, 0), |moment| moment.moved);
    let mark = format!("{}^ {opened} opened, {closed} closed", " ".repeat(at - first));
    canvas.put(1, areas.loss.y, areas.loss.width, &mark, Tone::Strong);
}

fn keys_line(state: &State, areas: Areas, canvas: &mut Canvas<'_>) {
    if let Mode::Line(typed) = &state.mode {
        return pages::filter_line(typed, areas, canvas);
    }
    let words = match (&state.mode, &state.notice) {
        (Mode::SortBy, _) => {
            let choices = Sort::choices(state.level().view).iter();
            let choices: Vec<String> = choices
                .map(|(letter, name, _)| format!("{letter} {name}"))
                .collect();
            format!("sort by: {}", choices.join("  "))
        }
        (_, Some((notice, _))) => notice.clone(),
        _ => keys(state, areas.keys.width),
    };
    canvas.put(areas.keys.x, areas.keys.y, areas.keys.width, &words, Tone::Dim);
}

fn line(area: Rect, text: Option<&str>, tone: Tone, canvas: &mut Canvas<'_>) {
    if let Some(text) = text {
        canvas.put(area.x, area.y, area.width, text, tone);
    }
}

fn keys(state: &State, width: u16) -> String {
    if width < 60 {
        return "? help  q quit".to_owned();
    }
    let mut words = vec!["/ filter"];
    match state.level().view {
        View::Programs => words.extend(["s sort", "b by\u{2026}"]),
        View::Events => {}
        _ => words.push("s sort"),
    }
    if state.frozen.is_some() {
        words.push("[ ] { } time");
    }
    words.push(if state.frozen.is_some() {
        "Space live"
    } else {
        "Space freeze"
    });
    words.push(match state.level().view {
        View::Connections | View::Events => "Enter details",
        _ => "Enter open",
    });
    if width >= 100 && state.level().view == View::Connections {
        words.extend(["o other end", "y copy row", "Y copy command"]);
    }
    if state.level().view != View::Programs {
        words.push("w why");
        if !state.setup.read_only {
            words.push("x kill");
        }
    }
    words.extend(["? help", "q quit"]);
    words.join("  ")
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
