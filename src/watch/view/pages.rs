//! The pages that cover the whole screen: help, the answer of `why`, the question about a target; and the filter line.

use std::fmt::Write as _;

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::header::interval;
use super::paint::{Canvas, Tone, count, whole_words, wrapped};
use super::panel::{VALUES, accept_queue};
use super::rows::ago;
use crate::render::facts;
use crate::render::human::rfc3339;
use crate::watch::areas::Areas;
use crate::watch::explain::explained;
use crate::watch::filter_line::FilterLine;
use crate::watch::state::{Question, State, WhyPage};

const HELP: &[&str] = &[
    "MOVE                                 LOOK",
    "  j k  arrows    up, down              1 2 3 4   ports, connections,",
    "  g G  Home End  first, last                     programs, events",
    "  ^D ^U  PgDn    half a page, a page   Tab       panel on, off",
    "  Enter  Esc     open, back            s S       sort by..., reverse",
    "  o              the other end         b c       group by the next, columns",
    "ASK                                  TIME",
    "  /              filter                Space     freeze, continue",
    "  f F            this value, or not    r         look now    + -  interval",
    "  w              why                   [ ] { }   back and forth, 1 look, 10",
    "  e              explain this row      n N t     next, last burst, a time",
    "ACT                                  TAKE",
    "  x              stop or close...      y Y       copy the row, the command",
    "                                       p         print the screen and quit",
    "MARKS  + new  - gone  ~ changed  ! needs attention  X loses something now",
    "       !  a full queue, unread data that nobody closes, a database open to all",
    "FIELDS - the kernel has no such figure   ? not known, or not permitted",
];

/// Where the second column of the help page begins, and how many lines have two columns.
const SECOND: usize = 37;
const TWO_COLUMNS: usize = 14;
/// The maximum length of the help page.
pub(in crate::watch) const HELP_TOP_MAX: usize = 30;

/// The column at which values begin in an answer of `why`.
const WHY_VALUES: usize = 12;

/// The lines of the help page: on a narrow screen the second column comes after the first.
fn help_lines(width: u16) -> Vec<String> {
    if width >= 78 {
        return HELP.iter().map(ToString::to_string).collect();
    }
    let (double, single) = HELP.split_at(TWO_COLUMNS);
    let left = double.iter().map(|line| line.get(..SECOND).unwrap_or(line));
    let right = double.iter().filter_map(|line| line.get(SECOND..));
    let single = single.iter().flat_map(|line| wrapped(line, width.into(), 7));
    left.chain(right)
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .chain(single)
        .collect()
}

pub(super) fn help(state: &State, top: usize, area: Rect, canvas: &mut Canvas<'_>) {
    canvas.put(0, 0, area.width, "sockstat watch", Tone::Strong);
    canvas.put_right(Rect { height: 1, ..area }, "Esc back", Tone::Dim);
    let data = &state.data;
    let ms = data.cost.as_millis();
    let all = data.looked_at_all.unwrap_or_default();
    let seen = [
        format!(
            "SEEN   every {}: what is on the screen, listeners and UDP",
            interval(state)
        ),
        format!(
            "       all {} sockets when one was opened or closed, at most 5 % of a core;",
            count(data.followed.known().len() as u64)
        ),
        format!(
            "       the last time {} ago, which took {ms} ms",
            ago(all, state.now)
        ),
        format!(
            "       opened and closed between two looks: in EVENTS; messages lost {} times",
            data.lost
        ),
    ];
    let seen = seen.iter().flat_map(|line| wrapped(line, area.width.into(), 7));
    let lines: Vec<String> = help_lines(area.width).into_iter().chain(seen).collect();
    let height = usize::from(area.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(height));
    for (line, y) in lines
        .iter()
        .skip(top)
        .zip(1..area.height.saturating_sub(1).max(1))
    {
        let tone = if line.starts_with(' ') {
            Tone::Plain
        } else {
            Tone::Strong
        };
        canvas.put(0, y, area.width, line, tone);
    }
    let is_long = lines.len() > height;
    keys(
        area,
        if is_long { "j k down, up  q quit" } else { "q quit" },
        canvas,
    );
}

/// Draws what the row with the cursor means.
pub(super) fn explain(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    canvas.put(0, 0, area.width, "explain", Tone::Strong);
    canvas.put_right(Rect { height: 1, ..area }, "Esc back", Tone::Dim);
    let Some(socket) = state.selected_socket() else {
        return keys(area, "q quit", canvas);
    };
    let data = state.shown();
    let facts = facts::record(&data.row(&socket));
    let width = area.width.into();
    let facts = facts.lines().flat_map(|line| wrapped(line, width, VALUES));
    let sentences = explained(&socket, data, state.now);
    let sentences = sentences.iter().flat_map(|sentence| wrapped(sentence, width, 0));
    let lines = facts.chain([String::new()]).chain(sentences);
    for (line, y) in lines.zip(1..area.height.saturating_sub(1).max(1)) {
        canvas.put(0, y, area.width, &line, Tone::Plain);
    }
    keys(area, "q quit", canvas);
}

fn keys(area: Rect, words: &str, canvas: &mut Canvas<'_>) {
    if area.height > 1 {
        canvas.put(0, area.bottom() - 1, area.width, words, Tone::Dim);
    }
}

pub(super) fn why(state: &State, page: &WhyPage, area: Rect, canvas: &mut Canvas<'_>) {
    canvas.put(0, 0, area.width, &format!("why {}", page.place), Tone::Strong);
    let is_replay = state.setup.replay.is_some();
    let age = match page.changed {
        _ if is_replay => {
            let clock = state.shown().clock.map(rfc3339).unwrap_or_default();
            format!("AT {} UTC", clock.get(11..19).unwrap_or_default())
        }
        Some(since) => format!("changed {} ago", ago(since, state.now)),
        None => format!("live {}", interval(state)),
    };
    canvas.put_right(Rect { height: 1, ..area }, &age, Tone::Dim);
    let text = match &page.text {
        None => "reading",
        Some(Ok(text) | Err(text)) => text,
    };
    let data = if is_replay { state.shown() } else { &state.data };
    // The text is as wide as the terminal was at the start.
    let width = area.width.into();
    let indent = |line: &str| if line.starts_with(' ') { WHY_VALUES } else { 0 };
    let mut lines: Vec<String> = text
        .lines()
        .flat_map(|line| wrapped(line, width, indent(line)))
        .collect();
    if let Some(key) = page.socket
        && let Some(socket) = data.socket(key)
    {
        let queue = accept_queue(state, data, &socket, width);
        lines.extend(queue.clone().into_iter().flat_map(|queue| [String::new(), queue]));
        if let Some(drops) = socket.drops.filter(|drops| *drops > 0) {
            let blank = queue.is_none().then(String::new);
            lines.extend(blank);
            lines.push(format!("  drops      {drops:>9}  since it was opened"));
        }
    }
    let height = usize::from(area.height.saturating_sub(2));
    let top = page.top.min(lines.len().saturating_sub(height));
    for (line, y) in lines
        .iter()
        .skip(top)
        .zip(1..area.height.saturating_sub(1).max(1))
    {
        canvas.put(0, y, area.width, line, Tone::Plain);
    }
    let words = [
        (lines.len() > height, "j k down, up", 2),
        (true, "y copy text", 3),
        (true, "Y copy command", 4),
        (true, "Esc back", 1),
        (true, "q quit", 0),
    ];
    let words = words.into_iter().filter(|(is_there, ..)| *is_there);
    let words: Vec<(String, u8)> = words.map(|(_, text, rank)| (text.to_owned(), rank)).collect();
    let words = match &state.notice {
        Some((notice, _)) => notice.clone(),
        None => whole_words(&words, area.width),
    };
    keys(area, &words, canvas);
}

pub(super) fn question(state: &State, question: &Question, area: Rect, canvas: &mut Canvas<'_>) {
    let mut lines: Vec<(String, Tone)> = Vec::new();
    let mut say = |text: String, tone: Tone| lines.push((text, tone));
    match &question.target {
        None => say("Finding out who holds it".to_owned(), Tone::Strong),
        Some(Err(why)) => {
            say(why.clone(), Tone::Strong);
            say(String::new(), Tone::Plain);
            say("  any key: back".to_owned(), Tone::Plain);
        }
        Some(Ok(target)) => {
            say(format!("Stop {}?", target.name), Tone::Strong);
            say(String::new(), Tone::Plain);
            for line in &target.lines {
                for part in wrapped(&format!("  {line}"), area.width.into(), 4) {
                    say(part, Tone::Plain);
                }
            }
            say(String::new(), Tone::Plain);
            let is_new = question.said.is_empty();
            if let Some(why) = &target.refused {
                say(format!("  {why}"), Tone::Warn);
            } else if is_new {
                say("  t  send TERM, then show what happens".to_owned(), Tone::Plain);
            }
            if let Some(why) = &target.protected {
                say(format!("  not closed: {why}"), Tone::Warn);
            } else if is_new {
                say(
                    "  d  close this one socket, the program stays (sockstat -K)".to_owned(),
                    Tone::Plain,
                );
                if target.closable > 1 {
                    say(
                        format!(
                            "  D  close all {} connections on it",
                            count(target.closable as u64)
                        ),
                        Tone::Plain,
                    );
                }
            }
            if question.may_kill {
                say(
                    "  K  KILL: it cannot be caught, nothing is saved".to_owned(),
                    Tone::Alarm,
                );
            }
            say(String::new(), Tone::Plain);
            say("  Esc or any other key: nothing is done".to_owned(), Tone::Plain);
            say(String::new(), Tone::Plain);
            for said in &question.said {
                say(format!("  > {said}"), Tone::Strong);
            }
            if question.is_busy {
                say(
                    "  > waiting   Esc: back, the result is shown there".to_owned(),
                    Tone::Dim,
                );
            }
        }
    }
    for ((line, tone), y) in lines.iter().zip(0..area.height) {
        canvas.put(0, y, area.width, line, *tone);
    }
    if state.size.0 >= 60 {
        canvas.put_right(Rect { height: 1, ..area }, "the target is fixed", Tone::Dim);
    }
}

/// Draws the line being typed, and any error below its position.
pub(super) fn filter_line(typed: &FilterLine, areas: Areas, canvas: &mut Canvas<'_>) {
    let width = areas.keys.width;
    // If there is no room for more, only the line is shown.
    let (line_y, error_y) = match (areas.finding.height, areas.loss.height) {
        (1, 1) => (areas.finding.y, Some(areas.loss.y)),
        (1, _) => (areas.finding.y, Some(areas.keys.y)),
        _ => (areas.keys.y, None),
    };
    let blank = " ".repeat(width.into());
    for y in [Some(line_y), error_y, Some(areas.keys.y)].into_iter().flatten() {
        canvas.put(0, y, width, &blank, Tone::Plain);
    }
    let before = typed.text.get(..typed.at).unwrap_or_default();
    let room = usize::from(width).saturating_sub(4);
    // Text that does not fit is cut off on the left.
    let skipped: usize = before.width().saturating_sub(room);
    let shown: String = skip_cells(&typed.text, skipped);
    canvas.put(0, line_y, width, "/ ", Tone::Strong);
    canvas.put(2, line_y, width.saturating_sub(2), &shown, Tone::Plain);
    let cursor = u16::try_from(before.width() - skipped).unwrap_or(u16::MAX);
    canvas.tone(Rect::new(2 + cursor, line_y, 1, 1), Tone::Selected);
    if let (Some(error), Some(y)) = (&typed.error, error_y) {
        let start = typed.text.get(..error.span.start).unwrap_or_default().width();
        let marked = typed
            .text
            .get(error.span.clone())
            .unwrap_or_default()
            .width()
            .max(1);
        let mut words = format!("{} {error}", "^".repeat(marked));
        if !error.hint.is_empty() {
            let _ = write!(words, ": {}", error.hint);
        }
        let x = 2 + start.saturating_sub(skipped);
        // Kept within the right edge, so that it can be read.
        let x = x.min(usize::from(width).saturating_sub(words.width()).max(2));
        // What is half typed is not wrong yet.
        let tone = if typed.is_half_typed {
            Tone::Dim
        } else {
            Tone::Alarm
        };
        canvas.put(u16::try_from(x).unwrap_or(0), y, width, &words, tone);
    }
    if error_y != Some(areas.keys.y) && error_y.is_some() {
        let words = [
            ("Enter keep", 0),
            ("Esc drop", 1),
            ("Up history", 3),
            ("Tab complete a field or value", 2),
        ];
        let words = words.map(|(text, rank)| (text.to_owned(), rank));
        canvas.put(0, areas.keys.y, width, &whole_words(&words, width), Tone::Dim);
    }
}

/// Returns the text without its first cells.
fn skip_cells(text: &str, cells: usize) -> String {
    let mut skipped = 0;
    text.chars()
        .skip_while(|c| {
            let is_before = skipped < cells;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            is_before
        })
        .collect()
}
