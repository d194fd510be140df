//! The machine that was measured: kernel, cores, versions, user.

use std::path::Path;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use crate::program::{Program, Role, installed};
use crate::{Args, run, stats};

pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) cores: usize,
    pub(crate) ss_version: String,
    pub(crate) sockstat_version: String,
    /// Peak of `sockstat -V`, the baseline for memory per socket.
    pub(crate) base_peak_kib: u64,
    pub(crate) ordinary_user: bool,
    pub(crate) processes: u32,
}

impl Machine {
    pub(crate) fn look(args: &Args, sockstat: &Path) -> Result<Self> {
        let kernel = rustix::system::uname();
        let base =
            version(args, sockstat).with_context(|| format!("{} cannot be used", sockstat.display()))?;
        let ss = installed("ss").and_then(|ss| version(args, &ss).ok());
        Ok(Self {
            kernel: kernel.release().to_string_lossy().into_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            ss_version: ss.map_or_else(|| "no ss".to_owned(), |ss| ss.text),
            sockstat_version: base.text,
            base_peak_kib: base.peak_kib,
            ordinary_user: args.user.is_some_and(|user| user != 0) || !geteuid().is_root(),
            processes: args.processes,
        })
    }

    pub(crate) fn line(&self) -> String {
        let user = if self.ordinary_user {
            "an ordinary user"
        } else {
            "root"
        };
        format!(
            "Linux {}, {} cores, as {user}; {} (-V: {:.1} MB peak); {}; loads over {} processes",
            self.kernel,
            self.cores,
            self.sockstat_version,
            megabytes(self.base_peak_kib),
            self.ss_version,
            self.processes
        )
    }
}

struct Version {
    text: String,
    peak_kib: u64,
}

/// Returns the output of `PROGRAM -V`, and the median peak of three such runs.
fn version(args: &Args, path: &Path) -> Result<Version> {
    let program = Program {
        name: String::new(),
        role: Role::Other,
        path: path.to_owned(),
        args: vec!["-V".to_owned()],
    };
    let place = run::Place {
        namespaces: Vec::new(),
        user: args.user,
        sink: run::Sink::Pipe,
    };
    let mut runs = [
        run::run(&program, &place)?,
        run::run(&program, &place)?,
        run::run(&program, &place)?,
    ];
    runs.sort_by_key(|run| run.peak_kib);
    let [_, middle, _] = runs;
    let head = String::from_utf8_lossy(&middle.output.head);
    Ok(Version {
        text: head.lines().next().unwrap_or_default().to_owned(),
        peak_kib: middle.peak_kib,
    })
}

/// Converts KiB to MB of a million bytes.
pub(crate) fn megabytes(kib: u64) -> f64 {
    stats::float(kib) * 1024.0 / 1e6
}
