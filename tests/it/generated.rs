//! Files generated from the options are checked in; these tests fail when they are stale.
//!
//! `SOCKSTAT_BLESS=1 cargo test` regenerates them.

use std::fmt::Write as _;
use std::path::Path;

use clap_complete::Shell;
use sockstat::cli::generate;
use sockstat::query::field::FIELDS;
use sockstat::render::reference;

#[track_caller]
pub(crate) fn check(path: &str, generated: &[u8]) {
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

#[test]
fn the_page_of_columns_is_fresh() {
    check("docs/columns.md", reference::columns_page().as_bytes());
}

#[test]
fn the_schema_is_fresh() {
    check("docs/schema.json", reference::schema().as_bytes());
}

const FIELDS_BEGIN: &str = "<!-- fields: begin, from src/query/field/table.rs -->\n";
const FIELDS_END: &str = "<!-- fields: end -->\n";

/// The table of keys in docs/json.md.
fn table_of_fields() -> String {
    let mut table = String::from("| Key | Type | Unit | Meaning |\n|---|---|---|---|\n");
    for info in FIELDS {
        let kind = reference::type_name(info.kind);
        writeln!(
            table,
            "| `{}` | {kind} | {} | {} |",
            info.name, info.unit, info.meaning
        )
        .unwrap();
    }
    table
}

#[test]
fn the_keys_in_json_md_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(FIELDS_BEGIN).unwrap();
    let (_, after) = rest.split_once(FIELDS_END).unwrap();
    let fresh = [before, FIELDS_BEGIN, &table_of_fields(), FIELDS_END, after].concat();
    check("docs/json.md", fresh.as_bytes());
}
