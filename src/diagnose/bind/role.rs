//! The role of an existing socket for a program that wants its port.

use crate::model::named::named;
use crate::model::{Protocol, State};

use super::existing::Existing;
use crate::model::system::SystemFacts;

named! {
    /// The roles of a socket, the most important first: a listener explains a taken port before its connections do.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Role {
        /// Accepts connections.
        Listener => "listener",
        /// Bound but not connected and, for TCP, not listening.
        Bound => "bound",
        /// A connection made from this machine, on a port that the kernel chose.
        Ephemeral => "ephemeral",
        /// Waits to be accepted by a listener.
        Queued => "queued",
        /// A connection that a listener accepted, even if that listener is gone.
        Accepted => "accepted",
        /// Any other connection.
        Connected => "connected",
        /// A connection that its program closed and that the kernel is still shutting down.
        Orphan => "orphan",
        /// A closed connection whose tuple stays reserved.
        TimeWait => "time-wait",
    }
}

impl Role {
    /// Returns the role of `socket` among `all` known sockets.
    pub fn of(socket: &Existing, all: &[Existing], system: &SystemFacts) -> Self {
        let Some(pair) = socket.socket.inet() else {
            return Self::Bound;
        };
        if socket.is_stub() {
            let rests = socket.socket.state == State::TimeWait;
            return if rests { Self::TimeWait } else { Self::Orphan };
        }
        let has_listener = || {
            all.iter().any(|other| {
                other.socket.state == State::Listen
                    && other
                        .socket
                        .inet()
                        .is_some_and(|other| other.local_port == pair.local_port)
            })
        };
        let closed = socket.socket.inode.is_none();
        match socket.socket.state {
            State::Listen => Self::Listener,
            State::Bound | State::Unconnected => Self::Bound,
            State::FinWait1 | State::FinWait2 | State::LastAck | State::Closing if closed => Self::Orphan,
            State::Established | State::CloseWait if closed && socket.socket.protocol == Protocol::Tcp => {
                Self::Queued
            }
            State::SynSent => connected(socket, pair.local_port, system),
            _ if has_listener() => Self::Accepted,
            _ => connected(socket, pair.local_port, system),
        }
    }
}

/// The role of a connection without a listener. If its port is outside the range that the kernel chooses from, it came
/// from a listener that is gone.
fn connected(socket: &Existing, port: u16, system: &SystemFacts) -> Role {
    match (socket.port_was_given, system.is_automatic(port)) {
        (Some(true) | None, true) => Role::Ephemeral,
        (Some(true), false) if socket.socket.state != State::SynSent => Role::Accepted,
        _ => Role::Connected,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{socket, system};
    use super::*;

    #[test]
    fn a_connection_without_a_listener_has_its_port_from_the_kernel_or_from_a_listener_that_is_gone() {
        let role = |state, port, given| {
            let mut one = socket(state, "10.0.0.1", port);
            one.port_was_given = given;
            Role::of(&one, std::slice::from_ref(&one), &system())
        };
        let (automatic, other) = (40_000, 80);
        for (state, port, given, expected) in [
            (State::Established, automatic, Some(true), Role::Ephemeral),
            (State::Established, automatic, None, Role::Ephemeral),
            (State::Established, automatic, Some(false), Role::Connected),
            (State::Established, other, Some(true), Role::Accepted),
            (State::Established, other, None, Role::Connected),
            (State::SynSent, other, Some(true), Role::Connected),
            (State::SynSent, automatic, Some(true), Role::Ephemeral),
        ] {
            assert_eq!(role(state, port, given), expected, "{state:?} {port} {given:?}");
        }
    }
}
