//! The state of the screen.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::areas::areas;
use super::data::Data;
use super::filter_line::FilterLine;
use super::findings;
use super::items::Items;
use super::level::{Level, View};
use super::line::Line;
use super::msg::Target;
use super::order::items;
use super::ports::ports;
use crate::model::{Key as SocketKey, Protocol, Socket};
use crate::query::Expr;

/// How long rows keep their order after a key was pressed.
const HOLD: Duration = Duration::from_secs(5);

/// What does not change while the screen is shown.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Setup {
    /// The command line with `sudo`; `None` for root.
    pub sudo: Option<String>,
    /// The options of a listing of the same sockets.
    pub options: Vec<String>,
    /// Whether the terminal shows UTF-8.
    pub utf8: bool,
    /// Whether there are colours.
    pub colour: bool,
    /// Whether nothing may be stopped or closed.
    pub read_only: bool,
    /// In a replay, the time at which to enter the recording; empty for its end.
    pub replay: Option<String>,
}

/// What has the keyboard focus.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// The rows.
    #[default]
    Rows,
    /// The filter line.
    Line(FilterLine),
    /// The choice of what to sort by.
    SortBy,
    /// The choice of columns.
    Columns,
    /// A time that is being typed.
    Time(String),
    /// What the row with the cursor means.
    Explain,
    /// The help page that lists the keys, from this line on.
    Help(usize),
    /// The question of what to do with a target.
    Question(Question),
    /// The answer of `why`.
    Why(WhyPage),
}

/// The question of what to do with a target.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Its number: answers to earlier questions are not about its target.
    pub number: u32,
    /// The target, once it is fixed; or why there is none.
    pub target: Option<Result<Target, String>>,
    /// When it appeared on the screen: an earlier key cannot be an answer to it.
    pub shown_since: Option<Duration>,
    /// What was done, and its result.
    pub said: Vec<String>,
    /// Whether KILL is offered.
    pub may_kill: bool,
    /// Whether something is being done.
    pub is_busy: bool,
}

/// The answer of `why`.
#[derive(Clone, Debug, Default)]
pub struct WhyPage {
    /// The place in question: `3000/tcp`.
    pub place: String,
    /// The answer, once there is one.
    pub text: Option<Result<String, String>>,
    /// The first visible line.
    pub top: usize,
    /// When the first sentence last changed.
    pub changed: Option<Duration>,
    /// The socket that it concerns.
    pub socket: Option<SocketKey>,
}

/// The state.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What does not change.
    pub setup: Setup,
    /// What is known now.
    pub data: Data,
    /// What was known when the screen was frozen.
    pub frozen: Option<Box<Data>>,
    /// The looks with earlier filters, the latest last.
    pub earlier: Vec<Data>,
    /// What was known at an earlier look, and the number of that look.
    pub past: Option<(usize, Box<Data>)>,
    /// Hidden columns of each view, as bits.
    pub hidden: [u16; 4],
    /// Rates of the groups on the screen, received and sent, the latest last.
    pub group_curves: BTreeMap<String, VecDeque<(f64, f64)>>,
    /// The filter, and its number.
    pub filter: String,
    /// The previous filter, to which the screen returns if the filter is rejected.
    pub previous_filter: String,
    /// The number of the filter.
    pub filter_number: u32,
    /// Filters that were entered, the latest last.
    pub past_filters: Vec<String>,
    /// Whether the data on the screen was read with the filter.
    pub is_current: bool,
    /// How many looks of a recording were read, of how many; `None` if all were.
    pub reading: Option<(usize, usize)>,
    /// The filter that is being typed, if it can be tried on the rows shown.
    pub preview: Option<Expr>,
    /// What may have been meant by a filter that matches nothing.
    pub near: Option<String>,
    /// Levels, the current one last; never empty after [`State::new`].
    pub levels: Vec<Level>,
    /// The rows of the current level.
    pub items: Items,
    /// What has the keyboard focus.
    pub mode: Mode,
    /// How many questions about a target there were.
    pub questions: u32,
    /// Whether the panel with details is open.
    pub has_panel: bool,
    /// The interval between two looks.
    pub interval: Duration,
    /// The time since the start.
    pub now: Duration,
    /// When a key was last pressed.
    pub key_at: Duration,
    /// When rows were last sorted.
    pub sorted_at: Duration,
    /// A message about what was just done, and when it appeared.
    pub notice: Option<(String, Duration)>,
    /// Why the last look failed, when, and when the next one comes.
    pub failed: Option<(String, Duration, Duration)>,
    /// The problems found, the worst first.
    pub findings: Vec<String>,
    /// What is missing.
    pub loss: Option<String>,
    /// The sockets that are read individually.
    pub asked: Vec<SocketKey>,
    /// Whether the rows are those of an earlier look: with many sockets, they are arranged by [`super::Msg::Settle`], so that
    /// a key waits for a part of the work only.
    pub is_behind: bool,
}

impl State {
    /// Creates the initial state.
    pub fn new(setup: Setup, filter: String, interval: Duration, size: (u16, u16)) -> Self {
        let keeps_all = setup.replay.is_some();
        Self {
            reading: keeps_all.then_some((0, 0)),
            size,
            setup,
            filter,
            interval,
            levels: vec![Level::of(View::Ports)],
            data: Data {
                keeps_all,
                ..Data::default()
            },
            ..Self::default()
        }
    }

    /// The current level.
    pub fn level(&self) -> &Level {
        static FIRST: std::sync::LazyLock<Level> = std::sync::LazyLock::new(|| Level::of(View::Ports));
        self.levels.last().unwrap_or(&FIRST)
    }

    /// The current level, to be changed.
    pub fn level_mut(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::of(View::Ports));
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The data on the screen: the current one, or that from when the screen was frozen.
    pub fn shown(&self) -> &Data {
        let past = self.past.as_ref().map(|(_, past)| past.as_ref());
        past.or(self.frozen.as_deref()).unwrap_or(&self.data)
    }

    /// The filter of what is on the screen.
    pub fn shown_filter(&self) -> &str {
        match &self.past {
            Some((_, past)) => &past.filter,
            None => &self.filter,
        }
    }

    /// The socket of the row with the cursor.
    pub fn selected_socket(&self) -> Option<Socket> {
        let (at, data) = (self.level().at, self.shown());
        let key = self.items.socket(at, data)?;
        data.socket(key).or_else(|| {
            // What is gone for longer is known from its last event.
            self.selected_event().map(|line| line.event.socket.clone())
        })
    }

    /// The event of the row with the cursor.
    pub fn selected_event(&self) -> Option<&Line> {
        let Items::Events(numbers) = &self.items else {
            return None;
        };
        self.shown().event(*numbers.get(self.level().at)?)
    }

    /// The place that `why` answers for in the row with the cursor, if it has one.
    pub fn why_place(&self) -> Option<String> {
        let socket = self.selected_socket()?;
        let has_answer = matches!(socket.protocol, Protocol::Tcp | Protocol::Udp);
        let pair = socket.inet().filter(|_| has_answer)?;
        Some(format!("{}/{}", pair.local_port, socket.protocol.name()))
    }

    /// Whether the row with the cursor has a socket that still exists.
    pub fn has_target(&self) -> bool {
        let key = self.items.socket(self.level().at, self.shown());
        key.is_some_and(|key| self.data.followed.known().contains(key))
    }

    /// How many rows of the list fit on the screen.
    pub fn body_rows(&self) -> usize {
        usize::from(areas(self.size, self.has_panel).rows.height)
    }

    /// Rebuilds the list. The cursor stays on the same row, and that row on the same line of the screen.
    pub fn rebuild(&mut self) {
        let level = self.level().clone();
        // The latest event stays visible until the cursor is moved away from it.
        let is_last = level.view == View::Events && level.at + 1 >= self.items.len();
        self.items = items(self.shown(), &level, self.preview.as_ref());
        self.sorted_at = self.now;
        if is_last {
            self.select(self.items.len());
        }
        self.follow();
    }

    /// Moves the cursor to the current position of its row.
    pub fn follow(&mut self) {
        let count = self.items.len();
        let rows = self.body_rows().max(1);
        let found = self
            .level()
            .selected
            .as_ref()
            .and_then(|subject| self.items.position(subject));
        let level = self.level_mut();
        let line = level.at.saturating_sub(level.top);
        level.at = found.unwrap_or(level.at).min(count.saturating_sub(1));
        level.top = level.at.saturating_sub(line);
        level.top = level.top.min(count.saturating_sub(rows)).min(level.at);
        if level.at >= level.top + rows {
            level.top = level.at + 1 - rows;
        }
        if found.is_none() {
            let at = level.at;
            self.level_mut().selected = self.items.subject(at);
        }
    }

    /// Moves the cursor to a row.
    pub fn select(&mut self, at: usize) {
        let at = at.min(self.items.len().saturating_sub(1));
        let rows = self.body_rows().max(1);
        let subject = self.items.subject(at);
        let level = self.level_mut();
        level.at = at;
        level.selected = subject;
        if at < level.top {
            level.top = at;
        } else if at >= level.top + rows {
            level.top = at + 1 - rows;
        }
    }

    /// Whether the screen changes while nothing happens: it shows an age, or something that goes away. Otherwise it is drawn
    /// only after a look or a key.
    pub fn ages(&self) -> bool {
        let is_plain = matches!(self.mode, Mode::Rows) && !self.has_panel && self.is_current;
        let is_still = self.notice.is_none() && self.failed.is_none() && !self.level().sort.is_live();
        !(is_plain && is_still && (self.frozen.is_some() || self.data.gone.is_empty()))
    }

    /// How much longer rows keep their order after a key was pressed.
    pub fn held_for(&self) -> Option<Duration> {
        let since = self.now.saturating_sub(self.key_at);
        (self.key_at > Duration::ZERO && since < HOLD).then(|| HOLD.saturating_sub(since))
    }

    /// Determines what needs attention and what is missing; `all` if the look covered every socket.
    pub fn judge(&mut self, all: bool) {
        self.findings = match &self.items {
            Items::Ports(ports) if self.preview.is_none() => findings::findings(&self.data, ports),
            _ if all => findings::findings(&self.data, &ports(&self.data)),
            _ => return,
        };
        if all {
            self.loss = findings::loss(&self.data, self.setup.sudo.as_deref());
        }
    }

    /// Shows a message for a while.
    pub fn say(&mut self, words: impl Into<String>) {
        self.notice = Some((words.into(), self.now));
    }
}
