//! The packages that packaging/build makes of a program. packaging/check installs them in a fresh Debian.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::live::tools::is_installed;
use crate::run::Ran;
use crate::skip::skip;

/// What a command prints; it must succeed.
#[track_caller]
fn printed(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    let ran = Ran::of(&mut command);
    assert_eq!(ran.status, Some(0), "{program}: {}{}", ran.text(), ran.stderr);
    ran.text().to_owned()
}

/// Where Debian has the files of an .rpm, without documentation, which differs.
fn comparable(files: impl Iterator<Item = String>) -> BTreeSet<String> {
    files
        .filter(|file| !file.ends_with('/') && !file.contains("/doc/"))
        .map(|file| {
            file.trim_start_matches('.')
                .replace("/usr/lib/systemd", "/lib/systemd")
        })
        .map(|file| file.replace("/site-functions/", "/vendor-completions/"))
        .collect()
}

#[test]
fn packages_have_everything_in_its_place_and_do_nothing_at_installation() {
    for program in ["nfpm", "lintian", "rpm"] {
        if !is_installed(program) {
            skip(&format!("{program} is not installed"));
            return;
        }
    }
    printed("packaging/build", &[env!("CARGO_BIN_EXE_sockstat")]);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/packages");
    let package = |ending: &str| {
        let mut files = std::fs::read_dir(&made)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let found = files.find(|path| path.extension().is_some_and(|extension| extension == ending));
        found.unwrap().to_str().unwrap().to_owned()
    };
    let (deb, rpm) = (package("deb"), package("rpm"));
    printed("lintian", &["--allow-root", "--fail-on", "error", &deb]);

    let field = |name: &str| printed("dpkg-deb", &["--field", &deb, name]);
    assert_eq!(
        (&*field("Package"), &*field("Conflicts")),
        ("sockstat-rs\n", "sockstat\n")
    );
    assert_eq!((field("Replaces") + &field("Provides")).trim(), "");
    assert!(
        field("Depends").starts_with("libc6 (>= 2."),
        "{}",
        field("Depends")
    );
    // No scripts: nothing is enabled or started.
    let control = printed(
        "bash",
        &["-c", "dpkg-deb --ctrl-tarfile \"$0\" | tar --list", &deb],
    );
    for script in ["preinst", "postinst", "prerm", "postrm", "triggers"] {
        assert!(!control.contains(script), "{control}");
    }
    assert_eq!(
        printed("rpm", &["--query", "--conflicts", "--package", &rpm]),
        "sockstat\n"
    );
    assert_eq!(printed("rpm", &["--query", "--scripts", "--package", &rpm]), "");

    let list = printed(
        "bash",
        &["-c", "dpkg-deb --fsys-tarfile \"$0\" | tar --list", &deb],
    );
    let of_deb = comparable(list.lines().map(str::to_owned));
    let listed = printed("rpm", &["--query", "--list", "--package", &rpm]);
    assert_eq!(of_deb, comparable(listed.lines().map(str::to_owned)));
    for file in [
        "/usr/bin/sockstat",
        "/usr/share/man/man1/sockstat.1.gz",
        "/usr/share/bash-completion/completions/sockstat",
        "/usr/share/zsh/vendor-completions/_sockstat",
        "/usr/share/fish/vendor_completions.d/sockstat.fish",
        "/usr/share/elvish/lib/sockstat.elv",
        "/lib/systemd/system/sockstat-metrics.timer",
        "/lib/systemd/system/sockstat-snapshot.service",
    ] {
        assert!(of_deb.contains(file), "{file}: {of_deb:?}");
    }
    for file in ["_sockstat.ps1", "copyright", "third-party-licenses.gz"] {
        assert!(
            list.contains(&format!("/usr/share/doc/sockstat-rs/{file}")),
            "{list}"
        );
        assert!(
            listed.contains(&format!("/usr/share/doc/sockstat-rs/{file}")),
            "{listed}"
        );
    }
    let licences = printed("zcat", &["target/packages/made/third-party-licenses.gz"]);
    for word in ["clap ", "serde_json ", "MIT License", "Apache License"] {
        assert!(licences.contains(word), "{word}");
    }
}
