//! What is generated from the options is checked in; these tests fail when it is stale.
//!
//! `SOCKSTAT_BLESS=1 cargo test` writes the files anew.

use std::path::Path;

use clap_complete::Shell;
use sockstat::cli::generate;

#[track_caller]
fn check(path: &str, generated: &[u8]) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SOCKSTAT_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(&full, generated).unwrap();
        return;
    }
    let checked_in = std::fs::read(&full).unwrap_or_default();
    assert!(
        checked_in == generated,
        "{path} is stale: SOCKSTAT_BLESS=1 cargo test --test it generated"
    );
}

#[test]
fn completions_are_fresh() {
    for (shell, file) in [
        (Shell::Bash, "sockstat.bash"),
        (Shell::Zsh, "_sockstat"),
        (Shell::Fish, "sockstat.fish"),
        (Shell::Elvish, "sockstat.elv"),
        (Shell::PowerShell, "_sockstat.ps1"),
    ] {
        check(&format!("completions/{file}"), &generate::completions(shell));
    }
}

#[test]
fn the_man_page_is_fresh() {
    check("docs/sockstat.1", &generate::man_page().unwrap());
}

#[test]
fn the_help_text_is_fresh() {
    check("docs/help.txt", generate::help().as_bytes());
}
