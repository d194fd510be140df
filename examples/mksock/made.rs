//! The result of one command-line word: its sockets, and everything that must live as long as they do.

use std::fmt;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use anyhow::Result;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::end::{End, json_string};
use crate::state::State;

/// Why a socket cannot be created on this kernel or by this user.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// The sockets of one word. Dropping it closes them, ends its children and removes its files.
pub(crate) struct Made {
    pub(crate) spec: String,
    /// Whether the network namespace is ours alone, so that its settings may be changed.
    pub(crate) private_netns: bool,
    pub(crate) ends: Vec<End>,
    /// Lines about sockets that a child made and checked.
    pub(crate) child_lines: Vec<String>,
    pub(crate) children: Vec<Pid>,
    /// Socket files to remove.
    pub(crate) paths: Vec<PathBuf>,
    fds: Vec<OwnedFd>,
}

impl Made {
    pub(crate) fn new(spec: String, private_netns: bool) -> Self {
        Self {
            spec,
            private_netns,
            ends: Vec::new(),
            child_lines: Vec::new(),
            children: Vec::new(),
            paths: Vec::new(),
            fds: Vec::new(),
        }
    }

    /// No sockets, only a line with the reason.
    pub(crate) fn skipped(spec: String, skip: &Skip) -> Self {
        let line = format!(
            "{{\"spec\":{},\"skip\":{}}}",
            json_string(&spec),
            json_string(&skip.0)
        );
        let mut made = Self::new(spec, false);
        made.child_lines.push(line);
        made
    }

    /// Describes the socket and keeps it open until the end.
    pub(crate) fn add(&mut self, role: &'static str, fd: OwnedFd, state: State) -> Result<&mut End> {
        let end = End::of(&self.spec, role, fd.as_fd(), state)?;
        self.fds.push(fd);
        Ok(self.push(end))
    }

    /// Records an end for which this process has no descriptor.
    pub(crate) fn push(&mut self, end: End) -> &mut End {
        let index = self.ends.len();
        self.ends.push(end);
        &mut self.ends[index]
    }

    /// Keeps a descriptor that is not a socket end of the output.
    pub(crate) fn keep(&mut self, fd: OwnedFd) {
        self.fds.push(fd);
    }

    /// One JSON line per end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let own = self.ends.iter().map(End::to_json);
        own.chain(self.child_lines.iter().cloned()).collect()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for &child in &self.children {
            // The child may be gone already; then there is nothing to do.
            let _ = kill_process(child, Signal::KILL);
            let _ = waitpid(Some(child), WaitOptions::empty());
        }
        for path in &self.paths {
            let _ = std::fs::remove_file(path);
        }
    }
}
