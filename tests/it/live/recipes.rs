//! Runs every recipe of docs/json.md, in a namespace with sockets for all of them.

use std::path::Path;

use super::sockets::{End, Sockets};
use super::tools::is_installed;
use crate::run::Ran;
use crate::skip::skip;

const SPECS: &[&str] = &[
    "tcp-listen:port=22",
    "tcp-listen:port=80,addr=0.0.0.0,backlog=1,full=1",
    "shared-fork:port=3000,children=2",
    "tcp-listen:port=4000,device=lo",
    "tcp-pair:port=443,unread=100",
    "tcp-pair:port=5432,listener=1",
    "syn-sent",
    "syn-recv",
    "close-wait",
    "time-wait",
    "udp",
    "nondumpable",
];

/// Recipes that print nothing here: no datagram was dropped, no program was replaced, nothing new listens; a log is
/// written; `wait` and `grep -q` answer by their status.
const SILENT: &[&str] = &["drops gt 0", "(deleted)", "> {dir}", "| diff", "sockstat wait"];

/// The start of the output, for recipes with only one right answer.
fn answer(recipe: &str, sockets: &Sockets) -> Option<String> {
    Some(match recipe {
        "sockstat -tl 22 -H --plain --columns process" => "mksock\n".to_owned(),
        _ if recipe.contains("cookie | wc -l") => "1\n".to_owned(),
        _ if recipe.contains("nobody has 3001") => "nobody has 3001\n".to_owned(),
        _ if recipe.contains("--pids") => {
            let mut holders: Vec<_> = sockets.of_kind("shared-fork").flat_map(End::holders).collect();
            holders.sort_unstable();
            let lines: Vec<_> = holders
                .iter()
                .map(|[pid, ..]| format!("would stop {pid}\n"))
                .collect();
            lines.concat()
        }
        _ if recipe.contains("length > 1") => "{\"local_port\":3000,\"owners\":[{".to_owned(),
        _ if recipe.contains(".accept_q > .backlog") => {
            "{\"local_port\":80,\"accept_q\":2,\"backlog\":1}\n".to_owned()
        }
        _ if recipe.contains("has(interface)") => {
            "interface protocol local_port process\nlo tcp 4000 mksock\n".to_owned()
        }
        _ if recipe.contains("state close-wait") => {
            format!(
                "process pid count recv_q send_q accept_q\nmksock {} 1 ",
                sockets.pid
            )
        }
        _ if recipe.contains("recv_q gt 0 or") => {
            "recv_q send_q local_port peer_address peer_port process\n100 0 443 127.0.0.1 ".to_owned()
        }
        _ => return None,
    })
}

/// The command lines of the block under "Recipes".
fn recipes() -> impl Iterator<Item = &'static str> {
    let page = include_str!("../../../docs/json.md");
    let (_, rest) = page.split_once("## Recipes\n").unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn every_recipe_runs_and_answers() {
    let Some(sockets) = Sockets::make(SPECS) else {
        return;
    };
    let programs = Path::new(env!("CARGO_BIN_EXE_sockstat")).parent().unwrap();
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut silent: Vec<_> = SILENT.to_vec();
    let mut run = 0;
    for printed in recipes() {
        let recipe = printed.replace("/tmp", "{dir}").replace("nginx", "mksock");
        let needed = ["jq", "python3", "duckdb"].map(|program| (program, format!("| {program} ")));
        let missing = needed
            .iter()
            .find(|(program, pipe)| recipe.contains(pipe) && !is_installed(program));
        if let Some((program, _)) = missing {
            skip(&format!("{program} is not installed"));
            continue;
        }
        let mut shell = sockets.program("bash");
        let command = recipe.replace("{dir}", sockets.directory().to_str().unwrap());
        shell.args(["-o", "pipefail", "-c", &command]).env("PATH", &path);
        let ran = Ran::of(&mut shell);
        // The recipe whose exit status says whether the view is complete.
        let statuses: &[i32] = if recipe.contains("jq -e") { &[0, 1] } else { &[0] };
        assert!(
            ran.status.is_some_and(|status| statuses.contains(&status)) && !ran.stderr.contains("error"),
            "{recipe}\n{}",
            ran.stderr
        );
        if let Some(reason) = SILENT.iter().find(|word| recipe.contains(**word)) {
            silent.retain(|word| word != reason);
        } else {
            // More than the header.
            let lines = ran.text().lines().count();
            let heading = (recipe.contains("--plain") && !recipe.contains("-H")) || recipe.contains("--csv");
            let rows = lines.saturating_sub(usize::from(heading && !recipe.contains('|')));
            assert!(rows > 0, "{recipe}\nsays nothing:\n{}", ran.text());
        }
        if let Some(answer) = answer(&recipe, &sockets) {
            assert!(
                ran.text().starts_with(&answer),
                "{recipe}\n{}\n{answer}",
                ran.text()
            );
        }
        run += 1;
    }
    assert!(run >= 15, "{run} recipes were run");
    assert!(silent.is_empty(), "no recipe has {silent:?}");
}
