//! The crates that are built into sockstat or used to build it: their licences, their origins, and which occur
//! twice. The same checks as cargo-deny's, from `cargo metadata` and without a network. Known advisories need one: see
//! CONTRIBUTING.md.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Licences that may be combined with the MIT licence, with no duty other than attribution.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unlicense",
    "Zlib",
    "Unicode-3.0",
];

/// Crates that have a file instead of an SPDX expression, and what is in it.
const BY_FILE: &[(&str, &str)] = &[];

/// The only place that crates come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that occur in several versions, and why.
const SEVERAL: &[(&str, &str)] = &[
    (
        "itertools",
        "ratatui needs a newer one than criterion, which only the benchmarks have",
    ),
    (
        "syn",
        "derive macros, while they build: serde's and clap's use different versions",
    ),
    (
        "thiserror",
        "filedescriptor, through which crossterm calls poll(2), needs an older one than ratatui",
    ),
    ("thiserror-impl", "as thiserror"),
];

/// The metadata of every crate that a build for Linux needs.
fn packages() -> Vec<Value> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            &target,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    assert!(packages.len() > 50, "cargo knows next to nothing");
    packages
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// Whether an SPDX expression can be satisfied with listed licences only. A slash is an OR in older manifests.
fn is_allowed(expression: &str) -> bool {
    let expression = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<_> = expression.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = any(&mut rest);
    allowed && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut allowed = all(rest);
    while let ["OR", tail @ ..] = rest {
        *rest = tail;
        allowed |= all(rest);
    }
    allowed
}

fn all(rest: &mut &[&str]) -> bool {
    let mut allowed = one(rest);
    while let ["AND", tail @ ..] = rest {
        *rest = tail;
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut &[&str]) -> bool {
    match rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let allowed = any(rest);
            if let [")", tail @ ..] = rest {
                *rest = tail;
                return allowed;
            }
            false
        }
        // An exception only permits more.
        [licence, "WITH", _, tail @ ..] | [licence, tail @ ..] => {
            let allowed = LICENCES.contains(licence);
            *rest = tail;
            allowed
        }
        [] => false,
    }
}

#[test]
fn licence_expressions_are_read() {
    for allowed in [
        "MIT",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR Apache-2.0) AND MPL-2.0",
        "(MIT",
        "MIT MIT",
    ] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

#[test]
fn every_licence_may_be_combined_with_ours() {
    for package in packages() {
        let by_file = BY_FILE.iter().find(|(name, _)| package["name"] == *name);
        let expression = package["license"]
            .as_str()
            .or(by_file.map(|(_, licence)| *licence));
        let expression = expression.unwrap_or_else(|| panic!("{} has no licence", package["id"]));
        assert!(is_allowed(expression), "{}: {expression}", package["id"]);
    }
}

#[test]
fn crates_come_from_the_registry_alone() {
    for package in packages() {
        let is_ours = name(&package) == env!("CARGO_PKG_NAME");
        let source = package["source"].as_str();
        assert_eq!(source, (!is_ours).then_some(REGISTRY), "{}", package["id"]);
    }
}

#[test]
fn a_crate_is_there_once_or_has_a_reason() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        versions
            .entry(name(&package).to_owned())
            .or_default()
            .push(package["version"].to_string());
    }
    for (name, versions) in versions {
        let has_reason = SEVERAL.iter().any(|(several, _)| *several == name);
        assert_eq!(versions.len() > 1, has_reason, "{name}: {versions:?}");
    }
}
