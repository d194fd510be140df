//! The content of each column.

use super::cell::{Cell, Tone};
use super::column::Column;
use super::{ends, queues};
use crate::model::{OwnerStatus, Row, State};
use crate::query::field::{Field, Kind, Value};
use crate::render::text::{push_hex, written};
use crate::render::tokens::push_timer;
use crate::render::word::push_for_people;
use crate::render::{human, owner, plain};

impl Column {
    /// Returns the column's cell for a row.
    pub fn cell(self, row: &Row<'_>, names: bool) -> Cell {
        let socket = row.socket;
        let number =
            |number: Option<u32>| Cell::fixed(number.map_or_else(String::new, |number| number.to_string()));
        match self {
            Self::Netns => Cell::plain(human::netns(row)),
            Self::Proto => Cell::plain(plain::netid(socket)),
            Self::State => Cell::plain(socket.state.ss_name()).toned(state_tone(row)),
            Self::RecvQ => number(socket.recv_q()).toned(state_tone(row)),
            Self::SendQ => number(socket.send_q()),
            Self::Local => Cell::of(ends::local(row, names)),
            Self::Peer => Cell::of(ends::peer(row, names)),
            Self::Scope => {
                Cell::plain(socket.scope().map_or("", human::scope)).toned(if human::is_exposed(socket) {
                    Tone::Warn
                } else {
                    Tone::Plain
                })
            }
            Self::AcceptQ => queues::accept_queue(row),
            // Zeros are left blank.
            Self::SynRecv => number(row.context.half_open.of(socket).filter(|count| *count > 0)),
            Self::RecvBuffer => queues::receive_queue(socket),
            Self::Drops => {
                let count = socket.drops.filter(|count| *count > 0);
                Cell::fixed(count.map_or_else(String::new, |count| count.to_string())).toned(Tone::Warn)
            }
            Self::Timer => Cell::plain(timer(row)),
            Self::User => Cell::plain(user(row)),
            Self::Inode => Cell::fixed(socket.inode.map_or_else(String::new, |inode| inode.to_string())),
            Self::Cookie => Cell::fixed(
                socket
                    .cookie
                    .map_or_else(String::new, |cookie| written(|out| push_hex(out, cookie.get()))),
            ),
            Self::Cgroup => {
                let path = socket
                    .cgroup_id
                    .and_then(|id| row.context.names.cgroups.get(&id.get()));
                Cell::plain(path.map_or_else(String::new, ToString::to_string))
            }
            Self::Process => Cell::of(owner::spans(row)).toned(owner_tone(row.ownership.status)),
            Self::Command => Cell::plain(human::command(row)).toned(Tone::Dim),
            Self::Field(field) if field.info().kind == Kind::Integer => Cell::fixed(field_text(row, field)),
            Self::Field(field) => Cell::plain(field_text(row, field)),
        }
    }
}

/// Blanks in text are kept here, because the layout separates the columns.
fn field_text(row: &Row<'_>, field: Field) -> String {
    written(|out| match field.value(row) {
        Value::Null => {}
        value => push_for_people(out, &value),
    })
}

/// Highlights CLOSE-WAIT with unread bytes: the program forgot to close the socket, or does not read it.
fn state_tone(row: &Row<'_>) -> Tone {
    // The peer's FIN counts as one byte (linux 6.18 net/ipv4/tcp_diag.c), so only more than one byte is data.
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

fn timer(row: &Row<'_>) -> String {
    let text = written(|out| push_timer(out, row.socket.timer));
    text.trim_start_matches(" timer:(")
        .trim_end_matches(')')
        .to_owned()
}

fn user(row: &Row<'_>) -> String {
    match row.socket.uid {
        None => String::new(),
        Some(uid) => match row.context.names.users.get(&uid) {
            Some(name) => name.to_string(),
            None => uid.to_string(),
        },
    }
}
