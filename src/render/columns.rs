//! Column layout for people, shared by every table on the terminal. tabled does the layout.

use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Modify, Padding, Style, Width};
use unicode_width::UnicodeWidthStr;

use super::fit::GAP;

/// The shape of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Right-aligned, for numbers.
    pub right: bool,
    /// Minimum width, in terminal cells.
    pub least: usize,
}

/// Lays out cells in columns of these shapes, one line per row. A cell has one line.
pub fn aligned(cells: Vec<Vec<String>>, shapes: &[Shape]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let mut widths: Vec<usize> = shapes.iter().map(|shape| shape.least + GAP).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (cell.width() + GAP).max(*width);
        }
    }
    let mut table = Builder::from(cells).build();
    lay_out(&mut table, shapes.iter().map(|shape| shape.right));
    table.with(Width::list(widths));
    trim_lines(&table.to_string())
}

/// Sets no borders, blanks between columns, and right alignment for some columns.
pub(super) fn lay_out(table: &mut Table, right: impl Iterator<Item = bool>) {
    table
        .with(Style::empty())
        .with(Padding::new(0, GAP, 0, 0))
        .with(Alignment::left());
    for (index, _) in right.enumerate().filter(|(_, right)| *right) {
        table.with(Modify::new(Columns::one(index)).with(Alignment::right()));
    }
}

/// Trims trailing blanks of lines, including those before the end of a colour.
pub(super) fn trim_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_cells_and_have_a_minimum_width() {
        let cells = [
            ["PROTO", "LISTEN"],
            ["tcp", "1"],
            ["\u{6f22}\u{5b57}\u{6f22}", "12"],
        ];
        let cells = cells.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let right = Shape {
            right: true,
            ..Shape::default()
        };
        let text = aligned(cells.clone(), &[Shape::default(), right]);
        assert_eq!(
            text,
            "PROTO   LISTEN\ntcp          1\n\u{6f22}\u{5b57}\u{6f22}      12\n"
        );
        let wide = Shape {
            least: 8,
            ..Shape::default()
        };
        let text = aligned(cells, &[wide, Shape { least: 7, ..right }]);
        assert_eq!(text.lines().next(), Some("PROTO      LISTEN"));
        assert_eq!(aligned(Vec::new(), &[]), "");
    }
}
