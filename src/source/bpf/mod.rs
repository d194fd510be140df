//! Finds the holders of sockets with the kernel's iterator over the files of all tasks (`bpf_iter_task_file`, Linux
//! 5.11 or newer), about seven times as fast as reading the links in /proc/*/fd.
//!
//! The iterator's program is assembled here for the running kernel: [`btf`] finds that kernel's structure layout,
//! `program` writes the instructions, `sys` passes them to bpf(2), `record` reads what they write. Nothing is
//! compiled, pinned or left behind: the program is unloaded when [`holders`] returns.
//!
//! It sees the tasks of our own pid namespace and of its descendants, of all users alike, and needs `CAP_BPF` and
//! `CAP_PERFMON` in the initial user namespace. It does not guess: if anything is missing, it returns a [`Refusal`]
//! before any record, within microseconds if a permission is missing. It does not see descriptors registered with
//! `io_uring` or in flight, and does not decide whether the walk would be faster.

mod assembler;
pub mod btf;
mod on_tape;
mod on_way;
mod program;
mod record;
mod refusal;
mod sys;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use on_tape::recorded_holders;
pub use on_way::{device_programs, lookup_programs, traffic_programs};
pub use record::{Facts, Record};
pub use refusal::Refusal;

use crate::source::uapi::bpf as uapi;
use crate::source::{machine, tape, threads};
use btf::{FlagMasks, Layout};

/// `readlink /proc/self/ns/pid` in the initial pid namespace, whose inode is fixed since 3.8 (linux
/// 6.18 include/uapi/linux/nsfs.h, `PID_NS_INIT_INO`).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// More than the type information of any kernel; distribution kernels have 5 to 10 MB.
const MOST_BTF_BYTES: u64 = 64 << 20;

/// Limit on the verifier's log: it comments on every instruction, and there are about fifty.
const LOG_BYTES: usize = 256 * 1024;

/// Returns how many BPF programs can reject binds in the cgroup with this directory (linux 6.18
/// include/uapi/linux/bpf.h, `enum bpf_attach_type`: socket creation, bind and after bind, both families).
///
/// # Errors
/// Without `CAP_NET_ADMIN`, or if the kernel does not support such programs.
pub fn bind_hooks(cgroup: &Path) -> io::Result<u32> {
    tape::fact(&format!("bind hooks of {}", cgroup.display()), || {
        count_bind_hooks(cgroup)
    })
}

fn count_bind_hooks(cgroup: &Path) -> io::Result<u32> {
    let directory = File::open(cgroup)?;
    [
        uapi::CGROUP_INET_SOCK_CREATE,
        uapi::CGROUP_INET4_BIND,
        uapi::CGROUP_INET6_BIND,
        uapi::CGROUP_INET4_POST_BIND,
        uapi::CGROUP_INET6_POST_BIND,
    ]
    .into_iter()
    .try_fold(0, |sum, occasion| {
        Ok(sum + sys::count_cgroup_programs(&directory, occasion)?)
    })
}

/// Which sockets get a record: those selected by both `listeners_only` and `narrow`. The kernel drops the others
/// before it writes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only sockets in state LISTEN or CLOSE whose `struct socket` is not connected: listeners, unconnected UDP, and
    /// sockets that were only created or bound.
    pub listeners_only: bool,
    /// Only sockets of some kinds.
    pub narrow: Narrow,
    /// Whether records include network namespace and flags. They cost a cache miss per socket, which makes a run about
    /// two thirds longer.
    pub facts: bool,
}

/// Kinds of sockets, by family and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Narrow {
    /// All families.
    #[default]
    Any,
    /// IPv4 and IPv6, of all protocols.
    Inet,
    /// IPv4 and IPv6 stream sockets: TCP, MPTCP (whose sockets own the inode that their TCP
    /// subflows report) and SCTP.
    Tcp,
    /// IPv4 and IPv6 datagram sockets: UDP, UDP-Lite and ping.
    Udp,
    /// Unix domain sockets.
    Unix,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Number of records passed to the sink.
    pub records: u64,
    /// Time for finding offsets and loading the program.
    pub set_up: Duration,
    /// Depth of our pid namespace; 0 is the initial one.
    pub pid_namespace_level: u32,
}

/// Passes a record of every descriptor that is a wanted socket to the sink, as the kernel visits them: by process,
/// then descriptor. This blocks while the kernel works; it is not a snapshot.
///
/// # Errors
/// A [`Refusal`]. The sink has then received nothing, except after a [`Refusal::Io`] in the middle of reading, when the
/// records received so far must be discarded.
pub fn holders(wanted: Wanted, sink: &mut dyn FnMut(&Record)) -> Result<Stats, Refusal> {
    on_tape::holders(on_tape::key(wanted), sink, |sink| {
        let ready = Ready::new(wanted)?;
        let records = ready.read(None, &mut Vec::new(), sink)?;
        Ok(ready.stats(records))
    })
}

/// Returns the network namespaces of all sockets that have a descriptor, by inode number, each with one such
/// descriptor. This is not recorded: the caller records what it found.
///
/// # Errors
/// As for [`holders`].
pub fn namespaces_of_sockets() -> Result<BTreeMap<u32, Record>, Refusal> {
    let ready = Ready::new(Wanted {
        facts: true,
        ..Wanted::default()
    })?;
    let mut found = BTreeMap::new();
    ready.read(None, &mut Vec::new(), &mut |record| {
        if let Some(facts) = record.facts {
            found.entry(facts.netns).or_insert(*record);
        }
    })?;
    Ok(found)
}

/// Whether [`holders_of`] visits threads that have a file table of their own. Before 6.7, the kernel compares the file
/// table of the previous thread instead of the next one, and skips such threads (kernel/bpf/task_iter.c,
/// task_group_seq_get_next).
pub fn visits_all_threads() -> bool {
    machine::kernel_is_at_least(6, 7)
}

/// The same for these processes only (with all their threads), distributed over the processor's cores, in no order.
/// Attaching to each costs some ten microseconds, which pays off if they have many descriptors each.
///
/// # Errors
/// As for [`holders`], and on kernels before 6.1. The sink has then received nothing.
pub fn holders_of(pids: &[u32], wanted: Wanted, sink: &mut dyn FnMut(&Record)) -> Result<Stats, Refusal> {
    let key = on_tape::key_of_processes(wanted, pids.len());
    on_tape::holders(key, sink, |sink| iterate(pids, wanted, sink))
}

fn iterate(pids: &[u32], wanted: Wanted, sink: &mut dyn FnMut(&Record)) -> Result<Stats, Refusal> {
    let ready = Ready::new(wanted)?;
    let next = AtomicUsize::new(0);
    let share = || {
        let (mut records, mut buffer) = (Vec::new(), Vec::new());
        while let Some(pid) = pids.get(next.fetch_add(1, Ordering::Relaxed)) {
            ready.read(Some(*pid), &mut buffer, &mut |record| records.push(*record))?;
        }
        Ok(records)
    };
    let others = thread::available_parallelism().map_or(1, usize::from) - 1;
    let shares: Result<Vec<_>, Refusal> = thread::scope(|scope| {
        let others: Vec<_> = (0..others)
            .filter_map(|_| threads::spawn_scoped(scope, "iterate", share))
            .collect();
        let own = share()?;
        let lost = |_| Refusal::Io("read its records", io::ErrorKind::Other.into());
        let others = others.into_iter().map(|other| other.join().map_err(lost)?);
        std::iter::once(Ok(own)).chain(others).collect()
    });
    let mut records = 0;
    for record in shares?.iter().flatten() {
        records += 1;
        sink(record);
    }
    Ok(ready.stats(records))
}

/// The program, loaded for these options.
struct Ready {
    program: OwnedFd,
    flags: Option<FlagMasks>,
    level: u32,
    set_up: Duration,
}

impl Ready {
    fn new(wanted: Wanted) -> Result<Self, Refusal> {
        let begun = Instant::now();
        ask_permission()?;
        let layout = kernel_layout()?;
        let level = pid_namespace_level(&layout)?;
        let code = program::holders(&layout, wanted, level).ok_or(Refusal::PidNamespace(
            "their numbers are out of an instruction's reach",
        ))?;
        Ok(Self {
            program: load(&code, &layout)?,
            flags: wanted.facts.then_some(layout.flags),
            level,
            set_up: begun.elapsed(),
        })
    }

    /// Runs it over one process or all. The buffer is reused.
    fn read(
        &self,
        pid: Option<u32>,
        buffer: &mut Vec<u8>,
        sink: &mut dyn FnMut(&Record),
    ) -> Result<u64, Refusal> {
        let mut iterator = attach(&self.program, pid)?;
        record::drain(&mut iterator, buffer, self.flags, sink)
            .map_err(|error| Refusal::Io("read its records", error))
    }

    fn stats(&self, records: u64) -> Stats {
        Stats {
            records,
            set_up: self.set_up,
            pid_namespace_level: self.level,
        }
    }
}

/// Fails at once if the kernel would not let us load programs. The kernel checks permissions first, so it is given a
/// program that attaches to nothing; any other error means that loading is permitted.
fn ask_permission() -> Result<(), Refusal> {
    match sys::load(&program::idle(), 0, None) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS)) => {
            Err(refusal::of_load(error, String::new))
        }
        _ => Ok(()),
    }
}

/// The kernel's own type information, mapped, or read where it cannot be mapped (before 6.16).
fn kernel_layout() -> Result<Layout, Refusal> {
    if let Ok(btf) = sys::BtfMapping::new() {
        return Ok(btf::layout(&btf)?);
    }
    let mut btf = Vec::new();
    File::open(sys::BTF_PATH)
        .and_then(|file| file.take(MOST_BTF_BYTES).read_to_end(&mut btf))
        .map_err(Refusal::NoBtf)?;
    Ok(btf::layout(&btf)?)
}

/// Determines which of a process's ids (it has one per pid namespace) is the one that we see. No system call reports
/// this, and /proc shows only its own and nested namespaces, so a first program reads the depth of our own process.
fn pid_namespace_level(layout: &Layout) -> Result<u32, Refusal> {
    if fs::read_link("/proc/self/ns/pid").is_ok_and(|name| name.as_os_str() == INITIAL_PID_NAMESPACE) {
        return Ok(0);
    }
    let mut answer = [0; size_of::<u32>()];
    // The kernel stops at the first file visited, because so short a read is full by then.
    attach(&load(&program::reader_level(layout), layout)?, None)?
        .read_exact(&mut answer)
        .map_err(|error| Refusal::Io("read the depth of our pid namespace", error))?;
    match u32::from_ne_bytes(answer) {
        level @ ..=program::DEEPEST_LEVEL => Ok(level),
        _ => Err(Refusal::PidNamespace(
            "the depth of our pid namespace is not plausible",
        )),
    }
}

fn load(code: &[u64], layout: &Layout) -> Result<OwnedFd, Refusal> {
    sys::load(code, layout.iterator_id, None)
        .map_err(|error| refusal::of_load(error, || verifier_text(code, layout)))
}

/// Attaches a program to the iterator over one process, or all. The kernel keeps program and link while the file is
/// open.
fn attach(program: &OwnedFd, pid: Option<u32>) -> Result<File, Refusal> {
    let attached = |error: io::Error| Refusal::Io("attach its program", error);
    let link = sys::link(program, pid).map_err(attached)?;
    sys::iterate(&link).map_err(attached)
}

/// Loads the program once more, to get the reason for the rejection.
fn verifier_text(code: &[u64], layout: &Layout) -> String {
    let mut log = vec![0; LOG_BYTES];
    match sys::load(code, layout.iterator_id, Some(&mut log)) {
        Ok(_) => String::new(),
        Err(_) => log
            .split(|&byte| byte == 0)
            .next()
            .map(String::from_utf8_lossy)
            .unwrap_or_default()
            .into_owned(),
    }
}
