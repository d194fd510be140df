//! Enforces the boundaries between the rooms of `src/` (docs/architecture.md) by reading the source text.
//!
//! Comments and everything after `#[cfg(test)]` are ignored: the rules do not apply to text and unit tests.

mod rooms;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One file of `src/`: its path below `src`, and its lines with comments and unit tests blanked.
struct Source {
    path: String,
    /// All lines as they are.
    text: String,
    /// Only the code: one line for each line of `text` up to the unit tests.
    code: Vec<String>,
}

/// What the pure rooms must not use.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::os::fd",
    "std::io::std",
    "io::stdout",
    "io::stderr",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "Instant::now",
    "SystemTime::now",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "rustix",
    "libc::",
    "use libc",
    "netlink_sys",
    "procfs",
    "tokio",
];

/// The rooms in which everything is a function of its arguments.
const PURE: &[&str] = &[
    "model/",
    "query/",
    "engine/join/",
    "render/",
    "diagnose/",
    "plan/",
    "watch/",
];

/// What makes code `unsafe`; each needs a comment above it that says why.
const UNSAFE: &[&str] = &["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];

/// The number of lines, without unit tests, beyond which a file needs a reason.
const LONG_LINES: usize = 400;

/// Files that are longer, and why they are not split.
const LONG: &[(&str, &str)] = &[
    ("query/field/table.rs", "the one table of fields: a line for each"),
    (
        "diagnose/path/filter/rules.rs",
        "the machine of nf_tables: an arm for each expression",
    ),
    (
        "diagnose/path/filter/words.rs",
        "the words of nft: a line for each field of a packet",
    ),
];

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    assert!(
        paths.len() > 20,
        "the walk over src/ found next to nothing: {paths:?}"
    );
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        Source {
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
            code: code_of(&text),
            text,
        }
    };
    paths.iter().map(read).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// The lines before the unit tests, without `//` comments.
fn code_of(text: &str) -> Vec<String> {
    // An item that only tests have does not hide what comes after it.
    let tests = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let before_tests = text[..tests].lines();
    let without_comment = |line: &str| match line.find("//") {
        // A `//` inside a string (a URL) hides the rest of the line: no rule depends on what follows one.
        Some(start) => line[..start].to_owned(),
        None => line.to_owned(),
    };
    before_tests.map(without_comment).collect()
}

/// `FILE:LINE: WORD` for each line of code that holds one of the words.
fn uses(source: &Source, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let words = words.iter().filter(|word| holds(line, word));
        found.extend(words.map(|word| format!("src/{}:{}: {word}", source.path, index + 1)));
    }
    found
}

/// Whether the word occurs and does not begin in the middle of another (`eprint!` is not `print!`).
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/samples.rs")
}

#[test]
fn the_pure_rooms_have_no_io_clock_environment_or_printing() {
    let is_pure = |source: &Source| {
        PURE.iter().any(|room| source.path.starts_with(room)) && !is_test_file(&source.path)
    };
    let sources = sources();
    let found: Vec<_> = sources
        .iter()
        .filter(|source| is_pure(source))
        .flat_map(|source| uses(source, IMPURE))
        .collect();
    assert!(
        found.is_empty(),
        "these belong into src/source or src/command:\n{}",
        found.join("\n")
    );
}

#[test]
fn one_file_alone_uses_netlink_sys() {
    let others = sources()
        .into_iter()
        .filter(|source| source.path != "source/netlink/channel.rs");
    let found: Vec<_> = others
        .flat_map(|source| uses(&source, &["netlink_sys"]))
        .collect();
    assert!(
        found.is_empty(),
        "netlink_sys is for src/source/netlink/channel.rs:\n{}",
        found.join("\n")
    );
}

/// What writes to a terminal, or turns raw bytes into text and loses what was not text.
const WRITES: &[&str] = &[
    "Safe::",
    "to_stdout(",
    "io::Stdout",
    "rustix::stdio",
    "/dev/std",
    "/dev/tty",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "stdout()",
    "stderr()",
];

/// What puts text into a cell of the live screen.
const DRAWS: &[&str] = &[
    "set_string",
    "set_stringn",
    "set_symbol",
    "set_span",
    "set_line",
    "set_char",
    "render_widget",
    "Paragraph",
    "Print(",
];

/// Ways around [`Safe`](sockstat::render::safe::Safe), and the files that use each, besides command/out.rs, which defines them.
const PAST: &[(&str, &str, &str)] = &[
    (
        "print_binary(",
        "command/raw_dump.rs",
        "messages of the kernel, for `ss`",
    ),
    ("pass_on(", "command/why/piped.rs", "what was piped in, passed on"),
    ("callers_files::replace", "command/out.rs", "a file of text"),
    ("write_all(", "command/raw_dump.rs", "-D FILE"),
    (
        "write_all(",
        "command/watch/terminal.rs",
        "a text for the clipboard, in base64",
    ),
    (
        "write_all(",
        "source/callers_files.rs",
        "the file that `replace` replaces",
    ),
    ("write_all(", "source/tape/", "a recording"),
];

/// The files that use standard streams nevertheless: the output itself, and code that only checks for a terminal.
const WAYS_OUT: &[&str] = &[
    "command/out.rs",
    "command/caller.rs",
    "command/wait.rs",
    // A fixed sentence, written without allocating.
    "source/memory.rs",
    // The live screen: what `watch::view` drew.
    "command/watch/terminal.rs",
    "source/terminal.rs",
];

/// Calls that turn bytes from outside into text without escaping them.
const UNESCAPED: &[&str] = &[
    "from_utf8",
    "utf8_chunks",
    "to_string_lossy",
    ".display()",
    "to_str()",
    "into_string()",
];

/// The files where such text is looked up, parsed or escaped afterwards, and never shown as it is. The rooms that only read
/// (`source`, `engine`) show nothing.
const PARSED: &[(&str, &str)] = &[
    ("cli/generate.rs", "text of our own"),
    ("cli/commands.rs", "the name of a command is compared"),
    ("cli/mod.rs", "the name of a command is compared"),
    ("command/kill/find.rs", "a unit is looked up"),
    ("query/word.rs", "a word of the filter is parsed"),
    ("render/escape.rs", "the escape itself"),
    ("render/safe.rs", "the last line of defence"),
    ("render/shell.rs", "refuses what could deceive"),
    ("render/text.rs", "a renderer's own output"),
    ("cli/habits.rs", "words are compared with what other tools take"),
    ("cli/order.rs", "words are compared with options"),
    ("command/read/processes.rs", "the path of a cgroup is parsed"),
    (
        "command/why/piped.rs",
        "lines of a program are scanned for a port",
    ),
    ("diagnose/bind/owner.rs", "an address is looked up"),
    ("query/lexer.rs", "a word of the filter, escaped in errors"),
    ("render/groups.rs", "a renderer's own output"),
];

#[test]
fn text_leaves_by_one_way_that_escapes_it() {
    let sources = sources();
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !is_test_file(&source.path)) {
        if !WAYS_OUT.contains(&source.path.as_str()) {
            found.extend(uses(source, WRITES));
        }
        if source.path != "watch/view/paint.rs" {
            found.extend(uses(source, DRAWS));
        }
        let passed = PAST.iter().filter(|_| source.path != "command/out.rs");
        for (word, ..) in passed {
            let may = |(own, path, _): &(&str, &str, &str)| own == word && source.path.starts_with(path);
            if !PAST.iter().any(may) {
                found.extend(uses(source, &[word]));
            }
        }
        let reads_only = ["source/", "engine/", "model/"];
        let shows = !reads_only.iter().any(|room| source.path.starts_with(room));
        if shows && !PARSED.iter().any(|(path, _)| source.path == *path) {
            let has = |line: &String| UNESCAPED.iter().any(|word| line.contains(word));
            let lines = source.code.iter().enumerate().filter(|(_, line)| has(line));
            found.extend(lines.map(|(at, line)| format!("src/{}:{}:{line}", source.path, at + 1)));
        }
    }
    let safe = sources
        .iter()
        .find(|source| source.path == "render/safe.rs")
        .unwrap();
    let public = safe
        .code
        .iter()
        .filter_map(|line| line.trim().strip_prefix("pub "));
    assert_eq!(
        public.collect::<Vec<_>>(),
        [
            "struct Safe<'a>(Cow<'a, [u8]>);",
            "fn sentences(text: &'a str) -> Self {",
            "fn document(bytes: &'a [u8]) -> Self {",
            "fn as_bytes(&self) -> &[u8] {",
        ],
        "there is no other way to make such a value"
    );
    assert!(uses(safe, &["impl From", "Self("]).len() == 2, "nor in private");
    assert!(
        found.is_empty(),
        "text leaves by src/command/out.rs; bytes become text by render::escape or render::name:\n{}",
        found.join("\n")
    );
    for (path, _) in PARSED {
        let source = sources.iter().find(|source| source.path == *path);
        let used = source.is_some_and(|source| {
            let text = source.code.join("\n");
            UNESCAPED.iter().any(|word| text.contains(word))
        });
        assert!(used, "src/{path} has no such text any more: take it off the list");
    }
}

/// Reads that must go through the tape (`source::disk`, `source::tape`), so that a recording contains them.
const READS: &[&str] = &[
    "fs::read",
    "fs::metadata",
    "fs::symlink_metadata",
    "File::open",
    "SystemTime::now",
    "geteuid",
];

/// The files where such reads are recorded as a whole by their caller, concern the caller rather than the machine, or
/// act on the machine and are never replayed.
const OFF_TAPE: &[&str] = &[
    "source/disk.rs",
    "source/tape/",
    "source/bpf/",
    "source/cgroup.rs",
    "source/namespaces.rs",
    "source/netns/",
    "source/proc/attributes.rs",
    "source/proc/counts.rs",
    "source/proc/holders.rs",
    "source/proc/worker.rs",
    "source/proc/raw.rs",
    "command/caller.rs",
    "command/destroy/",
    "command/events/",
    "command/kill/",
    "command/watch/",
    "source/callers_files.rs",
];

#[test]
fn whatever_affects_an_answer_is_read_through_the_tape() {
    let on_tape = |source: &Source| {
        let rooms = ["source/", "engine/", "command/"];
        rooms.iter().any(|room| source.path.starts_with(room))
            && !OFF_TAPE.iter().any(|room| source.path.starts_with(room))
            && !is_test_file(&source.path)
    };
    let sources = sources();
    let found: Vec<_> = sources
        .iter()
        .filter(|source| on_tape(source))
        .flat_map(|source| uses(source, READS))
        .collect();
    assert!(
        found.is_empty(),
        "read by crate::source::disk (or tape::fact), so that --record and --replay have it:\n{}",
        found.join("\n")
    );
}

/// Ways to open a file or to query one by its path.
const OPENS: &[&str] = &[
    "File::",
    "OpenOptions::new",
    "fs::read",
    "fs::write",
    "openat(",
    "openat2(",
    "fs::metadata",
];

/// The files that open paths, and why none of these is a path that the caller names.
const OPENERS: &[(&str, &str)] = &[
    (
        "source/callers_files.rs",
        "opens what the caller names, with the caller's rights",
    ),
    (
        "source/disk.rs",
        "files of the system and of --proc-root, where all rights are the caller's",
    ),
    (
        "source/homes.rs",
        "below users' homes, only what is theirs, and on local file systems",
    ),
    (
        "source/proc/",
        "files of /proc and of --proc-root, where all rights are the caller's",
    ),
    (
        "source/bpf/",
        "the kernel's own types, and the directory of a cgroup",
    ),
    ("source/cgroup.rs", "directories of the cgroup file system"),
    ("source/namespaces.rs", "a link in /proc"),
    (
        "source/netns/",
        "-N PATH is opened as O_PATH, and then only if it is a namespace",
    ),
    ("source/terminal.rs", "standard output, once more"),
    (
        "source/tape/create.rs",
        "the options of an open, which callers_files carries out",
    ),
];

#[test]
fn files_that_the_caller_names_are_opened_with_the_callers_rights() {
    let sources = sources();
    let is_opener = |source: &Source| OPENERS.iter().any(|(path, _)| source.path.starts_with(path));
    let found: Vec<_> = sources
        .iter()
        .filter(|source| !is_opener(source) && !is_test_file(&source.path))
        .flat_map(|source| uses(source, OPENS))
        .collect();
    assert!(
        found.is_empty(),
        "opened by crate::source::callers_files if the caller names the path:\n{}",
        found.join("\n")
    );
    for (path, reason) in OPENERS {
        let files = sources.iter().filter(|source| source.path.starts_with(path));
        let opens = files.flat_map(|source| uses(source, OPENS)).count();
        assert!(
            opens > 0,
            "src/{path} opens nothing any more: take it off the list ({reason})"
        );
    }
}

/// The table of docs/architecture.md: files, and the number of unsafe blocks in each.
fn files_with_unsafe() -> BTreeMap<String, usize> {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let (_, section) = page.split_once("\n## Unsafe code\n").unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let file = cells.next()?.trim_end_matches('`').to_owned();
        Some((file, cells.next()?.parse().ok()?))
    };
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter_map(row).collect()
}

#[test]
fn unsafe_is_where_the_documentation_lists_it_and_says_why() {
    let mut found = BTreeMap::new();
    for source in sources() {
        let lines: Vec<_> = source.text.lines().collect();
        for (index, line) in source.code.iter().enumerate() {
            if !UNSAFE.iter().any(|word| holds(line, word)) {
                continue;
            }
            *found.entry(source.path.clone()).or_default() += 1;
            let above = &lines[index.saturating_sub(5)..index];
            let says_why = |line: &&str| line.contains("SAFETY:") || line.contains("# Safety");
            assert!(
                above.iter().any(says_why),
                "src/{}:{}: unsafe without a SAFETY comment above it",
                source.path,
                index + 1
            );
        }
    }
    assert_eq!(
        found,
        files_with_unsafe(),
        "the table below \"Unsafe code\" in docs/architecture.md"
    );
}

#[test]
fn files_are_short_or_have_a_reason() {
    let sources = sources();
    for source in &sources {
        let reason = LONG.iter().find(|(path, _)| *path == source.path);
        let lines = source.code.len();
        assert!(
            lines <= LONG_LINES || reason.is_some() || is_test_file(&source.path),
            "src/{} has {lines} lines before its tests: split it, or give a reason in LONG",
            source.path
        );
        assert!(
            lines > LONG_LINES || reason.is_none(),
            "src/{} is short again: take it off the list",
            source.path
        );
    }
    for (path, _) in LONG {
        assert!(
            sources.iter().any(|source| source.path == *path),
            "src/{path} is gone"
        );
    }
}
