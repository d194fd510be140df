//! Reads facts about the processes to show: names, arguments, user, start time.

use std::os::unix::ffi::OsStringExt;
use std::sync::mpsc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::source::disk;
use procfs::FromRead as _;
use procfs::process::Stat;

use super::{ProcRoot, contexts};
use crate::model::cgroup::Home;
use crate::model::process::{Stop, program_name};
use crate::model::request::Facts;
use crate::model::{Arguments, Process, Processes};
use crate::source::{tape, threads};

/// Time limit for all command lines of a run together. Reading one blocks while the process holds its memory map lock,
/// possibly forever.
pub const CMDLINES_WITHIN: Duration = Duration::from_secs(2);
/// After this long without an answer, reading this process is given up. A busy machine may delay a reader by about 100
/// ms.
const CMDLINE_WITHIN: Duration = Duration::from_millis(400);
/// Maximum length of a command line; the table shows only one line of it.
const CMDLINE_BYTES_MAX: u64 = 16 * 1024;

/// Reads the facts about the processes `pids` (sorted, without duplicates). A process that has ended is omitted.
///
/// The second value counts command lines that could not be read in time.
pub fn read(root: &ProcRoot, pids: &[u32], facts: Facts) -> (Processes, u32) {
    let mut within = CMDLINES_WITHIN;
    read_within(root, pids, facts, &mut within)
}

/// The same, for several calls in a run: `within` is the time left for command lines, of which each call uses some.
pub fn read_within(root: &ProcRoot, pids: &[u32], facts: Facts, within: &mut Duration) -> (Processes, u32) {
    let begun = Instant::now();
    let read = read_by(root, pids, facts, patience(*within));
    *within = within.saturating_sub(begun.elapsed());
    read
}

/// The same with other time limits for command lines.
fn read_by(root: &ProcRoot, pids: &[u32], facts: Facts, wait: impl Wait<Answer>) -> (Processes, u32) {
    let mut processes: Processes = pids
        .iter()
        .filter_map(|pid| Some((*pid, comm_of(root, *pid)?)))
        .collect();
    if facts == Facts::Comm {
        return (processes, 0);
    }
    let boot = boot_time(root);
    let known = processes.keys().copied().collect();
    let reading = root.clone();
    let (cmdlines, late) = in_time(known, move |pid| cmdline_of(&reading, pid), wait);
    let late = tape::fact("command lines late", || late);
    for (pid, cmdline) in cmdlines {
        if let Some(process) = processes.get_mut(&pid) {
            process.cmdline = Some(cmdline.into());
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
            process.stop = Stop::of_state(stat.state);
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
        let arguments = process.cmdline.as_ref().map(Arguments::full);
        process.program = program_name(&process.comm, process.exe.as_deref(), arguments);
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

/// The arguments of a process.
type Cmdline = Vec<Box<[u8]>>;
/// A process and its arguments, if they could be read.
type Answer = (u32, Option<Cmdline>);

/// The number of answers still missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// The next answer.
    Next,
    /// All remaining answers.
    All,
}

/// Takes the next answer, if it comes in time.
trait Wait<T>: FnMut(&mpsc::Receiver<T>) -> Result<T, Late> {}

impl<T, F: FnMut(&mpsc::Receiver<T>) -> Result<T, Late>> Wait<T> for F {}

/// Waits up to `within` for all answers together, and up to `CMDLINE_WITHIN` for each.
fn patience<T>(within: Duration) -> impl Wait<T> {
    let deadline = Instant::now() + within;
    move |answers: &mpsc::Receiver<T>| {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = if left > CMDLINE_WITHIN {
            Late::Next
        } else {
            Late::All
        };
        answers.recv_timeout(left.min(CMDLINE_WITHIN)).map_err(|_| late)
    }
}

/// Reads command lines on a separate thread, so that a process that cannot be read affects only itself: after a while
/// without an answer, another thread continues with the rest. A thread that stays stuck ends with the process.
///
/// The second value counts those that did not arrive in time.
fn in_time(
    mut pids: Vec<u32>,
    read: impl Fn(u32) -> Option<Cmdline> + Clone + Send + 'static,
    mut wait: impl Wait<Answer>,
) -> (Vec<(u32, Cmdline)>, u32) {
    let mut found = Vec::with_capacity(pids.len());
    let mut late = 0;
    while !pids.is_empty() {
        let (sender, receiver) = mpsc::channel();
        let (read, work) = (read.clone(), pids.clone());
        threads::start("cmdline", move || {
            for pid in work {
                if sender.send((pid, read(pid))).is_err() {
                    return;
                }
            }
        });
        let mut missing = None;
        let mut answered = 0;
        while missing.is_none() && answered < pids.len() {
            match wait(&receiver) {
                Ok((pid, cmdline)) => {
                    answered += 1;
                    found.extend(cmdline.map(|cmdline| (pid, cmdline)));
                }
                Err(which) => missing = Some(which),
            }
        }
        pids.drain(..answered);
        let given_up = match missing {
            None => 0,
            Some(Late::Next) => 1,
            Some(Late::All) => pids.len(),
        };
        pids.drain(..given_up);
        late += u32::try_from(given_up).unwrap_or(u32::MAX);
    }
    (found, late)
}

fn cmdline_of(root: &ProcRoot, pid: u32) -> Option<Cmdline> {
    let path = root.join(format!("{pid}/cmdline"));
    let mut text = disk::read_start(path, CMDLINE_BYTES_MAX).ok()?;
    // A program that overwrites its arguments with a title leaves NULs after it.
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

/// The boot time (`btime` in /proc/stat), the origin of process start times.
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
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Waits without a limit.
    fn patient<T>(answers: &mpsc::Receiver<T>) -> Result<T, Late> {
        answers.recv().map_err(|_| Late::All)
    }

    #[test]
    fn our_own_process_is_read_in_full() {
        let pid = std::process::id();
        let (processes, late) = read_by(&ProcRoot::default(), &[pid], Facts::Full, patient);
        let own = &processes[&pid];
        assert_eq!(late, 0);
        let exe = std::env::current_exe().unwrap();
        assert_eq!(own.exe.as_deref(), Some(exe.as_os_str().as_encoded_bytes()));
        assert_eq!(own.program.as_ref(), exe.file_name().unwrap().as_encoded_bytes());
        let arguments: Vec<_> = std::env::args()
            .map(|argument| argument.into_bytes().into_boxed_slice())
            .collect();
        assert_eq!(own.cmdline.as_ref().map(Arguments::full), Some(&arguments[..]));
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
    fn a_blocked_command_line_affects_only_itself() {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let read = move |pid| {
            if pid == 2 {
                // Blocks like a locked memory map.
                let _ = gate.lock().map(|gate| gate.recv());
            }
            Some(vec![vec![b'0' + u8::try_from(pid).unwrap()].into()])
        };
        let mut asked = 0;
        let wait = |answers: &mpsc::Receiver<Answer>| {
            asked += 1;
            // The first answer arrives, and then none in time.
            if asked == 2 {
                Err(Late::Next)
            } else {
                patient(answers)
            }
        };
        let (found, late) = in_time(vec![1, 2, 3], read, wait);
        drop(release);
        assert_eq!(late, 1);
        let expected = [
            (1, vec![b"1".as_slice().into()]),
            (3, vec![b"3".as_slice().into()]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_rest_is_given_up_when_time_is_up() {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let read = move |_| {
            let _ = gate.lock().map(|gate| gate.recv());
            None
        };
        let found = in_time(vec![1, 2, 3], read, |_: &_| Err(Late::All));
        drop(release);
        assert_eq!(found, (Vec::new(), 3));
    }

    #[test]
    fn arguments_end_with_the_last_one_that_is_not_empty() {
        let root = std::env::temp_dir().join(format!("sockstat-cmdline-{}", std::process::id()));
        for (pid, text) in [(1, &b"a\0b c\0"[..]), (2, b"title\0\0\0"), (3, b"")] {
            std::fs::create_dir_all(root.join(pid.to_string())).unwrap();
            std::fs::write(root.join(format!("{pid}/cmdline")), text).unwrap();
        }
        let read = |pid| cmdline_of(&ProcRoot::given(root.clone()), pid);
        let of = |words: &[&str]| Some(words.iter().map(|word| word.as_bytes().into()).collect());
        assert_eq!(
            [1, 2, 3, 4].map(read),
            [of(&["a", "b c"]), of(&["title"]), of(&[]), None]
        );
        std::fs::remove_dir_all(&root).unwrap();
    }
}
