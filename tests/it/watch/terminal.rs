//! A terminal shows the same after many small changes as after one full drawing.

use std::cell::RefCell;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use sockstat::watch::msg::Part;
use sockstat::watch::{Key, State, update, view};

use super::scene::{news, press, sockets, state};

/// Bytes for the terminal.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

/// A terminal of our own, and what draws on it.
struct Screen {
    wire: Wire,
    terminal: Terminal<CrosstermBackend<Wire>>,
    parser: vt100::Parser,
}

impl Screen {
    fn new((columns, rows): (u16, u16)) -> Self {
        let wire = Wire::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let options = TerminalOptions { viewport };
        let backend = CrosstermBackend::new(wire.clone());
        Self {
            terminal: Terminal::with_options(backend, options).unwrap(),
            wire,
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
        }
    }

    /// Draws, and returns how many bytes that took.
    fn draw(&mut self, state: &State) -> usize {
        self.terminal.draw(|frame| view(state, frame)).unwrap();
        let bytes = std::mem::take(&mut *self.wire.0.borrow_mut());
        self.parser.process(&bytes);
        bytes.len()
    }

    /// Every cell and how it looks; one that was never written is a blank.
    fn shows(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let cell = |row, column| {
            let cell = screen.cell(row, column).unwrap();
            let text = if cell.has_contents() { cell.contents() } else { " " };
            format!("{text}{:?}{}{}", cell.fgcolor(), cell.bold(), cell.inverse())
        };
        let row = |row| (0..columns.get()).map(|column| cell(row, column)).collect();
        (0..rows.get()).map(row).collect()
    }
}

#[test]
fn small_changes_add_up_to_the_whole_screen() {
    let size = (100, 30);
    let mut state = state(size);
    let mut screen = Screen::new(size);
    let keys = [
        Key::Char('2'),
        Key::PageDown,
        Key::Tab,
        Key::Char('s'),
        Key::Char('o'),
        Key::Char('?'),
        Key::Esc,
        Key::Char('3'),
        Key::Enter,
        Key::Char(' '),
        Key::Char('/'),
        Key::Char('4'),
        Key::Char('='),
        Key::Esc,
        Key::Char('4'),
        Key::Char('1'),
    ];
    for (key, seconds) in keys.into_iter().zip(3..) {
        press(&mut state, &[key]);
        let mut all = sockets();
        all.truncate(usize::try_from(39 - seconds % 7).unwrap());
        update(&mut state, news(&all, seconds, Part::All, 0));
        screen.draw(&state);
        let mut whole = Screen::new(size);
        whole.draw(&state);
        assert_eq!(screen.shows(), whole.shows(), "after {key:?}");
    }
}

#[test]
fn an_unchanged_frame_costs_almost_nothing() {
    let size = (120, 40);
    let state = state(size);
    let mut screen = Screen::new(size);
    let page = screen.draw(&state);
    assert!(page < 6000, "{page} bytes for a page");
    let again = screen.draw(&state);
    assert!(again <= 60, "{again} bytes for no change");
}
