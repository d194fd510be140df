//! Whether a connection to a unix socket would be accepted, and if not, why.

use crate::diagnose::bind::holders::Holders;
use crate::diagnose::bind::unix::facts::{is_abstract, printable};
use crate::model::{Socket, SocketType};

/// What is known about the name that a connection goes to.
#[derive(Clone, Debug)]
pub struct UnixName {
    /// The name in the kernel's form; abstract if it starts with NUL.
    pub name: Vec<u8>,
    /// Whether there is a socket file at the path.
    pub is_socket_file: bool,
    /// Whether the kernel lets this process write to the file.
    pub may_connect: bool,
    /// Whether a socket is bound to the file, in any network namespace; `None` if unknown.
    pub is_bound: Option<bool>,
    /// The sockets that have the name.
    pub sockets: Vec<(Socket, Holders)>,
}

/// The verdict on a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixReach {
    /// A socket accepts the connection.
    Accepted,
    /// The listener's accept queue is full.
    QueueFull,
    /// This process may not write to the file of the socket.
    Forbidden,
    /// Nobody listens.
    Refused,
    /// The socket does not exist.
    Missing,
    /// A socket is, or may be, bound to the file, but cannot be seen from here.
    Unseen,
}

impl UnixReach {
    /// The code in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::QueueFull => "queue-full",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Unseen => "unseen",
        }
    }
}

/// The verdict on a name, also in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixAnswer {
    /// The verdict.
    pub verdict: UnixReach,
    /// The verdict in words.
    pub sentence: String,
    /// The socket in question, by its index.
    pub socket: Option<usize>,
}

/// Says what would happen to a connection.
pub fn judge(facts: &UnixName) -> UnixAnswer {
    let shown = printable(&facts.name);
    let takes =
        |(socket, _): &(Socket, Holders)| socket.is_listener() || socket.kind == Some(SocketType::Dgram);
    let at = facts.sockets.iter().position(takes);
    let (verdict, sentence) = match at.and_then(|at| facts.sockets.get(at)) {
        None if !is_abstract(&facts.name) && !facts.is_socket_file => (
            UnixReach::Missing,
            format!("No: there is no socket {shown} (ENOENT)."),
        ),
        _ if !is_abstract(&facts.name) && !facts.may_connect => (
            UnixReach::Forbidden,
            format!("No: you may not write to {shown} (EACCES)."),
        ),
        None if is_abstract(&facts.name) || !facts.sockets.is_empty() || facts.is_bound == Some(false) => (
            UnixReach::Refused,
            format!("No: refused. Nobody listens on {shown}."),
        ),
        None => (
            UnixReach::Unseen,
            format!("Cannot tell: the socket of {shown}, if any, is in another network namespace."),
        ),
        Some((socket, _)) if socket.accept_queue_is_full() => (
            UnixReach::QueueFull,
            format!("No: the accept queue of {shown} is full ({}).", queue(socket)),
        ),
        Some((_, holders)) => (
            UnixReach::Accepted,
            match holders.stopped.as_ref().filter(|stopped| stopped.are_all()) {
                Some(stopped) => format!("Yes, it connects, but {}.", stopped.for_clients()),
                None => format!("Yes: {} accepts connections on {shown}.", holders.who()),
            },
        ),
    };
    UnixAnswer {
        verdict,
        sentence,
        socket: at,
    }
}

fn queue(socket: &Socket) -> String {
    match (socket.accept_q(), socket.backlog()) {
        (Some(waiting), Some(limit)) => format!("{waiting} waiting, the limit is {limit}"),
        _ => "its length is not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Protocol, State};

    fn listener(waiting: u32) -> (Socket, Holders) {
        let socket = Socket {
            protocol: Protocol::Unix,
            kind: Some(SocketType::Stream),
            state: State::Listen,
            rqueue: Some(waiting),
            wqueue: Some(5),
            ..Socket::BLANK
        };
        (socket, Holders::default())
    }

    fn verdict(name: &str, facts: (bool, bool), sockets: Vec<(Socket, Holders)>) -> &'static str {
        let (is_socket_file, may_connect) = facts;
        let answer = judge(&UnixName {
            name: name.as_bytes().to_vec(),
            is_socket_file,
            may_connect,
            is_bound: Some(false),
            sockets,
        });
        answer.verdict.name()
    }

    #[test]
    fn every_verdict() {
        assert_eq!(verdict("/a", (true, true), vec![listener(0)]), "accepted");
        assert_eq!(verdict("/a", (true, true), vec![listener(6)]), "queue-full");
        assert_eq!(verdict("/a", (true, false), vec![listener(0)]), "forbidden");
        assert_eq!(verdict("/a", (true, true), Vec::new()), "refused");
        assert_eq!(verdict("/a", (true, false), Vec::new()), "forbidden");
        assert_eq!(verdict("/a", (false, false), Vec::new()), "missing");
    }

    #[test]
    fn a_file_without_a_known_socket_is_refused_only_if_the_kernel_says_so() {
        let of = |is_bound| {
            judge(&UnixName {
                name: b"/a".to_vec(),
                is_socket_file: true,
                may_connect: true,
                is_bound,
                sockets: Vec::new(),
            })
            .verdict
        };
        assert_eq!(of(Some(false)), UnixReach::Refused);
        assert_eq!([of(Some(true)), of(None)], [UnixReach::Unseen; 2]);
    }

    #[test]
    fn an_abstract_name_needs_no_file() {
        assert_eq!(verdict("\0a", (false, false), vec![listener(0)]), "accepted");
        assert_eq!(verdict("\0a", (false, false), Vec::new()), "refused");
    }
}
