//! Facts about the processes that are shown: names, arguments, user, start.

use std::os::unix::ffi::OsStringExt;
use std::sync::mpsc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::source::disk;
use procfs::FromRead as _;
use procfs::process::Stat;

use super::{ProcRoot, contexts};
use crate::model::cgroup::Home;
use crate::model::{Process, Processes, process::program_name};
use crate::plan::Facts;
use crate::source::tape;

/// How long all command lines together may take. Reading one blocks while its process holds the lock of its
/// memory map, for ever in the worst case.
const CMDLINES_WITHIN: Duration = Duration::from_millis(500);
/// After so long without a word the process being read is given up.
const CMDLINE_WITHIN: Duration = Duration::from_millis(100);
/// As much of a command line as is kept: the table shows one line of it.
const CMDLINE_BYTES_MAX: u64 = 16 * 1024;

/// Reads what is known of the processes `pids` (sorted, each once). A process that is gone is left out.
///
/// The second value counts command lines that could not be had in time.
pub fn read(root: &ProcRoot, pids: &[u32], facts: Facts) -> (Processes, u32) {
    let mut processes: Processes = pids
        .iter()
        .filter_map(|pid| Some((*pid, comm_of(root, *pid)?)))
        .collect();
    if facts == Facts::Comm {
        return (processes, 0);
    }
    let boot = boot_time(root);
    let (cmdlines, late) = cmdlines(root, processes.keys().copied().collect());
    for (pid, cmdline) in cmdlines {
        if let Some(process) = processes.get_mut(&pid) {
            process.cmdline = Some(cmdline);
        }
    }
    for process in processes.values_mut() {
        let directory = root.join(process.pid.to_string());
        process.uid = disk::stat(&directory).ok().map(|stat| stat.uid);
        process.exe = disk::read_link(directory.join("exe"))
            .ok()
            .map(|exe| exe.into_os_string().into_vec().into());
        let text = disk::read(directory.join("stat")).unwrap_or_default();
        if let Ok(stat) = Stat::from_read(text.as_slice()) {
            process.parent = u32::try_from(stat.ppid).ok();
            process.started_at =
                boot.map(|boot| boot + Duration::from_secs_f64(ticks_to_seconds(stat.starttime)));
        }
        if facts == Facts::Contexts {
            process.security_context = contexts::of_process(root, process.pid);
        }
        let cgroups = disk::read(root.join(format!("{}/cgroup", process.pid))).unwrap_or_default();
        let cgroups = String::from_utf8_lossy(&cgroups);
        let (home, path) = Home::of_cgroups(&cgroups);
        process.home = home;
        process.cgroup = path.map(|path| path.as_bytes().into());
        process.program = program_name(&process.comm, process.exe.as_deref(), process.cmdline.as_deref());
    }
    (processes, late)
}

fn comm_of(root: &ProcRoot, pid: u32) -> Option<Process> {
    let mut comm = disk::read(root.join(format!("{pid}/comm"))).ok()?;
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    let comm: Box<[u8]> = comm.into();
    Some(Process {
        pid,
        program: comm.clone(),
        comm,
        ..Process::default()
    })
}

/// Arguments by pid.
type Cmdlines = Vec<(u32, Vec<Box<[u8]>>)>;

/// Reads command lines on a thread of its own, so that one process that cannot be read costs only itself: after
/// a while without an answer another thread goes on with the rest. A thread that stays stuck ends with us.
fn cmdlines(root: &ProcRoot, mut pids: Vec<u32>) -> (Cmdlines, u32) {
    let deadline = Instant::now() + CMDLINES_WITHIN;
    let mut read = Vec::with_capacity(pids.len());
    let mut late = 0;
    while !pids.is_empty() {
        let (sender, receiver) = mpsc::channel();
        let (root, work) = (root.clone(), pids.clone());
        let spawned = std::thread::Builder::new().name("cmdline".into()).spawn(move || {
            for pid in work {
                if sender.send((pid, cmdline_of(&root, pid))).is_err() {
                    return;
                }
            }
        });
        if spawned.is_err() {
            late += u32::try_from(pids.len()).unwrap_or(u32::MAX);
            break;
        }
        let mut answered = 0;
        while answered < pids.len() {
            let patience = CMDLINE_WITHIN.min(deadline.saturating_duration_since(Instant::now()));
            let Ok((pid, cmdline)) = receiver.recv_timeout(patience) else {
                break;
            };
            answered += 1;
            read.extend(cmdline.map(|cmdline| (pid, cmdline)));
        }
        if answered < pids.len() {
            late += 1;
            answered += 1;
        }
        pids.drain(..answered);
        if Instant::now() >= deadline {
            late += u32::try_from(pids.len()).unwrap_or(u32::MAX);
            break;
        }
    }
    (read, tape::fact("command lines late", || late))
}

fn cmdline_of(root: &ProcRoot, pid: u32) -> Option<Vec<Box<[u8]>>> {
    let path = root.join(format!("{pid}/cmdline"));
    let mut text = disk::read_start(path, CMDLINE_BYTES_MAX).ok()?;
    // A program that writes a title over its arguments leaves NULs behind it.
    let end = text
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    text.truncate(end);
    if text.is_empty() {
        return Some(Vec::new());
    }
    Some(text.split(|byte| *byte == 0).map(Into::into).collect())
}

/// When the machine was started (`btime` in /proc/stat), the origin of process start times.
fn boot_time(root: &ProcRoot) -> Option<std::time::SystemTime> {
    let text = disk::read_to_string(root.join("stat")).ok()?;
    let seconds = text
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[allow(clippy::cast_precision_loss, reason = "2^53 ticks are millions of years")]
fn ticks_to_seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_read_in_full() {
        let pid = std::process::id();
        let (processes, late) = read(&ProcRoot::default(), &[pid], Facts::Full);
        let own = &processes[&pid];
        assert_eq!(late, 0);
        let exe = std::env::current_exe().unwrap();
        assert_eq!(own.exe.as_deref(), Some(exe.as_os_str().as_encoded_bytes()));
        assert_eq!(own.program.as_ref(), exe.file_name().unwrap().as_encoded_bytes());
        let arguments: Vec<_> = std::env::args()
            .map(|argument| argument.into_bytes().into_boxed_slice())
            .collect();
        assert_eq!(own.cmdline.as_deref(), Some(&arguments[..]));
        let age = own.started_at.unwrap().elapsed();
        assert!(age.is_ok_and(|age| age < Duration::from_secs(24 * 3600)));
        assert_eq!(own.parent, Some(std::os::unix::process::parent_id()));
    }

    #[test]
    fn a_process_that_is_gone_is_left_out() {
        let (processes, late) = read(&ProcRoot::given("/nonexistent".into()), &[1, 2], Facts::Full);
        assert!(processes.is_empty());
        assert_eq!(late, 0);
    }

    #[test]
    fn a_command_line_that_blocks_costs_only_itself() {
        // A FIFO nobody writes to blocks its reader, as a locked memory map does.
        let root = std::env::temp_dir().join(format!("sockstat-cmdline-{}", std::process::id()));
        for pid in 1..=3 {
            std::fs::create_dir_all(root.join(pid.to_string())).unwrap();
            std::fs::write(root.join(format!("{pid}/comm")), "x\n").unwrap();
        }
        for pid in [1, 3] {
            std::fs::write(root.join(format!("{pid}/cmdline")), "a\0b c\0").unwrap();
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("2/cmdline"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let (processes, late) = read(&ProcRoot::given(root.clone()), &[1, 2, 3], Facts::Full);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(late, 1);
        assert_eq!(processes[&2].cmdline, None);
        for pid in [1, 3] {
            let expected: Vec<Box<[u8]>> = vec![b"a".as_slice().into(), b"b c".as_slice().into()];
            assert_eq!(processes[&pid].cmdline, Some(expected));
        }
    }
}
