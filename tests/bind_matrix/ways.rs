//! The answer is the same to the letter, whether the BPF iterator or the walk over /proc found the holders.
//!
//! The program chooses: it uses the iterator while a [`Crowd`] runs, and walks where it may not load a BPF program.

#![allow(
    unsafe_code,
    reason = "a filter of system calls can be installed only between fork and exec"
)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};

use super::seccomp;
use super::skip::skip;

/// Enough descriptors, in several processes, that the program never chooses to walk.
const PROCESSES: usize = 10;
const DESCRIPTORS_EACH: usize = 800;
/// How often sockets of other programs may change between two runs.
const ATTEMPTS: u32 = 5;

/// Processes that hold many descriptors until this is dropped.
pub(crate) struct Crowd(Vec<Child>);

impl Crowd {
    /// Skips and returns `None` if the iterator cannot be used anyway.
    #[track_caller]
    pub(crate) fn new() -> Option<Self> {
        // A socket, so that the search has something to find.
        let _held = UnixDatagram::unbound().unwrap();
        let plan = explained(&["--owners", "bpf"]);
        if let Some(why) = plan.strip_prefix("by walking over /proc (") {
            skip(why.trim_end_matches(')'));
            return None;
        }
        assert!(plan.starts_with("by the BPF iterator"), "{plan}");
        let script = format!(
            "for ((i = 0; i < {DESCRIPTORS_EACH}; i++)); do exec {{fd}}</dev/null; done; echo; read line"
        );
        let begin = |_| {
            let mut bash = Command::new("bash");
            bash.args(["-c", &script])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            let mut child = bash.spawn().unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let ready = output.read_line(&mut String::new()).unwrap();
            assert_eq!(ready, 1, "bash opens {DESCRIPTORS_EACH} descriptors");
            child
        };
        let crowd = Self((0..PROCESSES).map(begin).collect());
        let plan = explained(&[]);
        assert!(plan.starts_with("by the BPF iterator"), "{plan}");
        Some(crowd)
    }

    /// The differences in the output if holders are found the other way. `command` creates the same command each time.
    pub(crate) fn difference(&self, command: impl Fn() -> Command) -> Option<String> {
        assert_eq!(self.0.len(), PROCESSES, "the crowd is there");
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let by_bpf = said(&command().stdin(Stdio::null()).output().unwrap());
            let mut walking = command();
            // SAFETY: between fork and exec there are two system calls on constants, and no allocation or lock.
            unsafe {
                walking.pre_exec(seccomp::forbid_bpf_programs);
            }
            let by_walk = said(&walking.stdin(Stdio::null()).output().unwrap());
            if by_bpf == by_walk {
                return None;
            }
            last = Some((by_bpf, by_walk));
        }
        let (by_bpf, by_walk) = last?;
        let only = |these: &str, those: &str| -> Vec<String> {
            let differs = |line: &&str| !those.lines().any(|other| other == *line);
            these.lines().filter(differs).map(str::to_owned).collect()
        };
        Some(format!(
            "{:?}\nonly by the iterator: {:#?}\nonly by the walk: {:#?}",
            command(),
            only(&by_bpf, &by_walk),
            only(&by_walk, &by_bpf)
        ))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// How the program says that it finds the holders of unix sockets.
fn explained(more: &[&str]) -> String {
    let mut sockstat = Command::new(env!("CARGO_BIN_EXE_sockstat"));
    let output = sockstat
        .args(["--explain-plan", "-xap"])
        .args(more)
        .output()
        .unwrap();
    let plan = String::from_utf8(output.stdout).unwrap();
    let how = plan.lines().find_map(|line| line.strip_prefix("owners"));
    how.unwrap_or_else(|| panic!("{plan}")).trim().to_owned()
}

/// The whole output, without the time that passes between two runs.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!(
        "exit {:?}\n{}\n{}",
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr)
    );
    [
        ("\"timer_expires_ms\":", ','),
        ("\"taken_at\":\"", '"'),
        // An age.
        (", started ", 'o'),
    ]
    .into_iter()
    .fold(without_partial_owners(&all), |text, (key, end)| {
        without_values_of(key, end, &text)
    })
}

/// The iterator skips no process, not even one that refuses root. So only the walk may have to say that there may be
/// more owners than it shows (docs/decisions/0008).
fn without_partial_owners(text: &str) -> String {
    let Some((before, gap)) = text.split_once("{\"level\":\"loss\",\"code\":\"owners-partial\"") else {
        return text.to_owned();
    };
    let after = gap.split_once('}').map_or("", |(_, after)| after);
    let after = after.strip_prefix(',').unwrap_or(after);
    format!("{before}{after}").replace("\"complete\":false,\"gaps\":[]", "\"complete\":true,\"gaps\":[]")
}

fn without_values_of(key: &str, end: char, text: &str) -> String {
    let mut parts = text.split(key);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        out + key + part.find(end).and_then(|at| part.get(at..)).unwrap_or_default()
    })
}
