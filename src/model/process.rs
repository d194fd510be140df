//! Facts about the processes that hold sockets.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::arguments::{Arguments, without_secrets};
use super::cgroup::Home;

/// A process. It controls all of these texts, which may contain any bytes, so they must be sanitised before they are
/// shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its id in our pid namespace.
    pub pid: u32,
    /// The kernel's name for its main thread, at most 15 bytes (`/proc/PID/comm`).
    pub comm: Box<[u8]>,
    /// The name a person would use; see [`program_name`].
    pub program: Box<[u8]>,
    /// The file it runs (`/proc/PID/exe`); `None` if unreadable or not requested.
    pub exe: Option<Box<[u8]>>,
    /// Its arguments; `None` if unreadable or not requested, empty for a kernel thread or a zombie.
    pub cmdline: Option<Arguments>,
    /// Effective user id of its files under /proc; `None` if not requested.
    pub uid: Option<u32>,
    /// When it was started; `None` if not requested.
    pub started_at: Option<SystemTime>,
    /// Its security context: the SELinux context, or the label of AppArmor or Smack (`/proc/PID/attr/current`);
    /// `None` without such a module, if unreadable, or if not requested.
    pub security_context: Option<Box<[u8]>>,
    /// Its cgroup: the most informative path (see [`Home::of_cgroups`]); `None` if unreadable or not requested.
    pub cgroup: Option<Box<[u8]>>,
    /// Its unit, container and pod; empty if not requested.
    pub home: Home,
    /// Its parent process; `None` if not requested, 0 if none is visible.
    pub parent: Option<u32>,
    /// How it is stopped; `None` if it is not, or if not requested.
    pub stop: Option<Stop>,
}

/// How a process is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A signal: STOP, or TSTP, TTIN or TTOU of its terminal.
    Signal,
    /// A debugger or another tracer, at this moment.
    Tracer,
}

impl Stop {
    /// Interprets the state in `/proc/PID/stat`. It is that of the main thread: a signal stops every thread, a tracer
    /// possibly only this one.
    pub fn of_state(state: char) -> Option<Self> {
        match state {
            'T' => Some(Self::Signal),
            't' => Some(Self::Tracer),
            _ => None,
        }
    }
}

/// The processes of a capture, by pid.
pub type Processes = BTreeMap<u32, Process>;

/// Interpreters that are shown with the name of their script, the first argument that is not an option.
const INTERPRETERS: &[&str] = &[
    "python", "python2", "python3", "pypy", "pypy3", "perl", "ruby", "sh", "bash", "dash", "zsh", "ksh",
    "ash", "fish", "php", "tclsh", "wish", "lua", "Rscript", "guile",
];

/// Returns the name that a person would use for a process.
///
/// This is the name of the file it runs, not that of its main thread (a node server whose thread is `MainThread` is
/// `node`). For a script, it is the script's name after that of its interpreter (`python3 app.py`), because the
/// interpreter alone says nothing. If one file runs under several names (`redis-server` is a link to `redis-check-rdb`,
/// `nc` to `nc.openbsd`, `python3` to `python3.11`), it is the name by which it was started, if the kernel's `comm`
/// agrees or the file's name starts with it. Falls back to `comm` if the file is unreadable.
pub fn program_name(comm: &[u8], exe: Option<&[u8]>, cmdline: Option<&[Box<[u8]>]>) -> Box<[u8]> {
    let Some(exe) = exe else { return comm.into() };
    let exe = exe.strip_suffix(b" (deleted)").unwrap_or(exe);
    let mut name = base_name(exe);
    if name.is_empty() {
        return comm.into();
    }
    if let Some(called) = cmdline.and_then(called_by) {
        // The kernel truncates comm to 15 bytes.
        let is_comm = called == comm || (comm.len() == 15 && called.starts_with(comm));
        if is_comm || name.starts_with(called) {
            name = called;
        }
    }
    if let (true, Some(arguments)) = (is_interpreter(name), cmdline)
        && let Some(script) = script_of(arguments)
    {
        // What is taken for a script may be an option's value.
        return [name, b" ", base_name(&without_secrets(script))].concat().into();
    }
    name.into()
}

/// Returns the file name in the first argument, without text that a program appended (`nginx: worker process`,
/// `redis-server *:6379`) and without the dash of a login shell.
fn called_by(arguments: &[Box<[u8]>]) -> Option<&[u8]> {
    let first = arguments.first()?;
    let word = first.split(|byte| matches!(byte, b' ' | b':')).next()?;
    let name = base_name(word);
    let name = name.strip_prefix(b"-").unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// Returns the script in a name from [`program_name`], if it names a script.
pub fn script_name(program: &[u8]) -> Option<&[u8]> {
    let blank = program.iter().position(|byte| *byte == b' ')?;
    let (interpreter, script) = program.split_at_checked(blank)?;
    is_interpreter(interpreter).then(|| script.get(1..)).flatten()
}

/// Returns what follows the last slash.
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Returns whether the file is an interpreter, ignoring its version number (`python3.11`, `ruby3.1`, `lua5.4`).
fn is_interpreter(file: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(file) else {
        return false;
    };
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    INTERPRETERS.iter().any(|known| *known == name || *known == bare)
}

/// Returns the script among an interpreter's arguments: the module after `-m`, else the first that is not an
/// option. An inline program (`-c`, `-e`) has no name.
fn script_of(arguments: &[Box<[u8]>]) -> Option<&[u8]> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        match argument.as_ref() {
            b"-m" => return rest.next().map(AsRef::as_ref),
            b"-c" | b"-e" | b"-" => return None,
            // Options of CPython and perl that take a value of their own.
            b"-W" | b"-X" | b"-I" => {
                rest.next();
            }
            option if option.starts_with(b"-") => {}
            script if !script.is_empty() => return Some(script),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(comm: &str, exe: Option<&str>, cmdline: &[&str]) -> String {
        let cmdline: Vec<Box<[u8]>> = cmdline.iter().map(|a| a.as_bytes().into()).collect();
        let program = program_name(comm.as_bytes(), exe.map(str::as_bytes), Some(&cmdline));
        String::from_utf8(program.into()).unwrap()
    }

    #[test]
    fn a_program_is_named_after_its_file_and_not_its_thread() {
        assert_eq!(
            name("MainThread", Some("/usr/bin/node"), &["node", "server.js"]),
            "node"
        );
        assert_eq!(
            name("nginx", Some("/usr/sbin/nginx"), &["nginx: worker process"]),
            "nginx"
        );
        assert_eq!(
            name("server", Some("/opt/app/server (deleted)"), &["./server"]),
            "server"
        );
        assert_eq!(name("sshd", None, &["sshd: /usr/sbin/sshd -D"]), "sshd");
    }

    #[test]
    fn a_file_with_several_names_has_the_one_by_which_it_was_started() {
        let redis = Some("/usr/bin/redis-check-rdb");
        assert_eq!(
            name("redis-server", redis, &["redis-server *:6379"]),
            "redis-server"
        );
        assert_eq!(name("nc", Some("/usr/bin/nc.openbsd"), &["nc", "-l", "1"]), "nc");
        assert_eq!(
            name(
                "systemd-resolve",
                Some("/usr/lib/systemd/systemd-resolved"),
                &["/usr/lib/systemd/systemd-resolved"]
            ),
            "systemd-resolved"
        );
        assert_eq!(
            name("evil", Some("/tmp/evil"), &["sshd"]),
            "evil",
            "a first argument alone is not a name"
        );
    }

    #[test]
    fn a_process_is_stopped_by_a_signal_or_a_tracer() {
        assert_eq!(Stop::of_state('T'), Some(Stop::Signal));
        assert_eq!(Stop::of_state('t'), Some(Stop::Tracer));
        // A zombie's main thread has ended; its other threads may run.
        assert!("RSDZXIP".chars().all(|state| Stop::of_state(state).is_none()));
    }

    #[test]
    fn the_script_is_separated_from_its_interpreter() {
        assert_eq!(script_name(b"python3 shop.py"), Some(&b"shop.py"[..]));
        assert_eq!(script_name(b"nginx"), None);
        assert_eq!(script_name(b"my server"), None);
    }

    #[test]
    fn a_script_is_named_with_its_interpreter() {
        assert_eq!(
            name(
                "app.py",
                Some("/usr/bin/python3.11"),
                &["python3", "-u", "/srv/app.py", "x"]
            ),
            "python3 app.py"
        );
        assert_eq!(
            name(
                "python3",
                Some("/usr/bin/python3.11"),
                &["python3", "-m", "http.server"]
            ),
            "python3 http.server"
        );
        assert_eq!(
            name(
                "python3",
                Some("/usr/bin/python3.11"),
                &["python3", "-W", "ignore", "a.py"]
            ),
            "python3 a.py"
        );
        assert_eq!(
            name("bash", Some("/usr/bin/bash"), &["bash", "-c", "nc -l 1"]),
            "bash"
        );
        assert_eq!(name("bash", Some("/usr/bin/bash"), &["-bash"]), "bash");
        assert_eq!(
            name("perl", Some("/usr/bin/perl"), &["perl", "serve.pl"]),
            "perl serve.pl"
        );
    }
}
