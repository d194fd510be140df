//! The rows of a view, and what they stand for.

use std::collections::HashMap;

use super::data::Data;
use super::kind::Kind;
use super::ports::Port;
use super::programs::Group;
use crate::model::{Key, Protocol, Socket};

/// What a row stands for, which stays the same while rows move.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A port.
    Port(Protocol, u16),
    /// Connections on many ports.
    Ports(Protocol, Kind),
    /// A socket.
    Socket(Key),
    /// A group, by name.
    Group(String),
    /// An event, by number.
    Event(u64),
}

/// The rows of a view, in order.
#[derive(Clone, Debug)]
pub enum Items {
    /// Ports.
    Ports(Vec<Port>),
    /// Sockets.
    Sockets(Vec<Key>),
    /// Groups.
    Groups(Vec<Group>),
    /// Events, by number: the latest last.
    Events(Vec<u64>),
}

impl Default for Items {
    fn default() -> Self {
        Self::Ports(Vec::new())
    }
}

impl Items {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Ports(ports) => ports.len(),
            Self::Sockets(keys) => keys.len(),
            Self::Groups(groups) => groups.len(),
            Self::Events(numbers) => numbers.len(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the subject of a row.
    pub fn subject(&self, at: usize) -> Option<Subject> {
        match self {
            Self::Ports(ports) => ports.get(at).map(subject),
            Self::Sockets(keys) => keys.get(at).map(|key| Subject::Socket(*key)),
            Self::Groups(groups) => groups.get(at).map(|group| Subject::Group(group.name.clone())),
            Self::Events(numbers) => numbers.get(at).map(|number| Subject::Event(*number)),
        }
    }

    /// Returns the position of a subject.
    pub fn position(&self, wanted: &Subject) -> Option<usize> {
        match (self, wanted) {
            (Self::Ports(ports), Subject::Port(..) | Subject::Ports(..)) => {
                ports.iter().position(|one| subject(one) == *wanted)
            }
            (Self::Sockets(keys), Subject::Socket(key)) => keys.iter().position(|one| one == key),
            (Self::Groups(groups), Subject::Group(name)) => groups.iter().position(|one| one.name == *name),
            (Self::Events(numbers), Subject::Event(number)) => numbers.binary_search(number).ok(),
            _ => None,
        }
    }

    /// Updates the queues of ports from the current data; everything else stays as it was counted.
    pub(super) fn refresh(&mut self, data: &Data) {
        if let Self::Ports(ports) = self {
            let mut slot = Socket::BLANK;
            for port in ports.iter_mut() {
                port.refresh(data.followed.known(), &mut slot);
            }
        }
    }

    /// Returns the socket that a row stands for: the socket itself, the first that waits on the port, or that of the
    /// event.
    pub fn socket(&self, at: usize, data: &Data) -> Option<Key> {
        match self {
            Self::Ports(ports) => ports.get(at).map(|port| port.first),
            Self::Sockets(keys) => keys.get(at).copied(),
            Self::Events(numbers) => {
                let number = numbers.get(at)?;
                data.event(*number)?.event.socket.identity()
            }
            Self::Groups(_) => None,
        }
    }
}

/// What a row of the ports view stands for.
fn subject(port: &Port) -> Subject {
    if port.kind.is_of_many_ports() {
        Subject::Ports(port.protocol, port.kind)
    } else {
        Subject::Port(port.protocol, port.port)
    }
}

impl Items {
    /// Returns the same rows in their previous order; new ones come last.
    #[must_use]
    pub fn in_order_of(self, before: &[Subject]) -> Self {
        let places: HashMap<&Subject, usize> = before.iter().zip(0..).collect();
        let place = |subject: &Subject| places.get(subject).copied().unwrap_or(usize::MAX);
        match self {
            Self::Ports(mut ports) => {
                ports.sort_by_key(|port| place(&subject(port)));
                Self::Ports(ports)
            }
            Self::Sockets(mut keys) => {
                keys.sort_by_key(|key| place(&Subject::Socket(*key)));
                Self::Sockets(keys)
            }
            Self::Groups(mut groups) => {
                groups.sort_by_key(|group| place(&Subject::Group(group.name.clone())));
                Self::Groups(groups)
            }
            Self::Events(numbers) => Self::Events(numbers),
        }
    }
}
