//! Groups rows by the values of fields, and counts them.
//!
//! Only the groups are kept in memory: their keys as text in the output format, and their counts.

use std::collections::BTreeMap;

use super::columns::{self, Shape};
use super::csv::push_csv;
use super::form::Form;
use super::json;
use super::text::{push_each, push_number};
use super::word::{push_for_people, push_word};
use crate::model::Row;
use crate::query::group::GroupKey;

/// The columns of a group besides its keys: the number of rows, and sums.
const COUNTS: [&str; 4] = ["count", "recv_q", "send_q", "accept_q"];

/// The number of rows, and the sums of [`COUNTS`]; null if no row of the group has such a queue.
type Counts = [Option<u64>; COUNTS.len()];

/// The groups found so far.
#[derive(Clone, Debug)]
pub struct Groups {
    keys: Vec<GroupKey>,
    form: Form,
    found: BTreeMap<Vec<u8>, Counts>,
    key: Vec<u8>,
}

impl Groups {
    /// No groups yet.
    pub fn new(keys: Vec<GroupKey>, form: Form) -> Self {
        Self {
            keys,
            form,
            found: BTreeMap::new(),
            key: Vec::new(),
        }
    }

    /// Counts a row.
    pub fn add(&mut self, row: &Row<'_>) {
        self.key.clear();
        push_each(&mut self.key, separator(self.form), &self.keys, |out, key| {
            let value = key.value(row);
            match self.form {
                Form::Json | Form::Jsonl => {
                    json::push_key(out, key.field.name());
                    json::push_value(out, &value);
                }
                Form::Csv => push_csv(out, &value),
                Form::Plain => push_word(out, &value),
                Form::Table => push_for_people(out, &value),
            }
        });
        let [recv_q, send_q, accept_q] = [row.socket.recv_q(), row.socket.send_q(), row.socket.accept_q()]
            .map(|queue| queue.map(u64::from));
        let more = [Some(1), recv_q, send_q, accept_q];
        if let Some(counts) = self.found.get_mut(&self.key) {
            for (count, more) in counts.iter_mut().zip(more) {
                if let Some(more) = more {
                    *count = Some(count.unwrap_or(0) + more);
                }
            }
        } else {
            self.found.insert(self.key.clone(), more);
        }
    }

    /// Appends at most `limit` groups, the largest first; returns how many.
    pub fn push(&self, out: &mut Vec<u8>, limit: Option<usize>, header: bool) -> u64 {
        let mut groups: Vec<_> = self.found.iter().collect();
        groups.sort_by(|(a_key, a), (b_key, b)| b[0].cmp(&a[0]).then_with(|| a_key.cmp(b_key)));
        groups.truncate(limit.unwrap_or(usize::MAX));
        let start = out.len();
        if header && !self.form.is_json() {
            let names = self.keys.iter().map(|key| key.field.name()).chain(COUNTS);
            push_each(out, separator(self.form), names, |out, name| {
                out.extend_from_slice(name.as_bytes());
            });
            push_line_end(out, self.form, false);
        }
        for (index, (key, counts)) in groups.iter().enumerate() {
            self.push_group(out, key, counts.as_slice());
            push_line_end(out, self.form, index + 1 == groups.len());
        }
        if self.form == Form::Table {
            let text = String::from_utf8_lossy(out.get(start..).unwrap_or_default()).into_owned();
            out.truncate(start);
            out.extend_from_slice(aligned(&text, self.keys.len(), header).as_bytes());
        }
        groups.len() as u64
    }

    fn push_group(&self, out: &mut Vec<u8>, key: &[u8], counts: &[Option<u64>]) {
        let is_json = self.form.is_json();
        if is_json {
            out.push(b'{');
        }
        out.extend_from_slice(key);
        for (name, count) in COUNTS.iter().zip(counts) {
            out.push(separator(self.form));
            if is_json {
                json::push_key(out, name);
            }
            match (count, self.form) {
                (Some(count), _) => push_number(out, *count),
                (None, Form::Json | Form::Jsonl) => out.extend_from_slice(b"null"),
                // Left empty for people: no row of the group has such a queue.
                (None, Form::Csv | Form::Table) => {}
                (None, Form::Plain) => out.push(b'?'),
            }
        }
        if is_json {
            out.push(b'}');
        }
    }
}

/// Separates the cells of a table until they are laid out (ASCII unit separator).
const BETWEEN_CELLS: u8 = 0x1f;

/// The separator between the values of a group.
const fn separator(form: Form) -> u8 {
    match form {
        Form::Json | Form::Jsonl | Form::Csv => b',',
        Form::Plain => b' ',
        // Text may contain blanks, but no control characters, because they are escaped.
        Form::Table => BETWEEN_CELLS,
    }
}

fn push_line_end(out: &mut Vec<u8>, form: Form, last: bool) {
    out.extend_from_slice(match form {
        Form::Json if last => b"",
        Form::Json => b",\n",
        Form::Csv => b"\r\n",
        Form::Jsonl | Form::Plain | Form::Table => b"\n",
    });
}

/// Lays out lines of words as columns: the first ones left-aligned, numbers right-aligned, the heading in capitals.
fn aligned(text: &str, keys: usize, header: bool) -> String {
    let mut cells: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split(char::from(BETWEEN_CELLS)).map(str::to_owned).collect())
        .collect();
    for word in cells.first_mut().into_iter().flatten().filter(|_| header) {
        *word = word.to_ascii_uppercase().replace('_', "-");
    }
    let shape = |column| Shape {
        right: column >= keys,
        ..Shape::default()
    };
    let shapes: Vec<_> = (0..keys + COUNTS.len()).map(shape).collect();
    columns::aligned(cells, &shapes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OwnerStatus, Socket, State};
    use crate::query::field::Field;
    use crate::query::samples::{holder, tcp, with_owners, with_row};

    fn by(fields: &[Field], form: Form) -> Groups {
        let key = |field: &Field| GroupKey {
            field: *field,
            prefix: None,
        };
        Groups::new(fields.iter().map(key).collect(), form)
    }

    /// Two listeners of nginx with 3 and 4 waiting connections, and an unowned connection with 10 and 20 bytes.
    fn filled(fields: &[Field], form: Form) -> Groups {
        let mut groups = by(fields, form);
        for waiting in [3, 4] {
            let listener = Socket {
                rqueue: Some(waiting),
                ..tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen)
            };
            with_owners(&listener, OwnerStatus::Known, &[holder(812, 3)], |row| {
                groups.add(row);
            });
        }
        let connection = Socket {
            rqueue: Some(10),
            wqueue: Some(20),
            ..tcp("10.0.0.1", 80, "10.0.0.2", 4000, State::Established)
        };
        with_row(&connection, |row| {
            groups.add(row);
        });
        groups
    }

    fn text(groups: &Groups, limit: Option<usize>, header: bool) -> (String, u64) {
        let mut out = Vec::new();
        let count = groups.push(&mut out, limit, header);
        (String::from_utf8(out).unwrap(), count)
    }

    const KEYS: &[Field] = &[Field::State, Field::Process];

    #[test]
    fn sums_are_unknown_if_no_row_has_a_value() {
        let expected =
            "state,process,count,recv_q,send_q,accept_q\r\nlisten,nginx,2,,,7\r\nestablished,,1,10,20,\r\n";
        assert_eq!(
            text(&filled(KEYS, Form::Csv), None, true),
            (expected.to_owned(), 2)
        );
        let expected = "listen nginx 2 ? ? 7\nestablished ? 1 10 20 ?\n";
        assert_eq!(text(&filled(KEYS, Form::Plain), None, false).0, expected);
        let expected = "{\"state\":\"listen\",\"process\":\"nginx\",\"count\":2,\"recv_q\":null,\"send_q\":null,\"accept_q\":7}";
        let (jsonl, _) = text(&filled(KEYS, Form::Jsonl), None, true);
        assert_eq!(jsonl.lines().next(), Some(expected));
        assert!(jsonl.ends_with("\"accept_q\":null}\n"), "{jsonl}");
        let (json, _) = text(&filled(KEYS, Form::Json), None, true);
        assert_eq!(json.matches("},\n{").count(), 1);
        assert!(json.ends_with('}'), "{json}");
    }

    #[test]
    fn the_largest_group_comes_first_and_a_limit_keeps_it() {
        let groups = filled(&[Field::State], Form::Plain);
        assert_eq!(text(&groups, Some(1), false), ("listen 2 ? ? 7\n".to_owned(), 1));
        assert_eq!(text(&groups, Some(0), false), (String::new(), 0));
        let mut even = by(&[Field::LocalPort], Form::Plain);
        for port in [443, 80] {
            with_row(&tcp("::1", port, "::", 0, State::Listen), |row| {
                even.add(row);
            });
        }
        assert_eq!(
            text(&even, None, false).0,
            "443 1 ? ? 0\n80 1 ? ? 0\n",
            "equal groups are sorted by key"
        );
    }

    #[test]
    fn the_table_aligns_keys_to_the_left_and_counts_to_the_right() {
        let expected = "STATE        PROCESS  COUNT  RECV-Q  SEND-Q  ACCEPT-Q\n\
                        listen       nginx        2                         7\n\
                        established  ?            1      10      20\n";
        assert_eq!(text(&filled(KEYS, Form::Table), None, true).0, expected);
        let expected = "listen       nginx  2          7\nestablished  ?      1  10  20\n";
        assert_eq!(text(&filled(KEYS, Form::Table), None, false).0, expected);
        let socket = tcp("::", 80, "::", 0, State::Listen);
        let name = |form| {
            let mut groups = by(&[Field::Process], form);
            with_owners(&socket, OwnerStatus::Known, &[holder(900, 3)], |row| {
                groups.add(row);
            });
            text(&groups, None, false).0
        };
        assert!(
            name(Form::Table).starts_with("python3.11 app.py  1"),
            "{}",
            name(Form::Table)
        );
        assert!(
            name(Form::Plain).starts_with("python3.11\\x20app.py 1"),
            "{}",
            name(Form::Plain)
        );
    }
}
