//! The cells of the table for people: what each column shows of a row, and how loud.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::lines::push_word;
use super::other_ends::{self, Form};
use super::text::{push_address, push_hex, push_ip_protocol};
use super::tokens::push_timer;
use super::{escape, human, plain};
use crate::model::Row;
use crate::model::{Endpoints, InetPair, OwnerStatus, Protocol, Socket, SocketType, State};
use crate::query::field::{Field, Kind, Value, recv_q_limit, recv_q_percent};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the headings say it")]
pub enum Column {
    /// Where rows of several network namespaces are.
    Netns,
    Proto,
    State,
    RecvQ,
    SendQ,
    Local,
    Peer,
    Scope,
    AcceptQ,
    SynRecv,
    /// A receive queue against its buffer.
    RecvBuffer,
    Drops,
    Timer,
    User,
    Inode,
    Cookie,
    Cgroup,
    Process,
    /// The owner's arguments, behind its name.
    Command,
    /// A field of the registry as it is, because it was asked for by name.
    Field(Field),
}

/// How a cell is shown: colour is a signal only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Secondary.
    Dim,
    /// Wants a look.
    Warn,
    /// Wants action.
    Alarm,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text, escaped.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

impl Column {
    /// The fields that it tells. It goes from the table when all of them are hidden.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Netns => &[Field::Netns, Field::NetnsName],
            Self::Proto => &[Field::Protocol],
            Self::State => &[Field::State],
            Self::RecvQ => &[Field::RecvQ],
            Self::SendQ => &[Field::SendQ],
            Self::Local => &[Field::LocalAddress, Field::LocalPort],
            Self::Peer => &[Field::PeerAddress, Field::PeerPort],
            Self::Scope => &[Field::Scope],
            Self::AcceptQ => &[Field::AcceptQ, Field::Backlog],
            Self::SynRecv => &[Field::SynRecv],
            Self::RecvBuffer => &[Field::RecvQPercent],
            Self::Drops => &[Field::Drops],
            Self::Timer => &[Field::Timer, Field::TimerExpiresMs, Field::Retransmits],
            Self::User => &[Field::User],
            Self::Inode => &[Field::Inode],
            Self::Cookie => &[Field::Cookie],
            Self::Cgroup => &[Field::Cgroup],
            Self::Process | Self::Command => &[Field::Process],
            Self::Field(field) => std::slice::from_ref(field),
        }
    }

    /// The heading.
    pub fn heading(self) -> Cow<'static, str> {
        if let Self::Field(field) = self {
            return field.name().to_ascii_uppercase().replace('_', "-").into();
        }
        self.usual_heading().into()
    }

    const fn usual_heading(self) -> &'static str {
        match self {
            Self::Netns => "NETNS",
            Self::Proto => "PROTO",
            Self::State => "STATE",
            Self::RecvQ | Self::RecvBuffer => "RECV-Q",
            Self::SendQ => "SEND-Q",
            Self::Local => "LOCAL",
            Self::Peer => "PEER",
            Self::Scope => "SCOPE",
            Self::AcceptQ => "ACCEPT-Q",
            Self::SynRecv => "SYN-RECV",
            Self::Drops => "DROPS",
            Self::Timer => "TIMER",
            Self::User => "USER",
            Self::Inode => "INODE",
            Self::Cookie => "COOKIE",
            Self::Cgroup => "CGROUP",
            Self::Process => "PROCESS",
            Self::Command | Self::Field(_) => "",
        }
    }

    /// Whether it holds numbers that are compared by their length.
    pub fn is_right_aligned(self) -> bool {
        match self {
            Self::RecvQ
            | Self::SendQ
            | Self::AcceptQ
            | Self::SynRecv
            | Self::RecvBuffer
            | Self::Drops
            | Self::Inode => true,
            Self::Field(field) => field.info().kind == Kind::Integer,
            _ => false,
        }
    }

    /// What it shows of a row.
    pub fn cell(self, row: &Row<'_>, names: bool) -> Cell {
        let socket = row.socket;
        let number =
            |number: Option<u32>| plain_cell(number.map_or_else(String::new, |number| number.to_string()));
        match self {
            Self::Netns => plain_cell(human::netns(row)),
            Self::Proto => plain_cell(plain::netid(socket).to_owned()),
            Self::State => Cell {
                text: socket.state.ss_name().to_owned(),
                tone: state_tone(row),
            },
            Self::RecvQ => Cell {
                tone: state_tone(row),
                ..number(socket.recv_q())
            },
            Self::SendQ => number(socket.send_q()),
            Self::Local => plain_cell(local(row, names)),
            Self::Peer => plain_cell(peer(row, names)),
            Self::Scope => Cell {
                text: socket.scope().map_or("", human::scope).to_owned(),
                tone: if human::is_exposed(socket) {
                    Tone::Warn
                } else {
                    Tone::Plain
                },
            },
            Self::AcceptQ => accept_queue(row),
            // What is 0 is nothing to look at.
            Self::SynRecv => number(row.context.half_open.of(socket).filter(|count| *count > 0)),
            Self::RecvBuffer => receive_queue(socket),
            Self::Drops => Cell {
                text: match socket.drops {
                    Some(count @ 1..) => count.to_string(),
                    _ => String::new(),
                },
                tone: Tone::Warn,
            },
            Self::Timer => plain_cell(timer(row)),
            Self::User => plain_cell(user(row)),
            Self::Inode => plain_cell(socket.inode.map_or_else(String::new, |inode| inode.to_string())),
            Self::Cookie => plain_cell(socket.cookie.map_or_else(String::new, |cookie| {
                let mut text = Vec::new();
                push_hex(&mut text, cookie.get());
                String::from_utf8(text).unwrap_or_default()
            })),
            Self::Cgroup => {
                let path = socket
                    .cgroup_id
                    .and_then(|id| row.context.names.cgroups.get(&id.get()));
                plain_cell(path.map_or_else(String::new, |path| escape::text(path.as_bytes())))
            }
            Self::Process => Cell {
                text: human::owner(row),
                tone: owner_tone(row.ownership.status),
            },
            Self::Command => Cell {
                text: human::command(row),
                tone: Tone::Dim,
            },
            Self::Field(field) => plain_cell(field_text(row, field)),
        }
    }
}

/// Text keeps its blanks here: the layout tells columns apart.
fn field_text(row: &Row<'_>, field: Field) -> String {
    let mut text = Vec::new();
    match field.value(row) {
        Value::Null => {}
        Value::Text(bytes) => escape::push(&mut text, bytes),
        Value::UnixName(name) => escape::push_unix_name(&mut text, name, |_| false),
        value => push_word(&mut text, &value),
    }
    String::from_utf8(text).unwrap_or_default()
}

fn plain_cell(text: String) -> Cell {
    Cell {
        text,
        tone: Tone::Plain,
    }
}

/// CLOSE-WAIT with unread bytes: the program forgot to close, or does not read.
fn state_tone(row: &Row<'_>) -> Tone {
    // A peer's FIN counts as one byte (linux 6.18 net/ipv4/tcp_diag.c), so more than one is data.
    let unread = row.socket.recv_q().is_some_and(|bytes| bytes > 1);
    if row.socket.state == State::CloseWait && unread {
        Tone::Warn
    } else {
        Tone::Plain
    }
}

const fn owner_tone(status: OwnerStatus) -> Tone {
    match status {
        OwnerStatus::Known => Tone::Plain,
        _ => Tone::Dim,
    }
}

fn accept_queue(row: &Row<'_>) -> Cell {
    let socket = row.socket;
    let tone = if socket.accept_queue_is_full() {
        Tone::Alarm
    } else {
        Tone::Plain
    };
    let text = match (socket.accept_q(), socket.backlog()) {
        (Some(waiting), Some(limit)) if waiting > limit => format!("{waiting}/{limit} full"),
        (Some(waiting), Some(limit)) => format!("{waiting}/{limit}"),
        (Some(waiting), None) => format!("{waiting}/?"),
        _ => String::new(),
    };
    Cell { text, tone }
}

/// The percentages from which a receive buffer wants a look, and action: a datagram that does not fit is lost.
const FILLING_PERCENT: u64 = 50;
const FULL_PERCENT: u64 = 90;

/// A receive queue that is not empty, against its buffer.
fn receive_queue(socket: &Socket) -> Cell {
    let Some((waiting @ 1.., limit)) = socket.recv_q().zip(recv_q_limit(socket)) else {
        return Cell::default();
    };
    let text = format!("{}/{}", human::bytes(waiting.into()), human::bytes(limit));
    match recv_q_percent(socket) {
        Some(FULL_PERCENT..) => Cell {
            text: format!("{text} full"),
            tone: Tone::Alarm,
        },
        Some(FILLING_PERCENT..) => Cell {
            text,
            tone: Tone::Warn,
        },
        _ => plain_cell(text),
    }
}

fn local(row: &Row<'_>, names: bool) -> String {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) => {
            let mut text = endpoint(row, pair, pair.local_address, pair.local_port, names);
            if let Some(index) = pair.interface {
                match row.interface(index) {
                    Some(name) => {
                        let _ = write!(text, "%{}", escape::text(name.as_bytes()));
                    }
                    None => {
                        let _ = write!(text, "%if{index}");
                    }
                }
            }
            text
        }
        Endpoints::Unix(pair) => match &pair.name {
            Some(name) => {
                let mut text = Vec::new();
                escape::push_unix_name(&mut text, name, |_| false);
                String::from_utf8(text).unwrap_or_default()
            }
            None => "(unnamed)".to_owned(),
        },
        _ => {
            let mut text = Vec::new();
            other_ends::push_local(&mut text, row, Form::Names);
            text.push(b':');
            other_ends::push_local_port(&mut text, row, Form::Names);
            String::from_utf8(text).unwrap_or_default()
        }
    }
}

fn peer(row: &Row<'_>, names: bool) -> String {
    match &row.socket.endpoints {
        Endpoints::Inet(pair) if pair.peer_address.is_unspecified() && pair.peer_port == 0 => String::new(),
        Endpoints::Inet(pair) => endpoint(row, pair, pair.peer_address, pair.peer_port, names),
        Endpoints::Unix(pair) => match row.peer().and_then(|peer| peer.name) {
            Some(name) => {
                let mut text = Vec::new();
                escape::push_unix_name(&mut text, name, |_| false);
                String::from_utf8(text).unwrap_or_default()
            }
            None => pair
                .peer_inode
                .map_or_else(String::new, |inode| format!("#{inode}")),
        },
        Endpoints::Vsock(pair) if pair.peer_cid == u32::MAX => String::new(),
        _ => {
            let mut text = Vec::new();
            other_ends::push_peer(&mut text, row, Form::Names);
            String::from_utf8(text).unwrap_or_default()
        }
    }
}

fn endpoint(row: &Row<'_>, pair: &InetPair, address: std::net::IpAddr, port: u16, names: bool) -> String {
    let name = row.context.names.hosts.get(&address).filter(|_| names);
    let host = if let Some(name) = name {
        escape::text(name.as_bytes())
    } else if address.is_ipv6() && address.is_unspecified() && pair.v6only != Some(true) {
        "*".to_owned()
    } else {
        let mut text = Vec::new();
        push_address(&mut text, address);
        let text = String::from_utf8(text).unwrap_or_default();
        if address.is_ipv6() {
            format!("[{text}]")
        } else {
            text
        }
    };
    if row.socket.protocol == Protocol::Raw && port != 0 {
        let mut text = format!("{host}:").into_bytes();
        push_ip_protocol(&mut text, port);
        return String::from_utf8(text).unwrap_or_default();
    }
    let key = (port, row.socket.kind == Some(SocketType::Dgram));
    match row.context.names.services.get(&key).filter(|_| names) {
        Some(service) => format!("{host}:{}", escape::text(service.as_bytes())),
        None if port == 0 => format!("{host}:*"),
        None => format!("{host}:{port}"),
    }
}

fn timer(row: &Row<'_>) -> String {
    let mut text = Vec::new();
    push_timer(&mut text, row.socket.timer);
    let text = String::from_utf8(text).unwrap_or_default();
    text.trim_start_matches(" timer:(")
        .trim_end_matches(')')
        .to_owned()
}

fn user(row: &Row<'_>) -> String {
    match row.socket.uid {
        None => String::new(),
        Some(uid) => match row.context.names.users.get(&uid) {
            Some(name) => escape::text(name.as_bytes()),
            None => uid.to_string(),
        },
    }
}
