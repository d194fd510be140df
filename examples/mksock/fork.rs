//! Child processes that hold exactly the given descriptors, and end with their parent.

use std::fs;
use std::io::{PipeWriter, Read as _, Write as _, pipe};
use std::os::fd::{AsRawFd as _, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

use crate::made::{Made, Skip};
use crate::sys;

/// Starts a child that keeps only `kept` of our descriptors, runs `body`, reports what it returns and then stays until
/// it is killed. From then on we must end the child, whatever happens.
pub(crate) fn child(
    made: &mut Made,
    kept: &[RawFd],
    body: impl FnOnce() -> Result<String>,
) -> Result<(Pid, String)> {
    child_that_then(made, kept, body, stay)
}

/// The same for a child whose first thread runs `afterwards` once it has reported.
pub(crate) fn child_that_then(
    made: &mut Made,
    kept: &[RawFd],
    body: impl FnOnce() -> Result<String>,
    afterwards: fn() -> !,
) -> Result<(Pid, String)> {
    let parent = getpid();
    let (mut read_end, write_end) = pipe().context("pipe")?;
    let Some(pid) = sys::fork().context("fork")? else {
        // A panic must not unwind into the parent's copy of main().
        let done = catch_unwind(AssertUnwindSafe(|| {
            die_with(parent)?;
            keep_only(&[kept, &[write_end.as_raw_fd()]].concat())?;
            body()
        }));
        let report = match done.unwrap_or_else(|_| Err(anyhow!("the child panicked"))) {
            Ok(report) => format!("ok\n{report}"),
            Err(error) => match error.downcast_ref::<Skip>() {
                Some(Skip(reason)) => format!("skip\n{reason}"),
                None => format!("error\n{error:#}"),
            },
        };
        finish(write_end, &report, afterwards)
    };
    drop(write_end);
    made.children.push(pid);
    let mut report = String::new();
    read_end
        .read_to_string(&mut report)
        .context("reading from a child")?;
    match report.split_once('\n') {
        Some(("ok", report)) => Ok((pid, report.to_owned())),
        Some(("skip", reason)) => Err(anyhow!(Skip(reason.to_owned()))),
        Some((_, error)) => bail!("in a child: {error}"),
        None => bail!("a child ended without a word"),
    }
}

/// Reports, and runs `afterwards`.
fn finish(mut write_end: PipeWriter, report: &str, afterwards: fn() -> !) -> ! {
    if write_end.write_all(report.as_bytes()).is_err() {
        sys::exit_now(1);
    }
    drop(write_end);
    afterwards()
}

/// Keeps its descriptors open until a signal comes.
fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// Asks the kernel for a SIGKILL when the parent ends; a change of user takes this back.
pub(crate) fn die_with(parent: Pid) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("PR_SET_PDEATHSIG")?;
    if getppid() != Some(parent) {
        sys::exit_now(1);
    }
    Ok(())
}

/// Closes all descriptors of this file table but these. The standard ones become /dev/null, so that a reader of our
/// output does not wait for the child.
///
/// Only for a table that no other thread uses.
pub(crate) fn keep_only(kept: &[RawFd]) -> Result<()> {
    let null = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .context("/dev/null")?;
    for standard in 0..=2 {
        sys::replace_number(null.as_raw_fd(), standard).context("dup2")?;
    }
    drop(null);
    let path = "/proc/thread-self/fd";
    let names = fs::read_dir(path).with_context(|| format!("reading {path}"))?;
    // Collected first: the descriptor of the listing itself is among them, and closed by then.
    let open: Vec<RawFd> = names
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2 && !kept.contains(fd)) {
        sys::close_number(fd);
    }
    Ok(())
}
