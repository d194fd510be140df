//! Starts the `load` example and enters its namespaces.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::{Args, mode};

/// A running load; it ends when this is dropped.
pub(crate) struct Load {
    child: Child,
    /// What was requested: TCP sockets, or unix sockets.
    pub(crate) sockets: u64,
}

impl Load {
    pub(crate) fn start(args: &Args, kind: mode::Load, sockets: u64) -> Result<Self> {
        let path = std::env::current_exe()?.with_file_name("load");
        let mut command = Command::new(&path);
        command.arg(format!("--processes={}", args.processes));
        match kind {
            mode::Load::Unix => command.args(["--sockets=0".to_owned(), format!("--unix={}", sockets / 2)]),
            _ => command.args([
                format!("--sockets={sockets}"),
                format!("--one-port={}", mode::ONE_PORT),
            ]),
        };
        command.args(args.load.split_whitespace());
        command.args(args.user.map(|user| format!("--uid={user}")));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}; build it first: cargo build --release --examples",
                    path.display()
                )
            })?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let load = Self { child, sockets };
        if !line.starts_with("ready ") {
            bail!("the load of {sockets} sockets did not come up; its message is above");
        }
        Ok(load)
    }

    /// The namespaces to enter, in this order: the user namespace if it is not ours, then the network namespace.
    pub(crate) fn namespaces(&self) -> Result<Vec<Arc<OwnedFd>>> {
        let process = format!("/proc/{}/ns", self.child.id());
        let mut names = vec!["net"];
        if std::fs::read_link(format!("{process}/user"))? != std::fs::read_link("/proc/self/ns/user")? {
            names.insert(0, "user");
        }
        names
            .into_iter()
            .map(|name| {
                let path = format!("{process}/{name}");
                let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
                Ok(Arc::new(OwnedFd::from(file)))
            })
            .collect()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing can be done about a load that does not end; it holds only its own namespace.
        let _status = self.child.wait();
    }
}
