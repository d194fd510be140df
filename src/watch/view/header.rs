//! The first line: the views, how many sockets there are, and how old the data is.

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::layout::Rect;

use super::paint::{Canvas, Tone, count, sockets};
use super::rows;
use crate::engine::live::{SHARE, all_every};
use crate::render::human::{duration_ms, rfc3339};
use crate::watch::items::Items;
use crate::watch::level::{View, Within};
use crate::watch::state::State;

/// How much the age of the data says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Full,
    Short,
    Brief,
}

/// Draws the first line.
pub(super) fn header(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
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
    let brief = (true, Length::Brief);
    let lengths = if is_narrow {
        [brief; 4]
    } else {
        [
            (false, Length::Full),
            (false, Length::Short),
            (false, Length::Brief),
            brief,
        ]
    };
    let texts = lengths.map(|(is_narrow, length)| status(state, is_narrow, length));
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
    let words = match (state.shown_filter(), within.as_str()) {
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

/// The number of sockets, what opened and closed, and the age of the data.
fn status(state: &State, is_narrow: bool, length: Length) -> String {
    let is_brief = length == Length::Brief;
    let data = state.shown();
    if state.is_current && data.looked_at_all.is_none() {
        let words = if is_brief {
            "reading"
        } else {
            "reading connections"
        };
        return words.to_owned();
    }
    let known = data.followed.known().len() as u64;
    let in_view = state.items.len() as u64;
    let shown = match (&state.items, &state.level().within) {
        (Items::Sockets(_), Within::All) if state.preview.is_none() => known,
        (Items::Sockets(_), _) => in_view,
        _ => known,
    };
    let total = data.total.unwrap_or(known).max(known);
    let is_part =
        shown != total && (!state.shown_filter().is_empty() || matches!(state.items, Items::Sockets(_)));
    let mut status = match (is_part, is_narrow) {
        (true, false) => format!("{} of {}", count(shown), count(total)),
        (_, true) => count(shown),
        (false, false) => sockets(shown),
    };
    if data.moved != (0, 0) {
        let _ = write!(status, "  +{} -{}", data.moved.0, data.moved.1);
    }
    status.push_str("  ");
    status.push_str(&age(state, length));
    if state.level().sort.is_live()
        && state.frozen.is_none()
        && let Some(left) = state.held_for()
        && length == Length::Full
    {
        let _ = write!(status, "  order held {} s", left.as_millis().div_ceil(1000));
    }
    status
}

fn age(state: &State, length: Length) -> String {
    let is_brief = length == Length::Brief;
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
        return if state.setup.replay.is_some() {
            format!("END {clock}{}", if is_brief { "" } else { " UTC" })
        } else if is_brief {
            "FROZEN".to_owned()
        } else {
            format!("FROZEN since {clock} UTC")
        };
    }
    if let Some((done, all)) = state.reading {
        let percent = done * 100 / all.max(1);
        let clock = state.data.clock.map(rfc3339).unwrap_or_default();
        return match (clock.get(11..19), length) {
            (Some(clock), Length::Full) => {
                format!("reading the recording: {percent}%, at {clock} UTC")
            }
            (_, Length::Brief) => format!("reading {percent}%"),
            _ => format!("reading the recording: {percent}%"),
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
    let every = all_every(state.data.reads, state.interval).max(state.data.cost * SHARE);
    let every_words = duration_ms(ms(every)).replace(".0 s", " s");
    match (every > state.interval, length) {
        (false, _) => format!("live {interval}"),
        (true, Length::Brief) => format!("live {every_words}"),
        (true, Length::Short) => format!("live {interval}, rest {every_words}"),
        (true, Length::Full) => format!(
            "live {interval}, what is not on screen {every_words} (takes {} ms)",
            ms(state.data.cost)
        ),
    }
}

/// The interval between two looks: `1 s`.
pub(super) fn interval(state: &State) -> String {
    let ms = u64::try_from(state.interval.as_millis()).unwrap_or(u64::MAX);
    duration_ms(ms).replace(".0 s", " s")
}
