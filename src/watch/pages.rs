//! The keys of pages that cover the rows: the `why` page, and the question about what to end.

use std::time::Duration;

use super::items::Items;
use super::msg::{Effect, Key};
use super::state::{Mode, Question, State, WhyPage};
use crate::model::Socket;

/// A key pressed sooner than this after a question was drawn cannot be an answer to it.
const READING: Duration = Duration::from_millis(250);

pub(super) fn ask_why(state: &mut State) -> Vec<Effect> {
    let Some(socket) = state.selected_socket() else {
        return Vec::new();
    };
    let Some(place) = state.why_place() else {
        state.say("why answers for TCP and UDP ports");
        return Vec::new();
    };
    state.mode = Mode::Why(WhyPage {
        place: place.clone(),
        socket: socket.identity(),
        ..WhyPage::default()
    });
    match &state.setup.replay {
        Some(_) => {
            let last = state.data.moments.len().saturating_sub(1);
            let look = state.past.as_ref().map_or(last, |(look, _)| *look);
            vec![Effect::WhyThen(place, look)]
        }
        None => vec![Effect::Why(Some(place))],
    }
}

pub(super) fn why(state: &mut State, key: Key) -> Vec<Effect> {
    let Mode::Why(page) = &mut state.mode else {
        return Vec::new();
    };
    match key {
        Key::Char('q') => return vec![Effect::Quit],
        Key::Char('j') | Key::Down => page.top += 1,
        Key::Char('k') | Key::Up => page.top = page.top.saturating_sub(1),
        Key::Char('y') => {
            if let Some(Ok(text)) = &page.text {
                let text = text.clone();
                state.say("copied");
                return vec![Effect::Copy(text)];
            }
        }
        Key::Char('Y') => {
            let place = page.place.clone();
            let command = state.why_command(&place);
            state.say(format!("copied: {command}"));
            return vec![Effect::Copy(command)];
        }
        Key::Esc | Key::Left => {
            state.mode = Mode::Rows;
            return vec![Effect::Why(None)];
        }
        _ => {}
    }
    Vec::new()
}

/// Requests the target: the current holder of the socket with the cursor.
pub(super) fn ask_what(state: &mut State) -> Vec<Effect> {
    if state.setup.replay.is_some() {
        state.say("this is a recording: there is nothing to stop or close");
        return Vec::new();
    }
    if state.setup.read_only {
        state.say("--read-only: nothing is stopped or closed here");
        return Vec::new();
    }
    // The first socket of the row would be an arbitrary one of these programs: nothing is ended by a guess.
    if let Items::Ports(ports) = &state.items
        && let Some(port) = ports.get(state.level().at)
        && port.programs.len() > 1
    {
        let count = port.programs.len();
        state.say(format!("this row has {count} programs: Enter opens it"));
        return Vec::new();
    }
    let Some(socket) = state.selected_socket() else {
        return Vec::new();
    };
    if !state.has_target() {
        state.say("this socket is gone");
        return Vec::new();
    }
    state.questions += 1;
    state.mode = Mode::Question(Question {
        number: state.questions,
        ..Question::default()
    });
    let socket = Box::new(Socket {
        details: crate::model::details::Details::NONE,
        ..socket
    });
    vec![Effect::Target(state.questions, socket)]
}

pub(super) fn question(state: &mut State, key: Key, at: Duration) -> Vec<Effect> {
    let Mode::Question(question) = &mut state.mode else {
        return Vec::new();
    };
    // An earlier key was typed before the question could be read.
    let is_late = question.shown_since.is_some_and(|since| at >= since + READING);
    if !is_late && key != Key::Esc {
        return Vec::new();
    }
    let target = match &question.target {
        Some(Ok(target)) if !question.is_busy => target,
        _ if question.is_busy && key != Key::Esc => return Vec::new(),
        _ => {
            state.mode = Mode::Rows;
            return vec![Effect::Release];
        }
    };
    let effect = match key {
        Key::Char('t') if target.refused.is_none() && question.said.is_empty() => Effect::Terminate,
        Key::Char('K') if target.refused.is_none() && question.may_kill => Effect::Kill,
        Key::Char('d') if target.protected.is_none() && question.said.is_empty() => Effect::Destroy(false),
        Key::Char('D') if target.protected.is_none() && target.closable > 1 && question.said.is_empty() => {
            Effect::Destroy(true)
        }
        _ => {
            state.mode = Mode::Rows;
            return vec![Effect::Release];
        }
    };
    question.is_busy = true;
    vec![effect]
}
