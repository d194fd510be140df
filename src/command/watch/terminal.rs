//! The terminal: taken over, drawn on, and restored however the program ends.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use ratatui::layout::Rect;
use rustix::process::{Signal, getpid, kill_process};

use crate::source::memory;
use crate::source::terminal::Terminal as Out;
use crate::watch::{State, view};

/// Whether we have taken over the terminal.
static IS_OURS: AtomicBool = AtomicBool::new(false);
/// The longest text that is copied; terminals reject longer ones.
const COPY_BYTES_MAX: usize = 74_000;

/// A terminal that was taken over.
pub(super) struct Terminal {
    out: &'static Out,
    inner: ratatui::Terminal<CrosstermBackend<&'static Out>>,
}

/// Whether there is a terminal that can be drawn on.
pub(super) fn is_usable() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// Whether the locale uses UTF-8, determined as setlocale(3) does.
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
    /// Takes over the terminal. On a panic, it is restored before the message is printed.
    pub(super) fn open() -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        memory::before_end(give_back);
        let out = Out::on_stdout()?;
        take_over(out)?;
        match ratatui::Terminal::new(CrosstermBackend::new(out)) {
            Ok(inner) => Ok(Self { out, inner }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Returns the columns and rows.
    pub(super) fn size() -> (u16, u16) {
        size().unwrap_or((80, 24))
    }

    /// Sends pending output; returns whether the terminal has accepted all of it.
    pub(super) fn send(&self) -> io::Result<bool> {
        self.out.send()
    }

    /// Draws what differs from the previous frame; returns whether the terminal has accepted all of it.
    pub(super) fn draw(&mut self, state: &State) -> io::Result<bool> {
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        self.inner.draw(|frame| view(state, frame))?;
        queue!(self.inner.backend_mut(), EndSynchronizedUpdate)?;
        self.out.send()
    }

    /// Redraws everything next time.
    pub(super) fn forget(&mut self) {
        // `clear` would ask the terminal for its cursor position, and wait for an answer that the key thread reads
        // instead.
        if let Ok(size) = self.inner.size() {
            // If this fails, the next frame clears the terminal.
            let _ = self.inner.resize(Rect::new(0, 0, size.width, size.height));
        }
    }

    /// Returns the screen as text.
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

    /// Copies text to the clipboard of the terminal's user (OSC 52).
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > COPY_BYTES_MAX {
            return Ok(());
        }
        write!(self.out, "\x1b]52;c;{}\x07", base64(text.as_bytes()))
    }

    /// Restores the terminal, stops until the program is continued, and takes over the terminal again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Once SIGTSTP is caught, its default action is gone; SIGSTOP cannot be caught.
        kill_process(getpid(), Signal::STOP)?;
        take_over(self.out)?;
        self.forget();
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over(mut out: &'static Out) -> io::Result<()> {
    enable_raw_mode()?;
    IS_OURS.store(true, Ordering::SeqCst);
    queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    out.send()?;
    Ok(())
}

/// Restores the terminal, once, without blocking.
pub(super) fn give_back() {
    if IS_OURS.swap(false, Ordering::SeqCst) {
        let mut last = Vec::new();
        // A terminal that is gone needs no restoring.
        let _ = queue!(
            last,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        if let Ok(out) = Out::on_stdout() {
            out.send_last(&last);
        }
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
    use std::env;
    use std::fs::File;
    use std::io::Read as _;
    use std::os::fd::OwnedFd;
    use std::process::Command;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::tcgetattr;

    use super::*;

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

    #[test]
    fn a_panic_restores_the_terminal() {
        const PANICS: &str = "SOCKSTAT_TEST_PANICS";
        const NAME: &str = "command::watch::terminal::tests::a_panic_restores_the_terminal";
        if env::var_os(PANICS).is_some() {
            // The child process runs this, on the terminal created below.
            let _terminal = Terminal::open().unwrap();
            panic!("on purpose");
        }
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let local_modes = || tcgetattr(&master).unwrap().local_modes;
        let before = local_modes();
        let mut command = Command::new(env::current_exe().unwrap());
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        command
            .args(["--exact", NAME, "--nocapture"])
            .env(PANICS, "1")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave());
        let mut child = command.spawn().unwrap();
        // Closes our copies of the terminal, so that reading ends when the child exits.
        drop(command);
        let mut seen = Vec::new();
        // Reading a terminal whose other side is closed fails.
        let _ = File::from(master.try_clone().unwrap()).read_to_end(&mut seen);
        assert!(!child.wait().unwrap().success());
        let seen = String::from_utf8(seen).unwrap();
        let at = |text| {
            seen.find(text)
                .unwrap_or_else(|| panic!("no {text:?} in {seen:?}"))
        };
        assert!(at("\x1b[?1049h") < at("\x1b[?1049l"), "{seen:?}");
        assert!(
            at("\x1b[?1049l") < at("on purpose"),
            "the message is seen: {seen:?}"
        );
        assert!(at("\x1b[?25h") < at("on purpose"), "{seen:?}");
        assert_eq!(local_modes(), before);
    }
}
