//! The system calls of a run, as strace(1) reports them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};

use super::sockets::{Sockets, new_directory};
use crate::run::Ran;
use crate::skip::skip;

/// One system call: `openat(3</proc>, "1", O_RDONLY) = 4</proc/1>`.
#[derive(Debug)]
pub(super) struct Call {
    /// `openat`.
    pub(super) name: String,
    /// `3</proc>, "1", O_RDONLY`: descriptors with what they are open on.
    pub(super) arguments: String,
    /// `4</proc/1>`, `0`, `-1 ENOENT (…)`.
    pub(super) result: String,
}

impl Call {
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        // Blanks line results up.
        let end = rest.rfind(") ")?;
        let result = rest[end + 1..].trim_start().strip_prefix("= ")?;
        Some(Self {
            name: name.to_owned(),
            arguments: rest[..end].to_owned(),
            result: result.to_owned(),
        })
    }

    /// Whether it is one of these.
    pub(super) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// Whether the arguments have one of these words.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.arguments.contains(word))
    }

    /// The paths that it names, those below a directory's descriptor in full; a bare descriptor is not a path.
    pub(super) fn paths(&self) -> Vec<String> {
        let (mut paths, mut rest) = (Vec::new(), self.arguments.as_str());
        while let Some((before, quoted)) = rest.split_once('"') {
            let Some(end) = end_of_string(quoted) else { break };
            let path = &quoted[..end];
            let directory = before
                .strip_suffix(">, ")
                .and_then(|before| before.rsplit_once('<'));
            paths.push(match directory {
                Some((_, directory)) if !path.starts_with('/') => format!("{directory}/{path}"),
                _ => path.to_owned(),
            });
            rest = &quoted[end + 1..];
        }
        paths
    }

    /// What its first argument, a descriptor, is open on: `socket:[7]`.
    pub(super) fn open_on(&self) -> Option<&str> {
        object(&self.arguments)
    }

    /// What the descriptor that it returned is open on: `/proc/1`.
    pub(super) fn opened(&self) -> Option<&str> {
        object(&self.result)
    }

    pub(super) fn failed(&self) -> bool {
        self.result.starts_with('-')
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}({}) = {}", self.name, self.arguments, self.result)
    }
}

/// The position of the quote that ends a C string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// What is in the angle brackets after a number.
fn object(text: &str) -> Option<&str> {
    let (number, rest) = text.split_once('<')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    rest.split_once('>')
        .filter(|_| is_number)
        .map(|(object, _)| object)
}

/// A run and its system calls: those of each thread in their order.
pub(super) struct Traced {
    pub(super) arguments: Vec<String>,
    pub(super) pid: u32,
    pub(super) ran: Ran,
    pub(super) calls: Vec<Call>,
    /// The arguments of socket(2), by what its descriptor is open on.
    sockets: BTreeMap<String, String>,
}

impl Traced {
    /// Runs sockstat in the namespace under strace. Skips and returns `None` if nothing can be traced.
    #[track_caller]
    pub(super) fn run(sockets: &Sockets, arguments: &[&str]) -> Option<Self> {
        Self::run_until(sockets, arguments, None)
    }

    /// The same, but interrupts it as soon as it has written `until` to standard error.
    #[track_caller]
    pub(super) fn run_until(sockets: &Sockets, arguments: &[&str], until: Option<&str>) -> Option<Self> {
        let directory = new_directory();
        let mut command = sockets.program("strace");
        command
            .args(["-ff", "-qq", "-y", "-s", "4096", "-o"])
            .arg(directory.join("trace"))
            .arg(env!("CARGO_BIN_EXE_sockstat"))
            .args(arguments)
            // A signal does not end strace itself.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                std::fs::remove_dir_all(&directory).unwrap();
                skip(&format!("strace cannot be run: {error}"));
                return None;
            }
        };
        let mut before = String::new();
        if let Some(until) = until {
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            while !before.contains(until) && stderr.read_line(&mut before).unwrap() > 0 {}
            let _ = kill_process_group(Pid::from_child(&child), Signal::INT);
            stderr.read_to_string(&mut before).unwrap();
        }
        let mut ran = Ran::from(child.wait_with_output().unwrap());
        ran.stderr.insert_str(0, &before);
        let (mut calls, mut pid) = (Vec::new(), None);
        for file in std::fs::read_dir(&directory).unwrap() {
            let path = file.unwrap().path();
            // Names with any bytes are escaped.
            let text = std::fs::read_to_string(&path).unwrap();
            let of_thread: Vec<_> = text.lines().filter_map(Call::parse).collect();
            if of_thread.iter().any(|call| call.is(&["execve"])) {
                pid = path.extension().and_then(|pid| pid.to_str()?.parse().ok());
            }
            calls.extend(of_thread);
        }
        std::fs::remove_dir_all(&directory).unwrap();
        let Some(pid) = pid else {
            skip(&format!("strace traces nothing here: {}", ran.stderr.trim()));
            return None;
        };
        let made = calls.iter().filter(|call| call.is(&["socket"]));
        let socket = |call: &Call| Some((call.opened()?.to_owned(), call.arguments.clone()));
        Some(Self {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            pid,
            ran,
            sockets: made.filter_map(socket).collect(),
            calls,
        })
    }

    /// The command line.
    pub(super) fn line(&self) -> String {
        self.arguments.join(" ")
    }

    /// What `socket(2)` was called with for the socket that a call's first argument is.
    pub(super) fn socket_of(&self, call: &Call) -> Option<&str> {
        self.sockets.get(call.open_on()?).map(String::as_str)
    }
}

/// The bytes of a string as written by strace.
pub(super) fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let (byte, length) = match (first, tail) {
            (b'\\', [b'x', high, low, ..]) => (hex(&[*high, *low]), 3),
            (b'\\', [b'0'..=b'7', ..]) => {
                let length = tail
                    .iter()
                    .take(3)
                    .take_while(|c| matches!(c, b'0'..=b'7'))
                    .count();
                let digits = std::str::from_utf8(&tail[..length]).unwrap();
                (u8::from_str_radix(digits, 8).unwrap(), length)
            }
            (b'\\', [letter, ..]) => {
                let byte = match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    other => *other,
                };
                (byte, 1)
            }
            (byte, _) => (*byte, 0),
        };
        bytes.push(byte);
        rest = &tail[length..];
    }
    bytes
}

fn hex(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
}

#[test]
fn a_line_of_strace_is_read() {
    let call = Call::parse(r#"openat(3</proc>, "1/fd", O_RDONLY|O_CLOEXEC) = 4</proc/1/fd>"#).unwrap();
    assert_eq!(call.paths(), ["/proc/1/fd"]);
    assert_eq!(
        (call.open_on(), call.opened()),
        (Some("/proc"), Some("/proc/1/fd"))
    );
    let call = Call::parse(
        r#"openat(AT_FDCWD</work>, "/etc/a\"b", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
    );
    let call = call.unwrap();
    assert_eq!(
        (call.paths(), call.failed()),
        (vec![r#"/etc/a\"b"#.to_owned()], true)
    );
    assert_eq!(unescaped(r#"\x02\6\0a\"\n\\\377"#), b"\x02\x06\x00a\"\n\\\xff");
}
