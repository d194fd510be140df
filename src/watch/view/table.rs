//! Columns: which of them fit, how wide they are, and their cells.

use unicode_width::UnicodeWidthStr as _;

use super::paint::Tone;
use crate::render::span::{self, Cut, Span};

/// Blanks between two columns.
const GAP: usize = 2;
/// The minimum width of a column that may be cut.
const LEAST: usize = 9;
/// Columns of words up to this rank, such as STATE, are more useful than the pid.
const WORDS: u8 = 2;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its heading.
    pub(super) title: &'static str,
    /// Whether its cells are right-aligned.
    pub(super) is_right: bool,
    /// Its minimum width, so that columns do not move while rows change.
    pub(super) usual: usize,
    /// The order in which columns are dropped if there is not enough room: the highest rank first. 0 for columns that
    /// are never dropped.
    pub(super) rank: u8,
    /// Whether its cells may be cut.
    pub(super) may_be_cut: bool,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// Its text.
    pub(super) spans: Vec<Span>,
    /// Its tone.
    pub(super) tone: Tone,
}

impl Cell {
    /// Text that is never cut.
    pub(super) fn fixed(text: impl Into<String>) -> Self {
        Self::of(vec![Span::fixed(text)])
    }

    /// Spans that may be cut one by one.
    pub(super) fn of(spans: Vec<Span>) -> Self {
        Self {
            spans,
            tone: Tone::Plain,
        }
    }

    /// Sets the tone.
    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    fn least(&self) -> usize {
        span::least(&self.spans)
    }
}

/// A row: its mark, its tone, and a cell for each column.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// `+` new, `-` gone, `~` changed, `!` needs attention, `X` loses something.
    pub(super) mark: char,
    /// Its tone.
    pub(super) tone: Tone,
    /// Its cells.
    pub(super) cells: Vec<Cell>,
}

/// A column that fits: its index, the column, and its width.
pub(super) type Fitted = (usize, Column, usize);

/// Returns the columns that fit into `width` cells, and how wide each is. The last column takes the remaining width.
/// Columns with a bit in `hidden` are left out, except the first.
pub(super) fn fit(columns: &[Column], rows: &[Row], width: usize, hidden: u16) -> Vec<Fitted> {
    let widest = |at: usize, column: &Column| {
        let cells = rows.iter().filter_map(|row| row.cells.get(at));
        let widest = cells.map(|cell| span::width(&cell.spans)).max().unwrap_or(0);
        widest.max(column.title.width())
    };
    let least = |at: usize, column: &Column| {
        let cells = rows.iter().filter_map(|row| row.cells.get(at));
        let widest = cells.map(Cell::least).max().unwrap_or(0);
        widest.max(LEAST.min(column.usual)).max(column.title.width())
    };
    let mut fitted: Vec<Fitted> = columns
        .iter()
        .enumerate()
        .filter(|(at, _)| *at == 0 || hidden >> (*at).min(15) & 1 == 0)
        .map(|(at, column)| (at, *column, widest(at, column).max(column.usual)))
        .collect();
    let last = fitted.last().map(|(at, ..)| *at);
    let floor = |(at, column, width): &Fitted, is_tight: bool| {
        let is_name = is_tight && Some(*at) == last;
        let floor = if is_name { LEAST } else { least(*at, column) };
        floor.min(*width)
    };
    let total = |fitted: &[Fitted]| fitted.iter().map(|(_, _, width)| width + GAP).sum::<usize>();
    // The last column is cut down to a name and a number before another column is dropped.
    let enough = |fitted: &[Fitted], is_tight: bool| {
        let saved: usize = fitted
            .iter()
            .filter(|(_, column, _)| column.may_be_cut)
            .map(|one| one.2 - floor(one, is_tight))
            .sum();
        total(fitted).saturating_sub(GAP) <= width + saved
    };
    let mut is_tight = false;
    while !enough(&fitted, false) {
        let ranked = fitted
            .iter()
            .enumerate()
            .filter(|(_, (_, column, _))| column.rank > 0);
        let Some(first) = ranked
            .max_by_key(|(_, (_, column, _))| column.rank)
            .map(|(at, _)| at)
        else {
            break;
        };
        if let Some((at, column, width)) = fitted.get_mut(first)
            && !column.is_right
            && column.rank <= WORDS
        {
            // Columns of words are first narrowed to their longest value; then the numbers in the last column are cut.
            let narrow = widest(*at, column);
            if narrow < *width {
                *width = narrow;
                continue;
            }
            is_tight = !column.may_be_cut && enough(&fitted, true);
            if is_tight {
                break;
            }
        }
        fitted.remove(first);
    }
    for at in (0..fitted.len()).rev() {
        let excess = total(&fitted).saturating_sub(GAP).saturating_sub(width);
        if let Some(one) = fitted.get_mut(at)
            && one.1.may_be_cut
        {
            one.2 = one.2.saturating_sub(excess).max(floor(one, is_tight));
        }
    }
    let rest = width.saturating_sub(total(&fitted).saturating_sub(GAP));
    if let Some((_, _, last)) = fitted.last_mut() {
        *last += rest;
    }
    fitted
}

/// The text of a cell, cut to the width of its column.
pub(super) fn text_of(cell: &Cell, column: &Column, width: usize) -> String {
    let text = if column.may_be_cut && width < cell.least() {
        // Half a number is a wrong number, so only the name is kept.
        let names = cell
            .spans
            .iter()
            .filter(|span| span.rank == 1 && span.cut != Cut::Never);
        let names: String = names.map(|span| span.text.as_str()).collect();
        span::cut_end(&names, width)
    } else if column.may_be_cut {
        span::shorten(&cell.spans, width)
    } else {
        cell.spans.iter().map(|span| span.text.as_str()).collect()
    };
    aligned(&text, column, width)
}

/// Text aligned in its column.
pub(super) fn aligned(text: &str, column: &Column, width: usize) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    if column.is_right {
        format!("{blanks}{text}")
    } else {
        format!("{text}{blanks}")
    }
}

/// The blanks between two columns.
pub(super) const BETWEEN: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column {
            title: "PORT",
            is_right: false,
            usual: 9,
            rank: 0,
            may_be_cut: false,
        },
        Column {
            title: "SCOPE",
            is_right: false,
            usual: 10,
            rank: 1,
            may_be_cut: false,
        },
        Column {
            title: "PROGRAM",
            is_right: false,
            usual: 9,
            rank: 0,
            may_be_cut: true,
        },
    ];

    #[test]
    fn columns_are_dropped_by_rank_and_the_last_one_takes_the_rest() {
        let row = Row {
            cells: vec![
                Cell::fixed("65535/udp"),
                Cell::fixed("all v4+v6"),
                Cell::of(vec![
                    Span::new("systemd-resolved", Cut::End, 1),
                    Span::fixed(" 662"),
                ]),
            ],
            ..Row::default()
        };
        let widths = |width| {
            let fitted = fit(&COLUMNS, std::slice::from_ref(&row), width, 0);
            fitted.iter().map(|(_, _, width)| *width).collect::<Vec<_>>()
        };
        assert_eq!(widths(60), [9, 10, 37]);
        assert_eq!(widths(40), [9, 10, 17]);
        assert_eq!(widths(30), [9, 19], "the scope is dropped");
        assert_eq!(
            fit(&COLUMNS, std::slice::from_ref(&row), 60, 0b11).len(),
            2,
            "the first is kept"
        );
        assert_eq!(text_of(&row.cells[2], &COLUMNS[2], 14), "systemd-r\u{2026} 662");
    }

    #[test]
    fn a_state_gives_up_its_blanks_and_the_program_its_number_before_the_state_goes() {
        let row = |state: &str| Row {
            cells: vec![
                Cell::fixed("127.0.0.1:43210"),
                Cell::fixed(state),
                Cell::of(vec![
                    Span::new("postgres", Cut::End, 1),
                    Span::fixed(" 48291 +12"),
                ]),
            ],
            ..Row::default()
        };
        let columns = [
            COLUMNS[0],
            Column {
                title: "STATE",
                usual: 10,
                ..COLUMNS[1]
            },
            COLUMNS[2],
        ];
        let widths = |state: &str, width| {
            let row = row(state);
            let fitted = fit(&columns, std::slice::from_ref(&row), width, 0);
            let last = fitted.last().unwrap();
            let program = text_of(&row.cells[2], &last.1, last.2);
            (fitted.iter().map(|one| one.2).collect::<Vec<_>>(), program)
        };
        assert_eq!(widths("ESTAB", 47).0, [15, 10, 18]);
        assert_eq!(
            widths("ESTAB", 42),
            (vec![15, 5, 18], "postgres 48291 +12".to_owned())
        );
        assert_eq!(
            widths("CLOSE-WAIT", 42),
            (vec![15, 10, 13], "postgres     ".to_owned())
        );
        assert_eq!(widths("CLOSE-WAIT", 37).0, [15, 20], "the state goes");
    }
}
