//! The table for people: no boxes, one dim heading, never wrapped.
//!
//! tabled lays out and aligns; which columns there are and how wide is decided by [`super::fit`] before, so that
//! nothing is left for it to break.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Color, Modify};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cells::{Cell, Column, Tone};
use super::columns as layout;
use super::facts::{self, Facts, IN_RECORD};
use super::fit::fit;
use crate::model::Row;

/// How the table is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// The columns, before empty ones go.
    pub columns: Vec<Column>,
    /// The width to fit into, in terminal cells; `None` for as wide as it gets.
    pub width: Option<usize>,
    /// Whether colours may be used.
    pub colors: bool,
    /// The heading line.
    pub header: bool,
    /// Names for hosts and services where they were found (`-r`).
    pub names: bool,
    /// What is told behind the rows.
    pub facts: Facts,
}

/// The table of all rows, each line with its newline. Empty without rows.
pub fn render<'a>(rows: impl Iterator<Item = Row<'a>>, view: &TableView) -> String {
    if view.facts == Facts::default() {
        return render_rows(rows, view);
    }
    let rows: Vec<Row<'a>> = rows.collect();
    match rows.as_slice() {
        [row] if view.facts.record => {
            let mut view = view.clone();
            view.columns.retain(|column| !IN_RECORD.contains(column));
            render_rows(std::iter::once(*row), &view) + &facts::record(row)
        }
        rows => {
            let table = render_rows(rows.iter().copied(), view);
            let lines = rows.iter().map(|row| facts::line(row, view.facts));
            behind_rows(&table, lines, view)
        }
    }
}

/// Puts a line behind each row of a table, as far as there is one: cut to the width, and dim.
fn behind_rows(table: &str, lines: impl Iterator<Item = String>, view: &TableView) -> String {
    let mut text = String::with_capacity(table.len() * 2);
    let mut rows = table.lines();
    if view.header {
        text.extend(rows.next().into_iter().flat_map(|heading| [heading, "\n"]));
    }
    for (row, line) in rows.zip(lines) {
        text.push_str(row);
        text.push('\n');
        if !line.is_empty() {
            let line = shorten(&line, view.width.unwrap_or(usize::MAX));
            let (on, off) = if view.colors { DIM } else { ("", "") };
            text.extend([on, &line, off, "\n"]);
        }
    }
    text
}

fn render_rows<'a>(rows: impl Iterator<Item = Row<'a>>, view: &TableView) -> String {
    let cells: Vec<Vec<Cell>> = rows
        .map(|row| {
            view.columns
                .iter()
                .map(|column| column.cell(&row, view.names))
                .collect()
        })
        .collect();
    if cells.is_empty() {
        return String::new();
    }
    let natural: Vec<(Column, usize)> = view
        .columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| {
            let widest = cells
                .iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.text.width())
                .max()?;
            // A column that is empty in every row goes, unless it was asked for by name.
            let stays = widest > 0 || matches!(column, Column::Field(_));
            stays.then(|| {
                (
                    *column,
                    widest.max(column.heading().width() * usize::from(view.header)),
                )
            })
        })
        .collect();
    let columns = match view.width {
        Some(width) => fit(&natural, width),
        None => natural,
    };
    lay_out(&cells, &columns, view)
}

fn lay_out(cells: &[Vec<Cell>], columns: &[(Column, usize)], view: &TableView) -> String {
    let mut builder = Builder::with_capacity(cells.len() + 1, columns.len());
    if view.header {
        builder.push_record(
            columns
                .iter()
                .map(|(column, width)| shorten(&column.heading(), *width)),
        );
    }
    let position = |column: Column| view.columns.iter().position(|present| *present == column);
    for row in cells {
        builder.push_record(columns.iter().map(|(column, width)| {
            position(*column)
                .and_then(|index| row.get(index))
                .map_or_else(String::new, |cell| shorten(&cell.text, *width))
        }));
    }
    let mut table = builder.build();
    layout::lay_out(
        &mut table,
        columns.iter().map(|(column, _)| column.is_right_aligned()),
    );
    if view.colors {
        let first_row = usize::from(view.header);
        if view.header {
            table.with(Modify::new(Rows::first()).with(color_of(Tone::Dim)));
        }
        for (row_index, row) in cells.iter().enumerate() {
            for (column_index, (column, _)) in columns.iter().enumerate() {
                let tone = position(*column)
                    .and_then(|index| row.get(index))
                    .map_or(Tone::Plain, |cell| cell.tone);
                if tone != Tone::Plain {
                    let cell = Rows::one(row_index + first_row).intersect(Columns::one(column_index));
                    table.with(Modify::new(cell).with(color_of(tone)));
                }
            }
        }
    }
    layout::trim_lines(&table.to_string())
}

/// What switches dim text on and off.
const DIM: (&str, &str) = ("\u{1b}[2m", "\u{1b}[22m");

fn color_of(tone: Tone) -> Color {
    match tone {
        Tone::Plain => Color::default(),
        Tone::Dim => Color::new(DIM.0, DIM.1),
        Tone::Warn => Color::FG_YELLOW,
        Tone::Alarm => Color::FG_RED,
    }
}

/// Cuts text to a width in terminal cells, with an ellipsis in the place of what was cut.
fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(character);
    }
    out.push('\u{2026}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Context, OwnerStatus, Ownership, Socket, State};
    use crate::query::field::Field;
    use crate::query::samples::{context, holder, tcp};

    #[test]
    fn text_is_cut_by_what_it_takes_on_the_screen() {
        assert_eq!(shorten("systemd-resolve", 9), "systemd-\u{2026}");
        assert_eq!(shorten("short", 5), "short");
        assert_eq!(shorten("\u{6f22}\u{5b57}\u{6f22}", 4), "\u{6f22}\u{2026}");
    }

    fn view(columns: &[Column]) -> TableView {
        TableView {
            columns: columns.to_vec(),
            width: None,
            colors: false,
            header: true,
            names: false,
            facts: Facts::default(),
        }
    }

    /// The table of these sockets, all held by nginx.
    fn table(sockets: &[Socket], view: &TableView) -> String {
        let context: Context = context();
        let holders = [holder(812, 3)];
        let ownership = Ownership {
            status: OwnerStatus::Known,
            holders: &holders,
        };
        let rows = sockets.iter().map(|socket| Row {
            socket,
            ownership,
            context: &context,
        });
        render(rows, view)
    }

    fn listeners() -> [Socket; 2] {
        let full = Socket {
            rqueue: Some(129),
            wqueue: Some(128),
            ..tcp("127.0.0.1", 8080, "0.0.0.0", 0, State::Listen)
        };
        [tcp("10.0.0.1", 80, "0.0.0.0", 0, State::Listen), full]
    }

    #[test]
    fn numbers_are_to_the_right_and_empty_columns_go_unless_they_were_asked_for() {
        let columns = [Column::Proto, Column::Local, Column::Timer, Column::Process];
        let expected = "PROTO  LOCAL           PROCESS\n\
                        tcp    10.0.0.1:80     nginx 812\n\
                        tcp    127.0.0.1:8080  nginx 812\n";
        assert_eq!(table(&listeners(), &view(&columns)), expected);
        let named = [Column::Field(Field::LocalPort), Column::Field(Field::Timer)];
        let expected = "LOCAL-PORT  TIMER\n        80\n      8080\n";
        assert_eq!(table(&listeners(), &view(&named)), expected);
        assert_eq!(table(&[], &view(&columns)), "", "no heading without rows");
        let headless = TableView {
            header: false,
            ..view(&[Column::Proto])
        };
        assert_eq!(table(&listeners(), &headless), "tcp\ntcp\n");
    }

    #[test]
    fn colours_mark_the_heading_and_the_cell_that_wants_a_look_and_nothing_else() {
        let columns = [Column::Local, Column::AcceptQ];
        let plain = table(&listeners(), &view(&columns));
        let coloured = TableView {
            colors: true,
            ..view(&columns)
        };
        let coloured = table(&listeners(), &coloured);
        let lines: Vec<_> = coloured.lines().collect();
        assert!(lines[0].contains(DIM.0), "{coloured:?}");
        assert!(!lines[1].contains("\u{1b}[31m"), "{coloured:?}");
        assert!(lines[2].contains("\u{1b}[31m"), "{coloured:?}");
        let mut without = String::new();
        let mut inside = false;
        for character in coloured.chars() {
            match character {
                '\u{1b}' => inside = true,
                'm' if inside => inside = false,
                _ if inside => {}
                _ => without.push(character),
            }
        }
        assert_eq!(layout::trim_lines(&without), plain);
    }

    #[test]
    fn a_narrow_table_cuts_what_is_wide() {
        let narrow = TableView {
            width: Some(20),
            ..view(&[Column::Local, Column::Process])
        };
        let said = table(&listeners(), &narrow);
        assert!(said.lines().all(|line| line.width() <= 31), "{said}");
        assert!(said.contains(":8080"), "a port is never cut: {said}");
    }

    #[test]
    fn lines_of_facts_follow_their_rows() {
        let view = TableView {
            width: Some(9),
            ..view(&[Column::Proto])
        };
        let lines = || ["", "one that is long"].map(str::to_owned).into_iter();
        assert_eq!(
            behind_rows("PROTO\ntcp\nudp\n", lines(), &view),
            "PROTO\ntcp\nudp\none that\u{2026}\n"
        );
        let view = TableView {
            header: false,
            colors: true,
            ..view
        };
        assert_eq!(
            behind_rows("tcp\nudp\n", lines(), &view),
            format!("tcp\nudp\n{}one that\u{2026}{}\n", DIM.0, DIM.1)
        );
    }
}
