//! Writes the output: only data to stdout, in large blocks. A closed pipe is not an error.
//!
//! The only place that prints (tests/it/architecture enforces it). All output is [`Safe`] except that of [`pass_on`]
//! and [`print_binary`], whose bytes the caller chose.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use unicode_width::UnicodeWidthStr as _;

use crate::cli::UsageError;
use crate::exit::Exit;
use crate::render::escape;
use crate::render::page::Page;
use crate::render::safe::Safe;
use crate::source::callers_files;

/// Rows are written once this many bytes are pending.
pub const BLOCK_BYTES: usize = 64 * 1024;

/// The size that a pipe is enlarged to. By default it holds one block, so that writer and reader wait for each other at
/// every block. This is the largest size that an unprivileged user may request (pipe(7), /proc/sys/fs/pipe-max-size).
const PIPE_BYTES: usize = 1024 * 1024;

/// Writes `bytes` to stdout.
///
/// # Errors
/// If stdout cannot be written; a reader that went away is not an error.
pub fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    outcome(to_stdout(&Safe::document(bytes)))
}

/// Writes raw kernel messages to stdout (`-D -`).
///
/// # Errors
/// As [`print()`].
pub fn print_binary(bytes: &[u8]) -> anyhow::Result<Exit> {
    outcome(raw_to_stdout(bytes))
}

/// Replaces a file atomically.
///
/// # Errors
/// If the file cannot be written; the old one is kept.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    callers_files::replace(path, Safe::document(bytes).as_bytes()).with_context(|| {
        let path = escape::text(path.as_os_str().as_encoded_bytes());
        format!("cannot write {path}")
    })
}

/// Copies stdin to stderr unchanged: without the pipe, the user would have seen it there.
pub fn pass_on(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

fn outcome(result: io::Result<()>) -> anyhow::Result<Exit> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write"))
        }
        _ => Ok(Exit::Done),
    }
}

/// Writes `text` to stderr. Errors are ignored, because there is nowhere left to report them.
pub fn complain(text: &str) {
    let text = &without_error_numbers(text);
    // A question is not wrapped: it ends within a line, where the answer follows.
    let width = error_width().filter(|_| text.ends_with('\n'));
    let text = width.map_or(Cow::Borrowed(text), |width| Cow::Owned(fitted(text, width)));
    to_stderr(&Safe::sentences(&text));
}

/// Removes what [`io::Error`] appends to the words of the C library, such as ` (os error 2)`.
fn without_error_numbers(text: &str) -> String {
    const BEGIN: &str = " (os error ";
    let mut parts = text.split(BEGIN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .strip_prefix(')')
        {
            Some(rest) => out.push_str(rest),
            None => out.extend([BEGIN, part]),
        }
    }
    out
}

/// Returns whether stderr is a terminal.
pub fn is_read_by_a_person() -> bool {
    io::stderr().is_terminal()
}

/// The width at which sentences on stderr wrap; `None` if that is not a terminal.
fn error_width() -> Option<usize> {
    let stderr = io::stderr();
    let size = rustix::termios::tcgetwinsize(&stderr).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0 && stderr.is_terminal())
}

/// Wraps lines that are wider than the terminal between words. A command to paste is not wrapped, and moves to a line
/// of its own.
fn fitted(text: &str, width: usize) -> String {
    const COMMANDS: [&str; 2] = [": sockstat ", ": sudo "];
    let mut page = Page::new(Some(width), 0);
    for line in text.lines() {
        let command = COMMANDS.iter().find_map(|begin| line.find(begin));
        match command {
            _ if line.width() <= width => page.as_is(line),
            Some(at) => {
                let (sentence, command) = line.split_at(at + 1);
                page.prose(sentence);
                page.as_is(&format!("  {}", command.trim_start()));
            }
            None => page.prose(line),
        }
    }
    page.finish()
}

/// Writes the rows that a question is about to stderr, in colour.
pub fn preview(rows: &[u8]) {
    to_stderr(&Safe::document(rows));
}

/// Reports a mistake on the command line.
///
/// # Errors
/// None; the type is that of every exit from a command.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the type is that of every exit from a command"
)]
pub fn usage(reason: impl Into<String>) -> anyhow::Result<Exit> {
    complain(&UsageError::new(reason).to_string());
    Ok(Exit::Usage)
}

fn to_stdout(text: &Safe<'_>) -> io::Result<()> {
    raw_to_stdout(text.as_bytes())
}

fn to_stderr(text: &Safe<'_>) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn raw_to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Output that is written in blocks.
#[derive(Debug, Default)]
pub struct Blocks {
    /// Bytes still to be written; append here.
    pub pending: Vec<u8>,
    /// Whether more than one block was written, and the pipe was enlarged.
    many: bool,
    failed: Option<io::Error>,
}

impl Blocks {
    /// Writes the pending bytes once they fill a block. `Break` when nobody reads any more.
    pub fn flush_if_full(&mut self) -> ControlFlow<()> {
        if self.pending.len() < BLOCK_BYTES {
            return ControlFlow::Continue(());
        }
        if !self.many {
            self.many = true;
            // Fails if stdout is not a pipe or may not grow, which is fine.
            let _ = rustix::pipe::fcntl_setpipe_size(io::stdout(), PIPE_BYTES);
        }
        self.flush()
    }

    /// Writes the pending bytes.
    pub fn flush(&mut self) -> ControlFlow<()> {
        let result = to_stdout(&Safe::document(&self.pending));
        self.pending.clear();
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Writes the rest of an output that is useless unless complete: here a closed pipe is an error.
    ///
    /// # Errors
    /// As [`Blocks::finish`].
    pub fn finish_whole(mut self) -> anyhow::Result<Exit> {
        let _ = self.flush();
        let is_cut = self.failed.is_some();
        self.finish()?;
        Ok(if is_cut { Exit::Failed } else { Exit::Done })
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// The first error of all writes, unless it is a reader that went away.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let _ = self.flush();
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(anyhow::Error::new(error).context("cannot write the output"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_breaks_between_words_and_never_in_a_command() {
        let command = "sudo /usr/local/bin/sockstat -tulpn --sort local_port shows more";
        let text = format!(
            "12 owners hidden: {command}\n3 owners are in other pid namespaces: run sockstat on the host, or share its\n\
             error: x\n  recv_q  >  x\n          ^\n"
        );
        let narrow = fitted(&text, 60);
        assert_eq!(
            narrow,
            format!(
                "12 owners hidden:\n  {command}\n3 owners are in other pid namespaces: run sockstat on the\nhost, or share its\n\
                 error: x\n  recv_q  >  x\n          ^\n"
            )
        );
        assert_eq!(fitted(&text, 200), text);
    }

    #[test]
    fn errors_of_the_system_have_words_and_no_numbers() {
        let error = io::Error::from_raw_os_error(2);
        let text = format!("cannot read (os error 2: {error}; cannot write: {error}\n");
        assert_eq!(
            without_error_numbers(&text),
            "cannot read (os error 2: No such file or directory; cannot write: No such file or directory\n"
        );
    }
}
