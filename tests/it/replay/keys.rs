//! The keys of recordings: files of earlier versions are looked up by them, so they never change.

use std::path::{Path, PathBuf};

/// The keys that are literals in the source. One that goes out of use stays readable only if its
/// replacement still asks for the old key in a replay.
const PINNED: &[&str] = &[
    "/proc is ours",
    "IPv6",
    "SUDO_UID",
    "access list of {}",
    "address of socket {inode}",
    "addresses",
    "addresses of {name}",
    "asked by {name}",
    "at most {most} descriptors",
    "bind hooks of {}",
    "caller",
    "cgroups below {}",
    "command lines late",
    // An address and a port, with a space between.
    "connection to {}",
    "contexts of sockets late",
    "device under {}",
    "directory {}",
    "entered",
    "host",
    "hosts",
    "index of {interface}",
    "interface {index}",
    "interfaces",
    "ip{}tables table {}",
    "kernel",
    "kernel build",
    "looked at {}",
    "making files in {}",
    "may Access(WRITE_OK) {}",
    "may bind low ports",
    "named network namespaces",
    "network namespaces",
    "nfnetlink",
    "options of the socket {cookie:x}",
    "owners",
    "page_bytes",
    "ports",
    "processes with {least} descriptors, {each} each",
    "programs of interface {interface}",
    "programs of {role} in {}",
    "programs that pick sockets",
    "protocol of socket {inode}",
    "protocols of sockets late",
    "random number",
    "rtnetlink",
    "services",
    "sock_diag",
    "socket bound to {name}",
    "socket context {inode}",
    "user ids",
    "users",
    "xfrm",
    "{least} descriptors",
    "{} {port} in other network namespaces",
];

/// The text between the first two quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// Texts of `fact("…"`, `fact(&format!("…"`, and of `fact(&name` the `let name = format!("…"` before it.
fn keys_in(code: &str) -> Vec<&str> {
    let calls = code.match_indices("fact(").chain(code.match_indices("on_tape("));
    let asked = calls.filter_map(|(at, call)| {
        let argument = code[at + call.len()..].trim_start();
        if argument.starts_with('"') || argument.starts_with("&format!(\"") {
            quoted(argument)
        } else if argument.starts_with("&name") {
            code[..at]
                .rsplit_once("let name = format!(")
                .and_then(|(_, text)| quoted(text))
        } else {
            None
        }
    });
    asked.collect()
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn facts_are_asked_by_the_keys_of_earlier_versions() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let mut keys = Vec::new();
    for path in paths.iter().filter(|path| !path.ends_with("source/tape/mod.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        keys.extend(keys_in(code).into_iter().map(str::to_owned));
        assert!(
            !code
                .lines()
                .any(|line| line.contains("fact(") && line.contains(":?}")),
            "{}: the text of a Debug implementation is no key",
            path.display()
        );
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys, PINNED);
}
