//! The table for people: no borders, one dim heading, never wrapped.
//!
//! tabled lays out and aligns. [`super::fit`] decides beforehand which columns are kept and how wide they are, so that
//! tabled never has to wrap a line.

use std::hash::{DefaultHasher, Hasher as _};
use std::ops::ControlFlow;

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Color, Modify};
use unicode_width::UnicodeWidthStr;

use super::cells::{Cell, Column, Tone};
use super::columns as layout;
use super::facts::{self, Facts, IN_RECORD};
use super::fit::{GAP, Width, fit};
use super::span::{self, Span, cut_end};
use crate::model::Row;

/// How the table is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// The columns, before empty ones are dropped.
    pub columns: Vec<Column>,
    /// The width to fit into, in terminal cells; `None` for no limit.
    pub width: Option<usize>,
    /// Whether colours may be used.
    pub colors: bool,
    /// The heading line.
    pub header: bool,
    /// Names of hosts and services if they were found (`-r`).
    pub names: bool,
    /// The facts shown after the rows.
    pub facts: Facts,
}

/// The table of all rows, each line with its newline. Empty without rows.
pub fn render<'a>(rows: impl Iterator<Item = Row<'a>>, view: &TableView) -> String {
    let rows: Vec<Row<'a>> = rows.collect();
    let mut text = String::new();
    let visit = |take: &mut Take<'_>| rows.iter().try_for_each(&mut *take);
    in_parts(&visit, view, &mut |part| {
        text.push_str(part);
        ControlFlow::Continue(())
    });
    text
}

/// Receives a row; `Break` if no more are wanted.
pub type Take<'t> = dyn FnMut(&Row<'_>) -> ControlFlow<()> + 't;

/// How many rows are laid out together.
const PART: usize = 512;

/// The same in parts, for rows that are not kept in memory. `visit` passes on all rows in order; it is called up to
/// four times.
pub fn in_parts(
    visit: &dyn Fn(&mut Take<'_>) -> ControlFlow<()>,
    view: &TableView,
    print: &mut dyn FnMut(&str) -> ControlFlow<()>,
) {
    if view.facts.record && count(visit) == 1 {
        let mut of_record = view.clone();
        of_record.columns.retain(|column| !IN_RECORD.contains(column));
        of_record.facts = Facts::default();
        in_parts(visit, &of_record, print);
        let _ = visit(&mut |row| print(&facts::record(row)));
        return;
    }
    let Some(layout) = Layout::of(visit, view) else {
        return;
    };
    let mut part = Part {
        layout: &layout,
        view: view.clone(),
        cells: Vec::new(),
        facts: Vec::new(),
    };
    let flow = visit(&mut |row| {
        part.cells.push(cells_of(row, view));
        if view.facts != Facts::default() {
            part.facts.push(facts::line(row, view.facts));
        }
        if part.cells.len() == PART {
            print(&part.take())?;
        }
        ControlFlow::Continue(())
    });
    if flow.is_continue() && !part.cells.is_empty() {
        let _ = print(&part.take());
    }
}

/// Counts the rows, but only up to two.
fn count(visit: &dyn Fn(&mut Take<'_>) -> ControlFlow<()>) -> usize {
    let mut count = 0;
    let _ = visit(&mut |_| {
        count += 1;
        if count > 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    count
}

fn cells_of(row: &Row<'_>, view: &TableView) -> Vec<Cell> {
    let columns = view.columns.iter();
    columns.map(|column| column.cell(row, view.names)).collect()
}

/// Rows that are laid out together.
struct Part<'l> {
    layout: &'l Layout,
    view: TableView,
    cells: Vec<Vec<Cell>>,
    facts: Vec<String>,
}

impl Part<'_> {
    /// Takes the text of the rows so far, with the heading for the first ones.
    fn take(&mut self) -> String {
        let columns = &self.layout.columns;
        let mut text = lay_out(&self.cells, columns, &self.view, Some(&self.layout.widths));
        if self.view.facts != Facts::default() {
            text = after_rows(&text, self.facts.drain(..), &self.view);
        }
        self.cells.clear();
        self.view.header = false;
        text
    }
}

/// The columns that are shown.
struct Layout {
    /// Each with the width that its cells are cut to.
    columns: Vec<(Column, usize)>,
    /// The actual width of each, which is less if its widest cell is narrower.
    widths: Vec<usize>,
}

impl Layout {
    /// Fits the columns to all rows; `None` without rows.
    fn of(visit: &dyn Fn(&mut Take<'_>) -> ControlFlow<()>, view: &TableView) -> Option<Self> {
        let mut known: Vec<Option<Width>> = vec![None; view.columns.len()];
        let mut is_empty = true;
        let _ = visit(&mut |row| {
            is_empty = false;
            for (known, (column, cell)) in known.iter_mut().zip(view.columns.iter().zip(cells_of(row, view)))
            {
                if let Some(width) = width_of(*column, view, &std::iter::once(&cell)) {
                    *known = Some(known.map_or(width, |known| known.widened(width)));
                }
            }
            ControlFlow::Continue(())
        });
        let natural: Vec<Width> = known.into_iter().flatten().collect();
        let columns = match view.width {
            Some(width) => fit(&natural, width),
            None => natural
                .iter()
                .map(|width| (width.column, width.natural))
                .collect(),
        };
        let is_cut = |(column, width): &(Column, usize)| {
            natural
                .iter()
                .any(|one| one.column == *column && one.natural > *width)
        };
        let mut layout = Self {
            widths: columns.iter().map(|(_, width)| *width).collect(),
            columns,
        };
        if layout.columns.iter().any(is_cut) {
            layout.shrink(visit, view);
        }
        (!is_empty).then_some(layout)
    }

    /// Shrinks columns to their widest cell after cutting.
    fn shrink(&mut self, visit: &dyn Fn(&mut Take<'_>) -> ControlFlow<()>, view: &TableView) {
        let heading = |(column, width): &(Column, usize)| {
            if view.header {
                cut_end(&column.heading(), *width).width()
            } else {
                0
            }
        };
        self.widths = self.columns.iter().map(heading).collect();
        let columns = &self.columns;
        let widths = &mut self.widths;
        let _ = visit(&mut |row| {
            for ((column, width), widest) in columns.iter().zip(widths.iter_mut()) {
                let cell = column.cell(row, view.names);
                *widest = span::shorten(&cell.spans, *width).width().max(*widest);
            }
            ControlFlow::Continue(())
        });
    }
}

/// The table with the facts of each row after it, if any were requested.
pub(super) fn with_facts(table: &str, rows: &[Row<'_>], view: &TableView) -> String {
    if view.facts == Facts::default() {
        return table.to_owned();
    }
    let lines = rows.iter().map(|row| facts::line(row, view.facts));
    after_rows(table, lines, view)
}

/// Inserts a dim line after each row that has one, truncated to the width.
fn after_rows(table: &str, lines: impl Iterator<Item = String>, view: &TableView) -> String {
    let mut text = String::with_capacity(table.len() * 2);
    let mut rows = table.lines();
    if view.header {
        text.extend(rows.next().into_iter().flat_map(|heading| [heading, "\n"]));
    }
    for (row, line) in rows.zip(lines) {
        text.push_str(row);
        text.push('\n');
        if !line.is_empty() {
            let line = cut_end(&line, view.width.unwrap_or(usize::MAX));
            let (on, off) = if view.colors { DIM } else { ("", "") };
            text.extend([on, &line, off, "\n"]);
        }
    }
    text
}

pub(super) fn render_rows<'a>(rows: impl Iterator<Item = Row<'a>>, view: &TableView) -> String {
    let view = TableView {
        facts: Facts::default(),
        ..view.clone()
    };
    render(rows, &view)
}

/// Returns the widths of a column; `None` if it is empty in every row and was not requested by name.
pub(super) fn width_of<'a>(
    column: Column,
    view: &TableView,
    cells: &(impl Iterator<Item = &'a Cell> + Clone),
) -> Option<Width> {
    let widest = |of: &dyn Fn(&[Span]) -> usize| cells.clone().map(|cell| of(&cell.spans)).max().unwrap_or(0);
    let natural = widest(&span::width);
    if natural == 0 && !matches!(column, Column::Field(_)) {
        return None;
    }
    let heading = column.heading().width() * usize::from(view.header);
    Some(Width {
        column,
        natural: natural.max(heading),
        without_other_end: widest(&|spans| span::width_without(spans, 3)).max(heading),
        least: widest(&span::least).max(heading),
        tightest: widest(&span::tightest).max(heading),
        is_alarming: cells.clone().any(|cell| cell.tone == Tone::Alarm),
        same_text: same_text(cells.clone()),
    })
}

/// A hash of the text of the cells, if it is the same in all of them.
fn same_text<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<u64> {
    let number = |cell: &Cell| {
        let mut hasher = DefaultHasher::new();
        let texts = cell.spans.iter().map(|span| span.text.as_bytes());
        texts.for_each(|text| hasher.write(text));
        hasher.finish()
    };
    let mut numbers = cells.map(number);
    let first = numbers.next()?;
    numbers.all(|other| other == first).then_some(first)
}

/// Lays out cells in columns. `widths`, if given, are minimum widths.
pub(super) fn lay_out(
    cells: &[Vec<Cell>],
    columns: &[(Column, usize)],
    view: &TableView,
    widths: Option<&[usize]>,
) -> String {
    let mut builder = Builder::with_capacity(cells.len() + 1, columns.len());
    if view.header {
        builder.push_record(
            columns
                .iter()
                .map(|(column, width)| cut_end(&column.heading(), *width)),
        );
    }
    let position = |column: Column| view.columns.iter().position(|present| *present == column);
    for row in cells {
        builder.push_record(columns.iter().map(|(column, width)| {
            position(*column)
                .and_then(|index| row.get(index))
                .map_or_else(String::new, |cell| span::shorten(&cell.spans, *width))
        }));
    }
    let mut table = builder.build();
    layout::lay_out(
        &mut table,
        columns.iter().map(|(column, _)| column.is_right_aligned()),
    );
    if let Some(widths) = widths {
        table.with(tabled::settings::Width::list(
            widths.iter().map(|width| width + GAP),
        ));
    }
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

/// The escape sequences that switch dim text on and off.
pub(super) const DIM: (&str, &str) = ("\u{1b}[2m", "\u{1b}[22m");

fn color_of(tone: Tone) -> Color {
    match tone {
        Tone::Plain => Color::default(),
        Tone::Dim => Color::new(DIM.0, DIM.1),
        Tone::Warn => Color::FG_YELLOW,
        Tone::Alarm => Color::FG_RED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Context, OwnerStatus, Ownership, Socket, State};
    use crate::query::field::Field;
    use crate::query::samples::{context, holder, tcp};
    use proptest::prelude::*;

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
            may_be_more: false,
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
    fn numbers_are_right_aligned_and_empty_columns_dropped_unless_requested() {
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
    fn only_the_heading_and_cells_that_need_attention_are_coloured() {
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A hundred sockets with long addresses in different states, held by programs with long names.
        /// One in four is a unix socket with a long path; its accept queue is full.
        #[test]
        fn no_line_wraps_no_port_or_pid_is_cut_and_rows_stay_distinguishable(
            seeds in proptest::collection::vec((any::<u128>(), any::<u128>(), "[a-z-]{1,30}", "[a-z /]{0,60}"), 100),
        ) {
            use crate::model::Process;
            let is_unix = |index: u32| index % 4 == 3;
            let state_of = |index: u32| match index % 8 {
                3 | 7 => State::Listen,
                0 => State::SynSent,
                1 => State::CloseWait,
                2 => State::FinWait1,
                _ => State::Established,
            };
            let mut context = context();
            let mut all = Vec::new();
            for (index, (local, peer, name, arguments)) in (0u32..).zip(&seeds) {
                let pid = 1_000_000 + index;
                let address = |bits: &u128| std::net::Ipv6Addr::from_bits(*bits | 1 << 100).to_string();
                let mut socket = tcp(&address(local), 10_000, &address(peer), 443, state_of(index));
                if let crate::model::Endpoints::Inet(pair) = &mut socket.endpoints {
                    pair.local_port = u16::try_from(10_000 + index).unwrap();
                    pair.peer_port = u16::try_from(20_000 + index).unwrap();
                }
                if is_unix(index) {
                    let path = format!("/run/{}/{name}.sock", arguments.replace(' ', "/var"));
                    socket = Socket {
                        protocol: crate::model::Protocol::Unix,
                        rqueue: Some(129),
                        wqueue: Some(128),
                        endpoints: crate::model::Endpoints::Unix(crate::model::UnixPair {
                            name: Some(path.into_bytes().into()),
                            ..crate::model::UnixPair::default()
                        }),
                        ..socket
                    };
                }
                let process = Process {
                    pid,
                    program: name.as_bytes().into(),
                    cmdline: Some(vec![name.as_bytes().into(), arguments.as_bytes().into()].into()),
                    ..Process::default()
                };
                context.processes.insert(pid, process);
                all.push((socket, [holder(pid, 3)]));
            }
            let columns = [
                Column::Proto, Column::State, Column::RecvQ, Column::SendQ, Column::AcceptQ, Column::Local,
                Column::Peer, Column::User, Column::Process, Column::Command,
            ];
            for width in [60, 80, 100, 140] {
                let view = TableView { width: Some(width), ..view(&columns) };
                let rows = all.iter().map(|(socket, holders)| Row {
                    socket,
                    ownership: Ownership { status: OwnerStatus::Known, holders, may_be_more: false },
                    context: &context,
                });
                let shown = render(rows, &view);
                let lines: std::collections::BTreeSet<&str> = shown.lines().skip(1).collect();
                prop_assert_eq!(lines.len(), all.len());
                for (index, line) in (0u32..).zip(shown.lines().skip(1)) {
                    prop_assert!(line.width() <= width, "{width}: {line}");
                    let ports = [format!(":{} ", 10_000 + index), format!(":{} ", 20_000 + index)];
                    let ports = ports.into_iter().filter(|_| !is_unix(index));
                    for number in ports.chain([format!(" {}", 1_000_000 + index)]) {
                        prop_assert!(line.contains(&number), "{width}: {number}: {line}");
                    }
                    prop_assert!(line.contains(state_of(index).ss_name()), "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_narrow_table_cuts_wide_cells() {
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
            after_rows("PROTO\ntcp\nudp\n", lines(), &view),
            "PROTO\ntcp\nudp\none that\u{2026}\n"
        );
        let view = TableView {
            header: false,
            colors: true,
            ..view
        };
        assert_eq!(
            after_rows("tcp\nudp\n", lines(), &view),
            format!("tcp\nudp\n{}one that\u{2026}{}\n", DIM.0, DIM.1)
        );
    }
}
