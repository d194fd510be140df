//! Tables with leading columns before those of the socket, and tables whose rows arrive one by one.

use unicode_width::UnicodeWidthStr;

use super::cells::{Cell, Column};
use super::columns as layout;
use super::fit::{GAP, Width, fit};
use super::table::{self, DIM, TableView};
use crate::model::Row;

/// The leading columns: their headings and minimum widths.
pub type Lead = [(&'static str, usize)];

/// Returns the width of the leading columns.
fn lead_width(lead: &Lead) -> usize {
    lead.iter()
        .map(|(heading, least)| heading.width().max(*least) + GAP)
        .sum()
}

fn push_lead(out: &mut String, lead: &Lead, words: &[&str]) {
    for ((heading, least), word) in lead.iter().zip(words) {
        let width = heading.width().max(*least) + GAP;
        out.push_str(word);
        out.extend(std::iter::repeat_n(' ', width.saturating_sub(word.width())));
    }
}

fn push_heading(out: &mut String, lead: &Lead, colors: bool) {
    let (on, off) = if colors { DIM } else { ("", "") };
    let headings: Vec<&str> = lead.iter().map(|(heading, _)| *heading).collect();
    out.push_str(on);
    push_lead(out, lead, &headings);
    out.push_str(off);
}

/// Returns the view for the columns of the socket, which get the width that the leading columns leave.
fn narrowed(lead: &Lead, view: &TableView) -> TableView {
    TableView {
        width: view.width.map(|width| width.saturating_sub(lead_width(lead))),
        ..view.clone()
    }
}

/// The table of all rows, with each row's word in a first column under this heading. Empty without rows.
pub fn with_word<'a>(
    heading: &'static str,
    rows: impl Iterator<Item = (&'static str, Row<'a>)>,
    view: &TableView,
) -> String {
    let (words, rows): (Vec<&str>, Vec<Row<'a>>) = rows.unzip();
    let widest = words.iter().map(|word| word.width()).max().unwrap_or(0);
    let lead: &Lead = &[(heading, widest)];
    let view_of_rows = narrowed(lead, view);
    let table = table::render_rows(rows.iter().copied(), &view_of_rows);
    let mut lines = table.lines();
    let mut text = String::new();
    if view.header
        && let Some(line) = lines.next()
    {
        push_heading(&mut text, lead, view.colors);
        text.extend([line, "\n"]);
    }
    for (line, word) in lines.zip(&words) {
        push_lead(&mut text, lead, &[word]);
        text.extend([line, "\n"]);
    }
    table::with_facts(&text, &rows, view)
}

/// A table whose rows arrive one by one. Columns are widened as needed, and then fitted again.
#[derive(Clone, Debug)]
pub struct GrowingTable {
    view: TableView,
    lead: &'static Lead,
    known: Vec<Width>,
    fitted: Vec<(Column, usize)>,
    headed: bool,
}

impl GrowingTable {
    /// A table without rows. A column is at least as wide as its heading.
    pub fn new(lead: &'static Lead, view: &TableView) -> Self {
        let view = narrowed(lead, view);
        let of_heading = |column: &Column| {
            let width = column.heading().width();
            Width {
                column: *column,
                natural: width,
                without_other_end: width,
                least: width,
                tightest: width,
                is_alarming: false,
                // Later rows may differ.
                same_text: None,
            }
        };
        Self {
            known: view.columns.iter().map(of_heading).collect(),
            view,
            lead,
            fitted: Vec::new(),
            headed: false,
        }
    }

    /// Appends a row, preceded by the heading if it is the first row or if columns have changed. `words` are the cells
    /// of the leading columns.
    pub fn push(&mut self, out: &mut Vec<u8>, words: &[&str], row: &Row<'_>) {
        let cells: Vec<Cell> = self
            .view
            .columns
            .iter()
            .map(|column| column.cell(row, self.view.names))
            .collect();
        self.widen(&cells);
        let shown: Vec<Column> = self.fitted.iter().map(|(column, _)| *column).collect();
        let fitted = match self.view.width {
            Some(width) => fit(&self.known, width),
            None => self.known.iter().map(|one| (one.column, one.natural)).collect(),
        };
        self.fitted = fitted;
        let same = self.fitted.iter().map(|(column, _)| *column).eq(shown);
        let mut text = String::new();
        let header = self.view.header && (!self.headed || !same);
        let view = TableView {
            header,
            ..self.view.clone()
        };
        let widths: Vec<usize> = self.fitted.iter().map(|(_, width)| *width).collect();
        let table = table::lay_out(std::slice::from_ref(&cells), &self.fitted, &view, Some(&widths));
        let mut lines = table.lines();
        if header {
            push_heading(&mut text, self.lead, self.view.colors);
            text.push_str(lines.next().unwrap_or_default());
            text.push('\n');
            self.headed = true;
        }
        push_lead(&mut text, self.lead, words);
        text.push_str(lines.next().unwrap_or_default());
        text.push('\n');
        let text = layout::trim_lines(&text);
        out.extend_from_slice(text.as_bytes());
    }

    fn widen(&mut self, cells: &[Cell]) {
        for (known, cell) in self.known.iter_mut().zip(cells) {
            let cells = std::slice::from_ref(cell).iter();
            let Some(width) = table::width_of(known.column, &self.view, &cells) else {
                continue;
            };
            *known = known.widened(width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OwnerStatus, Ownership, State};
    use crate::query::samples::{context, holder, tcp};
    use crate::render::facts::Facts;

    const LEAD: &Lead = &[("UTC", 8), ("EVENT", 6)];

    fn view(width: usize) -> TableView {
        TableView {
            columns: vec![Column::Proto, Column::Local, Column::Peer, Column::Process],
            width: Some(width),
            colors: false,
            header: true,
            names: false,
            facts: Facts::default(),
        }
    }

    fn pushed(width: usize, ports: &[(&str, u16)]) -> String {
        let context = context();
        let holders = [holder(812, 3)];
        let mut table = GrowingTable::new(LEAD, &view(width));
        let mut out = Vec::new();
        for (address, port) in ports {
            let socket = tcp(address, *port, "10.0.0.9", 50_000, State::Established);
            let row = Row {
                socket: &socket,
                ownership: Ownership {
                    status: OwnerStatus::Known,
                    holders: &holders,
                    may_be_more: false,
                },
                context: &context,
            };
            table.push(&mut out, &["12:00:01", "open"], &row);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_line_up_below_one_heading_and_columns_widen() {
        let expected = "\
UTC       EVENT   PROTO  LOCAL        PEER            PROCESS
12:00:01  open    tcp    10.0.0.1:80  10.0.0.9:50000  nginx 812
12:00:01  open    tcp    10.0.0.1:8   10.0.0.9:50000  nginx 812
12:00:01  open    tcp    10.0.0.1:8080  10.0.0.9:50000  nginx 812
";
        let said = pushed(120, &[("10.0.0.1", 80), ("10.0.0.1", 8), ("10.0.0.1", 8080)]);
        assert_eq!(said, expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_port_is_cut() {
        let long = "2001:db8:1111:2222:3333:4444:5555:6666";
        for width in [60, 80, 100] {
            let said = pushed(width, &[("10.0.0.1", 80), (long, 65_000), ("10.0.0.1", 80)]);
            assert!(said.lines().all(|line| line.width() <= width), "{width}:\n{said}");
            assert!(
                said.contains(":65000") && said.contains("812"),
                "{width}:\n{said}"
            );
        }
    }

    #[test]
    fn a_word_stands_in_front_of_each_row() {
        let context = context();
        let holders = [holder(812, 3)];
        let socket = tcp("10.0.0.1", 80, "0.0.0.0", 0, State::Listen);
        let row = Row {
            socket: &socket,
            ownership: Ownership {
                status: OwnerStatus::Known,
                holders: &holders,
                may_be_more: false,
            },
            context: &context,
        };
        let said = with_word("RESULT", [("would-close", row)].into_iter(), &view(80));
        let lines: Vec<_> = said.lines().collect();
        assert!(lines[0].starts_with("RESULT       PROTO  LOCAL"), "{said}");
        assert!(lines[1].starts_with("would-close  tcp    10.0.0.1:80"), "{said}");
        assert_eq!(with_word("RESULT", std::iter::empty(), &view(80)), "");
    }
}
