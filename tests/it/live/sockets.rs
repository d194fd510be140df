//! Starts `mksock`, reads what it created, and runs programs in its namespace.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use sockstat::source::machine::kernel_is_at_least;

use super::enter;
use crate::run::{Ran, sockstat};
use crate::skip::skip;

/// One socket end as `mksock` reports it. Its documentation (`end.rs`) explains the keys.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) spec: String,
    pub(crate) role: String,
    /// Everything reported, by key.
    pub(crate) said: Value,
}

impl End {
    fn of(said: Value) -> Self {
        let word = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        Self {
            spec: word("spec"),
            role: word("role"),
            said,
        }
    }

    /// The kind: the part of the spec before the colon.
    pub(crate) fn kind(&self) -> &str {
        kind_of(&self.spec)
    }

    /// Processes, threads and descriptors that hold it.
    pub(crate) fn holders(&self) -> Vec<[u64; 3]> {
        let holder = |holder: &Value| [0, 1, 2].map(|index: usize| holder[index].as_u64().unwrap());
        self.said["holders"]
            .as_array()
            .unwrap()
            .iter()
            .map(holder)
            .collect()
    }
}

/// Live sockets; they close when this is dropped.
pub(crate) struct Sockets {
    mksock: Child,
    process: Arc<OwnedFd>,
    directory: PathBuf,
    pub(crate) pid: u32,
    pub(crate) netns: u64,
    pub(crate) ends: Vec<End>,
}

/// Whether dumps have TCP sockets that are bound and neither listen nor connect.
pub(crate) fn kernel_lists_bound() -> bool {
    kernel_is_at_least(6, 8)
}

/// Whether fdinfo of an io_uring names registered sockets by inode; skips if not.
#[track_caller]
pub(crate) fn kernel_names_sockets_of_rings() -> bool {
    let names = kernel_is_at_least(6, 13);
    if !names {
        skip("io-uring: fdinfo names no inode up to Linux 6.12");
    }
    names
}

impl Sockets {
    /// Makes sockets in a new network namespace. `{dir}` in a spec is a new, empty directory. Kinds that this
    /// kernel or user cannot have are skipped with their reason; `None` if there is no namespace to be had.
    #[track_caller]
    pub(crate) fn make(specs: &[&str]) -> Option<Self> {
        Self::make_by(&mut Command::new(example("mksock")), specs)
    }

    /// The same through a command that becomes `mksock`, or runs it.
    #[track_caller]
    pub(crate) fn make_by(command: &mut Command, specs: &[&str]) -> Option<Self> {
        let directory = new_directory();
        let specs = specs
            .iter()
            .filter(|spec| {
                let is_listed = kind_of(spec) != "tcp-bound" || kernel_lists_bound();
                if !is_listed {
                    skip("tcp-bound: no dump has it before Linux 6.8");
                }
                is_listed
            })
            .map(|spec| spec.replace("{dir}", directory.to_str().unwrap()));
        command
            .args(specs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut mksock = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let mut lines = BufReader::new(mksock.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let Some(first) = lines.next() else {
            let mut complaint = String::new();
            mksock
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut complaint)
                .unwrap();
            let status = mksock.wait().unwrap();
            let _ = std::fs::remove_dir_all(&directory);
            assert_eq!(status.code(), Some(77), "mksock: {complaint}");
            skip(complaint.trim().trim_start_matches("skip: "));
            return None;
        };
        let first: Value = serde_json::from_str(&first).unwrap();
        let pid = u32::try_from(first["pid"].as_u64().unwrap()).unwrap();
        let mut sockets = Self {
            process: enter::open(pid),
            mksock,
            directory,
            pid,
            netns: first["netns"].as_u64().unwrap(),
            ends: Vec::new(),
        };
        for line in lines {
            if line == "ready" {
                return Some(sockets);
            }
            let said: Value = serde_json::from_str(&line).unwrap();
            match said["skip"].as_str() {
                Some(reason) => skip(&format!("{}: {reason}", kind_of(said["spec"].as_str().unwrap()))),
                None => sockets.ends.push(End::of(said)),
            }
        }
        panic!("mksock ended before it was ready");
    }

    /// A directory for this namespace's files.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The ends of all specs of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &End> {
        self.ends.iter().filter(move |end| end.kind() == kind)
    }

    /// A program that will run in the namespace.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        enter::inside(&mut command, &self.process);
        command
    }

    /// sockstat, to be run in the namespace.
    pub(crate) fn sockstat(&self, arguments: &[&str]) -> Command {
        let mut command = sockstat(arguments);
        enter::inside(&mut command, &self.process);
        command
    }

    /// Runs sockstat in the namespace, which must succeed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.sockstat(arguments)).ended_with(0)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        // Its standard input closes, and it takes its children and socket files with it.
        drop(self.mksock.stdin.take());
        let _ = self.mksock.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The kind of a spec: the part before the colon.
pub(crate) fn kind_of(spec: &str) -> &str {
    spec.split(':').next().unwrap_or_default()
}

/// An example program; cargo builds them before it runs tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // target/PROFILE/deps/it-HASH
    let path = own
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --examples",
        path.display()
    );
    path
}

pub(crate) fn new_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // Short, because a unix path has 107 bytes.
    let directory = std::env::temp_dir().join(format!("sockstat-it-{}-{number}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    directory
}
