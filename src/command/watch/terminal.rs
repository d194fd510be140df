//! The terminal: taken over, drawn on, and given back as it was on every way out.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};

use crate::watch::{State, view};

/// Whether the terminal is in our hands.
static IS_OURS: AtomicBool = AtomicBool::new(false);
/// The longest text that is copied: terminals refuse more.
const COPY_BYTES_MAX: usize = 74_000;

/// A terminal that was taken over.
pub(super) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

/// Whether there is a terminal that can be drawn on.
pub(super) fn is_usable() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// Whether the locale has UTF-8, as setlocale(3) finds it.
pub(super) fn shows_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    let Some(locale) = locale else { return false };
    let locale = locale.to_ascii_lowercase();
    let locale = locale.as_encoded_bytes();
    let has = |word: &[u8]| locale.windows(word.len()).any(|part| part == word);
    has(b"utf-8") || has(b"utf8")
}

impl Terminal {
    /// Takes the terminal over. A panic gives it back before it is reported.
    pub(super) fn open() -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        take_over()?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
        match ratatui::Terminal::new(backend) {
            Ok(inner) => Ok(Self { inner }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Columns and rows.
    pub(super) fn size() -> (u16, u16) {
        size().unwrap_or((80, 24))
    }

    /// Whether it takes a frame at once.
    pub(super) fn takes() -> bool {
        let stdout = io::stdout();
        let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // One that cannot be asked is written to.
        poll(&mut fds, Some(&now)).is_err() || fds[0].revents().intersects(PollFlags::OUT | PollFlags::ERR)
    }

    /// Draws what differs from the frame before.
    pub(super) fn draw(&mut self, state: &State) -> io::Result<()> {
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        self.inner.draw(|frame| view(state, frame))?;
        execute!(self.inner.backend_mut(), EndSynchronizedUpdate)
    }

    /// Draws everything anew the next time.
    pub(super) fn forget(&mut self) {
        // `clear` would ask the terminal where its cursor is, and wait for an answer that the thread with the keys reads.
        if let Ok(size) = self.inner.size() {
            // It is cleared by the next frame if not now.
            let _ = self.inner.resize(Rect::new(0, 0, size.width, size.height));
        }
    }

    /// The screen as text.
    pub(super) fn text(state: &State) -> String {
        let (columns, rows) = state.size;
        let Ok(mut terminal) = ratatui::Terminal::new(TestBackend::new(columns, rows));
        let Ok(_) = terminal.draw(|frame| view(state, frame));
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..rows {
            let cells = (0..columns).filter_map(|x| buffer.cell((x, y)));
            let line: String = cells.map(ratatui::buffer::Cell::symbol).collect();
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    /// Puts text on the clipboard of whoever sits before the terminal (OSC 52).
    pub(super) fn copy(&mut self, text: &str) {
        if text.len() > COPY_BYTES_MAX {
            return;
        }
        let sequence = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
        let writer = self.inner.backend_mut();
        // A terminal that does not take it shows nothing either.
        let _ = io::Write::write_all(writer, sequence.as_bytes()).and_then(|()| io::Write::flush(writer));
    }

    /// Gives the terminal back, stops until somebody continues the program, and takes it over again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The default action of SIGTSTP is ours no more once it is caught; this one cannot be.
        kill_process(getpid(), Signal::STOP)?;
        take_over()?;
        self.forget();
        Ok(())
    }
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    IS_OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
}

/// Gives the terminal back, once.
pub(super) fn give_back() {
    if IS_OURS.swap(false, Ordering::SeqCst) {
        let mut stdout = io::stdout();
        // A terminal that is closed needs nothing.
        let _ = execute!(
            stdout,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = stdout.flush();
        let _ = disable_raw_mode();
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { digit.into() } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn copied_text_is_in_base64() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("sockstat -tulpn", "c29ja3N0YXQgLXR1bHBu"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }
}
