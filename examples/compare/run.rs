//! Runs one program once and measures it: wall time from before it starts until it is reaped, processor time and peak
//! memory from `wait4`, and its output.
#![allow(unsafe_code)] // A child that enters namespaces before exec, and wait4(2), have no safe wrapper.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Gid, Uid};
use rustix::thread::{move_into_link_name_space, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::program::Program;

/// Where the output of the programs goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Sink {
    /// A pipe that is drained, and its lines counted
    Pipe,
    /// /dev/null: no rows are counted
    Null,
}

/// Where and as whom programs run.
pub(crate) struct Place {
    pub(crate) namespaces: Vec<Arc<OwnedFd>>,
    pub(crate) user: Option<u32>,
    pub(crate) sink: Sink,
}

/// One run.
pub(crate) struct Run {
    pub(crate) wall_ms: f64,
    pub(crate) user_ms: f64,
    pub(crate) system_ms: f64,
    pub(crate) peak_kib: u64,
    pub(crate) status: ExitStatus,
    pub(crate) output: Output,
    /// The first line of standard error.
    pub(crate) message: String,
}

/// What was written to standard output.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) bytes: u64,
    /// Lines that do not begin with a tab: those continue the row above (`ss -i`).
    pub(crate) lines: u64,
    /// The beginning.
    pub(crate) head: Vec<u8>,
}

pub(crate) fn run(program: &Program, place: &Place) -> Result<Run> {
    let mut errors = File::from(memfd_create(c"stderr", MemfdFlags::CLOEXEC)?);
    let (reader, writer) = std::io::pipe()?;
    let drain = std::thread::spawn(move || drain(reader));

    let mut command = Command::new(&program.path);
    command
        .args(&program.args)
        .stdin(Stdio::null())
        .stderr(errors.try_clone()?);
    match place.sink {
        Sink::Pipe => command.stdout(writer),
        Sink::Null => {
            // Or the drain would wait for our own end of the pipe.
            drop(writer);
            command.stdout(Stdio::null())
        }
    };
    let (namespaces, user) = (place.namespaces.clone(), place.user);
    // SAFETY: between fork and exec the closure makes system calls only; it allocates nothing and takes no lock.
    // There always is one, because it makes the library fork: a vfork would count our own peak memory as the child's.
    unsafe { command.pre_exec(move || enter(&namespaces, user)) };

    let began = Instant::now();
    // The child is waited for by number, because only wait4 reports what it used.
    #[allow(clippy::zombie_processes)]
    let child = command
        .spawn()
        .with_context(|| format!("cannot run {}", program.path.display()))?;
    // The command holds our copy of the writing end, which must be closed before the output can end.
    drop(command);
    let (status, usage) = wait(child.id())?;
    let wall_ms = began.elapsed().as_secs_f64() * 1e3;

    let output = drain.join().unwrap_or_else(|_| Ok(Output::default()))?;
    let mut text = String::new();
    errors.rewind()?;
    errors.take(4096).read_to_string(&mut text).unwrap_or_default();
    Ok(Run {
        wall_ms,
        user_ms: milliseconds(usage.ru_utime),
        system_ms: milliseconds(usage.ru_stime),
        peak_kib: u64::try_from(usage.ru_maxrss).unwrap_or_default(),
        status,
        output,
        message: text.lines().next().unwrap_or_default().to_owned(),
    })
}

fn enter(namespaces: &[Arc<OwnedFd>], user: Option<u32>) -> std::io::Result<()> {
    use std::os::fd::AsFd;
    for namespace in namespaces {
        move_into_link_name_space(namespace.as_fd(), None)?;
    }
    if let Some(user) = user {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(user));
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    Ok(())
}

fn wait(process: u32) -> Result<(ExitStatus, libc::rusage)> {
    let process = libc::pid_t::try_from(process)?;
    let mut status = 0;
    // SAFETY: rusage is plain data for which all zero bytes are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to values that live until the call returns.
    let waited = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
    if waited < 0 {
        return Err(std::io::Error::last_os_error()).context("cannot wait for a program");
    }
    Ok((ExitStatus::from_raw(status), usage))
}

fn drain(mut reader: impl Read) -> std::io::Result<Output> {
    const HEAD: usize = 64;
    let mut output = Output::default();
    let mut buffer = vec![0; 128 * 1024];
    let mut at_line_start = true;
    loop {
        let bytes = reader.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..bytes).filter(|chunk| !chunk.is_empty()) else {
            return Ok(output);
        };
        let room = HEAD.saturating_sub(output.head.len());
        output.head.extend(chunk.iter().take(room));
        output.bytes += bytes as u64;
        if at_line_start && chunk.first() != Some(&b'\t') {
            output.lines += 1;
        }
        for end in memchr::memchr_iter(b'\n', chunk) {
            if chunk.get(end + 1).is_some_and(|&next| next != b'\t') {
                output.lines += 1;
            }
        }
        at_line_start = chunk.last() == Some(&b'\n');
    }
}

#[allow(clippy::cast_precision_loss)] // Durations of runs are far below 2^52 microseconds.
fn milliseconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3
}
