//! How the state changes.

use std::time::Duration;

use super::data::POINTS_MAX;
use super::items::Items;
use super::keys;
use super::level::View;
use super::msg::{Effect, Fate, Msg, News, Part};
use super::state::{Mode, State};
use crate::model::{Key as SocketKey, Socket};

/// How often rows sorted by a changing figure are sorted again.
const SORT_EVERY: Duration = Duration::from_secs(5);
/// How long a message is shown.
const NOTICE_FOR: Duration = Duration::from_secs(6);

/// With more sockets than this, counting rows takes long.
const STILL: usize = 2000;

/// Updates the state, and returns the actions to carry out outside.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key, at) => {
            state.now = state.now.max(at);
            effects = keys::press(state, key, at);
            state.key_at = at;
        }
        Msg::Paste(text) => {
            if let Mode::Line(line) = &mut state.mode {
                line.insert(&text);
                keys::preview(state);
            }
        }
        Msg::Resize(columns, rows) => {
            state.size = (columns, rows);
            state.follow();
        }
        Msg::News(news) => take_news(state, *news),
        Msg::Failed(why, retry) => {
            state.failed = Some((why, state.now, retry));
        }
        Msg::Refused(number, why) => {
            if number == state.filter_number {
                state.say(why);
                state.filter = std::mem::take(&mut state.previous_filter);
                state.filter_number += 1;
                effects.push(Effect::Filter(state.filter_number, state.filter.clone()));
            }
        }
        Msg::Settle => catch_up(state),
        Msg::Tick(now) => {
            state.now = state.now.max(now);
            tick(state);
        }
        Msg::Drawn(at) => {
            if let Mode::Question(question) = &mut state.mode {
                question.shown_since.get_or_insert(at);
            }
        }
        Msg::Target(number, target) => {
            if let Mode::Question(question) = &mut state.mode
                && question.number == number
            {
                question.target = Some(target);
                question.shown_since = None;
            }
        }
        Msg::Fate(number, fate) => {
            if let Mode::Question(question) = &mut state.mode
                && question.number == number
            {
                question.is_busy = false;
                let said = match fate {
                    Fate::Said(said) => said,
                    Fate::StillRuns(said) => {
                        question.may_kill = true;
                        said
                    }
                };
                question.said.push(said);
                question.shown_since = None;
            } else {
                match fate {
                    Fate::Said(said) | Fate::StillRuns(said) => state.say(said),
                }
            }
        }
        Msg::Reading(number, done, all) => {
            if number == state.filter_number {
                state.reading = Some((done, all));
            }
        }
        Msg::Replayed(number) => {
            if number == state.filter_number {
                enter_recording(state);
            }
        }
        Msg::Why(answer) => {
            let now = state.now;
            if let Mode::Why(page) = &mut state.mode {
                let first = |answer: &Result<String, String>| {
                    let text = answer.as_ref().unwrap_or_else(|error| error);
                    text.split([':', '.', ',']).next().unwrap_or_default().to_owned()
                };
                if page
                    .text
                    .as_ref()
                    .is_some_and(|before| first(before) != first(&answer))
                {
                    page.changed = Some(now);
                }
                page.text = Some(answer);
            }
        }
    }
    effects.extend(rows_to_read(state));
    effects
}

/// Goes to the wanted time of a recording of which all looks were read.
fn enter_recording(state: &mut State) {
    state.reading = None;
    let at = state.setup.replay.clone().unwrap_or_default();
    if at.is_empty() {
        state.travel(0);
    } else {
        state.travel_to_time(&at);
    }
}

fn take_news(state: &mut State, news: News) {
    // A look made with an earlier filter.
    if news.filter != state.filter_number {
        return;
    }
    state.now = state.now.max(news.at);
    state.failed = None;
    let first = matches!(news.part, Part::First | Part::Start);
    let all = news.part != Part::Waiting;
    let remains = !state.filter.trim().is_empty();
    let at = news.at;
    if first {
        state.keep_looks();
        state.data.filter.clone_from(&state.filter);
        // What was frozen are the looks with the previous filter.
        if !state.data.keeps_all {
            state.frozen = None;
            state.past = None;
        }
    }
    state.data.take(news, remains);
    if !state.earlier.is_empty() && state.frozen.is_none() {
        state.forget_looks(at);
    }
    state.is_current = true;
    if state.frozen.is_some() {
        return;
    }
    let is_many = state.data.followed.known().len() > STILL;
    if first {
        state.is_behind = false;
        state.rebuild();
        settled(state, true);
    } else if all && is_many {
        state.is_behind = true;
    } else {
        // Rows that are behind are arranged soon.
        settle(state, all);
    }
}

/// Arranges rows that are behind.
fn catch_up(state: &mut State) {
    if std::mem::take(&mut state.is_behind) {
        settle(state, true);
    }
}

/// Arranges the rows after a look.
fn settle(state: &mut State, all: bool) {
    if state.frozen.is_some() {
        return;
    }
    arrange(state, all);
    settled(state, all);
}

fn settled(state: &mut State, all: bool) {
    state.judge(all);
    if all {
        note_groups(state);
    }
}

/// Extends the curves of the groups on the screen.
fn note_groups(state: &mut State) {
    let Items::Groups(groups) = &state.items else {
        state.group_curves.clear();
        return;
    };
    let curves = &mut state.group_curves;
    curves.retain(|name, _| groups.iter().any(|group| group.name == *name));
    for group in groups {
        let curve = curves.entry(group.name.clone()).or_default();
        curve.push_back(group.rate);
        while curve.len() > POINTS_MAX {
            curve.pop_front();
        }
    }
}

/// Updates the rows, at a cost proportional to what changed. With many sockets, they are counted again with each look at
/// everything, and at the small looks in between only if something waits on a port, or no longer does.
fn arrange(state: &mut State, all: bool) {
    let level = state.level();
    let is_held = level.sort.is_live() && state.held_for().is_some();
    let data = &state.data;
    let is_many = data.followed.known().len() > STILL;
    let is_still = data.moved == (0, 0) && data.gone.is_empty();
    let is_recent = state.now.saturating_sub(state.sorted_at) < state.interval * 2;
    let can_wait = is_many && (is_still || (is_recent && !data.has_moved_ports()));
    if is_held {
        keep_order(state);
    } else if all || !can_wait || is_time_to_sort(state) {
        state.rebuild();
    } else {
        state.items.refresh(&state.data);
    }
}

fn is_time_to_sort(state: &State) -> bool {
    state.level().sort.is_live() && state.now.saturating_sub(state.sorted_at) >= SORT_EVERY
}

/// Keeps the order of rows, with new ones last.
fn keep_order(state: &mut State) {
    let before: Vec<_> = (0..state.items.len())
        .filter_map(|at| state.items.subject(at))
        .collect();
    let level = state.level().clone();
    let fresh = super::order::items(state.shown(), &level, state.preview.as_ref());
    state.items = fresh.in_order_of(&before);
    state.follow();
}

fn tick(state: &mut State) {
    if state
        .notice
        .as_ref()
        .is_some_and(|(_, since)| state.now.saturating_sub(*since) > NOTICE_FOR)
    {
        state.notice = None;
    }
    if state.frozen.is_none() && is_time_to_sort(state) && state.held_for().is_none() {
        state.rebuild();
    }
}

/// Requests the connections on the screen, if these have changed.
fn rows_to_read(state: &mut State) -> Option<Effect> {
    let level = state.level();
    let shows_sockets = level.view == View::Connections;
    let mut keys: Vec<SocketKey> = Vec::new();
    if shows_sockets && state.frozen.is_none() {
        let rows = state.body_rows();
        keys.extend((level.top..level.top + rows).filter_map(|at| state.items.socket(at, &state.data)));
    } else if state.has_panel && state.frozen.is_none() {
        keys.extend(state.items.socket(level.at, &state.data));
    }
    if keys == state.asked {
        return None;
    }
    state.asked.clone_from(&keys);
    let connected = |socket: &Socket| {
        let is_tcp = matches!(socket.protocol, crate::model::Protocol::Tcp);
        is_tcp && socket.inet().is_some_and(|pair| pair.peer_port != 0)
    };
    let sockets = keys
        .into_iter()
        .filter_map(|key| state.data.followed.known().get(key))
        .filter(connected)
        .map(|mut socket| {
            socket.details.clear();
            socket
        })
        .collect();
    Some(Effect::Rows(sockets))
}
