//! A level: a view, its restriction, its order, and the cursor.

use super::items::Subject;
use super::kind::Ports;
use crate::model::Protocol;
use crate::query::field::Field;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The order of a listing; ports by number, programs by the number of their sockets.
    #[default]
    Usual,
    /// Connections, or sockets.
    Count,
    /// Bytes received per second.
    In,
    /// Bytes sent per second.
    Out,
    /// The round-trip time.
    Rtt,
    /// Unread bytes, or connections that wait to be accepted.
    RecvQ,
    /// Unacknowledged bytes.
    SendQ,
    /// The state.
    State,
    /// The peer's address.
    Peer,
    /// The program.
    Program,
}

impl Sort {
    /// The choices of a view: letter, name, and sort order.
    pub fn choices(view: View) -> &'static [(char, &'static str, Self)] {
        match view {
            View::Ports => &[
                ('p', "port", Self::Usual),
                ('c', "connections", Self::Count),
                ('i', "in", Self::In),
                ('o', "out", Self::Out),
                ('a', "accept queue", Self::RecvQ),
            ],
            View::Connections => &[
                ('u', "usual", Self::Usual),
                ('s', "state", Self::State),
                ('p', "peer", Self::Peer),
                ('i', "in", Self::In),
                ('o', "out", Self::Out),
                ('t', "rtt", Self::Rtt),
                ('r', "recv-q", Self::RecvQ),
                ('w', "send-q", Self::SendQ),
                ('g', "program", Self::Program),
            ],
            View::Programs => &[
                ('n', "sockets", Self::Usual),
                ('i', "in", Self::In),
                ('o', "out", Self::Out),
                ('g', "name", Self::Program),
            ],
            View::Events => &[],
        }
    }

    /// Whether the largest comes first unless the order is reversed.
    pub fn is_descending(self) -> bool {
        !matches!(self, Self::Usual | Self::State | Self::Peer | Self::Program)
    }

    /// Whether the order can change even if nothing opens or closes.
    pub fn is_live(self) -> bool {
        self.is_descending()
    }
}

/// A view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Ports in use.
    #[default]
    Ports,
    /// Sockets.
    Connections,
    /// Sockets by program.
    Programs,
    /// What opened, changed and closed.
    Events,
}

impl View {
    /// All of them, by their numbers.
    pub const ALL: [Self; 4] = [Self::Ports, Self::Connections, Self::Programs, Self::Events];

    /// The name in the first line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ports => "ports",
            Self::Connections => "connections",
            Self::Programs => "programs",
            Self::Events => "events",
        }
    }
}

/// The restriction of a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// Everything that matches the filter.
    #[default]
    All,
    /// One port.
    Port(Protocol, u16),
    /// Connections on many ports.
    Ports(Protocol, Ports),
    /// A group.
    Group(Field, String),
}

/// A view, its restriction, its order, and the cursor.
#[derive(Clone, Debug)]
pub struct Level {
    /// The view.
    pub view: View,
    /// What it is restricted to.
    pub within: Within,
    /// The order of rows.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub is_turned: bool,
    /// What programs are grouped by.
    pub by: Field,
    /// What the cursor is on.
    pub selected: Option<Subject>,
    /// The row of the cursor.
    pub at: usize,
    /// The first row on the screen.
    pub top: usize,
}

impl Level {
    /// A level with everything in a view.
    pub fn of(view: View) -> Self {
        Self {
            view,
            within: Within::All,
            sort: Sort::Usual,
            is_turned: false,
            by: Field::Process,
            selected: None,
            at: 0,
            top: 0,
        }
    }
}
