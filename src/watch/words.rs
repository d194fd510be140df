//! The content of the screen as a filter, and as the command line that prints it.

use std::fmt::Write as _;

use super::items::Subject;
use super::level::{Sort, View, Within};
use super::programs;
use super::state::State;
use crate::model::{Protocol, time};
use crate::query::field::Field;
use crate::render::shell;

impl State {
    /// The restriction of the current level as a filter; empty for everything.
    pub fn within_words(&self) -> String {
        words_of(&self.level().within)
    }

    /// A filter for what the row with the cursor has in common with others: its port or group; for a connection, the
    /// value that rows are sorted by, or the peer.
    pub fn value_words(&self) -> Option<String> {
        let level = self.level();
        match self.items.subject(level.at)? {
            Subject::Ports(..) => None,
            Subject::Port(_, port) => Some(format!("local_port = {port}")),
            Subject::Group(name) if name == programs::NOT_KNOWN => None,
            Subject::Group(name) => Some(words_of(&Within::Group(level.by, name))),
            Subject::Socket(_) | Subject::Event(_) => {
                let socket = self.selected_socket()?;
                let program = programs::name(&self.shown().row(&socket), Field::Process);
                let pair = socket.inet();
                match (level.sort, pair) {
                    (Sort::State, _) => Some(format!("state = {}", socket.state.name())),
                    (Sort::Program, _) => Some(words_of(&Within::Group(Field::Process, program))),
                    (_, Some(pair)) if pair.peer_port != 0 => {
                        Some(format!("peer_address = {}", pair.peer_address.to_canonical()))
                    }
                    (_, Some(pair)) => Some(format!("local_port = {}", pair.local_port)),
                    (_, None) => None,
                }
            }
        }
    }

    /// The whole filter of the rows shown.
    pub fn whole_filter(&self) -> String {
        match (self.filter.trim(), self.within_words()) {
            ("", within) => within,
            (filter, within) if within.is_empty() => filter.to_owned(),
            (filter, within) => format!("({filter}) and {within}"),
        }
    }

    /// The command line that prints the same answer of `why`.
    pub fn why_command(&self, place: &str) -> String {
        let mut words = vec!["sockstat".to_owned(), "why".to_owned()];
        // Only options that select a namespace or a recording are kept, with their values; the others are for listings.
        for pair in self.setup.options.windows(2) {
            if let [name @ ("-N" | "--replay"), value] = [pair[0].as_str(), pair[1].as_str()] {
                words.push(name.to_owned());
                words.extend(shell::word(value.as_bytes()));
            }
        }
        words.extend(self.at_words());
        words.push(place.to_owned());
        words.join(" ")
    }

    /// Whether a listing with this filter would show closed connections (TIME-WAIT), which the screen shows only if the
    /// user entered a filter.
    fn must_leave_out_remains(&self, filter: &str) -> bool {
        let level = self.level();
        let has_tcp = match &level.within {
            Within::Port(protocol, _) | Within::Ports(protocol, _) => *protocol == Protocol::Tcp,
            Within::Group(..) => true,
            // A table option alone selects every state.
            Within::All => {
                let mut letters = self.setup.options.iter().filter(|word| word.ends_with("ap"));
                letters
                    .next_back()
                    .is_some_and(|word| word.contains('t') || !word.contains(['u', 'x']))
            }
        };
        let is_listing = !matches!(level.view, View::Events);
        is_listing
            && has_tcp
            && self.filter.trim().is_empty()
            && (level.within != Within::All || filter.is_empty())
    }

    /// In a replay, the option for the look on the screen.
    fn at_words(&self) -> Vec<String> {
        match (&self.setup.replay, self.shown().clock) {
            (Some(_), Some(clock)) => vec!["--at".to_owned(), time::Moment::in_seconds(clock).text()],
            _ => Vec::new(),
        }
    }

    /// Whether a filter can select the rows of this level.
    pub(super) fn has_command(&self) -> bool {
        !matches!(&self.level().within, Within::Group(_, name) if name == programs::NOT_KNOWN)
    }

    /// The command line that prints the same rows.
    pub fn command(&self) -> String {
        let mut words = vec!["sockstat".to_owned()];
        let level = self.level();
        if level.view == View::Events {
            words.push("events".to_owned());
        }
        words.extend(
            self.setup
                .options
                .iter()
                .filter_map(|word| shell::word(word.as_bytes())),
        );
        match level.view {
            View::Ports if self.setup.options.is_empty() => words.push("-tulpn".to_owned()),
            View::Programs => words.extend(["--by".to_owned(), level.by.name().to_owned()]),
            _ => {}
        }
        words.extend(self.at_words());
        let mut filter = self.whole_filter();
        if self.must_leave_out_remains(&filter) {
            // TIME-WAIT, and FIN-WAIT-2 without a program.
            let and = if filter.is_empty() { "" } else { " and " };
            let _ = write!(filter, "{and}not timer = timewait");
        }
        if !filter.is_empty() {
            words.extend(shell::word(filter.as_bytes()));
        }
        words.join(" ")
    }
}

/// The restriction of a level as a filter; empty for everything.
fn words_of(within: &Within) -> String {
    match within {
        Within::All => String::new(),
        Within::Port(protocol, port) => {
            format!("local_port = {port} and protocol = {}", protocol.name())
        }
        Within::Ports(Protocol::Unix, _) => "protocol = unix".to_owned(),
        Within::Ports(protocol, ports) => {
            let mut words = format!("protocol = {}", protocol.name());
            let mut except: Vec<_> = ports.except.iter().map(u16::to_string).collect();
            match &ports.chosen {
                Some((range, true)) => {
                    let _ = write!(words, " and local_port in ({}-{})", range.start(), range.end());
                }
                Some((range, false)) => except.push(format!("{}-{}", range.start(), range.end())),
                None => {}
            }
            if !except.is_empty() {
                let _ = write!(words, " and not local_port in ({})", except.join(", "));
            }
            words
        }
        Within::Group(_, name) if name == "none (closed)" => "owner_status = none".to_owned(),
        Within::Group(by, name) if name == programs::NOT_KNOWN => format!("{} not known", by.name()),
        Within::Group(_, name) if name.starts_with("? ") => {
            format!("owner_status = {}", &name[2..])
        }
        Within::Group(by, name) if name == "-" => format!("not has({})", by.name()),
        Within::Group(by, name) => format!("{} = {}", by.name(), quoted(name)),
    }
}

/// A text as a word of the filter language.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}
