//! What each key does.

use std::time::Duration;

use super::filter_line::FilterLine;
use super::items::{Items, Subject};
use super::level::{Level, Sort, View, Within};
use super::msg::{Effect, Key};
use super::near::near;
use super::pages::{ask_what, ask_why, question, why};
use super::ports;
use super::programs::BY;
use super::state::{Mode, State};
use super::view::pages::HELP_TOP_MAX;
use crate::render::escape;

/// The shortest and the longest interval between two looks.
const INTERVALS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(60)];

/// Handles a key according to what has the focus.
pub(super) fn press(state: &mut State, key: Key, at: Duration) -> Vec<Effect> {
    match (&state.mode, key) {
        (_, Key::Ctrl('z')) => return vec![Effect::Suspend],
        (_, Key::Ctrl('l')) => return vec![Effect::Redraw],
        (Mode::Line(_), Key::Ctrl('c')) => return line(state, Key::Esc),
        (Mode::Question(_), Key::Ctrl('c')) => return question(state, Key::Esc, at),
        (_, Key::Ctrl('c')) => return vec![Effect::Quit],
        _ => {}
    }
    match state.mode {
        Mode::Rows => rows(state, key),
        Mode::Line(_) => line(state, key),
        Mode::SortBy => sort_by(state, key),
        Mode::Columns => columns(state, key),
        Mode::Time(_) => time(state, key),
        Mode::Help(_) | Mode::Explain if key == Key::Char('q') => vec![Effect::Quit],
        Mode::Help(top) => {
            state.mode = match key {
                Key::Char('j') | Key::Down => Mode::Help((top + 1).min(HELP_TOP_MAX)),
                Key::Char('k') | Key::Up => Mode::Help(top.saturating_sub(1)),
                _ => Mode::Rows,
            };
            Vec::new()
        }
        Mode::Explain => {
            state.mode = Mode::Rows;
            Vec::new()
        }
        Mode::Question(_) => question(state, key, at),
        Mode::Why(_) => why(state, key),
    }
}

fn rows(state: &mut State, key: Key) -> Vec<Effect> {
    let (at, count, page) = (state.level().at, state.items.len(), state.body_rows().max(1));
    match key {
        Key::Char('q') => return vec![Effect::Quit],
        Key::Char(' ' | '[' | ']' | '{' | '}' | 'n' | 'N' | 't' | 'w' | 'Y') if state.reading.is_some() => {
            state.say("the recording is still being read");
        }
        Key::Char('j') | Key::Down => state.select(at + 1),
        Key::Char('k') | Key::Up => state.select(at.saturating_sub(1)),
        Key::Char('g') | Key::Home => state.select(0),
        Key::Char('G') | Key::End => state.select(count),
        Key::PageDown | Key::Ctrl('f') => state.select(at + page),
        Key::PageUp | Key::Ctrl('b') => state.select(at.saturating_sub(page)),
        Key::Ctrl('d') => state.select(at + page / 2),
        Key::Ctrl('u') => state.select(at.saturating_sub(page / 2)),
        Key::Char(digit @ '1'..='4') => {
            let view = View::ALL[digit as usize - '1' as usize];
            state.levels = vec![Level::of(view)];
            state.rebuild();
            if view == View::Events {
                // The latest are at the end.
                state.select(state.items.len());
            }
        }
        Key::Enter | Key::Right => open(state),
        Key::Esc | Key::Left => return back(state),
        Key::Tab => {
            state.has_panel = !state.has_panel;
            state.follow();
        }
        Key::Char('/') => state.mode = Mode::Line(FilterLine::of(&state.filter)),
        Key::Char('s') if !Sort::choices(state.level().view).is_empty() => state.mode = Mode::SortBy,
        Key::Char('S') => {
            let level = state.level_mut();
            level.is_turned = !level.is_turned;
            state.rebuild();
        }
        Key::Char('b') => group_by(state),
        Key::Char('c') => state.mode = Mode::Columns,
        Key::Char('t') => state.mode = Mode::Time(String::new()),
        Key::Char('e') if state.selected_socket().is_some() => state.mode = Mode::Explain,
        Key::Char('f') => return with_value(state, ""),
        Key::Char('F') => return with_value(state, "not "),
        Key::Char(' ') => freeze(state),
        Key::Char('[') => state.travel(-1),
        Key::Char(']') => state.travel(1),
        Key::Char('{') => state.travel(-10),
        Key::Char('}') => state.travel(10),
        Key::Char('n') => state.travel_to_burst(true),
        Key::Char('N') => state.travel_to_burst(false),
        Key::Char('?') | Key::F1 => state.mode = Mode::Help(0),
        Key::Char('o') => other_end(state),
        // A recording cannot be read again.
        Key::Char('r' | '+' | '-') if state.setup.replay.is_some() => {
            state.say("this is a recording: there is nothing to look at again");
        }
        Key::Char('w') => return ask_why(state),
        Key::Char('x') => return ask_what(state),
        Key::Char('r') => return vec![Effect::Look],
        Key::Char('+') => return interval(state, state.interval * 2),
        Key::Char('-') => return interval(state, state.interval / 2),
        Key::Char('Y') if !state.has_command() => state.say("no filter selects what is not known"),
        Key::Char('Y') => {
            let command = state.command();
            state.say(format!("copied: {command}"));
            return vec![Effect::Copy(command)];
        }
        Key::Char('y') => {
            if let Some(text) = row_text(state) {
                state.say(format!("copied: {text}"));
                return vec![Effect::Copy(text)];
            }
        }
        Key::Char('p') => return vec![Effect::PrintAndQuit],
        _ => {}
    }
    Vec::new()
}

/// Opens the row with the cursor.
fn open(state: &mut State) {
    let level = state.level();
    let within = match (state.items.subject(level.at), &state.items) {
        (Some(Subject::Ports(protocol, kind)), Items::Ports(rows)) => {
            Within::Ports(protocol, ports::of_many(rows, protocol, kind, state.shown()))
        }
        (Some(Subject::Port(protocol, port)), _) => Within::Port(protocol, port),
        (Some(Subject::Group(name)), _) => Within::Group(level.by, name),
        (Some(Subject::Socket(_) | Subject::Event(_)), _) => {
            state.has_panel = true;
            state.follow();
            return;
        }
        (Some(Subject::Ports(..)) | None, _) => return,
    };
    state.levels.push(Level {
        within,
        ..Level::of(View::Connections)
    });
    state.rebuild();
}

/// Goes back: closes the panel, then the level; then drops the filter.
fn back(state: &mut State) -> Vec<Effect> {
    if state.has_panel {
        state.has_panel = false;
        state.follow();
    } else if state.levels.len() > 1 {
        state.levels.pop();
        state.rebuild();
    } else if !state.filter.is_empty() {
        return enter(state, String::new());
    }
    Vec::new()
}

/// Applies this filter.
fn enter(state: &mut State, filter: String) -> Vec<Effect> {
    state.preview = None;
    state.near = None;
    if filter == state.filter {
        state.rebuild();
        return Vec::new();
    }
    if !filter.is_empty() {
        state.past_filters.retain(|past| *past != filter);
        state.past_filters.push(filter.clone());
    }
    state.previous_filter = std::mem::replace(&mut state.filter, filter.clone());
    state.filter_number += 1;
    state.is_current = false;
    state.reading = state.setup.replay.as_ref().map(|_| (0, 0));
    state.frozen = None;
    state.past = None;
    vec![Effect::Filter(state.filter_number, filter)]
}

fn line(state: &mut State, key: Key) -> Vec<Effect> {
    let names = names(state);
    let past = state.past_filters.clone();
    let Mode::Line(line) = &mut state.mode else {
        return Vec::new();
    };
    match key {
        Key::Esc => {
            state.mode = Mode::Rows;
            state.preview = None;
            state.near = None;
            state.rebuild();
            return Vec::new();
        }
        Key::Enter if line.error.is_none() => {
            let filter = line.text.trim().to_owned();
            state.mode = Mode::Rows;
            let hint = state.near.take();
            let effects = enter(state, filter);
            // The next look will have only what the filter selects.
            state.near = hint;
            return effects;
        }
        Key::Char(c) => line.insert(c.encode_utf8(&mut [0; 4])),
        Key::Backspace => line.backspace(),
        Key::Delete => line.delete(),
        Key::Ctrl('w') => line.delete_word(),
        Key::Ctrl('u') => line.delete_to_start(),
        Key::Left => line.step(false),
        Key::Right => line.step(true),
        Key::Home | Key::Ctrl('a') => line.jump(false),
        Key::End | Key::Ctrl('e') => line.jump(true),
        Key::Up => line.look_back(&past, true),
        Key::Down => line.look_back(&past, false),
        Key::Tab => line.complete(&names),
        _ => return Vec::new(),
    }
    preview(state);
    Vec::new()
}

/// Applies the filter that is being typed to the rows on the screen. While it is invalid, or half typed and matches
/// nothing, the rows of the previous one stay.
pub(super) fn preview(state: &mut State) {
    let names = names(state);
    let Mode::Line(line) = &mut state.mode else { return };
    line.expect(&names);
    if line.error.is_some() {
        return;
    }
    let (text, is_half_typed) = (line.text.clone(), line.is_half_typed);
    let before = std::mem::replace(&mut state.preview, line.preview());
    state.rebuild();
    if is_half_typed && state.items.is_empty() {
        state.preview = before;
        state.rebuild();
    }
    look_for_near(state, &text);
}

/// Finds out what may have been meant by a filter that no row matches.
fn look_for_near(state: &mut State, filter: &str) {
    state.near = None;
    if state.preview.is_some() && state.items.is_empty() {
        state.near = near(filter, state.shown());
    }
}

/// The programs and users on the screen.
fn names(state: &State) -> Vec<String> {
    let context = &state.shown().around.context;
    let programs = context.processes.values();
    let programs = programs.map(|process| escape::text(&process.program));
    let users = context.names.users.values();
    programs.chain(users.map(ToString::to_string)).collect()
}

fn sort_by(state: &mut State, key: Key) -> Vec<Effect> {
    state.mode = Mode::Rows;
    let Key::Char(letter) = key else {
        return Vec::new();
    };
    let choices = Sort::choices(state.level().view);
    if let Some((_, _, sort)) = choices.iter().find(|(of_choice, ..)| *of_choice == letter) {
        let level = state.level_mut();
        level.is_turned = level.sort == *sort && !level.is_turned;
        level.sort = *sort;
        state.rebuild();
        state.select(0);
    }
    Vec::new()
}

/// Adds the value of the row with the cursor to the filter, or excludes it.
fn with_value(state: &mut State, not: &str) -> Vec<Effect> {
    let Some(value) = state.value_words() else {
        state.say("this row has nothing to filter by");
        return Vec::new();
    };
    let filter = match state.filter.trim() {
        "" => format!("{not}{value}"),
        filter => format!("({filter}) and {not}{value}"),
    };
    enter(state, filter)
}

/// Shows or hides a column by its letter; the first is always shown.
fn columns(state: &mut State, key: Key) -> Vec<Effect> {
    match key {
        Key::Char(letter @ 'a'..='p') => {
            let view = state.level().view as usize;
            if let Some(hidden) = state.hidden.get_mut(view) {
                *hidden ^= 1 << (letter as u8 - b'a' + 1).min(15);
            }
        }
        _ => state.mode = Mode::Rows,
    }
    Vec::new()
}

/// Handles a key while a time to go back to is typed.
fn time(state: &mut State, key: Key) -> Vec<Effect> {
    let Mode::Time(text) = &mut state.mode else {
        return Vec::new();
    };
    match key {
        Key::Char(c) if text.len() < 30 => text.push(c),
        Key::Char(_) => {}
        Key::Backspace => drop(text.pop()),
        Key::Enter => {
            let text = std::mem::take(text);
            state.mode = Mode::Rows;
            state.travel_to_time(text.trim());
        }
        _ => state.mode = Mode::Rows,
    }
    Vec::new()
}

fn group_by(state: &mut State) {
    if state.level().view == View::Programs {
        let level = state.level_mut();
        let at = BY.iter().position(|field| *field == level.by).unwrap_or(0);
        level.by = BY[(at + 1) % BY.len()];
        level.selected = None;
    } else {
        state.levels = vec![Level::of(View::Programs)];
    }
    state.rebuild();
}

fn freeze(state: &mut State) {
    state.past = None;
    if state.setup.replay.is_some() {
        state.travel(0);
        return;
    }
    state.frozen = match state.frozen.take() {
        Some(_) => None,
        None => Some(Box::new(state.data.clone())),
    };
    state.rebuild();
}

/// Puts the cursor on the other end of a connection, if it is on this machine.
fn other_end(state: &mut State) {
    let Some(socket) = state.selected_socket() else {
        return;
    };
    let Some(pair) = socket.inet().copied().filter(|pair| pair.peer_port != 0) else {
        return;
    };
    let mut found = None;
    state.shown().followed.known().each(|other| {
        let is_it = other.protocol == socket.protocol
            && other.inet().is_some_and(|end| {
                (end.local_port, end.local_address.to_canonical())
                    == (pair.peer_port, pair.peer_address.to_canonical())
                    && (end.peer_port, end.peer_address.to_canonical())
                        == (pair.local_port, pair.local_address.to_canonical())
            });
        if is_it {
            found = other.identity();
        }
    });
    match found {
        Some(key) => {
            let mut level = Level::of(View::Connections);
            level.selected = Some(Subject::Socket(key));
            state.levels.push(level);
            state.rebuild();
        }
        None => state.say("the other end is not among these sockets"),
    }
}

fn interval(state: &mut State, wanted: Duration) -> Vec<Effect> {
    let [least, most] = INTERVALS;
    state.interval = wanted.clamp(least, most);
    vec![Effect::Interval(state.interval)]
}

/// The row with the cursor, as text.
fn row_text(state: &State) -> Option<String> {
    let text = super::view::row_text(state, state.level().at)?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
