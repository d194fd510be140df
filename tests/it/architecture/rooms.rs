//! The allowed dependencies between rooms, and the dependencies between files (docs/architecture.md).
//!
//! They are read from the source text: paths that begin with `crate`, `super` or `self`, outside comments and unit
//! tests. A `pub use` in a `mod.rs` counts as the file that defines the item.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, is_test_file, sources};

/// The rooms, and what each may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("model", &[]),
    ("query", &["model"]),
    ("render", &["model", "query"]),
    ("diagnose", &["model", "query", "render"]),
    ("source", &["model"]),
    ("engine", &["model", "query", "source"]),
    ("cli", &["model", "query"]),
    ("plan", &["cli", "model", "query", "render", "engine"]),
    ("watch", &["model", "query", "render", "engine"]),
    (
        "command",
        &[
            "cli", "diagnose", "engine", "exit", "model", "plan", "query", "render", "source", "watch",
        ],
    ),
];

/// Cycles of files inside a room, each with its reason: the files, sorted.
const CIRCLES: &[(&[&str], &str)] = &[(
    &["source/tape/netlink.rs", "source/tape/ss.rs"],
    "a dump of `ss -D` is read as a recording, and a recording is written as one",
)];

/// The files of the library, except its entry and tests.
fn code() -> Vec<Source> {
    let mut sources = sources();
    sources.retain(|source| {
        let entry = ["lib.rs", "main.rs"].contains(&source.path.as_str());
        !entry && !is_test_file(&source.path)
    });
    sources
}

/// The module that a file is: its path without `mod.rs` and `.rs`.
fn module(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

fn room(path: &str) -> String {
    module(path).swap_remove(0)
}

/// Every path in the code that begins with one of the three words, groups in braces taken apart.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for word in ["crate::", "super::", "self::"] {
        for (start, _) in code.match_indices(word) {
            let before = code[..start].chars().next_back();
            let begins = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
            if begins {
                expand(&code[start..], &[], &mut found);
            }
        }
    }
    found
}

/// Adds the paths at the start of `text`, prefixed with `parents`, and returns the rest.
fn expand<'a>(text: &'a str, parents: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = parents.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            rest = group;
            loop {
                rest = expand(rest, &path, found).trim_start();
                match rest.chars().next() {
                    Some(',') => rest = &rest[1..],
                    Some('}') => return &rest[1..],
                    _ => return rest,
                }
            }
        }
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        if end == 0 {
            return rest;
        }
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => {
                found.push(path);
                // `name as other`
                return match rest.trim_start().strip_prefix("as ") {
                    Some(other) => other.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
                    None => rest,
                };
            }
        }
    }
}

/// The path from the root of the crate.
fn absolute(path: &[String], own: &[String]) -> Vec<String> {
    let mut base = match path.first().map(String::as_str) {
        Some("crate") => Vec::new(),
        _ => own.to_vec(),
    };
    let mut rest = path.iter().peekable();
    while let Some(word) = rest.next_if(|word| ["crate", "self", "super"].contains(&word.as_str())) {
        if word == "super" {
            base.pop();
        }
    }
    base.extend(rest.cloned());
    base
}

/// Re-exports: the module and the name in it, and the path that the name stands for.
fn passed_on(sources: &[Source]) -> BTreeMap<(Vec<String>, String), Vec<String>> {
    let mut all = BTreeMap::new();
    for source in sources {
        let own = module(&source.path);
        let text = source.code.join("\n");
        for (start, word) in text.match_indices("pub use ") {
            let mut found = Vec::new();
            expand(&text[start + word.len()..], &[], &mut found);
            for path in found {
                let from_root = match path.first().map(String::as_str) {
                    Some("crate" | "super" | "self") => absolute(&path, &own),
                    _ => [own.clone(), path.clone()].concat(),
                };
                all.extend(path.last().map(|name| ((own.clone(), name.clone()), from_root)));
            }
        }
    }
    all
}

/// The files, and those that each uses.
fn uses(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<Vec<String>, &str> = sources
        .iter()
        .map(|source| (module(&source.path), source.path.as_str()))
        .collect();
    let passed_on = passed_on(sources);
    let file_of = |mut path: Vec<String>| {
        for _ in 0..4 {
            let step = (1..path.len())
                .rev()
                .find_map(|at| passed_on.get(&(path[..at].to_vec(), path[at].clone())));
            match step {
                Some(stands_for) => path.clone_from(stands_for),
                None => break,
            }
        }
        (1..=path.len())
            .rev()
            .find_map(|to| files.get(&path[..to]).copied())
    };
    let mut uses = BTreeMap::new();
    for source in sources {
        let own = module(&source.path);
        let text: Vec<_> = source
            .code
            .iter()
            .filter(|line| !line.contains("pub use "))
            .cloned()
            .collect();
        let used = paths(&text.join("\n"))
            .into_iter()
            .filter_map(|path| file_of(absolute(&path, &own)))
            .filter(|file| *file != source.path)
            .map(str::to_owned);
        uses.insert(source.path.clone(), used.collect::<BTreeSet<_>>());
    }
    uses
}

/// The groups of nodes that can reach each other, each sorted.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(node) = next.pop() {
            let nodes = graph.get(node).into_iter().flatten();
            next.extend(nodes.filter(|node| seen.insert((*node).clone())));
        }
        seen
    };
    let reach: BTreeMap<_, _> = graph.keys().map(|node| (node, reached(node))).collect();
    let circle = |(node, from_here): (&&String, &BTreeSet<String>)| -> Vec<String> {
        let back = |other: &&String| reach.get(other).is_some_and(|there| there.contains(*node));
        from_here.iter().filter(back).cloned().collect()
    };
    let all: BTreeSet<Vec<String>> = reach
        .iter()
        .map(circle)
        .filter(|circle| !circle.is_empty())
        .collect();
    all.into_iter().collect()
}

#[test]
fn the_table_of_rooms_has_no_cycle() {
    let graph = ROOMS
        .iter()
        .map(|(room, uses)| {
            (
                (*room).to_owned(),
                uses.iter().map(|used| (*used).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(circles(&graph), Vec::<Vec<String>>::new());
}

#[test]
fn every_room_is_in_the_table_and_uses_what_the_table_allows() {
    let sources = code();
    let rooms: BTreeSet<String> = sources.iter().map(|source| room(&source.path)).collect();
    let listed: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, listed, "the table has every room, and no other");
    let mut wrong = Vec::new();
    for source in &sources {
        let own = room(&source.path);
        let allowed = ROOMS
            .iter()
            .find(|(room, _)| *room == own)
            .map_or(&[][..], |(_, uses)| uses);
        for path in paths(&source.code.join("\n")) {
            let used = absolute(&path, &module(&source.path)).into_iter().next();
            if let Some(used) = used.filter(|used| *used != own && rooms.contains(used))
                && !allowed.contains(&used.as_str())
            {
                wrong.push(format!("src/{}: {own} -> {used}", source.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that the table does not allow:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_of_a_room_form_no_circles_but_those_listed() {
    const MOST: usize = 4;
    let circles = circles(&uses(&code()));
    let listed: Vec<Vec<String>> = CIRCLES
        .iter()
        .map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect())
        .collect();
    let new: Vec<_> = circles
        .iter()
        .filter(|circle| {
            !listed
                .iter()
                .any(|known| circle.iter().all(|file| known.contains(file)))
        })
        .map(|circle| circle.join(" "))
        .collect();
    assert!(new.is_empty(), "these files use each other:\n{}", new.join("\n"));
    for files in &listed {
        assert!(
            circles
                .iter()
                .any(|circle| circle.iter().any(|file| files.contains(file))),
            "no circle any more: take {files:?} off the list"
        );
    }
    assert!(CIRCLES.len() <= MOST && CIRCLES.iter().all(|(_, reason)| !reason.is_empty()));
}

/// Outside `cli` and `plan`, a command may use its options as typed if they are little more than a place, which
/// `diagnose::place` parses.
const OWN_OPTIONS: &[(&str, &str)] = &[
    ("command/why/", "WhyArgs"),
    ("command/reach", "ReachArgs"),
    ("command/free.rs", "FreeArgs"),
    ("command/wait.rs", "WaitArgs"),
];

#[test]
fn options_as_typed_stay_in_cli_and_plan() {
    let mut wrong = Vec::new();
    for source in code() {
        if ["cli", "plan"].contains(&room(&source.path).as_str()) {
            continue;
        }
        for path in paths(&source.code.join("\n")) {
            let path = absolute(&path, &module(&source.path));
            let (Some("cli"), Some(name)) = (path.first().map(String::as_str), path.last()) else {
                continue;
            };
            let own = |(file, options): &(&str, &str)| source.path.starts_with(file) && name == options;
            if name.ends_with("Args") && !OWN_OPTIONS.iter().any(own) {
                wrong.push(format!("src/{}: {name}", source.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "commands take typed requests from src/plan:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn commands_read_tables_through_the_engine() {
    let wrong: Vec<_> = code()
        .into_iter()
        .filter(|source| source.path.starts_with("command/") && source.path != "command/raw_dump.rs")
        .filter(|source| {
            let text = source.code.join("\n");
            text.contains("netlink::dump") || text.contains("channel.dump(")
        })
        .map(|source| source.path)
        .collect();
    assert!(
        wrong.is_empty(),
        "use engine::stream, engine::Snapshot or engine::read_tables: {wrong:?}"
    );
}

#[test]
fn groups_in_braces_are_taken_apart() {
    let found = paths("use super::{a::B, c as d, e::{f, G}};\nlet x = crate::y::Z::new();");
    let joined: Vec<_> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        joined,
        [
            "crate::y::Z::new",
            "super::a::B",
            "super::c",
            "super::e::f",
            "super::e::G"
        ]
    );
}
