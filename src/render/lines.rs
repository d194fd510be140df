//! Rows as lines, written as they arrive: JSON Lines, CSV (RFC 4180), columns of fields, and the columns of ss.
//!
//! Nothing here holds more than the current row; the caller decides when to write the buffer.

use super::csv::push_csv;
use super::json;
use super::plain::Plain;
use super::snapshot::push_arguments;
use super::text::push_each;
use super::word::push_word;
use crate::model::Row;
use crate::query::field::Field;

/// The format of the lines, and what each holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The columns of ss.
    Ss(Plain),
    /// One object with these keys per line.
    Json(Vec<Field>),
    /// The same, with the arguments of the first owner as `cmdline`.
    JsonWithArguments(Vec<Field>),
    /// Comma-separated values; lines end with CR LF.
    Csv(Columns),
    /// Values separated by single blanks.
    Blanks(Columns),
}

/// Columns that show fields of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// In this order.
    pub fields: Vec<Field>,
    /// Whether the first line names the columns.
    pub header: bool,
}

impl Lines {
    /// Appends what precedes the rows.
    pub fn push_header(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ss(plain) => plain.push_header(out),
            Self::Json(_) | Self::JsonWithArguments(_) => {}
            Self::Csv(columns) => columns.push_header(out, b',', b"\r\n"),
            Self::Blanks(columns) => columns.push_header(out, b' ', b"\n"),
        }
    }

    /// Appends one row and its line ending.
    pub fn push_row(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        match self {
            Self::Ss(plain) => plain.push_row(out, row),
            Self::Json(fields) => {
                json::push_row(out, row, fields);
                out.push(b'\n');
            }
            Self::JsonWithArguments(fields) => {
                json::push_row(out, row, fields);
                // The closing brace comes after one more key.
                out.pop();
                out.extend_from_slice(b",\"cmdline\":");
                let first = row.processes().next();
                push_arguments(out, first.and_then(|process| row.arguments(process)));
                out.extend_from_slice(b"}\n");
            }
            Self::Csv(columns) => {
                push_each(out, b',', &columns.fields, |out, field| {
                    push_csv(out, &field.value(row));
                });
                out.extend_from_slice(b"\r\n");
            }
            Self::Blanks(columns) => {
                push_each(out, b' ', &columns.fields, |out, field| {
                    push_word(out, &field.value(row));
                });
                out.push(b'\n');
            }
        }
    }
}

impl Columns {
    fn push_header(&self, out: &mut Vec<u8>, separator: u8, end: &[u8]) {
        if !self.header {
            return;
        }
        push_each(out, separator, &self.fields, |out, field| {
            out.extend_from_slice(field.name().as_bytes());
        });
        out.extend_from_slice(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OwnerStatus, State};
    use crate::query::samples::{holder, tcp, with_owners};

    #[test]
    fn rows_have_the_fields_in_order_below_one_heading() {
        let columns = |header| Columns {
            fields: vec![Field::LocalPort, Field::State, Field::PeerAddress, Field::Owners],
            header,
        };
        let socket = tcp("0.0.0.0", 80, "0.0.0.0", 0, State::Listen);
        let written = |lines: &Lines| {
            let mut out = Vec::new();
            lines.push_header(&mut out);
            with_owners(
                &socket,
                OwnerStatus::Known,
                &[holder(812, 3), holder(900, 4)],
                |row| {
                    lines.push_row(&mut out, row);
                },
            );
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written(&Lines::Blanks(columns(true))),
            "local_port state peer_address owners\n80 listen ? 812/3,900/4\n"
        );
        assert_eq!(
            written(&Lines::Blanks(columns(false))),
            "80 listen ? 812/3,900/4\n"
        );
        let csv = written(&Lines::Csv(columns(true)));
        assert!(
            csv.starts_with("local_port,state,peer_address,owners\r\n80,listen,,\"[{\"\"pid\"\":812,"),
            "{csv}"
        );
        assert!(csv.ends_with("]\"\r\n"), "{csv}");
        assert_eq!(
            written(&Lines::Json(vec![Field::State, Field::LocalPort])),
            "{\"state\":\"listen\",\"local_port\":80}\n"
        );
    }
}
