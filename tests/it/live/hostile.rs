//! Names chosen by an attacker affect at most their own cell, and never reach a terminal unescaped.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::container::Cgroup;
use super::measure::{Used, measured, open_files};
use super::sockets::{Sockets, example, new_directory};
use super::truth::EVERYTHING;
use crate::run::{Ran, sockstat};

/// The ordinary user.
const USER: u32 = 65534;

const SPECS: &[&str] = &[
    "comm:name=\\x1b[31mred\\x07",
    "comm:name=we)ird \\x22\\x2c(q",
    "comm:name=\\x0aUNCONN",
    "comm:name=\\xff\\xfe",
    "unix-listen:path={dir}/new\\x0aline",
    "unix-listen:path={dir}/\\x1b]0;title\\x07",
    "unix-listen:path={dir}/blank space",
    "unix-listen:path={dir}/long,long=108",
    "unix-listen:abstract=\\xff\\x00\\x80nul",
    "unix-dgram:abstract=\\xe2\\x80\\xaeright to left",
    "unix-listen:path={dir}/new\\x0aforged",
    "tcp-listen:port=4000",
    "tcp-listen:port=4002,addr=::",
];

/// Fails if the output has anything that a terminal obeys, that hides or reorders text, or that only the last line of
/// defence (render::safe) stopped.
#[track_caller]
fn assert_harmless(arguments: &[&str], ran: &Ran) {
    let other_forms = ["--table", "--json", "--jsonl", "--csv", "-j"];
    let is_list = arguments
        .first()
        .is_some_and(|word| word.starts_with('-') || *word == "events");
    let is_plain = is_list && !arguments.iter().any(|word| other_forms.contains(word));
    let has_tabs = is_plain || arguments.first() == Some(&"completions");
    // Lines of CSV end as RFC 4180 wants it.
    for text in [&ran.text().replace("\r\n", "\n"), &ran.stderr] {
        let is_bad = |c: &char| match c {
            '\n' => false,
            // Plain columns have the tabs of ss, and completions have one before their meaning.
            '\t' => !has_tabs,
            // An error in the filter shows the filter with its width unchanged.
            '\u{fffd}' if ran.status == Some(2) => false,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fffd}' => true,
            c => c.is_control(),
        };
        let bad: Vec<_> = text.chars().filter(is_bad).collect();
        assert!(bad.is_empty(), "{arguments:?}: {bad:?} in {text}");
        let forged = text.lines().any(|line| line.starts_with("forged"));
        assert!(!forged, "{arguments:?}: a line of its own in {text}");
    }
}

/// Every command and output format, with a port and a path that have a listener.
const RUNS: &[&[&str]] = &[
    &["-tulpen"],
    &["-tulpeimoZ", "--table"],
    &["-tulpe", "--jsonl"],
    &["-tulpe", "--csv"],
    &["-tulpe", "--json"],
    &["-axp", "--table"],
    &["-axp", "--plain"],
    &["-axp", "--csv"],
    &["-tulpT"],
    &["-tl", "--by", "process"],
    &["-tl", "--by", "unit", "--json"],
    &[
        "-tlp",
        "--columns",
        "process,unit,container,cgroup,user,interface",
    ],
    &["-tulpe", "--explain-plan", "unit like '*'"],
    &["-N", "all", "-tulp"],
    &["-s"],
    &["why", "4000"],
    &["why", "-j", "4000"],
    &["why", "-u", "4000"],
    &["why", "--device", "\x1b[31mred\u{202e}", "4001"],
    &["why", "{dir}/new\nforged"],
    &["why", "-j", "{dir}/new\nforged"],
    &["reach", "127.0.0.1:4000"],
    &["reach", "-j", "127.0.0.1:4000"],
    &["reach", "{dir}/new\nforged"],
    &["free", "4000-4010"],
    &["wait", "4000"],
    &["wait", "--gone", "--timeout", "0s", "4000"],
    &["kill", "--dry-run", "4000"],
    &["kill", "--dry-run", "--json", "4000"],
    &["kill", "--dry-run", "--all", "-t", "state", "listen"],
    &["-K", "--dry-run", "state", "all"],
    &["-K", "--dry-run", "--json", "state", "all"],
    // With nobody to confirm it.
    &["-K", "state", "all"],
    &["kill", "4000"],
    &["-a", "-p", "-x", "-t", "-e", "--wide", "--table"],
    &["-a", "-p", "--jsonl"],
    &["-tulp", "--owners", "proc", "--csv"],
    &["-axT", "--by", "path"],
    &["-tl", "--by", "container,cgroup", "--csv"],
    &["-tl", "--columns", "owners,exe,path,pod", "--plain"],
    &["-tl", "--columns", "exe,process,owners", "--table"],
    &["-tlp", "--sort", "process"],
    &["-tl", "process", "like", "*"],
    &[
        "-tl",
        "--json",
        "path like '*' or container like '*' or unit like '*'",
    ],
    &["-N", "all", "-tuxap", "--json"],
    &["-N", "all", "-tlp", "--table"],
    &["-s", "--json"],
    &["snapshot"],
    &["snapshot", "--cmdline", "redacted", "-N", "all"],
    &["metrics"],
    &["metrics", "--output", "{dir}/metrics"],
    &["reach", "-j", "{dir}/new\nforged"],
    &["reach", "--try", "127.0.0.1:4000"],
    &["wait", "--gone", "--timeout", "0s", "{dir}/new\nforged"],
    &["--record", "{dir}/record", "-tuxape"],
    &["--replay", "{dir}/record", "-tuxape", "--table"],
    &["--replay", "{dir}/record", "-tuxape", "--json"],
    &["--record", "{dir}/record-why", "why", "4000"],
    &["--replay", "{dir}/record-why", "why", "4000"],
    &["-ta", "-D", "{dir}/dump"],
    &["completions", "--values", "--", "sockstat", "why", ""],
    &["completions", "--values", "--", "sockstat", "-N", ""],
    &["completions", "--values", "--", "sockstat", "why", "--device", ""],
    &[
        "completions",
        "--values",
        "--",
        "sockstat",
        "-tl",
        "user",
        "=",
        "",
    ],
];

/// The machine of this test: everything that an ordinary user can choose, in the places that root reads.
struct Machine {
    sockets: Sockets,
    _group: Cgroup,
    /// Bind-mounted on /home while a command runs.
    homes: PathBuf,
    /// Where the user may write.
    directory: PathBuf,
}

impl Machine {
    #[track_caller]
    fn make() -> Option<Self> {
        let id = "5ca1ab1e".repeat(8);
        let directory = new_directory();
        // Names of cgroups exclude only line breaks and slashes.
        let unit = "evil\t\x1b[31m\u{202e}$(reboot).service";
        let slice = directory.file_name()?.to_str()?;
        let path = format!("{slice}.slice/user-{USER}.slice/{unit}/libpod-{id}.scope");
        let Some(group) = Cgroup::make(&path) else {
            fs::remove_dir(&directory).unwrap();
            return None;
        };
        let homes = new_directory();
        let storage = homes.join("\x1b[31m\n\u{202e}/.local/share/containers/storage");
        let (overlay, vfs) = (storage.join("overlay-containers"), storage.join("vfs-containers"));
        fs::create_dir_all(&overlay).unwrap();
        fs::create_dir_all(&vfs).unwrap();
        let named = serde_json::json!([{"id": id, "names": ["\x1b[2J\n\u{202e}forged\u{9b}"]}]);
        fs::write(overlay.join("containers.json"), named.to_string()).unwrap();
        // As much as sockstat reads from one file, and a FIFO that nobody will ever write to.
        fs::write(vfs.join("containers.json"), format!("[{}]", " ".repeat(8 << 20))).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let fifo = overlay.join("volatile-containers.json");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let program = directory.join(OsStr::from_bytes(b"\x1b[31m\xe2\x80\xae\xff"));
        fs::copy(example("mksock"), &program).unwrap();
        for root in [&homes, &directory] {
            let status = Command::new("chown")
                .arg("-R")
                .arg(format!("{USER}:{USER}"))
                .arg(root)
                .status();
            assert!(status.unwrap().success());
        }
        let specs = SPECS
            .iter()
            .map(|spec| spec.replace("{dir}", directory.to_str().unwrap()));
        let specs: Vec<_> = specs.collect();
        let specs: Vec<_> = specs.iter().map(String::as_str).collect();
        // Put into the cgroup by root, and run as the user from then on.
        let mut command = group.entering(Path::new("setpriv"));
        let long = format!("\x1b[2J\n\u{202e}forged {}", "x".repeat(100_000));
        command
            .args([
                &format!("--reuid={USER}"),
                &format!("--regid={USER}"),
                "--clear-groups",
                "bash",
                "-c",
            ])
            .arg("cd \"$1\" && shift && exec -a \"$0\" \"$@\"")
            .arg(long)
            .arg(&directory)
            .arg(&program);
        let sockets = Sockets::make_by(&mut command, &specs)?;
        // In a user namespace, anybody can name interfaces; iproute2 may be missing.
        let _ = sockets
            .program("ip")
            .args(["link", "add", "name", "\x1b[31mred\u{202e}", "type", "dummy"])
            .output();
        Some(Self {
            sockets,
            _group: group,
            homes,
            directory,
        })
    }

    /// sockstat as root, to be run in the namespace and among these homes.
    fn sockstat(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_sockstat"));
        command.args(arguments);
        command
    }

    /// The same for another program.
    fn program(&self, program: &str) -> Command {
        let mut command = self.sockets.program("unshare");
        command
            .args(["--mount", "sh", "-c", "mount --rbind \"$0\" /home && exec \"$@\""])
            .arg(&self.homes)
            .arg(program);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.homes);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Fails if a run costs too much on a machine where an ordinary user chose all names: more than a fixed limit, plus a
/// little for each file that is open on the machine.
#[track_caller]
fn assert_cheap(arguments: &[&str], used: &Used) {
    let Used { cpu, resident_bytes } = used;
    let open = open_files();
    // A build without optimisation takes several times as long.
    let slower = if cfg!(debug_assertions) { 5 } else { 1 };
    let most = (Duration::from_secs(2) + Duration::from_micros(50 * open)) * slower;
    assert!(
        *cpu < most,
        "{arguments:?} worked for {cpu:?}, with {open} files open"
    );
    let is_little = resident_bytes.is_none_or(|bytes| bytes < 100_000_000 + 1_000 * open);
    assert!(
        is_little,
        "{arguments:?} needed {resident_bytes:?} bytes, with {open} files open"
    );
}

#[test]
fn a_hostile_user_harms_no_form_of_any_command() {
    let Some(machine) = Machine::make() else { return };
    let directory = machine.directory.to_str().unwrap();
    for run in RUNS {
        let arguments: Vec<_> = run.iter().map(|word| word.replace("{dir}", directory)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let (ran, used) = measured(&mut machine.sockstat(&arguments));
        assert!(
            matches!(ran.status, Some(0..=3)),
            "{arguments:?}: {:?} {}",
            ran.status,
            ran.stderr
        );
        let is_own_word = arguments.iter().any(|word| word.contains(char::is_control));
        let is_usage = !is_own_word && (ran.status == Some(2) || ran.stderr.starts_with("error: "));
        assert!(!is_usage, "{arguments:?} proves nothing: {}", ran.stderr);
        assert_harmless(&arguments, &ran);
        assert_cheap(&arguments, &used);
        if let [.., "4000"] = arguments.as_slice()
            && arguments.first() == Some(&"why")
        {
            let told = ran.text();
            assert!(
                !told.contains("systemctl stop"),
                "a name with control characters: {told}"
            );
        }
    }
    let rows = Ran::of(&mut machine.sockstat(&["-tlp", "--json", "local_port = 4000"])).ended_with(0);
    let row = &rows.json()["sockets"][0];
    // The names that the user chose must be shown, or the test proves nothing.
    assert_eq!(row["owners"][0]["user"], row["user"], "{row:#}");
    assert_eq!(
        row["container"], "\\x1b[2J\\x0a\\xe2\\x80\\xaeforged\\xc2\\x9b",
        "{row:#}"
    );
    assert!(
        row["unit"]
            .as_str()
            .unwrap_or_default()
            .starts_with("evil\\x09\\x1b[31m"),
        "{row:#}"
    );
    assert!(
        row["owners"][0]["cmdline"][0].as_str().unwrap_or_default().len() > 10_000,
        "{row:#}"
    );
}

#[test]
fn a_hostile_user_harms_nobody_who_follows_events() {
    let Some(machine) = Machine::make() else { return };
    let runs = [
        &["events", "-tuxp", "--table"][..],
        &["events", "-tuxp", "--plain"],
        &["events", "-tuxp", "-j"],
    ];
    let following = runs.map(|arguments| {
        let mut child = machine
            .sockstat(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut before = String::new();
        while !before.contains("reading the tables every") {
            let read = stderr.read_line(&mut before).unwrap();
            assert!(read > 0, "it ended: {before}");
        }
        (child, stderr, before, arguments)
    });
    // The namespace lives as long as a process is in it. All its sockets are now closed.
    let ends = machine.sockets.ends.len();
    drop(machine);
    for (mut child, mut stderr, mut said, arguments) in following {
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while text.matches("close").count() < ends {
            assert!(lines.read_line(&mut text).unwrap() > 0, "it ended: {text}");
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        lines.read_to_string(&mut text).unwrap();
        stderr.read_to_string(&mut said).unwrap();
        let ran = Ran {
            status: child.wait().unwrap().code(),
            stdout: text.into_bytes(),
            stderr: said,
        };
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert_harmless(arguments, &ran);
    }
}

/// Fails if a screen had anything but text and sequences that move the cursor, or set colours and modes.
#[cfg(feature = "watch")]
#[track_caller]
fn assert_drawn(raw: &[u8]) {
    let text = std::str::from_utf8(raw).expect("UTF-8 alone is drawn");
    let sequence = regex::Regex::new(r"\x1b(\[[0-9;?]*[A-Za-z]|[78=>])").unwrap();
    let text = sequence.replace_all(text, "");
    let is_bad = |c: &char| match c {
        '\r' | '\n' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        c => c.is_control(),
    };
    let bad: Vec<_> = text.chars().filter(is_bad).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[cfg(feature = "watch")]
#[test]
fn a_hostile_user_harms_nobody_who_watches() {
    use super::watch::Screen;
    if !super::tools::is_installed("setsid") {
        crate::skip::skip("setsid is not installed");
        return;
    }
    let Some(machine) = Machine::make() else { return };
    let mut command = machine.program("setsid");
    command.args(["-c", env!("CARGO_BIN_EXE_sockstat"), "watch"]);
    let mut screen = Screen::of(command, (150, 50), &[]);
    screen.wait_for("4000/tcp");
    // The program's name: its owner is known, so that no key comes too early.
    screen.wait_for("\\xff");
    // Every view, the panel of a row, its `why`, the program that `x` would stop, and a filter that matches nothing.
    for (keys, shown) in [
        ("2", "CONNECTIONS"),
        ("3", "PROGRAMS"),
        ("4", "EVENTS"),
        ("1", "PORTS"),
        ("w", "No: 4000/tcp"),
        ("\u{1b}", "PORTS"),
        ("x", "Stop "),
        ("\u{1b}", "PORTS"),
        ("\r", "local_port = 4000"),
        ("\u{1b}", "PORTS"),
        ("/\u{202e}", "none of "),
    ] {
        if keys == "x" {
            // The question comes when the owner has been verified; a second `x` would cancel it.
            screen.press(keys);
            screen.wait_for(shown);
        } else {
            screen.press_until(keys, shown);
        }
    }
    screen.press("\u{1b}");
    screen.wait_for("q quit");
    screen.press("q");
    let (status, raw) = screen.ends();
    assert!(status.success());
    assert_drawn(&raw);
}

#[test]
fn arguments_come_back_escaped_in_errors() {
    let word = "x\x1b[31m\u{202e}\nforged";
    let path = format!("/nonexistent/{word}");
    for arguments in [
        &[word][..],
        &["--\x1b[31m\nforged"],
        &["-tl", word],
        &["-tl", "pid", "=", word],
        &["-tl", "user", "=", word],
        &["-tl", "dev", "=", word],
        &["-tl", "dst", word],
        &["state", word],
        &["-A", word],
        &["-f", word],
        &["-N", word],
        &["-F", &path],
        &["--limit", word],
        &["--sort", word],
        &["--by", word],
        &["--columns", word],
        &["--color", word],
        &["--record", &path],
        &["--replay", &path],
        &["--proc-root", &path],
        &["-D", &path],
        &["snapshot", "user", "=", word],
        &["snapshot", "--cmdline", word],
        &["metrics", "--output", &path],
        &["metrics", "--top", word],
        &["events", "user", "=", word],
        &["events", "--interval", word],
        &["watch", "user", "=", word],
        &["why", word],
        &["why", "--device", word, "80"],
        &["why", "80/\x1b\nforged"],
        &["why", &path],
        &["reach", word],
        &["reach", &path],
        &["reach", "--from", word, "127.0.0.1:1"],
        &["free", word],
        &["wait", "--timeout", "0s", word],
        &["wait", "--timeout", word, "80"],
        &["wait", "--state", word, "80"],
        &["kill", "--signal", word, ":1"],
        &["kill", "--dry-run", word],
        &["-K", "--dry-run", word],
        &["completions", word],
        &["help", word],
    ] {
        let ran = Ran::of(&mut sockstat(arguments));
        assert!(matches!(ran.status, Some(0..=3)), "{arguments:?}: {}", ran.stderr);
        assert_harmless(arguments, &ran);
    }
}

#[test]
fn hostile_names_never_reach_the_terminal() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    for form in ["--plain", "--table", "--json"] {
        let ran = sockets.run(&["-tuxlpe", form]);
        assert_harmless(&[form], &ran);
    }
}

#[test]
fn a_name_costs_no_other_row() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let ends = sockets.ends.len();
    let plain = sockets.run(&["-tuxlpH"]);
    assert_eq!(
        plain.text().lines().count(),
        ends,
        "a line for each socket:\n{}",
        plain.text()
    );
    let fields = plain
        .text()
        .lines()
        .map(|line| line.split_whitespace().count())
        .collect::<Vec<_>>();
    let tokens = |line: &str| line.find("users:((").is_some();
    assert!(
        plain.text().lines().all(tokens),
        "each has its owner:\n{}",
        plain.text()
    );
    assert!(fields.iter().all(|count| *count >= 7), "{fields:?}");
    // There are sockets of the kernel and, for a moment, of sockstat itself: the C library looks for nscd, for example.
    let document = sockets.run(EVERYTHING).json();
    let rows = document["sockets"].as_array().unwrap();
    for end in &sockets.ends {
        let inode = end.said["inode"].as_u64().unwrap();
        let found = rows.iter().filter(|row| row["inode"] == inode).count();
        assert_eq!(found, 1, "{}: {document:#}", end.spec);
    }
}

#[test]
fn names_can_be_read_back() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let rows = sockets.run(&["-tlp", "--json"]).json()["sockets"]
        .as_array()
        .unwrap()
        .clone();
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["owners"][0]["comm"].as_str().unwrap())
        .collect();
    for name in [
        "\\x1b[31mred\\x07",
        "we)ird \",(q",
        "\\x0aUNCONN",
        "\\xff\\xfe",
        "mksock",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn a_unix_socket_is_found_by_its_name_as_json_shows_it() {
    let Some(sockets) = Sockets::make(&[
        "unix-listen:path={dir}/new\\x0aline",
        "unix-listen:path={dir}/back\\x5cslash",
        "unix-listen:path={dir}/quo'te",
        "unix-listen:abstract=\\xff\\x00\\x80nul",
        "unix-listen:abstract=\\xff@\\x80nul",
        "unix-listen:abstract=a\\x00b",
        "unix-listen:abstract=\\x00",
    ]) else {
        return;
    };
    let paths = |words: &[&str]| -> Vec<String> {
        let document = sockets.run(&[&["-xl", "--json"], words].concat()).json();
        let rows = document["sockets"].as_array().unwrap().iter();
        rows.map(|row| row["path"].as_str().unwrap().to_owned()).collect()
    };
    let all = paths(&[]);
    assert_eq!(all.len(), 7, "{all:?}");
    for path in &all {
        let found = paths(&[&format!("path = \"{path}\"")]);
        if path.contains("\\x") {
            assert_eq!(found, [path.as_str()]);
        } else {
            assert!(found.contains(path), "{path}: {found:?}");
        }
        let found = paths(&[path]);
        assert!(found.contains(path) || path.contains('\''), "{path}: {found:?}");
        let run = |words: &[&str]| Ran::of(&mut sockets.sockstat(&[words, &[path]].concat()));
        assert_eq!(run(&["wait", "--timeout", "0s"]).status, Some(0), "{path}");
        let kill = [
            "kill",
            "--dry-run",
            "--json",
            "unix",
            &format!("path = \"{path}\""),
        ];
        if super::enter::is_root() {
            let targets = sockets.run(&kill).json()["targets"].clone();
            assert_eq!(
                targets[0]["pids"],
                serde_json::json!([sockets.pid]),
                "{path}: {targets}"
            );
            let places = &targets[0]["sockets"];
            assert_eq!(
                *places,
                serde_json::json!([format!("{path}/unix")]),
                "escaped once"
            );
        }
        let why = run(&["why", "--json"]).ended_with(1).json();
        assert_eq!(why["answers"][0]["path"], path.as_str());
        let reach = run(&["reach", "--json"]).ended_with(0).json();
        assert_eq!(reach["answers"][0]["verdict"], "accepted", "{path}: {reach}");
    }
    assert_eq!(paths(&["path like '@a\\x00*'"]), ["@a\\x00b"]);
    // The same for `events`, until the socket is closed.
    let mut events = sockets.sockstat(&["events", "-x", "--json", "--limit", "1", "path", "=", "@a\\x00b"]);
    let mut events = events
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(events.stderr.take().unwrap());
    let mut before = String::new();
    while !before.contains("reading the tables every") {
        assert!(said.read_line(&mut before).unwrap() > 0, "it ended: {before}");
    }
    drop(sockets);
    let closed = Ran::from(events.wait_with_output().unwrap()).ended_with(0).json();
    assert_eq!(
        (&closed["event"], &closed["socket"]["path"]),
        (&"close".into(), &"@a\\x00b".into())
    );
}
