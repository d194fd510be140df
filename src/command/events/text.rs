//! One event as a line: its word and the columns of the listing, a row of the table, or a JSON object. Pure.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::engine::follow::Happened;
use crate::model::machine::Machine;
use crate::model::{Name, Row};
use crate::plan::Output;
use crate::render::growing::{GrowingTable, Lead};
use crate::render::human;
use crate::render::json::{push_key, push_optional};
use crate::render::lines::Lines;

/// The columns in front of the table: the time, and what happened; for a change, the previous state.
const LEAD: &Lead = &[("UTC", "12:00:00".len()), ("EVENT", "was ESTAB".len())];

/// How events are shown.
pub(super) enum Shown {
    /// One line per event; in JSON with what identifies the machine.
    Lines(Lines, Box<[u8]>),
    /// One row per event.
    Table(Box<GrowingTable>),
}

impl Shown {
    /// The form of an output that has lines or a table. Any other has no events, so there is nothing to show.
    pub(super) fn of(output: &Output, machine: &Machine) -> Self {
        let lines = match output {
            Output::Table(view) => return Self::Table(Box::new(GrowingTable::new(LEAD, view))),
            Output::Lines(lines) => lines.clone(),
            Output::Json(fields) => Lines::Json(fields.clone()),
            Output::Groups(_) | Output::Pids => Lines::Json(Vec::new()),
        };
        Self::Lines(lines, keys_of(machine).into())
    }

    /// Appends what comes before the events. A table has its heading above the first.
    pub(super) fn push_header(&self, out: &mut Vec<u8>) {
        if let Self::Lines(lines, _) = self {
            push_header(out, lines);
        }
    }

    /// Appends one event.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, happened: Happened, at: SystemTime, row: &Row<'_>) {
        match self {
            Self::Lines(lines, machine) => push_event(out, happened, at, machine, row, lines),
            Self::Table(table) => {
                let at = human::rfc3339_ms(at);
                let clock = at.get(11..19).unwrap_or_default();
                match happened {
                    Happened::Changed(from) => {
                        table.push(out, &[clock, &format!("was {}", from.ss_name())], row);
                    }
                    _ => table.push(out, &[clock, word(happened)], row),
                }
            }
        }
    }

    /// Appends that events were lost.
    pub(super) fn push_lost(&self, out: &mut Vec<u8>, at: SystemTime) {
        if let Self::Lines(lines, machine) = self {
            push_lost(out, at, machine, lines);
        }
    }
}

/// The width of the first column: the longest word.
const WORD: usize = "change".len();

/// The word of an event.
pub const fn word(happened: Happened) -> &'static str {
    match happened {
        Happened::Opened => "open",
        Happened::Changed(_) => "change",
        Happened::Closed | Happened::ClosedUnseen => "close",
    }
}

/// The first line: how events are detected, and which are missed. `heard` are the protocols whose sockets the kernel
/// reports when they close, `unheard` the others that are followed.
pub fn introduction(interval: &str, heard: &[&str], unheard: &[&str]) -> String {
    let mut text = format!("reading the tables every {interval}");
    if !heard.is_empty() {
        let _ = write!(
            text,
            "; {} sockets that open and close in between appear only when they close",
            heard.join(", ")
        );
    }
    if !unheard.is_empty() {
        let _ = write!(text, "; such {} sockets do not appear", unheard.join(", "));
    }
    text.push('\n');
    text
}

/// Appends what comes before the events.
fn push_header(out: &mut Vec<u8>, lines: &Lines) {
    let mut header = Vec::new();
    lines.push_header(&mut header);
    if !header.is_empty() {
        push_word(out, "Event");
        out.extend_from_slice(&header);
    }
}

/// Appends one event.
fn push_event(
    out: &mut Vec<u8>,
    happened: Happened,
    at: SystemTime,
    machine: &[u8],
    row: &Row<'_>,
    lines: &Lines,
) {
    if !matches!(lines, Lines::Json(_)) {
        push_word(out, word(happened));
        lines.push_row(out, row);
        if let Happened::Changed(from) = happened {
            // After the columns, so that no field moves when a reader splits the line at blanks.
            if out.last() == Some(&b'\n') {
                out.pop();
            }
            out.extend_from_slice(b" was:");
            out.extend_from_slice(from.ss_name().as_bytes());
            out.push(b'\n');
        }
        return;
    }
    push_json_start(out, word(happened), at, machine);
    match happened {
        Happened::Changed(from) => out.extend_from_slice(format!("\"{}\"", from.name()).as_bytes()),
        _ => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"socket\":");
    lines.push_row(out, row);
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    out.extend_from_slice(b"}\n");
}

/// Appends that events were lost: a line in JSON, for readers that have to know; people see a line on stderr.
fn push_lost(out: &mut Vec<u8>, at: SystemTime, machine: &[u8], lines: &Lines) {
    if matches!(lines, Lines::Json(_)) {
        push_json_start(out, "lost", at, machine);
        out.extend_from_slice(b"null,\"socket\":null}\n");
    }
}

fn push_json_start(out: &mut Vec<u8>, word: &str, at: SystemTime, machine: &[u8]) {
    let at = human::rfc3339_ms(at);
    out.extend_from_slice(format!("{{\"event\":\"{word}\",\"at\":\"{at}\",").as_bytes());
    out.extend_from_slice(machine);
    out.extend_from_slice(b"\"was\":");
}

/// The keys that identify the machine, as in the rows of a snapshot.
fn keys_of(machine: &Machine) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, name) in [
        ("host", &machine.host),
        ("machine_id", &machine.machine_id),
        ("boot_id", &machine.boot_id),
    ] {
        push_key(&mut out, key);
        push_optional(&mut out, name.as_ref().map(Name::as_bytes));
        out.push(b',');
    }
    out
}

fn push_word(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(format!("{word:WORD$} ").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Context, Ownership};
    use crate::model::{OwnerStatus, Socket, State};
    use crate::query::field::Field;
    use crate::render::plain::Plain;
    use std::time::Duration;

    fn machine() -> Machine {
        Machine {
            host: Some("web\"1".into()),
            machine_id: None,
            boot_id: Some("b007".into()),
        }
    }

    fn shown(happened: Happened, lines: &Lines) -> String {
        let socket = Socket {
            state: State::Established,
            ..Socket::BLANK
        };
        let row = Row {
            socket: &socket,
            ownership: Ownership {
                status: OwnerStatus::NotAsked,
                holders: &[],
                may_be_more: false,
            },
            context: &Context::default(),
        };
        let mut out = Vec::new();
        push_header(&mut out, lines);
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234);
        push_event(&mut out, happened, at, &keys_of(&machine()), &row, lines);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_text_has_the_word_first_and_the_state_before_last() {
        let plain = Lines::Ss(Plain {
            header: true,
            netid: true,
            state: true,
            ..Plain::default()
        });
        let text = shown(Happened::Changed(State::SynSent), &plain);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("Event  Netid State "), "{text}");
        assert!(lines[1].starts_with("change tcp   ESTAB "), "{text}");
        assert!(lines[1].ends_with(" was:SYN-SENT"), "{text}");
        assert!(shown(Happened::ClosedUnseen, &plain).contains("\nclose  tcp "));
    }

    #[test]
    fn a_line_of_json_is_an_object_with_the_same_keys_always() {
        let lines = Lines::Json(vec![Field::State]);
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let opened = parse(&shown(Happened::Opened, &lines));
        let expected = serde_json::json!({
            "event": "open", "at": "1970-01-01T00:00:01.234Z", "host": "web\"1", "machine_id": null,
            "boot_id": "b007", "was": null, "socket": {"state": "established"}
        });
        assert_eq!(opened, expected);
        assert_eq!(
            parse(&shown(Happened::Changed(State::SynRecv), &lines))["was"],
            "syn-recv"
        );
        let mut lost = Vec::new();
        push_lost(&mut lost, SystemTime::UNIX_EPOCH, &keys_of(&machine()), &lines);
        let lost = parse(&String::from_utf8(lost).unwrap());
        assert_eq!(
            (&lost["event"], &lost["host"], &lost["socket"]),
            (&"lost".into(), &"web\"1".into(), &serde_json::Value::Null)
        );
    }
}
