//! Every recipe of docs/json.md is run, in a namespace with sockets to show.

use super::sockets::Sockets;
use crate::run::Ran;
use crate::skip::skip;

/// The command lines of the block under "Recipes".
fn recipes() -> impl Iterator<Item = &'static str> {
    let page = include_str!("../../../docs/json.md");
    let (_, rest) = page.split_once("## Recipes\n\n```sh\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn every_recipe_runs() {
    let specs = [
        "tcp-listen:port=22",
        "tcp-listen:port=3000",
        "tcp-pair:listener=1",
        "udp",
    ];
    let Some(sockets) = Sockets::make(&specs) else {
        return;
    };
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_sockstat"))
        .parent()
        .unwrap();
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    for recipe in recipes() {
        let program = ["jq", "python3"].into_iter().find(|program| {
            let needed = recipe.contains(&format!("| {program}"));
            needed
                && std::process::Command::new(program)
                    .arg("--version")
                    .output()
                    .is_err()
        });
        if let Some(program) = program {
            skip(&format!("{program} is not installed: {recipe}"));
            continue;
        }
        let mut shell = sockets.program("bash");
        shell.args(["-o", "pipefail", "-c", recipe]).env("PATH", &path);
        let ran = Ran::of(&mut shell);
        // The one that says by its exit status whether the view is complete.
        let statuses: &[i32] = if recipe.contains("jq -e") { &[0, 1] } else { &[0] };
        assert!(
            ran.status.is_some_and(|status| statuses.contains(&status)) && !ran.stderr.contains("error"),
            "{recipe}\n{}",
            ran.stderr
        );
    }
    assert!(recipes().count() >= 15);
}
