//! The terminal on standard output, written to without blocking. A terminal may accept nothing for a long time, because
//! its reader is slow or stopped, or the link is gone. Output that it does not accept is buffered here.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdout;
use rustix::termios::{QueueSelector, tcflush, tcgetsid};

static TERMINAL: OnceLock<Terminal> = OnceLock::new();
/// CAN: aborts an escape sequence that a terminal has received only partly (ECMA-48 8.3.6).
const CANCEL: u8 = 0x18;

/// The terminal, and the bytes that it has not accepted.
#[derive(Debug)]
pub struct Terminal {
    file: File,
    /// Whether a write may wait for the terminal.
    may_block: bool,
    waiting: Mutex<Vec<u8>>,
}

impl Terminal {
    /// Returns the terminal on standard output.
    ///
    /// # Errors
    /// If standard output cannot be duplicated.
    pub fn on_stdout() -> io::Result<&'static Self> {
        if let Some(terminal) = TERMINAL.get() {
            return Ok(terminal);
        }
        // Opened again, because O_NONBLOCK applies to the open file, which other programs share.
        let open = |path| {
            let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
            OpenOptions::new().write(true).custom_flags(flags).open(path)
        };
        let own = match open("/proc/self/fd/1") {
            // After su(1), the terminal still belongs to the other user.
            Err(_) if tcgetsid(stdout()).is_ok() => open("/dev/tty"),
            opened => opened,
        };
        let terminal = match own {
            Ok(file) => Self::of(file, false),
            Err(_) => Self::of(rustix::io::dup(stdout())?.into(), true),
        };
        Ok(TERMINAL.get_or_init(|| terminal))
    }

    fn of(file: File, may_block: bool) -> Self {
        Self {
            file,
            may_block,
            waiting: Mutex::default(),
        }
    }

    /// Sends as much pending output as the terminal accepts; returns whether it accepted everything.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn send(&self) -> io::Result<bool> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = self.write(&waiting)?;
        waiting.drain(..sent);
        Ok(waiting.is_empty())
    }

    /// Drops pending output and sends `bytes`. If there is no room for them, output that the kernel still holds for the
    /// terminal is dropped too.
    pub fn send_last(&self, bytes: &[u8]) {
        let is_cut = match self.waiting.try_lock() {
            Ok(mut waiting) => !std::mem::take(&mut *waiting).is_empty(),
            // Another thread is writing. If it waits for the terminal, so would this one.
            Err(TryLockError::WouldBlock) if self.may_block => return,
            Err(_) => true,
        };
        if !is_cut && self.write(bytes).is_ok_and(|sent| sent == bytes.len()) {
            return;
        }
        let _ = tcflush(&self.file, QueueSelector::OFlush);
        let _ = self.write(&[&[CANCEL], bytes].concat());
    }

    /// Writes until the terminal accepts no more, and returns how many bytes it accepted.
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while sent < bytes.len() && (!self.may_block || self.has_room()) {
            match (&self.file).write(&bytes[sent..]) {
                Ok(0) => break,
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    fn has_room(&self) -> bool {
        let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
        // If this is unknown, writing is attempted.
        poll(&mut fds, Some(&Timespec::default())) != Ok(0)
    }
}

/// Adds pending output. Nothing is sent before [`Terminal::send`].
impl Write for &Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

    use super::*;

    /// A pseudo-terminal: the reader's side, and ours.
    fn pair() -> (File, Terminal) {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(name)
            .unwrap();
        let mut modes = tcgetattr(&slave).unwrap();
        modes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        (master.into(), Terminal::of(slave, false))
    }

    fn read(reader: &mut File) -> Vec<u8> {
        let mut bytes = vec![0; 65536];
        let length = reader.read(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn output_that_is_not_accepted_is_kept_in_order() {
        let (mut reader, terminal) = pair();
        let bytes: Vec<u8> = (0..200_000u32).map(|at| b'a' + (at % 23) as u8).collect();
        (&terminal).write_all(&bytes).unwrap();
        let mut seen = Vec::new();
        assert!(!terminal.send().unwrap(), "no terminal buffers that much");
        while seen.len() < bytes.len() {
            seen.extend(read(&mut reader));
            terminal.send().unwrap();
        }
        assert!(seen == bytes);
        assert!(terminal.send().unwrap());
    }

    #[test]
    fn the_last_bytes_reach_a_terminal_that_had_stopped_reading() {
        let (mut reader, terminal) = pair();
        let mut read_until = |end: &[u8]| {
            let mut seen = Vec::new();
            while !seen.ends_with(end) {
                seen.extend(read(&mut reader));
            }
            seen.len()
        };
        (&terminal).write_all(&vec![b'x'; 200_000]).unwrap();
        assert!(!terminal.send().unwrap());
        terminal.send_last(b"the end");
        assert!(terminal.send().unwrap(), "nothing waits");
        // A part may already have left the kernel.
        assert!(read_until(b"\x18the end") < 100_000);
        // The terminal is full, and nothing is pending. The kernel passes bytes on at any time, so there may be room
        // again.
        while terminal.write(b"frame").unwrap() == 5 {}
        terminal.send_last(b"again");
        read_until(b"again");
        terminal.send_last(b"with room");
        assert_eq!(read_until(b"with room"), b"with room".len());
    }
}
